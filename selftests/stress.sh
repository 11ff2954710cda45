#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Must show 2: updates back and forth under load. FULL=1: as many as promised.

. ./functions.sh
plan 8

updates=60
calls=100000
[ -z "$FULL" ] || { updates=1000 calls=10000000; }

load molt_control counter_v1 counter_v2
load_with counter_load instances=1000
open_counters
call_from 4

# back_and_forth N: counts what failed.
back_and_forth()
{
	local _

	for _ in $(seq $(($1 / 2))); do
		update counter Sum@2 || {
			failed=$((failed + 1))
			note "there: $errno $(value counter last_result)"
		}
		update counter Sum@1 || {
			failed=$((failed + 1))
			note "back: $errno $(value counter last_result)"
		}
	done
}

# in_use: references of the modules, and objects in the general caches, at rest.
in_use()
{
	stop_callers
	await 5 same "$(value counter instances)" 1000
	modules=$(sed -n \
		's/^\(molt\|molt_control\|counter_[a-z0-9]*\) [0-9]* \([0-9]*\) .*/\1 \2/p' \
		/proc/modules)
	objects=$(slab_objects)
	call_from 4
}

failed=0
back_and_forth 10
in_use
modules_before=$modules objects_before=$objects
back_and_forth $((updates - 10))
while [ "$(account calls)" -lt $calls ]; do
	back_and_forth 10
	updates=$((updates + 10))
done
in_use
stop_callers
history counter recorded >"$temporary/recorded"
history counter waited >"$temporary/waited"
with_calls=$(paste "$temporary/recorded" "$temporary/waited" | awk '$1 + $2 > 0' | wc -l)
note "$updates updates; $(paste -s -d ' ' "$temporary/accounts" 2>/dev/null)"
note "with a recorded or a waiting call: $with_calls;" \
	"longest wait $(value counter longest_wait_us) us"
note "objects: $objects_before, $objects"
figure "updates back and forth under load that failed, and calls" \
	"$failed of $updates, $(account failed) of $(account calls)" "0, 0"
check "no update failed" same $failed 0
check "the class is at generation $updates" served counter Sum@1 $updates
check "at least $calls calls were made" at_least "$(account calls)" $calls
check "instances were made and ended all the while" at_least "$(account ended)" $updates
check "no call failed, and the sum is exact to the unit" accounts_balance
check "nine of ten transitions saw a recorded or a waiting call" \
	at_least $((with_calls * 10)) $((updates * 9))
check "module reference counts are as after the 10th" same "$modules" "$modules_before"
check "slab use is as after the 10th" at_most "$objects" $((objects_before + 2000))
note "$(paste -s -d ' ' "$temporary/accounts")"
