#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Which version can follow which: directly, over versions between, back; what keeps one from it;
# and when an instance is told that it has come to its end.

. ./functions.sh
plan 28

# refused_for REQUEST TEXT...: EPROTO, nothing begun, and each text in the reason.
refused_for()
{
	local request=$1 before

	shift
	before=$(states counter)
	refused EPROTO counter "$request" "$@" && same "$(states counter)" "$before"
}

# plan_says TEXT: a line of the table of plans.
plan_says()
{
	has "$(cat $debug/plans)" "$1"
}

result_says()
{
	has "$(value counter last_result)" "$1"
}

is_default()
{
	[ "$(value counter implementation)" = "${1%@*}" ] &&
		[ "$(value counter version)" = "${1#*@}" ]
}

closings()
{
	dmesg | grep -c 'molt-test: closed'
}

has_closed()
{
	[ "$(closings)" -gt 0 ]
}

are_closed()
{
	same "$(closings)" "$1"
}

load molt_control counter_v1 test_counter_third
load_with counter_load instances=40
echo Y >$parameters/test_state
open_counters

check "version 12 knows version 2 only: 1 to 12 is EPROTO" refused_for Sum@12 Sum@12 Sum@1
check "the plan says so" plan_says "counter Sum@1 Sum@12 - neither"
load counter_v2
call_from 2
check "with version 2 there it can go over that one" \
	all update counter "Sum@12 check=1" -- result_says "by way of Sum@2"
check "the plans are there, field by field" all \
	plan_says "counter Sum@1 Sum@2 total moved" -- \
	plan_says "counter Sum@1 Sum@2 calls begins with its default"
check "1 to 12 over 2" all update counter Sum@12 -- served counter Sum@12 1
check "12 to 1 over 2" all update counter Sum@1 -- served counter Sum@1 2
check "lazily, too" all update counter "Sum@12 policy=lazy complete_ms=100" -- \
	await 5 in_state counter idle
check "12 to 2 directly" update counter Sum@2
check "the way back is told in the plan" plan_says "counter Sum@2 Sum@1 calls dropped"
check "and on again" all update counter Sum@12 -- not is_default Sum@2
stop_callers
check "no call failed, and the sums are exact" accounts_balance
rmmod counter_v2
check "without it there is no way back: EPROTO" refused_for Sum@1 Sum@1 Sum@12
load counter_v2
check "with it there is" update counter Sum@1
check "each of them was one transition" served counter Sum@1 6
check "on trial, over version 2" update counter "Sum@12 confirm_ms=$((2000 * slower))"
check "what the way back leads over stays" not rmmod counter_v2
check "and it is gone" all await 5 is_default Sum@1 -- await 5 in_state counter idle

# ---- statics -----------------------------------------------------------------------

load test_counter_static
check "on trial it is EPROTO: there is no way back" \
	refused_for "Sum@13 confirm_ms=1000" GRAND_TOTAL
check "with check=1, too" refused_for "Sum@13 confirm_ms=1000 check=1" GRAND_TOTAL
check "to a version with a static of its own: nothing is lost" update counter Sum@13
check "from there it would begin again: EPROTO, by name" refused_for Sum@1 GRAND_TOTAL
check "with check=1, too" refused_for "Sum@1 check=1" GRAND_TOTAL "reset(GRAND_TOTAL)"
call_from 2
check "the class goes on" all served counter Sum@13 9 -- in_state counter idle
stop_callers
check "no call failed" accounts_balance
release_callers
await 5 is_empty counter
echo 1 >$classes/counter/remove
rmmod test_counter_static

# ---- the end of an instance --------------------------------------------------------

rmmod counter_v1
rmmod counter_v2
rmmod test_counter_third
dmesg -c >/dev/null
load test_counter_third
check "an implementation alone makes a class" served counter Sum@12 0
open_counters
load counter_v2
check "instances that have moved are not told" all update counter Sum@2 -- \
	update counter Sum@12 -- not has_closed
release_callers
check "each one that ends is told, once" await 5 are_closed 40
check "and is gone" await 5 is_empty counter
