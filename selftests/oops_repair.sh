#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --cpus 2
# console: BUG: kernel NULL pointer dereference, address: 0000000000000008
# console: Oops: Oops: 0000 [#1]
# console: Call Trace:
#
# A task dies anywhere in the kernel while a call that a repair has abandoned is still inside. After
# that no record is looked at, so nobody knows when the call ends: what it needs is kept for good.
# The lines above are all that the kernel says.

. ./functions.sh
plan 10

load molt_control
load_with test_counter_damaged spoil=0
load_with counter_load instances=20
load test_counter_mended
open_counters

# A call that comes after the beginning of an update has nothing but its record.
hold 1
behind $classes/counter/update "Mended@1 deadline_ms=1000"
await 5 in_state counter tracking
echo park >&3 &
parked=$!
sleep "$slower"
hold 0
check "an update ends" ended 20
check "it has waited for the call in vain" same "$errno" ETIMEDOUT
check "the call had a record" same "$(moment counter recorded)" 1
check "a repair abandons it" put $classes/counter/repair "Mended@1 deadline_ms=500"
check "and says so" last_says counter "20 states saved, 0 lost, 1 calls abandoned"
check "the old module stays for it" not rmmod test_counter_damaged

busybox modprobe test_oops >/dev/null 2>&1
check "a task has died" has "$(dmesg | grep 'RIP: ')" "[test_oops]"
# A few times as long as it takes until somebody looks whether the call has ended.
sleep 2
check "the old module stays still" not rmmod test_counter_damaged
call_from 1
check "the class serves" all counters_are_called 1 -- served counter Mended@1 1
stop_callers
kill -KILL $parked
wait $parked 2>/dev/null
sleep 2
check "and after the call has ended, since nobody can know that it has" \
	not rmmod test_counter_damaged
