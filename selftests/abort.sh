#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Transitions that end before their commit, held at each milestone and ended in each way:
# the old generation goes on, and no byte of any state has changed.

. ./functions.sh
plan 35

load molt_control counter_v1 counter_v2
load_with counter_load instances=200
echo Y >$parameters/test_state
open_counters
call_from 2
stop_callers

before=''
# restored: nothing is left of the attempt.
restored()
{
	await 5 in_state counter idle || return 1
	served counter Sum@1 0 || return 1
	same "$(value counter instances)" 200 || return 1
	[ "$(states counter)" = "$before" ] || { note "a state has changed"; return 1; }
	# This calls every instance.
	accounts_balance || return 1
	same "$(references counter_v2)" 0
}

# held_at MILESTONE: an update is under way and stays there.
held_at()
{
	hold "$1"
	behind $classes/counter/update "Sum@2 deadline_ms=20000"
	case $1 in
	1) await 5 in_state counter tracking ;;
	2) await 5 in_state counter blocking ;;
	*) await 5 in_state counter transferring ;;
	esac
	usleep 50000
}

# ended_with ERRNO
ended_with()
{
	ended 5 || return 1
	hold 0
	same "$errno" "$1"
}

before=$(states counter)
check "states are shown byte for byte" \
	all at_least "$(echo "$before" | wc -l)" 200 -- at_least "${#before}" 6400
objects=$(slab_objects)

for milestone in 1 2 3 4; do
	name=$(echo tracking blocking transferring prepared | cut -d ' ' -f $milestone)

	held_at $milestone
	check "$name: abort is accepted" put $classes/counter/abort 1
	check "$name: abort ends the update with ECANCELED and restores" \
		all ended_with ECANCELED -- restored

	held_at $milestone
	kill -KILL "$writer"
	check "$name: SIGKILL of the writer ends the update and restores" \
		all ended 5 -- hold 0 -- restored

	held_at $milestone
	check "$name: neither implementation's module can be removed" \
		all not rmmod counter_v1 -- not rmmod counter_v2 -- is_loaded counter_v1
	check "$name: removal of the control module ends the update" rmmod molt_control
	errno=''
	check "$name: the writer learns of it" ended_with ECANCELED
	modprobe molt_control
	check "$name: with control back, all is restored" restored
done

left=$(($(slab_objects) - objects))
note "objects more than before 12 aborts of 200 instances: $left"
check "no twin is left behind" at_most $left 600
check "the history has all of them, none as ok" \
	same "$(history counter result | sort | uniq -c | xargs)" "12 ECANCELED"

# With callers, states change meanwhile: what they hold must add up.
call_from 3
for milestone in 1 2 3 4; do
	held_at $milestone
	put $classes/counter/abort 1
	ended_with ECANCELED || note "milestone $milestone: $errno"
done
check "callers go on in the old generation after four more" served counter Sum@1 0
stop_callers
check "no call failed, and the sums are exact" accounts_balance
check "abort without a transition is ENOENT" \
	all put_refused $classes/counter/abort 1 ENOENT -- last_says counter ENOENT
check "and the next update succeeds" all update counter Sum@2 -- served counter Sum@2 1
