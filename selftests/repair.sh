#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Repair: states that are damaged, and a call that never returns.

. ./functions.sh
plan 19

load molt_control
load_with test_counter_damaged spoil=7
load_with counter_load instances=100
echo Y >$parameters/test_state
open_counters
echo 200 >&3

# totals: number and total of each instance; the total comes first in either state.
totals()
{
	states counter | awk '{ print $2, substr($4, 1, 16) }'
}

totals >"$temporary/before"
load test_counter_mended counter_v1
check "an implementation without rules for it does not repair: EPROTO" \
	put_refused $classes/counter/repair Sum@1 EPROTO
check "and that is said" last_says counter "does not repair"
check "check is no word of a repair: EINVAL" \
	put_refused $classes/counter/repair "Mended@1 check=1" EINVAL

check "a repair succeeds" put $classes/counter/repair "Mended@1 deadline_ms=500"
check "it says exactly what was lost" \
	last_says counter "93 states saved, 7 lost, 0 calls abandoned"
figure "repair of 100 instances, 7 of them damaged" \
	"$(value counter last_result | sed 's/.*: //')" "93 saved, 7 lost"
check "the class serves again" all served counter Mended@1 1 -- \
	same "$(history counter kind)" repair
totals >"$temporary/after"
paste "$temporary/before" "$temporary/after" >"$temporary/both"
note "$(head -n 9 "$temporary/both" | tail -n 3)"
check "the damaged totals begin at nought, and the others are as they were" same \
	"$(awk '"x" $2 == "x" $4 { same++ } $2 != $4 && $4 ~ /^0*$/ { lost++ }
		END { print same + 0, lost + 0 }' "$temporary/both")" "93 7"
check "the old module can be removed" rmmod test_counter_damaged
check "the log says that it was a repair" \
	sh -c "dmesg | grep -q 'molt: counter: .*repair: .*7 lost'"

# Who was inside at the deadline has left by then.
modprobe test_counter_damaged
update counter "Damaged@1 deadline_ms=30000"
hold 2
check "a repair that finds nobody inside at its deadline goes on" \
	put $classes/counter/repair "Mended@1 deadline_ms=300"
hold 0
rmmod test_counter_damaged

# A call that never returns. Killing its task is the only way, and nobody does.
modprobe test_counter_damaged
check "the way back is an update" update counter Damaged@1
echo park >&3 &
parked=$!
usleep 200000
check "an update meets the parked call: ETIMEDOUT" \
	refused ETIMEDOUT counter "Mended@1 deadline_ms=300" "pid $parked"
check "a repair does not wait for it longer than its deadline" \
	put $classes/counter/repair "Mended@1 deadline_ms=300"
check "it is said to be abandoned, and nothing else was lost" \
	last_says counter "100 states saved, 0 lost, 1 calls abandoned"
figure "repair with a call that never returns" "$(value counter last_result | sed 's/.*: //')" \
	"1 abandoned"
check "and is named" grep -q "^counter $parked " $debug/blockers
call_from 2
check "the class serves under the new version" all at_least "$(account calls)" 100 -- \
	served counter Mended@1 5
stop_callers
check "the old module stays for the abandoned call" not rmmod test_counter_damaged
kill -KILL $parked
wait $parked 2>/dev/null
check "once that has ended, it can be removed" await 5 rmmod test_counter_damaged
modprobe test_counter_damaged
check "and updates succeed again" update counter "Damaged@1 deadline_ms=2000"
