#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Updates that have to be confirmed, and holds.

. ./functions.sh
plan 73

load molt_control counter_v1 counter_v2
load_with counter_load instances=50
open_counters
call_from 1
confirm=$classes/counter/confirm

# waits N: `confirm` reads so.
waits()
{
	same "$(cat $confirm)" "$1"
}

# top_says WORD...: in the last_result of requests that name no class.
top_says()
{
	has "$(cat $molt/last_result)" "$@"
}

# logged_ms PATTERN: when the log has last told so of a transition.
logged_ms()
{
	dmesg | sed -n "s/^\[ *\([0-9]*\)\.\([0-9]\{3\}\).*molt: transition $1.*/\1\2/p" | tail -n 1
}

past()
{
	[ "$(now_ms)" -ge "$1" ]
}

at_generation()
{
	[ "$(value "$1" generation)" = "$2" ]
}

# ---- confirmed in time -------------------------------------------------------------

check "nothing waits for a confirmation: 0, and ENOENT" all waits 0 -- \
	put_refused $confirm 1 ENOENT -- last_says counter ENOENT confirmation
check "confirm_ms=0 is EINVAL, and so is too much" \
	all refused EINVAL counter "Sum@2 confirm_ms=0" confirm_ms=0 -- \
	refused EINVAL counter "Sum@2 confirm_ms=600001" confirm_ms=600001
begun=$(now_ms)
check "an update that has to be confirmed succeeds" \
	update counter "Sum@2 confirm_ms=$((4000 * slower))"
check "its file says so" all waits 1 -- served counter Sum@2 1
check "the old module stays meanwhile" not rmmod counter_v1
check "only 1 confirms" all put_refused $confirm 0 EINVAL -- waits 1
check "confirmed in time" put $confirm 1
check "it waits no more" all waits 0 -- last_says counter "ok " confirmed
check "a second word is ENOENT" put_refused $confirm 1 ENOENT
check "the old module can be removed" await 2 rmmod counter_v1 2>/dev/null
await 6 past $((begun + 4300 * slower))
check "past the time it is there still" served counter Sum@2 1
load counter_v1

# ---- not confirmed -----------------------------------------------------------------

check "the next one" update counter "Sum@1 confirm_ms=$((1500 * slower))"
begun=$(now_ms)
check "the way back is not taken before time" all served counter Sum@1 2 -- not rmmod counter_v2
check "without a word the class goes back by itself" await 5 at_generation counter 3
took=$(($(now_ms) - begun))
check "in time, and not before" \
	all at_least $took $((1000 * slower)) -- at_most $took $((4000 * slower))
await 5 in_state counter idle
check "to what it was" all served counter Sum@2 3 -- waits 0 -- last_says counter "ok "
check "the log says why" has "$(dmesg | grep "not confirmed" | tail -n 1)" counter
check "the history has the way back, of the framework's own thread" all \
	same "$(moment counter to)" Sum@2 -- same "$(moment counter result)" ok -- \
	same "$(moment counter kind)" update
check "the module that failed can be removed" await 2 rmmod counter_v1 2>/dev/null
load counter_v1
check "a confirmation that comes too late is ENOENT" put_refused $confirm 1 ENOENT
check "the same with policy=background" \
	update counter "Sum@1 policy=background confirm_ms=$((500 * slower))"
check "goes back" await 5 at_generation counter 5
stop_callers
await 5 in_state counter idle
check "lazy, with instances that nobody calls" \
	update counter "Sum@1 policy=lazy confirm_ms=$((700 * slower))"
check "goes back, too" all await 5 at_generation counter 7 -- await 5 in_state counter idle -- \
	served counter Sum@2 7
# All its instances were moved first, which began when the time was over.
id=$(moment counter id)
took=$(($(logged_ms "$id: counter.*begun") - $(logged_ms "$((id - 1)): counter.*committed")))
check "when the time was over, and not after twice the time" \
	all at_least $took $((650 * slower)) -- at_most $took $((1350 * slower))
check "no call failed, and the sums are exact" accounts_balance

# ---- superseded --------------------------------------------------------------------

stop_callers
update counter "Sum@1 confirm_ms=$((1000 * slower))"
check "an update that waits can be superseded" update counter Sum@2
check "then nothing waits" waits 0
usleep $((1200000 * slower))
check "and nothing goes back" served counter Sum@2 9
update counter "Sum@1 confirm_ms=$((1200 * slower))"
check "by one that has to be confirmed itself" update counter "Sum@2 confirm_ms=$((1000 * slower))"
check "which waits now" waits 1
check "and goes back to what was before it" all await 5 at_generation counter 12 -- \
	served counter Sum@1 12
usleep $((700000 * slower))
check "and no further" served counter Sum@1 12
update counter "Sum@2 confirm_ms=$((1000 * slower))"
check "an update that fails supersedes nothing" refused ENOENT counter Sum@9
check "it goes back" all await 5 at_generation counter 14 -- served counter Sum@1 14

# ---- molt_control is not needed for it ----------------------------------------------

await 5 in_state counter idle
update counter "Sum@2 confirm_ms=$((800 * slower))"
check "molt_control can be removed meanwhile" rmmod molt_control
usleep $((1200000 * slower))
modprobe molt_control
check "the class has gone back without it" all await 5 at_generation counter 16 -- \
	served counter Sum@1 16

# ---- together ----------------------------------------------------------------------

load test_alpha_v1 test_beta_v1 test_alpha_v2 test_beta_v2 test_walker
walker=/sys/kernel/debug/test_walker
# shellcheck disable=SC2016 # for the other shell
sh -c 'echo cross >"$1"' sh $walker/command &
walking=$!
both()
{
	served alpha "$1" "$2" && served beta "$1" "$2"
}
update_both()
{
	put $molt/transaction "$1"
}
check "a transaction that has to be confirmed" \
	all update_both "alpha=Plain@2 beta=Plain@2 confirm_ms=$((1000 * slower))" -- both Plain@2 1
check "waits in both classes" same "$(value alpha confirm) $(value beta confirm)" "1 1"
check "and goes back as a whole" all await 5 at_generation beta 2 -- both Plain@1 2
check "in one transition" same "$(moment alpha id)" "$(moment beta id)"
update_both "alpha=Plain@2 beta=Plain@2 confirm_ms=$((1000 * slower))"
check "confirmed at one class it stays in both" all put $classes/beta/confirm 1 -- \
	await 2 put_refused $classes/alpha/confirm 1 ENOENT
usleep $((1200000 * slower))
check "also past the time" both Plain@2 3
update_both "alpha=Plain@1 beta=Plain@1 confirm_ms=$((1000 * slower))"
check "where one class of it was updated since, nothing goes back" update alpha Plain@2
usleep $((1200000 * slower))
check "neither the one nor the other" all served alpha Plain@2 5 -- served beta Plain@1 4
update_both "alpha=Plain@1 beta=Plain@2 confirm_ms=$((2000 * slower))"
check "one of them is taken back by hand" all \
	put $classes/alpha/switch "Plain@2 percent=100 deadline_ms=20000" -- \
	put $classes/alpha/default Plain@2
check "and the other one goes back by itself" all await 5 at_generation beta 6 -- \
	served beta Plain@1 6 -- served alpha Plain@2 6
check "then it waits no more" same "$(value beta confirm)" 0
echo stop >$walker/command
wait $walking
check "no call went wrong" same "$(sed -n 's/^wrong //p' $walker/result)" 0
update_both "alpha=Plain@1 beta=Plain@2 confirm_ms=$((500 * slower))"
put $classes/beta/hold 1
usleep $((900000 * slower))
update alpha "Plain@2 policy=lazy"
check "one of them is taken back lazily, while the other one is held" all \
	served alpha Plain@2 8 -- served beta Plain@2 7
usleep 600000
put $classes/beta/hold 0
check "which goes back, too" all await 5 at_generation beta 8 -- served beta Plain@1 8 -- \
	served alpha Plain@2 8

# ---- confirmed at once -------------------------------------------------------------

# What the new version does after the commit takes its time.
load_with test_counter_callbacks after_ms=$((1000 * slower))
generation=$(value counter generation)
behind $classes/counter/update "Told confirm_ms=$((3000 * slower))"
await 5 at_generation counter $((generation + 1))
check "whoever sees the new generation can confirm it" put $confirm 1
ended $((5 * slower))
usleep $((3300000 * slower))
check "and it stays" served counter Told@1 $((generation + 1))
update counter Sum@1
rmmod test_counter_callbacks
# The first class is there a second before the other one; it is on trial already.
load_with test_counter_callbacks convert_us=$((20000 * slower))
update alpha "Plain@1 confirm_ms=60000"
generation=$(value alpha generation)
behind $molt/transaction "alpha=Plain@2 counter=Told confirm_ms=$((3000 * slower))"
await 5 at_generation alpha $((generation + 1))
check "also that of the first class, while others have yet to commit" all \
	not has "$(value counter implementation)" Told -- put $classes/alpha/confirm 1
ended $((5 * slower))
usleep $((3300000 * slower))
check "and all stay" all served alpha Plain@2 $((generation + 1)) -- \
	same "$(value counter implementation)" Told
update counter Sum@1
rmmod test_counter_callbacks

# ---- hold --------------------------------------------------------------------------

check "nothing is held to begin with" same "$(value counter hold) $(cat $molt/hold)" "0 0"
put $classes/counter/hold 1
check "a class can be held" same "$errno $(value counter hold)" "ok 1"
check "an update is EBUSY, with the word" refused EBUSY counter Sum@2 held counter
check "a check, too" refused EBUSY counter "Sum@2 check=1" held
check "a switch, too" all put_refused $classes/counter/switch "Sum@2 count=1" EBUSY -- \
	last_says counter EBUSY held
check "and a change of the default" put_refused $classes/counter/default Sum@2 EBUSY
check "others are not" update alpha Plain@1
check "only 0 and 1 make sense" all put_refused $classes/counter/hold 2 EINVAL -- \
	same "$(value counter hold)" 1
put $classes/counter/hold 0
check "let go of" all same "$errno $(value counter hold)" "ok 0" -- update counter Sum@2 -- \
	update counter Sum@1

hold 1
behind $classes/counter/update "Sum@2 deadline_ms=20000"
await 5 in_state counter tracking
put $molt/hold 1
check "all can be held, while one runs" same "$errno $(cat $molt/hold)" "ok 1"
hold 0
ended 5
check "which goes on" all same "$errno" ok -- served counter Sum@2 23
errno=''
check "no other begins: EBUSY, with the word" all refused EBUSY counter Sum@1 held -- \
	refused EBUSY alpha Plain@2 held
check "nor a transaction" all put_refused $molt/transaction "alpha=Plain@2 beta=Plain@2" EBUSY -- \
	top_says EBUSY held
put $molt/hold 0
load_with test_counter_callbacks convert_us=$((20000 * slower))
update counter Sum@1
update counter "Told policy=lazy"
behind $classes/counter/update Sum@1
usleep $((200000 * slower))
put $molt/hold 1
ended 5
check "nor one that waited for a sweep when all were held" all same "$errno" EBUSY -- \
	served counter Told@1 25
put $molt/hold 0
check "let go of again" all same "$errno $(cat $molt/hold)" "ok 0" -- update counter Sum@1
check "the sums are exact" accounts_balance

# ---- the end of a trial: whoever has the processor, and nobody else ------------------

processor=/sys/devices/system/cpu/cpu1/online
[ ! -e $processor ] || echo 0 >$processor
update counter "Sum@2 confirm_ms=$((20000 * slower))"
check "the old module can be removed as soon as an update is confirmed" \
	fileop replace $confirm 1 counter_v1
load counter_v1
update counter "Sum@1 confirm_ms=$((20000 * slower))"
release_callers
await 5 is_empty counter
check "or its class is removed" fileop replace $classes/counter/remove 1 counter_v2
[ ! -e $processor ] || echo 1 >$processor
