#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Nonsense, and what is nearly a request, written to every file that can be written, in sysfs and in
# debugfs, while the class is called: an error is one of those that the ABI documents, the class
# goes on, and the kernel does not complain. SEED chooses; FULL=1: for RUN_SECONDS (600).

. ./functions.sh
plan 9

seconds=25
[ -z "$FULL" ] || seconds=${RUN_SECONDS:-600}
SEED=${SEED:-$(awk '{ print int($1 * 100) }' /proc/uptime)}

load molt_control counter_v1 counter_v2 debugfs_gauge_v1
loaded="debugfs_gauge_v1 debugfs_front ${loaded#debugfs_gauge_v1}"
load_with counter_load instances=30
open_counters
call_from 1
# Without instances of anybody's, the class of the front is removed by the first who asks.
# That signatures are required is for good, and ends all updates here.
find $molt $debug /sys/kernel/debug/gauge -type f -perm -0200 |
	grep -v -e gauge/remove -e require_signature | sort >"$temporary/files"
note "SEED=$SEED; $(wc -l <"$temporary/files") files"
check "there are files of the top, of classes and of a front" has \
	"$(xargs <"$temporary/files")" $molt/transaction $molt/load $classes/counter/update \
	$classes/counter/remove $classes/gauge/repair /sys/kernel/debug/gauge/value

# What is nearly the name of one version can be that of another, which then is loaded, and may
# refuse.
forbid_loading

# Requests that are right, of all kinds of files.
cat >"$temporary/requests" <<'END'
Sum@2
Sum@1 policy=lazy
Sum@2 policy=background complete_ms=10
Sum@1 deadline_ms=50 pause_ms=5
Sum@2 confirm_ms=20
Sum@1 expect=3 check=1
Sum@2 count=3
Sum@1 percent=50 deadline_ms=100
Sum@2 instance=7
Sum@1 key=2
counter=Sum@2 gauge=Gauge@1
counter=Sum@1 policy=lazy check=1
counter_v2
molt:counter:Sum@2
Gauge@1
0
1
100000
-17
END
randwrite "$SEED" "$seconds" "$temporary/requests" <"$temporary/files" >"$temporary/said"
errno=$?
check "every error is one that is documented" same "$errno" 0
[ $errno = 0 ] || note "$(tail -n 3 "$temporary/said")"
note "$(sed -n 's/^count //p' "$temporary/said" | paste -s -d ' ')"
writes=$(sed -n 's/^writes //p' "$temporary/said")
check "there were writes to each file" at_least "$(sed -n 's/^least //p' "$temporary/said")" 10
check "some were taken" at_least "$(sed -n 's/^count ok //p' "$temporary/said")" 10
figure "random writes to files in sysfs and debugfs, seed $SEED: errors that are not documented" \
	"$(sed -n 's/^strange //p' "$temporary/said") of $writes" 0

allow_loading
# What may be left of them: held transitions, a sweep, a trial, another default.
echo 0 >$molt/hold
echo 0 >$classes/counter/hold
put $classes/counter/confirm 1
settled()
{
	await 30 in_state counter idle && { update counter "Sum@$1" || [ "$errno" = EALREADY ]; } &&
		await 30 in_state counter idle && same "$(value counter version)" "$1"
}
check "the class can be updated, to both" all settled 2 -- settled 1
stop_callers
check "its instances are there" await 10 same "$(value counter instances)" 30
check "no call failed, and the sums are exact" accounts_balance
check "the front's file is there" at_least "$(wc -c </sys/kernel/debug/gauge/value)" 2
release_callers
gone()
{
	put $classes/counter/remove 1
}
check "the class can be removed" await 10 gone
