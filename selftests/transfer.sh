#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Transfers that are refused at some instance, and rules that do what they must not.

. ./functions.sh
plan 13

load molt_control counter_v1 counter_v2
load_with counter_load instances=100
echo Y >$parameters/test_state
open_counters
call_from 2
check "an update to version 2 succeeds" update counter Sum@2
stop_callers
before=$(states counter)

# refused_at K: the transfer of the Kth instance fails; everything is as before.
refused_at()
{
	local status=0

	modprobe counter_v3_bad "refuse_at=$1"
	{ refused EDOM counter Sum@3 "instance $1 of 100" && served counter Sum@2 1; } || status=1
	[ "$(states counter)" = "$before" ] || { note "a state has changed"; status=1; }
	rmmod counter_v3_bad || status=1
	return $status
}

for k in 1 2 50 99 100; do
	check "refused at instance $k of 100: its errno, and every state as before" refused_at $k
done
check "the totals are what the callers added" accounts_balance

call_from 3
modprobe counter_v3_bad refuse_at=70
check "refused under load: its errno" refused EDOM counter Sum@3 "instance 70 of"
stop_callers
check "no call failed, and the sums are exact" all accounts_balance -- served counter Sum@2 1
rmmod counter_v3_bad
release_callers

# A rule that calls a handle of the class that it moves.
load test_alpha_v1 test_beta_v1 test_walker test_alpha_calls
walker=/sys/kernel/debug/test_walker
sh -c "echo self >$walker/command" &
usleep 200000
check "a rule that calls a handle: EDEADLK" refused EDEADLK alpha Plain@3 "rule called a handle"
check "the old generation goes on" all served alpha Plain@1 0 -- in_state alpha idle
calls=$(sed -n 's/^returned //p' $walker/result)
usleep 200000
check "and so do the calls" at_least "$(sed -n 's/^returned //p' $walker/result)" $((calls + 1000))
echo stop >$walker/command
wait
# The rule's own call was counted, too: it ran after the gate was opened, in the old code.
check "none was lost or made twice" same "$(sed -n 's/^total //p' $walker/result)" \
	$(($(sed -n 's/^returned //p' $walker/result) + 1))
