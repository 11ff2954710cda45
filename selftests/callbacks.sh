#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What runs before and after an update, and what takes it back.

. ./functions.sh
plan 7

load molt_control counter_v1
load_with counter_load instances=10
open_counters

# said: what the callbacks have said since the last time.
said()
{
	local all

	all=$(dmesg | sed -n 's/.*test_counter_callbacks: //p' | wc -l)
	dmesg | sed -n 's/.*test_counter_callbacks: //p' | tail -n +$((heard + 1)) | xargs
	echo "$all" >"$temporary/heard"
}

# says WORDS: exactly these were said.
says()
{
	heard=$(cat "$temporary/heard")
	same "$(said)" "$1"
}

dmesg | grep -c 'test_counter_callbacks: ' >"$temporary/heard"
modprobe test_counter_callbacks refuse=1
check "what comes before refuses: its errno, and nothing has begun" \
	refused EDOM counter Told "callback before"
check "nothing is taken back, since nothing was done" says before
check "the class is as it was" served counter Sum@1 0
rmmod test_counter_callbacks

load test_counter_callbacks
hold 3
put $classes/counter/update "Told deadline_ms=200"
hold 0
check "an update that is aborted takes back what came before" \
	all same "$errno" ETIMEDOUT -- says "before undo"
check "one that commits does the rest" all update counter Told -- says "before after"
check "the way back is another implementation's business" all update counter Sum@1 -- says ""
check "no call failed" accounts_balance
