#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Probes on functions of both versions go on working across updates: nothing is patched,
# so nothing is in their way.

. ./functions.sh
plan 6

load molt_control counter_v1 counter_v2
load_with counter_load instances=10
open_counters

# method_of MODULE: the name under which the kernel knows its `add`.
method_of()
{
	awk -v module="[$1]" '$4 == module && /molt_add/ { print module, $3; exit }' \
		/proc/kallsyms | sed 's/^\[\(.*\)\] /\1:/'
}

first=$(method_of counter_v1)
second=$(method_of counter_v2)
load_with test_probe "first=$first" "second=$second"
hits=/sys/module/test_probe/parameters

# moves WHICH OTHER: calls are seen by the one probe and not by the other.
moves()
{
	local before still

	before=$(cat "$hits/$1_hits")
	still=$(cat "$hits/$2_hits")
	echo 100 >&3
	at_least "$(cat "$hits/$1_hits")" $((before + 100)) &&
		same "$(cat "$hits/$2_hits")" "$still"
}

check "version 1 serves, and its probe sees the calls" moves first second
check "an update of a class that is being probed succeeds" update counter Sum@2
check "version 2 serves, and its probe sees them" moves second first
check "the way back, too" all update counter Sum@1 -- moves first second
update counter Sum@2
check "the old module can be removed with a probe on it" rmmod counter_v1
check "and the other probe goes on" moves second first
