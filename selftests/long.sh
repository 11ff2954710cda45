#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# A long run: updates there and back with policies in random order, while CALLERS tasks (one for
# each processor) call without pause, until there were UPDATES updates and CALLS calls. SEED chooses
# the order, and how many instances there are: with another one it is another run. FULL=1: 10,000
# updates, if nothing else is said.

. ./functions.sh
plan 9

[ -z "$FULL" ] || UPDATES=${UPDATES:-10000}
UPDATES=${UPDATES:-300}
CALLS=${CALLS:-1000000}
SEED=${SEED:-$(awk '{ print int($1 * 100) }' /proc/uptime)}
CALLERS=${CALLERS:-$(grep -c ^processor /proc/cpuinfo)}
counter=$classes/counter
# As on an ordinary kernel, if things take longer here.
limits="deadline_ms=30000 pause_ms=$((20 * slower))"

# schedule: a policy for each update, without end.
schedule()
{
	awk -v seed="$SEED" 'BEGIN {
		srand(seed)
		split("eager eager eager lazy background", policy, " ")
		while (1) print policy[1 + int(rand() * 5)]
	}'
}

# Kernel memory that is in use, at rest: objects, or where there is no such table KiB.
memory()
{
	if [ -r /proc/slabinfo ]; then
		slab_objects
	else
		sed -n 's/^SUnreclaim: *\([0-9]*\) kB/\1/p' /proc/meminfo
	fi
}

rest()
{
	stop_callers
	# A sweep is not at rest.
	update counter "Sum@2 deadline_ms=30000"
	update counter "Sum@1 deadline_ms=30000"
	await 10 same "$(value counter instances)" "$instances"
	sleep 1
	memory=$(memory)
	modules=$(sed -n \
		's/^\(molt\|molt_control\|counter_[a-z0-9]*\) [0-9]* \([0-9]*\) .*/\1 \2/p' \
		/proc/modules)
}

# turn: an update, without a process of its own.
turn()
{
	local policy

	read -r policy <&5
	echo "Sum@$to policy=$policy $limits" >$counter/update || {
		failed=$((failed + 1))
		note "update $updates, $policy: $(cat $counter/last_result)"
	}
	to=$((3 - to)) updates=$((updates + 1))
}

# run UPDATES CALLS: until there were so many, and as many there as back.
run()
{
	while [ $((updates % 2)) = 1 ] || [ $updates -lt "$1" ] ||
		[ "$(account calls)" -lt "$2" ]; do
		turn
		[ $((updates % 1000)) != 0 ] || note "after $updates updates"
		# The accounts take a process.
		[ $updates -ge "$1" ] || [ $((updates % 64)) = 0 ] || continue
		[ $failed -lt 10 ] || return
		[ $updates -lt "$1" ] || usleep 20000
	done
}

# Each update has lines in the log, which the console would take more time for than the update.
dmesg -n 5
load molt_control counter_v1 counter_v2
instances=$(awk -v seed="$SEED" 'BEGIN { srand(seed); print 20 + int(rand() * 400) }')
load_with counter_load instances="$instances"
open_counters
mkfifo "$temporary/schedule"
schedule >"$temporary/schedule" 2>/dev/null &
scheduler=$!
exec 5<"$temporary/schedule"
to=2 updates=0 failed=0
note "seed $SEED: $instances instances, $CALLERS callers"

# What is made once, is made in the first part.
call_from "$CALLERS" 7000000
run $((UPDATES / 10)) $((CALLS / 10))
rest
modules_before=$modules memory_before=$memory
begun=$(now_ms) calls=$(account calls) first=$updates
call_from "$CALLERS" 7000000
run "$UPDATES" "$CALLS"
took=$(($(now_ms) - begun))
rest
made=$(account calls)
note "updates $updates, calls $made; memory $memory_before, then $memory"
note "rate: $(((updates - first) * 1000 / (took + 1))) updates/s," \
	"$(((made - calls) * 1000 / (took + 1))) calls/s, $CALLERS callers"
check "no update failed" same $failed 0
check "there were as many updates as asked for" at_least $updates "$UPDATES"
check "and as many calls" at_least "$made" "$CALLS"
check "the class has counted as many" served counter Sum@1 $((updates + 4))
check "no call failed, and the sum is exact to the unit" accounts_balance
check "instances were made and ended all the while" at_least "$(account ended)" 10
check "module reference counts are as after the first tenth" same "$modules" "$modules_before"
check "memory in use is as after the first tenth" at_most "$memory" $((memory_before + 2000))
figure "long run, seed $SEED: updates that failed, and calls" \
	"$failed of $updates, $(account failed) of $made" "0, 0"
exec 5<&-
kill "$scheduler" 2>/dev/null
wait "$scheduler" 2>/dev/null
check "nobody waits for the class" same "$(value counter state)" idle
