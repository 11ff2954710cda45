#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --cpus 2
# console: BUG: kernel NULL pointer dereference, address: 0000000000000008
# console: Oops: Oops: 0000 [#1]
# console: Call Trace:
#
# A task that dies inside a call. The record of its call may be on its stack, which is gone: so no
# class is updated any more, and all go on as they are. The lines above are all that the kernel
# says.

. ./functions.sh
plan 21

load molt_control counter_v1 counter_v2 test_counter_oops store_v1 store_v2 store_caller
load_with counter_load instances=50
open_counters
update counter Sum@13
call_from 1
before=$(account calls)

# A call that never ends, and an update that waits for it, asleep. The call that dies comes later,
# so it is recorded.
echo park >&3 &
usleep 200000
behind $classes/counter/update "Sum@1 deadline_ms=60000"
await 5 in_state counter tracking
sh -c 'echo park >&3' 3<&3 >/dev/null 2>&1 &
dying=$!
sleep "$slower"
kill $dying
check "the task is gone" await 10 is_gone $dying
check "the update that waits is woken, long before its deadline" ended 10
check "with ETIMEDOUT" same "$errno" ETIMEDOUT
check "and who has died is named" last_says counter ETIMEDOUT "pid $dying (sh) has died"
check "calls were recorded" at_least "$(moment counter recorded)" 1
check "and nothing has changed" all served counter Sum@13 1 -- in_state counter idle
wait $dying
check "by a signal" at_least $? 128
check "the log has the module and the task" all \
	has "$(dmesg | grep 'RIP: ')" test_counter_oops add -- \
	has "$(dmesg | grep 'CPU: .* Comm: sh ')" "PID: $dying "
check "an update of the class is refused: EIO, and the reason is said" \
	refused EIO counter Sum@1 "the kernel has oopsed" "pid $dying (sh)"
check "so is one of another class" refused EIO store Table@2 "the kernel has oopsed"
check "and a switch" put_refused $classes/counter/switch "Sum@1 count=1" EIO
check "and a repair" put_refused $classes/counter/repair "Sum@1 deadline_ms=100" EIO
check "and a transaction" put_refused $molt/transaction "counter=Sum@1 store=Table@2" EIO
check "that is at once, and not at a deadline" at_most "$(history counter result | wc -l)" 2
check "the class cannot be removed, which would wait for the dead task" \
	put_refused $classes/counter/remove 1 EIO
check "the class is as it was" all served counter Sum@13 1 -- in_state counter idle
more()
{
	[ "$(account calls)" -gt $((before + 1000)) ]
}
check "the others go on to call it" await 10 more
stop_callers
check "no call of theirs failed, and the sums are exact" accounts_balance
check "instances are made and ended" at_least "$(account ended)" 1
rmmod store_caller
check "the other class goes on, too" has "$(dmesg | tail -n 3)" "300 of 300 values are right"
check "the implementation that the dead task is in stays" not rmmod test_counter_oops
