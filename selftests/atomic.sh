#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Classes of atomic context: updated while they are called from interrupts, under a spinlock
# and from inside each other, where nobody may sleep.

. ./functions.sh
plan 62

load molt_control test_tick_v1 test_tock_v1 test_tick_v2 test_tock_v2 test_ticker
ticker=/sys/kernel/debug/test_ticker
callee=$ticker

# call_from_everywhere: and each sort of caller has begun.
call_from_everywhere()
{
	begin hard 600
	begin hard 1000
	begin soft 800
	begin locked
	begin nested
	begin churn
	for from in hard soft locked nested created; do
		counted=$(counted $from)
		await 5 is_counted $from $((counted + 1))
	done
}

# exact: with nobody calling, the instances hold what was added, and no result was wrong.
exact()
{
	awk '{ v[$1] = $2 } END { exit !(v["wrong"] == 0 && v["failed"] == 0 &&
		v["added"] == v["total"] && v["total"] > 0) }' $ticker/result ||
		{ note "$(paste -s -d ' ' $ticker/result)"; return 1; }
}

# back_and_forth N POLICY: so many updates of `tick`; counts what failed.
back_and_forth()
{
	local i version=2

	failed=0
	for i in $(seq "$1"); do
		update tick "Plain@$version policy=$2" ||
			{ failed=$((failed + 1)); note "$2, $i: $errno $(value tick last_result)"; }
		version=$((3 - version))
	done
}

# quiet: nobody calls any more, and instances that were ended are gone.
quiet()
{
	stop_callers
	await 5 all_ended
}

all_ended()
{
	[ "$(value tick instances)" = 100 ]
}

# ended_with ERRNO
ended_with()
{
	ended 10 && same "$errno" "$1"
}

# figures: of the transitions so far.
figures()
{
	note "window_ns: $(history tick window_ns | sort -n | tail -n 1) at most;" \
		"missed: $(history tick missed | awk '{ n += $1 } END { print n }');" \
		"recorded: $(history tick recorded | awk '{ n += $1 } END { print n }')," \
		"nested: $(history tick nested | awk '{ n += $1 } END { print n }')," \
		"waited: $(history tick waited | awk '{ n += $1 } END { print n }')"
}

check "the class says that its context is atomic" same "$(value tick context)" atomic
check "a transfer that can fail is EPROTO, before anything begins: make it a Convert" \
	all modprobe test_tick_v3 -- refused EPROTO tick Plain@3 "can fail" Convert
check "with check=1, too" refused EPROTO tick "Plain@3 check=1" Convert
check "and for a part of the instances" \
	all not put $classes/tick/switch "Plain@3 count=1" -- same "$errno" EPROTO
check "nothing began" \
	all same "$(history tick id)" "" -- served tick Plain@1 0 -- rmmod test_tick_v3

# Under load.
call_from_everywhere
back_and_forth 10 eager
check "eager: 10 updates back and forth under load" \
	all same $failed 0 -- served tick Plain@1 10 -- in_state tick idle
figures
back_and_forth 10 background
check "background: 10 updates" \
	all same $failed 0 -- await 5 in_state tick idle -- served tick Plain@1 20
back_and_forth 10 lazy
check "lazy: 10 updates, each of which completes the one before" \
	all same $failed 0 -- served tick Plain@1 30
check "the one that nobody completes ends by its callers" \
	await 5 in_state tick idle
check "and the class of which no caller knew was not touched" served tock Plain@1 0
figures
quiet
check "no result was wrong, and the sum is exact to the unit" exact
check "calls came from hard interrupts, soft ones, under a lock, nested, and instances ended" \
	all is_counted hard 500 -- is_counted soft 500 -- is_counted locked 10000 -- \
	is_counted nested 10000 -- is_counted created 200
check "instances that were ended are gone" all_ended

# The old module.
removals()
{
	local i new=2 old=1

	removed=0
	for i in $(seq 6); do
		update tick Plain@$new || { note "update $i: $errno"; return; }
		if rmmod test_tick_v$old; then removed=$((removed + 1)); fi
		is_loaded test_tick_v$old || modprobe test_tick_v$old
		new=$old
		old=$((3 - new))
	done
}
call_from_everywhere
removals
quiet
check "the first rmmod of the old module after an eager update succeeds, 6 of 6" same "$removed" 6
check "and the sum is exact" all exact -- served tick Plain@1 36

# Lazy: who moves what.
# serves VERSION N: so many instances. The last one moved may be counted a moment later.
serves()
{
	same "$(value tick "implementations/Plain@$1/instances")" "$2"
}
progress()
{
	same "$(value tick progress)" "$1"
}
check "lazy without callers: the write returns, the state says lazy, nothing is moved" \
	all update tick "Plain@2 policy=lazy" -- in_state tick lazy -- serves 1 100 -- \
	progress "0 100"
check "the old module is in use" not rmmod test_tick_v1
check "it is too late for an abort: EALREADY" put_refused $classes/tick/abort 1 EALREADY
sh -c "echo spin 0 >$ticker/command"
check "the first call of an instance moves it" \
	all serves 2 1 -- progress "1 100"
begin hard 300
check "calls from an interrupt move the others" await 5 in_state tick idle
check "and then the old module can be removed" rmmod test_tick_v1
quiet
modprobe test_tick_v1
check "all are at version 2, the sum is exact" \
	all exact -- serves 2 100 -- served tick Plain@2 37

echo $((200 / slower)) >$classes/tick/rate
check "background: a worker moves them without callers, at the class's rate" \
	all update tick "Plain@1 policy=background" -- in_state tick lazy -- \
	await 5 in_state tick idle -- serves 1 100
echo 1 >$classes/tick/rate
check "one at a low rate is completed by the next update" \
	all update tick "Plain@2 policy=background" -- in_state tick lazy -- \
	update tick Plain@1 -- served tick Plain@1 40
echo 100000 >$classes/tick/rate

# Some instances.
switched()
{
	put $classes/tick/switch "$1" || { note "$(value tick last_result)"; return 1; }
}
call_from_everywhere
check "switch: 30 instances go to version 2 under load" switched "Plain@2 count=30"
check "then half of all" switched "Plain@2 percent=50"
check "then one by its number, and the generation is the same" \
	all switched "Plain@1 percent=100" -- switched "Plain@2 instance=100" -- \
	served tick Plain@1 40
for _ in $(seq 4); do
	switched "Plain@2 count=40"
	switched "Plain@1 percent=100"
done
check "there and back 4 times" all same "$(history tick kind | grep -cx switch)" 12 -- \
	same "$(history tick result | grep -vcx ok)" 0
# None of a caller's own, which end: 40 are to be there all the time.
quiet
switched "Plain@2 count=40"
call_from_everywhere
is_under_way()
{
	! in_state tick idle
}

# switch_held_at MILESTONE: it is aborted there.
switch_held_at()
{
	hold "$1"
	behind $classes/tick/switch "Plain@2 count=40 deadline_ms=20000"
	await 5 is_under_way
	usleep 20000
	put $classes/tick/abort 1
	ended_with ECANCELED || return 1
	hold 0
	await 5 in_state tick idle
	serves 2 40
}
for milestone in 1 2 3 4; do
	check "milestone $milestone: a switch that is aborted leaves everybody where they were" \
		switch_held_at $milestone
done
check "an update takes those along that were switched" \
	all update tick Plain@2 -- update tick Plain@1
quiet
check "all are at version 1, and the sum is exact" \
	all exact -- serves 1 100 -- serves 2 0

# The ends that are no commit.
echo Y >$parameters/test_state
before=$(states tick)
restored()
{
	await 5 in_state tick idle || return 1
	served tick Plain@1 42 || return 1
	[ "$(states tick)" = "$before" ] || { note "a state has changed"; return 1; }
	exact || return 1
	same "$(references test_tick_v2)" 0
}
held_at()
{
	hold "$1"
	behind $classes/tick/update "Plain@2 deadline_ms=20000${2:+ $2}"
	case $1 in
	1) await 5 in_state tick tracking ;;
	2) await 5 in_state tick blocking ;;
	*) await 5 in_state tick transferring ;;
	esac
	usleep 20000
}
for milestone in 1 2 3 4; do
	name=$(echo tracking blocking transferring prepared | cut -d ' ' -f $milestone)
	held_at $milestone
	put $classes/tick/abort 1
	check "$name: abort ends the update with ECANCELED" ended_with ECANCELED
	hold 0
	check "$name: and restores" restored
done
call_from_everywhere
for milestone in 1 2 3 4; do
	held_at $milestone policy=lazy
	calls=$(counted hard)
	check "milestone $milestone: calls from interrupts go on meanwhile" \
		await 5 is_counted hard $((calls + 100))
	put $classes/tick/abort 1
	ended 5 || note "the update did not end"
	hold 0
done
quiet
check "nothing was lost by four aborts under load" all exact -- served tick Plain@1 42
check "and the next update succeeds" all update tick Plain@2 -- update tick Plain@1

# Both classes: each call of the one is made from inside the other.
call_from_everywhere
both()
{
	local version

	for version in 2 1 2 1; do
		behind $classes/tock/update "$(patient "Plain@$version")"
		update tick Plain@$version || return 1
		ended_with ok || return 1
	done
}
check "two classes that call each other are updated by two writers at the same time" both
for version in 2 1 2 1; do
	put $molt/transaction "$(patient "tick=Plain@$version tock=Plain@$version")" ||
		note "$errno $(cat $molt/last_result)"
done
check "and together" all served tick Plain@1 52 -- served tock Plain@1 8
quiet
check "the sum is exact, and no walk came back wrong" exact

# A window that takes too long is given up.
call_from_everywhere
echo 200 >$parameters/test_dawdle_us
check "a window of 200 us is given up again and again: ETIMEDOUT" \
	refused ETIMEDOUT tick "Plain@2 deadline_ms=$((300 * slower))"
check "it was tried several times" at_least "$(moment tick missed)" 5
figures
behind $classes/tick/update "Plain@2 deadline_ms=20000"
usleep $((200000 * slower))
echo 0 >$parameters/test_dawdle_us
check "an update that goes on trying succeeds when windows are short again" \
	all ended_with ok -- served tick Plain@2 53
check "after some that it gave up" at_least "$(moment tick missed)" 1
update tick Plain@1
quiet
check "the sum is exact" exact

# A call that stays inside: it came before the grace period, or after.
for milestone in 1 2; do
	hold $milestone
	behind $classes/tick/update "Plain@2 deadline_ms=$((500 * slower))"
	await 5 is_under_way
	usleep $((20000 * slower))
	taskset 2 sh -c "echo spin $((900 * slower)) >$ticker/command" &
	parked=$!
	usleep $((20000 * slower))
	hold 0
	check "milestone $milestone: a call that stays inside: ETIMEDOUT" ended_with ETIMEDOUT
	check "milestone $milestone: it is named" \
		last_says tick ETIMEDOUT "pid $parked (" "inside tick for"
	wait $parked
done
check "when it has ended the update succeeds" all update tick Plain@2 -- exact

complained()
{
	# Whose data races those of KCSAN are, is looked at with the console.
	dmesg | grep -v 'BUG: KCSAN' |
		grep -E "scheduling while atomic|sleeping function|Voluntary context|WARNING|BUG:" \
		>"$temporary/complaints" && note "$(head -n 1 "$temporary/complaints")"
}
check "no caller in atomic context slept" not complained
