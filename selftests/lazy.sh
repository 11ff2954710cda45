#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The policies lazy and background: the class changes at once, its instances one by one.

. ./functions.sh
plan 63

load molt_control counter_v1 counter_v2
load_with counter_load instances=100
open_counters
exec 4<>/dev/counter_load
call_from 2
stop_callers

# objects IMPLEMENTATION@VERSION GENERATION: instances that are so at present.
objects()
{
	awk -v want="$*" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["class"] == "counter" &&
			$at["implementation"] " " $at["generation"] == want { n++ }
		END { print n + 0 }' $debug/instances
}

# moved DONE TOTAL
moved()
{
	same "$(value counter progress)" "$*"
}

all_are()
{
	[ "$(objects "$1" "$2")" = "$3" ]
}

# touch_all FD: one call of each counter of an open file.
touch_all()
{
	cat <&"$1" >/dev/null
}

# idle_within MS: until the sweep is done, and how long that took in $took.
idle_within()
{
	await 20 in_state counter idle || return 1
	took=$(($(now_ms) - begun))
	at_most $took "$1"
}

# ---- lazy --------------------------------------------------------------------------

check "a lazy update succeeds" update counter "Sum@2 policy=lazy"
check "the class has changed when the write returns" \
	all served counter Sum@2 1 -- same "$(value counter default)" Sum@2
check "and is lazy" in_state counter lazy
check "no instance has moved" moved 0 200
check "the table shows all of them with the old implementation" \
	all same "$(objects Sum@1 0)" 200 -- same "$(objects Sum@2 1)" 0
check "to read it moves nobody" moved 0 200
check "the counts of the implementations say the same" \
	all same "$(value counter implementations/Sum@1/instances)" 200 -- \
	same "$(value counter implementations/Sum@2/instances)" 0
check "the old module cannot be removed" not rmmod counter_v1
echo park >&3
check "a call moves its instance, and no other" all moved 1 200 -- \
	same "$(objects Sum@2 1)" 1 -- same "$(objects Sum@1 0)" 199
touch_all 3
check "progress grows with the instances that are called" all moved 100 200 -- \
	same "$(objects Sum@2 1)" 100 -- same "$(objects Sum@1 0)" 100
check "calls of instances that have moved move nobody" all touch_all 3 -- moved 100 200
check "abort is EALREADY" all put_refused $classes/counter/abort 1 EALREADY -- \
	last_says counter EALREADY committed
check "removal of the class is EBUSY" put_refused $classes/counter/remove 1 EBUSY
check "a check that it could change again is EBUSY" refused EBUSY counter "Sum@1 check=1"
check "and none of that hastened anything" all in_state counter lazy -- moved 100 200
check "molt_control can be removed meanwhile" rmmod molt_control
modprobe molt_control
check "and back: it is still lazy" all in_state counter lazy -- moved 100 200
exec 5<>/dev/counter_load
check "instances made meanwhile have the new implementation, and do not count" \
	all same "$(objects Sum@2 1)" 200 -- moved 100 200
exec 5>&-
check "and end" await 5 same "$(value counter instances)" 200
check "the old module still cannot be removed" not rmmod counter_v1
exec 4>&-
check "when the last instances of the old kind end the sweep is done" \
	await 5 in_state counter idle
check "the old module can be removed at once" rmmod counter_v1
check "the progress of the last transfer stays" moved 200 200
check "every total was kept" accounts_balance
check "the history says lazy, and how many" all same "$(moment counter policy)" lazy -- \
	same "$(moment counter result)" ok -- same "$(moment counter instances)" 200

# Under load, with instances that nobody calls.
load counter_v1
exec 4<>/dev/counter_load
call_from 2
check "back, lazily, under load" update counter "Sum@1 policy=lazy"
check "what is called moves" await 5 all_are Sum@2 1 100
exec 5<>/dev/counter_load
check "the class stays lazy while others come" in_state counter lazy
check "the old module cannot be removed" not rmmod counter_v2
check "the next update is accepted: it completes the sweep first" \
	update counter "Sum@2 policy=eager"
check "and is eager" all served counter Sum@2 3 -- in_state counter idle -- \
	same "$(objects Sum@1 2)" 0
check "after an eager update progress is that of this one" \
	same "$(value counter progress)" "$(moment counter instances) $(moment counter instances)"
stop_callers
exec 5>&-
await 5 same "$(value counter instances)" 200
check "the old module can be removed at once" rmmod counter_v1
load counter_v1
check "a lazy update after a lazy one" all update counter "Sum@1 policy=lazy" -- \
	update counter "Sum@2 policy=lazy" -- served counter Sum@2 5
check "no instance is two generations behind" all same "$(objects Sum@1 4)" 200 -- \
	same "$(objects Sum@2 5)" 0
touch_all 3
touch_all 4
check "all called: idle" await 5 in_state counter idle
check "the old module can be removed at once, again" rmmod counter_v1
load counter_v1
check "no call failed, and the sums are exact" accounts_balance

# ---- transfers that can fail -------------------------------------------------------

load_with counter_v3_bad refuse_at=0
begun=$(wc -l <$debug/history)
check "lazy: a transfer that can fail is EPROTO, and the field is named" \
	refused EPROTO counter "Sum@3 policy=lazy" Sum@2 Sum@3 total
check "background: the same" refused EPROTO counter "Sum@3 policy=background" total
check "no transition was begun" all same "$(wc -l <$debug/history)" "$begun" -- \
	served counter Sum@2 5 -- in_state counter idle
check "eager it would do" update counter "Sum@3 policy=eager check=1"
check "in an eager one complete_ms does not matter, but must be right" \
	refused EINVAL counter "Sum@1 complete_ms=600001" complete_ms=600001

# ---- background --------------------------------------------------------------------

exec 4>&-
await 5 same "$(value counter instances)" 100
check "the rate is 100000 a second to begin with" same "$(value counter rate)" 100000
put $classes/counter/rate $((50 / slower))
check "it can be set" same "$errno $(value counter rate)" "ok $((50 / slower))"
check "but not to what is no number" all put_refused $classes/counter/rate fast EINVAL -- \
	last_says counter EINVAL fast -- same "$(value counter rate)" $((50 / slower))

begun=$(now_ms)
update counter "Sum@1 policy=background"
check "the write returns after the commit" \
	all same "$errno" ok -- served counter Sum@1 6 -- in_state counter lazy
check "the old module cannot be removed" not rmmod counter_v2
usleep $((700000 * slower))
read -r moved total <<-end
	$(value counter progress)
end
check "after a part of the time a part is done" all same "$total" 100 -- \
	at_least "$moved" 1 -- at_most "$moved" 90
check "100 instances at 50 a second are done by themselves within 5 s" \
	idle_within $((5000 * slower))
check "but not before 1.5 s" at_least "$took" 1500
check "the old module can be removed at once" rmmod counter_v2
note "at 50 a second: $took ms"
load counter_v2

put $classes/counter/rate 5
begun=$(now_ms)
update counter "Sum@2 policy=background"
usleep 300000
check "at 5 a second it goes on" in_state counter lazy
put $classes/counter/rate 1000
check "raised to 1000 a second it is done soon" idle_within 3000

put $classes/counter/rate 1
begun=$(now_ms)
update counter "Sum@1 policy=background complete_ms=500"
check "past complete_ms the rate counts no more" idle_within 3000
check "before it does" at_least "$took" 400

begun=$(now_ms)
update counter "Sum@2 policy=background"
usleep 500000
read -r moved total <<-end
	$(value counter progress)
end
check "at 1 a second there are no bursts" at_most "$moved" 4
begun=$(now_ms)
touch_all 3
check "when the callers have moved all, it is done whatever the rate" idle_within 2000

put $classes/counter/rate 0
begun=$(now_ms)
update counter "Sum@1 policy=background"
check "with rate 0 there is no limit" idle_within 1500

# follow: the states that the class comes through until it is idle and stays so. No command
# is run meanwhile, to miss none.
follow()
{
	local state last='' rest=0

	seen=''
	while [ $rest -lt 200 ]; do
		read -r state <$classes/counter/state
		[ "$state" = "$last" ] || seen="$seen $state"
		last=$state
		rest=$((rest + 1))
		[ "$state" = idle ] || rest=0
	done
}

put $classes/counter/rate 1
update counter "Sum@2 policy=background complete_ms=300"
follow
check "a class is idle when all is reclaimed, and not before" same "$seen" " lazy reclaiming idle"
update counter Sum@1

# ---- both, again and again ---------------------------------------------------------

back_and_forth()
{
	local i

	for i in $(seq "$1"); do
		put $classes/counter/rate $((i % 3 * 400))
		update counter "Sum@2 policy=lazy" || failed=$((failed + 1))
		update counter "Sum@1 policy=background" || failed=$((failed + 1))
	done
}

rest()
{
	stop_callers
	await 20 in_state counter idle
	await 5 same "$(value counter instances)" 100
	objects=$(slab_objects)
}

failed=0
call_from 2
back_and_forth 3
rest
before=$objects
call_from 2
back_and_forth 10
rest
note "objects: $before, $objects"
check "20 more under load, of which none failed" all same $failed 0 -- served counter Sum@1 38
check "slab use is as before" at_most "$objects" $((before + 1000))
check "no call failed, and the sums are exact" accounts_balance
