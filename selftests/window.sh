#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --icount --cpus 1
#
# How long a window is closed, and how long a call waits. In this guest time counts
# instructions: one for each nanosecond. FULL=1: as many windows as promised.

. ./functions.sh
plan 10

windows=300
transitions=300
[ -z "$FULL" ] || { windows=10000 transitions=2000; }

load molt_control test_tick_v1 test_tock_v1 test_tick_v2 test_tock_v2
load_with test_ticker instances=1000
load counter_v1 counter_v2
load_with counter_load instances=1
ticker=/sys/kernel/debug/test_ticker
callee=$ticker

# collect CLASS NAME N COLUMN [MOST]: so many updates; the column of each one's history, in
# order, is in $temporary/COLUMN then, for updates of MOST instances at most. The history
# forgets, so it is read in between.
collect()
{
	local class=$1 name=$2 left=$3 column=$4 most=${5:-1000000} part version=2

	failed=0
	: >"$temporary/$column"
	while [ "$left" -gt 0 ]; do
		part=$((left < 500 ? left : 500))
		left=$((left - part))
		for _ in $(seq $part); do
			update "$class" "$name@$version" || {
				failed=$((failed + 1))
				note "$errno $(value "$class" last_result)"
			}
			version=$((3 - version))
		done
		history "$class" "$column" | tail -n $part >"$temporary/values"
		history "$class" instances | tail -n $part | paste "$temporary/values" - |
			awk -v most="$most" '$2 <= most { print $1 }' >>"$temporary/$column"
	done
	sort -n "$temporary/$column" >"$temporary/sorted"
}

# part PERCENT: so much percent of what was collected is no more than this.
part()
{
	sed -n "$((($(wc -l <"$temporary/sorted") * $1 + 99) / 100))p" "$temporary/sorted"
}

begin hard 300
begin hard 170
begin soft 250
begin locked
begin nested
usleep 20000
calls=$(counted hard)
collect tick Plain $windows window_ns
check "no update failed" same $failed 0
check "each of $windows windows was measured" \
	all same "$(wc -l <"$temporary/sorted")" $windows -- at_least "$(part 1)" 1
check "none was closed for more than 50,000 instructions" at_most "$(part 100)" 50000
check "nor, with nobody inside on the only processor, for more than 3,000" \
	at_most "$(part 100)" 3000
figure "window of an atomic class under load, in instructions: max of $windows" \
	"$(part 100) (p50 $(part 50), p99 $(part 99))" "50000"
note "window: p50 $(part 50), p99 $(part 99), max $(part 100) instructions;" \
	"missed $(history tick missed | awk '{ n += $1 } END { print n }')"
check "calls came from interrupts all the while" at_least "$(counted hard)" $((calls + windows))
stop_callers
check "and their results were right" has "$(cat $ticker/result)" "wrong 0" "failed 0"
check "the sum is exact" same "$(counted added)" "$(counted total)"

# A sleepable class with one instance, and calls of a few instructions. The caller makes others
# now and then, which are ended by a worker; updates that met a backlog of them are left out.
open_counters
call_from 1
collect counter Sum $transitions longest_wait_us 2
check "of $transitions updates of a sleepable class none failed" same $failed 0
note "longest wait of a call: p50 $(part 50), p99 $(part 99), max $(part 100) us;" \
	"with a wait: $(grep -vcx 0 "$temporary/sorted")"
claim="sleepable class, one instance, short calls"
figure "$claim: longest wait in an update, p99 of $transitions" \
	"$(part 99) us (max $(part 100))" "5 us (max 50): 1 us is 1000 instructions"
check "the longest wait of a call is at most 5,000 instructions in 99 of 100" all \
	at_least "$(wc -l <"$temporary/sorted")" $((transitions / 3)) -- at_most "$(part 99)" 5
check "and never more than 50,000" at_most "$(part 100)" 50
stop_callers
