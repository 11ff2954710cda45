#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --cpus 2
# console: BUG: kernel NULL pointer dereference, address: 0000000000000008
# console: Oops: Oops: 0000 [#1]
# console: Call Trace:
#
# The task that drives a transition dies in a rule, before the commit. Its class stays closed for
# good, to everybody: also to a task that gets the memory of the one that has died.

. ./functions.sh
plan 4

load molt_control counter_v1 hello_v1 hello_v2
load_with test_counter_fatal at=1
load_with counter_load instances=2
open_counters

behind $classes/counter/update "Sum@14 deadline_ms=1000"
died()
{
	dmesg | grep -q 'RIP: .*\[test_counter_fatal\]'
}
check "the task that drives a transition dies in a rule" await 10 died
check "the class is closed" in_state counter transferring

# Its memory is given to one of these, sooner or later, who would be done after a second.
callers=''
for _ in $(seq 60); do
	sh -c 'echo 1000 >&3' 3<&3 >/dev/null 2>&1 &
	callers="$callers $!"
	usleep 20000
done
sleep $((3 * slower))
nobody_is_through()
{
	local pid

	for pid in $callers; do
		kill -0 "$pid" || return 1
	done
}
check "nobody gets in" nobody_is_through
callers=''
check "another class serves" served hello Greeter@1 0
