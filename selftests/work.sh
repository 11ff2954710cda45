#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Work items and timers, pending and running, while what they run is replaced and its module is
# removed.

. ./functions.sh
plan 6

load molt_control test_work_v1 test_timer_v1
load test_beats

# Each module is removed after the update away from it: none of its text is needed.
replace()
{
	local round=0 from=1 to=2 class

	while [ $round -lt 20 ]; do
		for class in test_work test_timer; do
			modprobe ${class}_v$to || return 1
			update $class Beat@$to || return 1
			rmmod ${class}_v$from || return 1
		done
		from=$to
		to=$((3 - to))
		usleep 30000
		round=$((round + 1))
	done
}

# runs WHAT VERSION: how often, as told at the end.
runs()
{
	dmesg | sed -n "s/.*$1: \([0-9]*\) runs of version 1, \([0-9]*\) of.*/\\$2/p" | tail -n 1
}

check "20 updates of each, and the old module goes every time" replace
rmmod test_beats
usleep 200000
check "both ended" \
	same "$(cat $classes/test_work/instances) $(cat $classes/test_timer/instances)" "0 0"
check "the work item ran in version 1" at_least "$(runs test_work 1)" 20
check "and in version 2" at_least "$(runs test_work 2)" 20
check "the timer ran in version 1" at_least "$(runs test_timer 1)" 20
check "and in version 2" at_least "$(runs test_timer 2)" 20
