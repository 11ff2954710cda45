#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Updates that succeed: there and back, with the state kept and the old module gone.

. ./functions.sh
plan 15

load molt_control counter_v1
load_with counter_load instances=100
check "a class comes with its first implementation, at generation 0" served counter Sum@1 0
open_counters
call_from 2
load counter_v2
check "another implementation changes nothing by itself" served counter Sum@1 0
check "an implementation that is not used does not pin its module" same "$(references counter_v2)" 0
check "the default pins its module" at_least "$(references counter_v1)" 1

check "check=1 says that an update would succeed" update counter "Sum@2 check=1"
check "and changes nothing" served counter Sum@1 0
check "an update to version 2 succeeds under load" update counter Sum@2
check "the class is at generation 1, with version 2" served counter Sum@2 1
check "the old module can be removed at once" rmmod counter_v1
load counter_v1
check "the way back succeeds" update counter "Sum@1 expect=1"
check "the class is at generation 2, with version 1" served counter Sum@1 2
check "the new module can be removed at once" rmmod counter_v2
load counter_v2
stop_callers
check "no call failed, and every total was kept" accounts_balance

# Must show 3: the first rmmod of the old module, issued at once, under load.
removals()
{
	local i new=2 old=1

	removed=0
	for i in $(seq 100); do
		update counter Sum@$new || { note "update $i: $errno"; return; }
		if rmmod counter_v$old; then removed=$((removed + 1)); fi
		is_loaded counter_v$old || modprobe counter_v$old
		new=$old
		old=$((3 - new))
	done
}

call_from 4
removals
stop_callers
figure "removal of the old module at once, under load" "$removed of 100" "100"
check "the first rmmod after an update succeeds under load, 100 of 100" same "$removed" 100
check "and still no call failed, and every total was kept" accounts_balance
