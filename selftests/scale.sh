#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --icount --cpus 1 --memory 1024M
#
# Times of updates by the number of instances. In this guest 1 ns is 1 instruction, so they
# are the same wherever it runs. FULL=1: with a million instances.

. ./functions.sh

load molt_control counter_v1 counter_v2

# with N: a class with so many instances.
with()
{
	modprobe counter_load instances="$1"
	open_counters
	same "$(value counter instances)" "$1"
}

without()
{
	exec 3>&-
	await 60 same_instances 0
	await 60 in_state counter idle
	await 5 rmmod counter_load 2>/dev/null
}

same_instances()
{
	[ "$(value counter instances)" = "$1" ]
}

# closed_for TEXT: how long the gate was closed in that update, in us; in $closed.
closed_for()
{
	closed=''
	update counter "$1" || { note "$errno: $(value counter last_result)"; return 1; }
	closed=$(moment counter closed_us)
}

sizes='1 1000 20000'
cases_planned=14
[ -z "$FULL" ] || { sizes="$sizes 1000000" cases_planned=19; }
plan $cases_planned
for size in $sizes; do
	check "$size instances can be made" with "$size"
	# The least of some, here and below: what else runs on this one processor comes on top.
	transferring=999999999
	for to in 2 1 2; do
		closed_for "Sum@$to policy=eager"
		us=$(moment counter transferring_us)
		[ "$us" -ge "$transferring" ] || transferring=$us
	done
	note "$size, eager: transferring $transferring us," \
		"$((transferring * 1000 / size)) instructions for each"
	[ "$size" -lt 1000 ] || {
		figure "eager update of $size instances: instructions for each" \
			$((transferring * 1000 / size)) 1000
		check "$size: an eager update takes 1000 instructions an instance at most" \
			at_most $((transferring * 1000 / size)) 1000
	}
	check "$size: all were moved" \
		same "$errno $(moment counter to) $(moment counter instances)" "ok Sum@2 $size"
	least=9999999
	for round in 1 2 3; do
		[ $round = 1 ] || update counter "Sum@2 policy=eager"
		closed_for "Sum@1 policy=lazy"
		note "$size, lazy: gate closed for ${closed:-?} us"
		[ "${closed:-9999999}" -ge "$least" ] || least=$closed
	done
	figure "lazy update of $size instances: gate closed" "$least us, $((
		$(moment counter total_us))) us from its beginning to the open gate" "1000 us"
	check "$size: a lazy update closes the gate for 1 ms at most" at_most "$least" 1000
	check "$size: and has moved nobody" all in_state counter lazy -- \
		same "$(value counter progress)" "0 $size"
	without
done
