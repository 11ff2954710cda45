#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --icount --cpus 2
#
# Calls that stay inside longer than an update may take: they are named, and the others go on.

. ./functions.sh
plan 20

load molt_control test_alpha_v1 test_beta_v1 test_walker test_alpha_v2
walker=/sys/kernel/debug/test_walker
last=$classes/alpha/last_result

# linger MS: one call stays inside `alpha` for so long; $parked is its task.
linger()
{
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo "linger $1" >"$2"' sh "$1" $walker/command &
	parked=$!
	usleep 100000
}

# walk KIND: a task that walks until `stop`.
walk()
{
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo "$1" >"$2"' sh "$1" $walker/command &
}

stop_walks()
{
	echo stop >$walker/command
	wait
	echo go >$walker/command
}

balanced()
{
	awk '{ v[$1] = $2 } END { exit !(v["returned"] == v["total"] && v["wrong"] == 0 &&
		v["failed"] == 0 && v["total"] > 0) }' $walker/result ||
		{ note "$(cat $walker/result)"; return 1; }
}

echo Y >$parameters/test_state
linger 4000
before=$(states alpha)
check "a call from before the update: ETIMEDOUT, its task named in last_result" \
	refused ETIMEDOUT alpha "Plain@2 deadline_ms=300" "pid $parked" "(sh)" alpha
check "in the list of blockers" has "$(blockers alpha)" "$parked sh "
check "and in the log" \
	has "$(dmesg | grep aborted | tail -n 1)" ETIMEDOUT "pid $parked" "(sh)" alpha
check "nobody else is named" same "$(blockers alpha | wc -l)" 1
check "the class is as it was" all served alpha Plain@1 0 -- in_state alpha idle
check "every state is byte for byte as it was" \
	all test -n "$before" -- same "$(states alpha)" "$before"
check "a second attempt meets the same call" \
	refused ETIMEDOUT alpha "Plain@2 deadline_ms=300" "pid $parked"
wait $parked
check "when the call has ended the update succeeds" update alpha Plain@2
check "and so does the way back" update alpha Plain@1

# With others that come and go.
walk self
walk cross
linger 1000
check "under load the call that stays is the first one named" \
	refused ETIMEDOUT alpha "Plain@2 deadline_ms=300" "pid $parked" "(sh)"
wait $parked

# A call that came during tracking has a record.
hold 1
behind $classes/alpha/update "Plain@2 deadline_ms=1500"
await 5 in_state alpha tracking
linger 4000
hold 0
ended 5
check "a call from during the update: ETIMEDOUT" same "$errno" ETIMEDOUT
check "its task is named in last_result, with how long it has been inside" \
	has "$(sed 's/[0-9]\{3,4\} ms/N ms/' $last)" ETIMEDOUT \
	"pid $parked (sh) inside alpha for N ms"
check "in the list of blockers" has "$(blockers alpha)" "$parked sh "
check "and in the log" has "$(dmesg | grep aborted | tail -n 1)" ETIMEDOUT "pid $parked (sh)"
check "the gate was reopened again and again" at_least "$(moment alpha reopened)" 5
check "no other call waited longer than pause_ms and 20 ms" \
	at_most "$(moment alpha longest_wait_us)" 40000
wait $parked

# Must show 6: one call stays inside, and the update waits for it.
stay=2500
[ -z "$FULL" ] || stay=10000
hold 1
behind $classes/alpha/update "Plain@2 deadline_ms=$((stay + 5000))"
await 5 in_state alpha tracking
linger $stay
hold 0
ended 20
check "an update with time enough waits for the call and succeeds" \
	all same "$errno" ok -- served alpha Plain@2 3
figure "call parked for $stay ms: longest wait of another call" \
	"$(moment alpha longest_wait_us) us, gate reopened $(moment alpha reopened) times" \
	"40000 us"
note "call parked for $stay ms: reopened $(moment alpha reopened) times," \
	"longest wait $(moment alpha longest_wait_us) us"
check "the gate was reopened meanwhile" at_least "$(moment alpha reopened)" 10
check "no other call waited longer than pause_ms and 20 ms in any try" \
	all at_least "$(moment alpha waited)" 1 -- at_most "$(moment alpha longest_wait_us)" 40000
stop_walks
check "every call was counted once" balanced
