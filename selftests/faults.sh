#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Transfers that fail at each place where they can: instances out of 1,000 refuse (with FULL=1
# each of them), and allocations fail. Every time the update is refused, no state has changed by a
# byte, no counted value is lost or was dropped twice, and calls go on.

. ./functions.sh
plan 19

faults=/sys/kernel/debug/test_corpus
refuse=/sys/kernel/debug/test_faults/refuse
instances=1000
step=9 many=397
[ -z "$FULL" ] || step=1 many=17
# With checkers each takes long.
[ "$slower" = 1 ] || instances=100 step=3 many=97
tenth=$((instances / 10))

client()
{
	put $faults/command "$1"
}

# whole NUMBER: so many instances are right, and have all counted values that there are.
whole()
{
	local result

	result=$(cat $faults/result)
	has "$result" "all right $1 wrong 0" "counted $(($1 * 8)) made" || return 1
	echo "$result" | awk '$1 == "counted" { exit !($2 == $4 - $6) }' ||
		{ note "$result"; return 1; }
}

# as_before: every state is what it was.
as_before()
{
	same "$(states faults | md5sum)" "$before"
}

# refused_at NUMBER: the update is refused for that value.
refused_at()
{
	echo "$1" >$refuse
	# Longer than a busy host can keep a guest waiting, also with the gate closed.
	update faults "Faulty@2 deadline_ms=30000 pause_ms=10000"
	same "$errno" EDOM
}

refused_everywhere()
{
	local place

	for place in 0 1 2 3 4 5 6 7; do
		refused_at $(($1 * 8 + place)) || { note "place $place"; return 1; }
	done
}

# refused_by FIRST LAST: these instances refuse, each at one place or another.
refused_by()
{
	local instance

	for instance in $(seq "$1" $step "$2"); do
		refused_at $((instance * 8 + instance % 8)) ||
			{ note "instance $instance"; return 1; }
	done
	as_before
}

# fail_each TEXT STEP: the first allocation fails, the one STEP after it, and so on, until the
# update succeeds. Says how many did.
fail_each()
{
	local n=1

	failed=0
	while :; do
		echo $n >$parameters/test_fail
		update faults "$1 deadline_ms=30000" && break
		same "$errno" ENOMEM || return 1
		n=$((n + $2))
		failed=$((failed + 1))
		# The states are those of instances that all serve.
		[ $((failed % 100)) -ne 1 ] || as_before || return 1
	done
	echo 0 >$parameters/test_fail
	note "allocations that failed: $failed"
}

load molt_control test_faults_v1 test_corpus test_faults_v2
echo Y >$parameters/test_state
client "make faults $instances"
before=$(states faults | md5sum)
check "there are instances" whole $instances

while :; do cat $faults/result >/dev/null; done &
caller=$!
# Each place of the first one, one in the middle and the last.
for instance in 1 $((instances / 2)) $instances; do
	check "instance $instance refuses at each place" refused_everywhere "$instance"
done
kill $caller
wait $caller 2>/dev/null
# The last of its calls may hold a lock yet.
check "every state is as before" await 5 as_before
check "the refusal names a field" last_says faults "of $instances, at field \`last\`"
check "no counted value is lost" whole $instances
tenths=0
while [ $tenths -lt 10 ] && refused_by $((tenths * tenth + 1)) $((tenths * tenth + tenth)); do
	tenths=$((tenths + 1))
done
check "instances all over refuse, and every state is as before" same "$tenths" 10
figure "fallible rules that refused, at instances all over $instances: states changed" \
	"0 after $(value faults transitions_failed) refused updates" "0"
echo 0 >$refuse
check "no counted value is lost" whole $instances
check "the old version serves" all served faults Faulty@1 0 -- in_state faults idle

check "one in many allocations fails, until an update succeeds" fail_each Faulty@2 $many
check "no counted value is lost" whole $instances

# none_left: neither instances nor counted values; a worker drops the last of them.
none_left()
{
	awk '$1 == "counted" { exit !($2 == 0 && $4 == $6) }' $faults/result
}

client end
check "at the end no counted value is left" await 30 none_left
client "make faults 20"
before=$(states faults | md5sum)
check "each allocation fails on the way back, until it succeeds" fail_each Faulty@1 1
check "no counted value is lost" whole 20
check "there were that many" at_least "$failed" 200
before=$(states faults | md5sum)
figure "allocations of an update that failed, one after the other: states changed" \
	"0 after $failed" "0"
check "each allocation fails on the way there" fail_each Faulty@2 1
check "no counted value is lost" whole 20
client end
check "at the end no counted value is left" await 30 none_left
