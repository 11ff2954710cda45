#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --cpus 2
# console: BUG: kernel NULL pointer dereference, address: 0000000000000008
# console: Oops: Oops: 0000 [#1]
# console: Call Trace:
#
# A task that dies in a rule which moves a state, after the commit. Its class is lost. The processor
# that it was on is nobody's who moves a state any more: first calls of other classes' instances,
# which come the long way, go on everywhere.

. ./functions.sh
plan 7

driver=/dev/rust-misc-device
set_value=0x40047c82
get=0x80047c81

load molt_control rust_misc_device rust_misc_device_v2 counter_v1
load_with test_counter_fatal at=2
load_with counter_load instances=4
open_counters
exec 4<>$driver 5<>$driver
fileop ioctl 4 $set_value 4000 >/dev/null
fileop ioctl 5 $set_value 5000 >/dev/null
check "another class is updated, lazily" update rust_misc_device "RustMiscDevice@2 policy=lazy"
check "no instance of it has moved yet" in_state rust_misc_device lazy

behind $classes/counter/update "Sum@14 deadline_ms=1000"
died()
{
	dmesg | grep -q 'RIP: .*\[test_counter_fatal\]'
}
check "a task dies in a rule" await 10 died
check "no sweep is begun by a class that is to require signatures: EIO" all \
	put_refused $classes/rust_misc_device/require_signature 1 EIO -- \
	in_state rust_misc_device lazy

# answers PROCESSOR FD ANSWER: the first call of the instance, there.
answers()
{
	taskset "$1" fileop ioctl "$2" $get >"$temporary/answer.$2" &
	await 5 is_gone $! && same "$(cat "$temporary/answer.$2")" "$3"
}
check "an instance of the other class answers on one processor" answers 1 4 "0 4000"
check "and one on the other" answers 2 5 "0 5000"
check "that has moved both" same "$(value rust_misc_device progress)" "2 2"
