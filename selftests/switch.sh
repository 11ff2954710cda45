#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Two implementations of a class side by side: switches of some instances, and the default.

. ./functions.sh
plan 80

load molt_control counter_v1 counter_v2
load_with counter_load instances=100
open_counters
switch=$classes/counter/switch

# instances_of COLUMN VALUE [COLUMN VALUE]: ids of the instances that are so.
instances_of()
{
	awk -v first="$1" -v one="$2" -v second="${3:-class}" -v two="${4:-counter}" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["class"] == "counter" && $at[first] == one && $at[second] == two {
			print $at["id"] }' $debug/instances
}

# number_of N COLUMN VALUE [COLUMN VALUE]: so many instances are so.
number_of()
{
	local want=$1

	shift
	same "$(instances_of "$@" | wc -l)" "$want"
}

# serves IMPLEMENTATION@VERSION N: so many instances, says the table and its own file.
serves()
{
	same "$(instances_of implementation "$1" | wc -l)" "$2" &&
		same "$(value counter "implementations/$1/instances")" "$2"
}

# mix N M: so many of Sum@1, and so many of Sum@2.
mix()
{
	serves Sum@1 "$1" && serves Sum@2 "$2"
}

serves_nobody()
{
	[ "$(value counter "implementations/$1/instances")" = 0 ]
}

# switched TEXT
switched()
{
	put $switch "$1"
}

# switch_refused ERRNO TEXT [WORD...]
switch_refused()
{
	local want=$1

	put $switch "$2"
	shift 2
	same "$errno" "$want" && last_says counter "$want " "$@"
}

# ---- which instances ---------------------------------------------------------------

one=$(instances_of key 7)
check "an instance of each key" same "$(instances_of key 7 | wc -l)" 1
check "switch by instance=" switched "Sum@2 instance=$one"
check "only this one has changed" all mix 99 1 -- \
	same "$(instances_of implementation Sum@2)" "$one"
check "the generation has not, nor has the default" all served counter Sum@1 0 -- \
	same "$(value counter default)" Sum@1 -- in_state counter idle
check "the result tells of it" last_says counter "ok transition 1:" Sum@2 "1 instances"
check "and the history: a switch" all same "$(moment counter kind)" switch -- \
	same "$(moment counter instances)" 1 -- same "$(moment counter result)" ok
check "both modules are pinned" all not rmmod counter_v1 -- not rmmod counter_v2
check "the same again is EALREADY" switch_refused EALREADY "Sum@2 instance=$one" Sum@2
check "switch by key=" all switched "Sum@2 key=8" -- mix 98 2 -- \
	number_of 1 key 8 implementation Sum@2
exec 4<>/dev/counter_load
check "new instances get the default" mix 198 2
check "several instances have the same key: all are switched" all switched "Sum@2 key=9" -- \
	mix 196 4 -- number_of 2 key 9 implementation Sum@2
check "where one of them is there already, the other one goes" \
	all switched "Sum@2 key=8" -- mix 195 5
exec 4>&-
await 5 same "$(value counter instances)" 100
check "instances that were switched end like others" mix 97 3
check "count= more" all switched "Sum@2 count=7" -- mix 90 10
check "percent= of all, with those that there are" all switched "Sum@2 percent=25" -- mix 75 25
check "so much is there: EALREADY" switch_refused EALREADY "Sum@2 percent=25" Sum@2
check "less is there: EALREADY" switch_refused EALREADY "Sum@2 percent=10" Sum@2
check "back by count=" all switched "Sum@1 count=5" -- mix 80 20
check "percent= counts for the one that is asked for" all switched "Sum@1 percent=90" -- mix 90 10
check "percent=100 is all" all switched "Sum@1 percent=100" -- mix 100 0
check "the module of what serves nobody any more can be removed at once" rmmod counter_v2
load counter_v2
check "without a version the highest is meant" all switched "Sum percent=100" -- mix 0 100
check "the default's module cannot be removed, though it serves nobody" not rmmod counter_v1
check "all are there: EALREADY" all switch_refused EALREADY "Sum@2 percent=100" Sum@2 -- \
	switch_refused EALREADY "Sum@2 count=1" Sum@2 -- switch_refused EALREADY "Sum@2 key=3" Sum@2
check "more than there are: all" all switched "Sum@1 count=1000" -- mix 100 0
check "the generation is still 0" served counter Sum@1 0

# ---- refusals ----------------------------------------------------------------------

check "an unknown instance is ENOENT" switch_refused ENOENT "Sum@2 instance=999999999" counter
check "and an unknown key" switch_refused ENOENT "Sum@2 key=100" counter
check "and an unknown implementation" switch_refused ENOENT "Sum@9 count=1" Sum@9
check "percent=0 is EINVAL" switch_refused EINVAL "Sum@2 percent=0" percent=0
check "percent=101 is EINVAL" switch_refused EINVAL "Sum@2 percent=101" percent=101
check "count=0 is EINVAL" switch_refused EINVAL "Sum@2 count=0" count=0
check "two choices are EINVAL" switch_refused EINVAL "Sum@2 count=1 key=1" key=1
check "no choice is EINVAL, and the choices are named" \
	switch_refused EINVAL "Sum@2" instance= key= count= percent=
check "a policy makes no sense here: EINVAL" \
	switch_refused EINVAL "Sum@2 count=1 policy=lazy" policy=lazy
check "a check changes nothing" all switched "Sum@2 count=3 check=1" -- mix 100 0
check "and says how many" last_says counter "ok check:" "3 instances"
check "none of these has begun anything" same "$(history counter result | uniq -c | xargs)" \
	"$(history counter result | wc -l) ok"

# ---- under load --------------------------------------------------------------------

call_from 1
check "a switch under load" switched "Sum@2 percent=20"
check "some are served by each" all at_least "$(instances_of implementation Sum@2 | wc -l)" 15 -- \
	at_least "$(instances_of implementation Sum@1 | wc -l)" 60

stop_callers
check "no call failed, and the sums are exact" accounts_balance
check "all back" all switched "Sum@1 percent=100" -- mix 100 0

# One instance is closed, and held so: only who calls that one waits. `park` calls the first
# counter of an open file, which has key 0.
one=$(instances_of key 0)
exec 4<>/dev/counter_load
waited=$(value counter waited_calls)
hold 2
behind $switch "Sum@2 instance=$one deadline_ms=20000 pause_ms=20000"
switcher=$writer
await 5 in_state counter blocking
sh -c 'echo 500 >&4' 4<&4 &
caller=$!
check "calls of other instances go on, and they come and go" await 5 is_gone $caller
wait $caller
check "none of them has waited" same "$(value counter waited_calls)" "$waited"
sh -c 'echo park >&3' 3<&3 &
caller=$!
usleep 300000
check "a call of that one waits" all not is_gone $caller -- \
	same "$(value counter waited_calls)" $((waited + 1))
check "another transition is EBUSY, and a change of the default" \
	all switch_refused EBUSY "Sum@2 count=1" running -- \
	put_refused $classes/counter/default Sum@2 EBUSY
hold 0
writer=$switcher
ended 5
check "let go of, the switch succeeds" all same "$errno" ok -- mix 199 1
check "and the call has its turn" await 5 is_gone $caller
wait $caller
check "in the history: one call waited, none was recorded" \
	all same "$(moment counter waited)" 1 -- same "$(moment counter recorded)" 0

# abort
for milestone in 1 2 3 4; do
	hold $milestone
	behind $switch "Sum@2 count=50 deadline_ms=20000"
	await 5 not in_state counter idle
	usleep 50000
	put $classes/counter/abort 1
	ended 5
	hold 0
	check "held at milestone $milestone a switch can be aborted, and all is as before" \
		all same "$errno" ECANCELED -- mix 199 1 -- in_state counter idle -- \
		served counter Sum@1 0
done
exec 4>&-
await 5 same "$(value counter instances)" 100
check "aborted switches keep no module" all switched "Sum@1 percent=100" -- mix 100 0 -- \
	rmmod counter_v2 -- modprobe counter_v2
check "the sums are exact" accounts_balance

# ---- the default, and updates of a mixture -----------------------------------------

check "another default" put $classes/counter/default Sum@2
check "is the one that shows, and makes new instances only" all served counter Sum@2 0 -- \
	same "$(value counter default)" Sum@2 -- mix 100 0 -- last_says counter "ok " Sum@2
exec 4<>/dev/counter_load
check "new instances are its own" mix 100 100
check "the same default again is EALREADY" \
	all put_refused $classes/counter/default Sum@2 EALREADY -- \
	put_refused $classes/counter/default Sum EALREADY
check "an unknown one is ENOENT, two words are EINVAL" \
	all put_refused $classes/counter/default Sum@9 ENOENT -- \
	put_refused $classes/counter/default "Sum@1 now" EINVAL
call_from 1
check "an update to the default brings the others there" all update counter Sum@2 -- \
	serves Sum@1 0 -- served counter Sum@2 1
check "where all are there an update is EALREADY" refused EALREADY counter Sum@2 Sum@2
check "the old module can be removed at once" rmmod counter_v1
load counter_v1
check "a part back" switched "Sum@1 percent=30"
check "an update of a mixture to the one that is not the default" all update counter Sum@1 -- \
	serves Sum@2 0 -- served counter Sum@1 2
check "the other module can be removed at once" rmmod counter_v2
load counter_v2
check "a part forth" switched "Sum@2 percent=30"
check "a lazy update of a mixture" update counter "Sum@2 policy=lazy"
cat <&4 >/dev/null
check "all moves" await 5 serves_nobody Sum@1
check "and ends" all await 5 in_state counter idle -- rmmod counter_v1
load counter_v1
check "a part back, again" switched "Sum@1 count=80"
check "a switch after a lazy update completes that first" \
	all update counter "Sum@1 policy=lazy" -- \
	switched "Sum@2 key=1" -- number_of 2 implementation Sum@2 -- \
	served counter Sum@1 4
stop_callers
check "no call failed, and the sums are exact" accounts_balance
exec 4>&-

# ---- a call that stays -------------------------------------------------------------

update counter Sum@2
load_with counter_busy park_ms=$((1500 * slower))
await 5 same "$(value counter instances)" 100
check "the first instance is switched to one that keeps calls" switched "Busy@1 key=0"
echo Y >$parameters/test_state
before=$(states counter)
sh -c 'echo park >&3' 3<&3 &
parked=$!
usleep 200000
check "back while a call is inside: ETIMEDOUT, and it is named" \
	switch_refused ETIMEDOUT "Sum@2 key=0 deadline_ms=300" "pid $parked (sh)" counter
check "and it is a blocker" has "$(blockers counter)" "$parked sh "
check "everything is as before" all same "$(states counter)" "$before" -- in_state counter idle -- \
	number_of 1 key 0 implementation Busy@1 -- served counter Sum@2 5
echo N >$parameters/test_state
wait $parked
check "when it has ended the switch succeeds" switched "Sum@2 key=0"
check "the module of the busy one can be removed at once" rmmod counter_busy
check "the sums are exact" accounts_balance
