#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Transactions: several classes change together or not at all. Calls go through all three
# of `red`, `green` and `blue`, each inside the one before, and must never see two versions.

. ./functions.sh
plan 39

updates=20
calls=1000000
crossed=20
[ -z "$FULL" ] || { updates=100 calls=10000000 crossed=1000; }

load molt_control
for class in blue green red; do
	load test_${class}_v1 test_${class}_v2
done
load test_painter
painter=/sys/kernel/debug/test_painter
callee=$painter

# unmixed: no call has seen two versions; with nobody calling, each call was counted once.
unmixed()
{
	awk '{ v[$1] = $2 } END { exit !(v["mixed"] == 0 && v["counted"] == v["total"] &&
		v["total"] > 0) }' $painter/result ||
		{ note "$(paste -s -d ' ' $painter/result)"; return 1; }
}

# together TEXT: a transaction.
together()
{
	put $molt/transaction "$(patient "$1")"
}

# refused_together ERRNO TEXT [WORD...]: it ends so, the reason has the words.
refused_together()
{
	local want=$1

	together "$2"
	shift 2
	same "$errno" "$want" && has "$(cat $molt/last_result)" "$want" "$@"
}

# all_to VERSION: what is written for all three.
all_to()
{
	echo "red=Hue@$1 green=Hue@$1 blue=Hue@$1"
}

# all_served VERSION GENERATION
all_served()
{
	served red "Hue@$1" "$2" && served green "Hue@$1" "$2" && served blue "Hue@$1" "$2"
}

all_idle()
{
	in_state red idle && in_state green idle && in_state blue idle
}

# back_and_forth N POLICY: so many transactions of all three; counts what failed.
back_and_forth()
{
	local i version=2

	failed=0
	for i in $(seq "$1"); do
		together "$(all_to $version) policy=$2" ||
			{ failed=$((failed + 1)); note "$2, $i: $errno $(cat $molt/last_result)"; }
		version=$((3 - version))
	done
}

# met: for each transaction so far, how many calls were recorded or waited in its classes.
met()
{
	awk 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["class"] ~ /^(red|green|blue)$/ {
			met[$at["id"]] += $at["recorded"] + $at["waited"] }
		END { for (id in met) print met[id] }' $debug/history
}

check "there are 1,000 objects" \
	same "$(($(value red instances) + $(value green instances) + $(value blue instances)))" 1000
check "check=1 says that it would succeed" together "$(all_to 2) check=1"
check "and changes nothing" all all_served 1 0 -- same "$(history red id)" ""

# Under load.
begin paint
begin paint
begin paint
await 5 is_counted calls 1000
back_and_forth $updates eager
check "eager: $updates transactions of three classes under load" \
	all same $failed 0 -- all_served 1 $updates -- all_idle
back_and_forth $updates lazy
check "lazy: $updates, each of which completes the one before" \
	all same $failed 0 -- all_served 1 $((2 * updates))
check "the last of them ends by its callers" await 10 all_idle
check "each is one transition, with a row for each class" \
	all same "$(history red id | paste -s)" "$(history green id | paste -s)" -- \
	same "$(history red id | paste -s)" "$(history blue id | paste -s)" -- \
	same "$(history red id | wc -l)" $((2 * updates))
met >"$temporary/met"
sum=$(awk '{ n += $1 } END { print n }' "$temporary/met")
check "in each some calls were recorded or waited" not grep -qx 0 "$temporary/met"
check "at least $crossed in all" at_least "$sum" $crossed
await 120 is_counted calls $calls
stop_callers
note "$((2 * updates)) transactions; $(counted calls) calls looked at, $(counted mixed) mixed;" \
	"$sum recorded or waiting, $(sort -n "$temporary/met" | head -n 1) at least in one"
mixed="$(counted mixed) of $(counted calls)"
figure "chains of calls over three classes that were updated together: with a mixed view" \
	"$mixed, $sum calls recorded or waiting in $((2 * updates)) transactions" "0"
check "at least $calls calls were looked at" is_counted calls $calls
check "none saw two versions, and each was counted once" unmixed
check "the old modules can be removed" \
	all rmmod test_red_v2 -- rmmod test_green_v2 -- rmmod test_blue_v2
modprobe -a test_red_v2 test_green_v2 test_blue_v2 2>/dev/null ||
	{ modprobe test_red_v2; modprobe test_green_v2; modprobe test_blue_v2; }
generation=$((2 * updates))

# One that fails in its last class.
echo Y >$parameters/test_state
before=$(states red; states green; states blue)
as_before()
{
	all_idle || return 1
	all_served 1 $generation || return 1
	[ "$(states red; states green; states blue)" = "$before" ] ||
		{ note "a state has changed"; return 1; }
	unmixed
}
# refused_at K: the transfer of `green`, which comes last, refuses its Kth instance.
refused_at()
{
	local status=0

	modprobe test_green_v3 "refuse_at=$1"
	{
		refused_together EDOM "red=Hue@2 blue=Hue@2 green=Hue@3" "Hue@3 refused" "of 333" &&
			as_before
	} || status=1
	rmmod test_green_v3 || status=1
	return $status
}
check "states are shown byte for byte" at_least "$(echo "$before" | wc -l)" 1000
for k in 1 200 333; do
	check "refused at instance $k of the last class: all three are as before, byte for byte" \
		refused_at $k
done
modprobe test_green_v3
begin paint
begin paint
calls=$(counted calls)
await 5 is_counted calls $((calls + 1000))
check "under load, too: its errno" \
	refused_together EDOM "red=Hue@2 blue=Hue@2 green=Hue@3" "the transfer to Hue@3"
check "each class says so" all last_says red EDOM -- last_says green EDOM -- last_says blue EDOM
stop_callers
check "none saw two versions" all unmixed -- all_served 1 $generation -- all_idle
before=$(states red; states green; states blue)
check "lazy: a transfer that can fail is EPROTO, before anything begins" \
	refused_together EPROTO "red=Hue@2 green=Hue@3 policy=lazy" Convert
check "for one class alone, too" refused EPROTO green "Hue@3 policy=lazy" Convert
check "in the background, too" refused EPROTO green "Hue@3 policy=background" Convert
rmmod test_green_v3

# What is no transaction.
transitions=$(history red id | wc -l)
check "a class twice: EINVAL, and it is named" \
	refused_together EINVAL "red=Hue@2 green=Hue@2 red=Hue@2" red twice
check "an unknown class: ENOENT, and it is named" \
	refused_together ENOENT "red=Hue@2 purple=Hue@2" purple
check "an unknown implementation: ENOENT, and it is named" \
	refused_together ENOENT "red=Hue@2 green=Hue@9" Hue@9
check "no class: EINVAL" refused_together EINVAL "policy=lazy"
check "an unknown policy: EINVAL, and it is named" \
	refused_together EINVAL "red=Hue@2 policy=fast" policy=fast
check "an expected generation is for one class: EINVAL" \
	refused_together EINVAL "red=Hue@2 expect=0" expect
check "limits: EINVAL, and they are named" \
	all refused_together EINVAL "red=Hue@2 deadline_ms=0" deadline_ms=0 -- \
	refused_together EINVAL "red=Hue@2 complete_ms=600001" complete_ms=600001 -- \
	refused EINVAL red "Hue@2 policy=fast" policy=fast -- \
	refused EINVAL red "Hue@2 deadline_ms=0" deadline_ms=0 -- \
	refused EINVAL red "Hue@2 policy=background complete_ms=0" complete_ms=0 -- \
	refused EINVAL red "Hue@2 policy=background complete_ms=600001" complete_ms=600001
hold 1
behind $classes/green/update "Hue@2 deadline_ms=10000"
await 5 in_state green tracking
check "a class whose transition runs: EBUSY, and it is named" \
	refused_together EBUSY "$(all_to 2)" green
check "the others were not touched" \
	all in_state red idle -- in_state blue idle -- in_state green tracking
put $classes/green/abort 1
ended
hold 0
check "nothing of all this began a transition of red" \
	same "$(history red id | wc -l)" "$transitions"
check "and every state is as it was" as_before

# Two at a time.
hold 1
behind $classes/red/update "Hue@2 deadline_ms=10000"
first=$writer
behind $classes/green/update "Hue@2 deadline_ms=10000"
check "two classes are updated at the same time" \
	all await 5 in_state red tracking -- await 5 in_state green tracking
hold 0
await 5 is_gone "$first"
ended
check "by two writers, and both succeed" \
	all served red Hue@2 $((generation + 1)) -- served green Hue@2 $((generation + 1))
update red Hue@1
update green Hue@1

# A call that stays inside.
before=$(states red; states green; states blue)
sh -c "echo linger 700 >$painter/command" &
parked=$!
usleep 50000
refused_as_parked()
{
	refused_together ETIMEDOUT "$(all_to 2) deadline_ms=200" "pid $parked (sh) inside green" ||
		return 1
	last_says red ETIMEDOUT "pid $parked" || return 1
	[ "$(states red; states green; states blue)" = "$before" ] ||
		{ note "a state has changed"; return 1; }
	served red Hue@1 $((generation + 2)) && served green Hue@1 $((generation + 2)) &&
		served blue Hue@1 $generation && all_idle
}
check "a call that stays inside one of them: ETIMEDOUT, it is named, all three are as before" \
	refused_as_parked
wait $parked

# What the calls would see otherwise.
begin paint
begin paint
for class in red green blue; do
	update $class Hue@2
	usleep 20000
done
check "one after the other they do see two versions" at_least "$(counted mixed)" 1
release_callers
unload_all

# Classes that call each other.
load molt_control test_alpha_v1 test_beta_v1 test_walker test_alpha_v2 test_beta_v2
walker=/sys/kernel/debug/test_walker
for kind in cross cross; do
	sh -c "echo $kind >$walker/command" &
	callers="$callers $!"
done
usleep 100000
# opposite N: so many pairs of transactions over both classes, begun at the same time in
# opposite order. Counts by their ends.
opposite()
{
	local first there back version=2

	succeeded=0 busy=0 others=0
	for _ in $(seq "$1"); do
		behind $molt/transaction "$(patient "alpha=Plain@$version beta=Plain@$version")"
		first=$writer
		put $molt/transaction "$(patient "beta=Plain@$version alpha=Plain@$version")"
		there=$errno
		writer=$first
		ended 20 || errno=hangs
		back=$errno
		for errno in $there $back; do
			case $errno in
			ok) succeeded=$((succeeded + 1)) ;;
			EBUSY | EALREADY) busy=$((busy + 1)) ;;
			*) others=$((others + 1)); note "$errno: $(cat $molt/last_result)" ;;
			esac
		done
		version=$((3 - version))
	done
}
opposite 50
check "two transactions over classes that call each other, in opposite order, 50 times: all end" \
	all same $others 0 -- same $((succeeded + busy)) 100 -- at_least $succeeded 50
note "$succeeded succeeded, $busy came too early"
stop_callers
check "and no walk came back wrong" has "$(cat $walker/result)" "wrong 0" "failed 0"
