#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --icount --cpus 1
#
# How soon the old text is free after an update of busy instances, and that every attempt
# ends by its deadline, whatever is in its way. In this guest time counts instructions.

. ./functions.sh
plan 7

updates=40
attempts=60
[ -z "$FULL" ] || { updates=300 attempts=1000; }

load molt_control counter_v1 counter_v2
load_with counter_load instances=1000
open_counters
call_from 3

# there_and_back N: updates by turns; what each took is in the history.
there_and_back()
{
	local _

	for _ in $(seq $(($1 / 2))); do
		update counter Sum@2 ||
			{ failed=$((failed + 1)); note "$errno: $(value counter last_result)"; }
		update counter Sum@1 ||
			{ failed=$((failed + 1)); note "$errno: $(value counter last_result)"; }
	done
}

# spent N: microseconds from the beginning to the end of reclaim, of the last N, sorted.
spent()
{
	history counter total_us | tail -n "$1" >"$temporary/total"
	history counter reclaiming_us | tail -n "$1" | paste "$temporary/total" - |
		awk '{ print $1 + $2 }' | sort -n
}

# part P: the Pth percentile of what is sorted in the file.
part()
{
	awk -v p="$1" '{ v[NR] = $1 }
		END { i = int(NR * p / 100 + 0.999); print v[i < 1 ? 1 : i] }' "$temporary/spent"
}

failed=0
there_and_back $updates
spent $updates >"$temporary/spent"
check "no update of 1,000 busy instances failed" same $failed 0
figure "update of 1,000 busy instances: from its beginning to the old text free, p99 of $updates" \
	"$(part 99) us (p50 $(part 50), max $(part 100))" "100000 us"
check "the old text is free within 100 ms, in 99 of 100" at_most "$(part 99)" 100000

echo N >$parameters/expedite
there_and_back 10
echo Y >$parameters/expedite
spent 10 >"$temporary/spent"
note "with normal grace periods: p50 $(part 50), max $(part 100) us"
check "normal grace periods do, too, if not as fast" same $failed 0
stop_callers
check "no call failed, and the sums are exact" accounts_balance
release_callers

# Random blockers and deadlines: the same ones in each run.
load test_alpha_v1 test_beta_v1 test_walker test_alpha_v2
walker=/sys/kernel/debug/test_walker
seed=1
random()
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	value=$((seed / 65536 % $1))
}

# attempt: a call that lingers, and an update with a deadline. Which of them is longer?
late=0 latest=0 ok=0 refused=0 slack=10000
attempt()
{
	local deadline over to

	random 150
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo "linger $1" >"$2"' sh "$value" $walker/command &
	random 20
	usleep $((value * 1000))
	random 150
	deadline=$((value + 5))
	to=$((3 - $(value alpha version)))
	if update alpha "Plain@$to deadline_ms=$deadline"; then
		ok=$((ok + 1))
	else
		refused=$((refused + 1))
		[ "$errno" = ETIMEDOUT ] || note "$errno"
	fi
	over=$(($(moment alpha total_us) - deadline * 1000))
	# After the deadline the thread has to get its processor back, which is two slices of the
	# scheduler (2.8 ms each) where others run; then it opens the gate, and says who was inside.
	[ $over -le $latest ] || latest=$over
	[ $over -le $slack ] || { late=$((late + 1)); note "$over us after $deadline ms"; }
	wait
}

for _ in $(seq $attempts); do
	attempt
done
check "all $attempts attempts ended within $((slack / 1000)) ms of its deadline" same $late 0
ends="$ok committed, $refused timed out, $latest us late at most"
figure "attempts with random blockers that ended within $((slack / 1000)) ms of their deadline" \
	"$((attempts - late)) of $attempts ($ends)" \
	"all"
check "some committed" at_least $ok $((attempts / 10))
check "and some did not" at_least $refused $((attempts / 10))
