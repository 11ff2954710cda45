#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Every fallible step of an update of each sample fails, one after the other: the class is whole in
# its old generation each time, until none fails and it is in the new one. A point is a step of a
# request: its site, and which step of this request it is. All are in
# build/test/guest-faultpoints.list, and each site that the framework has is hit. FULL=1: at least
# 10,000 points.
#
# Where the kernel can inject faults, all allocations of who asks for the update fail, too.

. ./functions.sh
plan 43

list=$temporary/points
: >"$list"
# Samples whose updates have many steps: every so many.
step=5 counters=16 faulty=4 least=700
[ -z "$FULL" ] || step=1 counters=500 faulty=150 least=10000
# With checkers each takes long; but there all allocations fail besides.
[ "$slower" = 1 ] || step=20 least=400
states=$debug/instances

# take COMMAND...: puts the points that it prints on the list, or says what it said last.
take()
{
	"$@" >"$temporary/new" && at_least "$(wc -l <"$temporary/new")" 5 &&
		cat "$temporary/new" >>"$list" && return
	note "$(tail -n 2 "$temporary/new" | paste -s -d ';' -)"
	return 1
}

# points CLASS/FILE REQUEST [WITNESS]...: each step of the request fails, then it succeeds. Names
# are those of faultpoints.c.
points()
{
	local file=$1

	shift
	take faultpoints "$classes/$file" "$@"
}

# turns [-s STEP] CLASS TO... -- WITNESS...: updates to each of them in turn. Where a try takes
# longer than the gate may be closed, the next one has its steps once more, and so on.
turns()
{
	local class every=1 to=''

	if [ "$1" = -s ]; then
		every=$2
		shift 2
	fi
	class=$1

	shift
	while [ "$1" != -- ]; do
		to="$to $1"
		shift
	done
	shift
	for to in $to; do
		take faultpoints -s "$every" \
			"$classes/$class/update" "$(patient "$to deadline_ms=30000")" "$@" ||
			{ note "to $to"; return 1; }
	done
}

# at_site MODULE: loads it, and the next step to fail is the $n-th. In $site what failed.
at_site()
{
	cp $debug/fault_sites "$temporary/sites"
	echo "$n" >$parameters/test_fail
	fileop insert "$(module_file "$1")" >/dev/null
	left=$(cat $parameters/test_fail)
	echo 0 >$parameters/test_fail
	site=$(awk 'NR == FNR { was[$1] = $2; next } $2 != was[$1] { print $1 }' \
		"$temporary/sites" $debug/fault_sites)
}

# module_points MODULE CLASS: each step of its init fails: it is not there, or it has no directory.
module_points()
{
	n=1
	while at_site "$1" && [ "$left" = 0 ]; do
		echo "$2 modprobe-$1 $site $n" >>"$list"
		case $site in
		*_dir) leaves_again "$1" "$2" ;;
		?*) not is_loaded "$1" ;;
		esac || { note "$1: $site at step $n"; return 1; }
		n=$((n + 1))
	done
	is_loaded "$1" && at_least $n 3
}

# leaves_again MODULE CLASS: it has no directory, and can be removed nevertheless.
leaves_again()
{
	if [ ! -d "$classes/$2" ]; then
		# The class gets one where all files are made anew.
		all test ! -e "$classes/$2" -- rmmod molt_control -- modprobe molt_control -- \
			put "$classes/$2/remove" 1 || return 1
	else
		not grep -qx "$1" "$classes/$2"/implementations/*/module || return 1
	fi
	rmmod "$1"
}

# whole CLASS: as it was when $before and $at were taken.
whole()
{
	in_state "$1" idle && same "$(served_by "$1")" "$at" &&
		same "$(states "$1" | md5sum)" "$before"
}

served_by()
{
	echo "$(value "$1" implementation)@$(value "$1" version) $(value "$1" generation)"
}

remember()
{
	at=$(served_by "$1") before=$(states "$1" | md5sum)
}

# held_until ERRNO MILESTONE: the attempt gets no further than there.
held_until()
{
	local want=$1

	hold "$2"
	case $want in
	ETIMEDOUT) update counter "Sum@2 deadline_ms=100" ;;
	ECANCELED)
		behind $classes/counter/update "Sum@2 deadline_ms=20000"
		await 5 not in_state counter idle
		usleep 30000
		put $classes/counter/abort 1
		ended 5
		;;
	esac
	hold 0
	same "$errno" "$want" && whole counter && echo "counter Sum@2 $1 $2" >>"$list"
}

# at_milestones ERRNO MILESTONE...
at_milestones()
{
	local way=$1 milestone

	shift
	for milestone; do
		held_until "$way" "$milestone" || { note "milestone $milestone"; return 1; }
	done
}

# nth CLASS TO BACK [WITNESS]: allocations of the writer fail, where the kernel knows how.
nth()
{
	local class=$1 name="$1: allocations of the writer fail, one after the other"

	if [ ! -e /proc/self/fail-nth ]; then
		skip "$name" "this kernel injects no faults"
		return
	fi
	shift
	check "$name" nth_points "$class" "$@"
}

nth_points()
{
	take faultpoints -n "$classes/$1/update" "$(patient "$2 deadline_ms=30000")" \
		"$(patient "$3 deadline_ms=30000")" ${4:+"$4"}
}

load molt_control
echo Y >$parameters/test_state
# Allocations that may sleep are those that count. What the kernel says of each would be taken for
# a complaint.
for kind in failslab fail_page_alloc fail_usercopy; do
	[ ! -e /sys/kernel/debug/$kind/verbose ] || echo 0 >/sys/kernel/debug/$kind/verbose
	[ ! -e /sys/kernel/debug/$kind/ignore-gfp-wait ] ||
		echo N >/sys/kernel/debug/$kind/ignore-gfp-wait
done

# ---- modules -------------------------------------------------------------------------------

check "hello: each step of its registration fails" module_points hello_v1 hello
loaded="hello_v1 $loaded"
check "gauge: and of one with a front" module_points debugfs_gauge_v1 gauge
loaded="debugfs_gauge_v1 debugfs_front $loaded"
load counter_v1
check "counter: and of a second version" module_points counter_v2 counter
loaded="counter_v2 $loaded"

# ---- samples -------------------------------------------------------------------------------

load hello_v2 hello_caller
check "hello: each step there and back" turns hello Greeter@2 Greeter@1 -- "$states:hello "
nth hello Greeter@2 Greeter@1 "$states:hello "
check "hello: it is served" served hello Greeter@1 "$(value hello generation)"

load_with counter_load instances=$counters
open_counters
check "counter: each step there and back" turns counter Sum@2 Sum@1 -- "$states:counter "
check "counter: and in the background" all \
	points counter/update "Sum@2 policy=background" "$states:counter " -- \
	await 10 in_state counter idle -- \
	points counter/update "Sum@1 policy=background" "$states:counter " -- \
	await 10 in_state counter idle
check "counter: of a switch, there" points counter/switch "Sum@2 count=5" "$states:counter "
check "counter: and back" points counter/switch "Sum@1 count=5" "$states:counter "
check "counter: of an update on trial" all \
	points counter/update "Sum@2 confirm_ms=600000" "$states:counter " -- \
	put $classes/counter/confirm 1 -- update counter Sum@1
nth counter Sum@2 Sum@1 "$states:counter "
check "counter: no call failed, and the sums are exact" accounts_balance

load store_v1 store_caller store_v2 store_v3
check "store: each step, all ways" turns -s $step store Table@2 Table@3 Table@1 -- "$states:store "
# The bytes of its states have addresses, and those of new objects are others.
nth store Table@2 Table@1
rmmod store_caller
check "store: all that was put in is there" \
	has "$(dmesg | tail -n 12)" "300 of 300 values are right"

load process_shared process_replicated molt_process
processes=/sys/kernel/debug/molt_process/processes
check "process: each step there and back" \
	turns -s $step process Replicated@1 Shared@1 -- "$processes:$$ "
nth process Replicated@1 Shared@1 "$processes:$$ "
check "process: this one is still known" grep -q "^$$ " $processes
rmmod molt_process

load debugfs_gauge_v2
gauge=/sys/kernel/debug/gauge/value
echo 7 >$gauge
check "gauge: each step there and back" turns gauge Gauge@2 Gauge@1 -- $gauge
nth gauge Gauge@2 Gauge@1 $gauge
check "gauge: it reads as before" same "$(cat $gauge)" 7

load_with molt_ramblk_v1 mib=1
load_with molt_ramblk_v2 mib=1
load_with molt_ramblk_v3 mib=1
dd if=/dev/urandom of=/dev/ramblk bs=65536 count=12 2>/dev/null
sync
sum=$(sha256sum </dev/ramblk)
check "ramblk: each step, all ways; each byte looked at" \
	turns -s $step ramblk RamBlk@2 RamBlk@3 RamBlk@1 -- /dev/ramblk
nth ramblk RamBlk@2 RamBlk@1 /dev/ramblk
echo 3 >/proc/sys/vm/drop_caches
check "ramblk: each byte is as before" same "$(sha256sum </dev/ramblk)" "$sum"

load rust_misc_device rust_misc_device_v2
exec 4<>/dev/rust-misc-device 5<>/dev/rust-misc-device
fileop ioctl 4 0x40047c82 4444 >/dev/null
echo kept >&5
check "misc device: each step there and back, with files open" \
	turns rust_misc_device RustMiscDevice@2 RustMiscDevice@1 -- "$states:rust_misc_device "
nth rust_misc_device RustMiscDevice@2 RustMiscDevice@1 "$states:rust_misc_device "
check "misc device: its files are as before" all \
	same "$(fileop ioctl 4 0x80047c81)" "0 4444" -- same "$(head -n 1 <&5)" kept
exec 4>&- 5>&-

# States in which all containers have something that is prepared.
load test_faults_v1 test_corpus test_faults_v2
echo "make faults $faulty" >/sys/kernel/debug/test_corpus/command
check "prepared values: each step there and back" \
	turns faults Faulty@2 Faulty@1 -- "$states:faults "
check "prepared values: all are there" has "$(cat /sys/kernel/debug/test_corpus/result)" \
	"all right $faulty wrong 0" "counted $((faulty * 8)) made"
echo end >/sys/kernel/debug/test_corpus/command

# ---- steps that fail without an allocation -------------------------------------------------

remember counter
check "an init that fails half way leaves the class alone" all \
	not modprobe test_counter_slow init_ms=100 fail=1 -- whole counter
head -c 20000 "$(module_file test_counter_third)" >"$temporary/half.ko"
check "and so does half a module" all not insmod "$temporary/half.ko" -- whole counter
load test_counter_layout
check "a state that does not fit" all refused EPROTO counter Sum@6 -- whole counter
# What is prepared commits.
check "no quiescence by the deadline, at each milestone before" at_milestones ETIMEDOUT 1 2 3
check "an abort at each milestone" at_milestones ECANCELED 1 2 3 4
echo Y >$parameters/test_refuse
check "a refusal at the commit point" all \
	refused ECANCELED counter "Sum@2 deadline_ms=200" -- whole counter
echo N >$parameters/test_refuse
update counter Sum@2
remember counter
load_with counter_v3_bad refuse_at=$((counters / 2))
check "a rule that refuses" all refused EDOM counter Sum@3 -- whole counter
load_with counter_busy park_ms=$((1500 * slower))
update counter Busy@1
remember counter
echo park >&3 &
parked=$!
usleep 200000
check "a call that stays inside" all \
	refused ETIMEDOUT counter "Sum@2 deadline_ms=200" -- in_state counter idle -- \
	same "$(served_by counter)" "$at"
wait $parked
update counter Sum@1
rmmod molt_ramblk_v2
check "a front that does not take it" all not modprobe molt_ramblk_v2 mib=2 -- \
	served ramblk RamBlk@1 "$(value ramblk generation)"

# ---- all of them ---------------------------------------------------------------------------

missed=$(awk 'NR > 1 && $2 == 0 { print $1 }' $debug/fault_sites)
check "each site that there is was hit" same "$missed" ""
distinct=$(sort -u "$list" | wc -l)
sites=$(awk 'NR > 1' $debug/fault_sites | wc -l)
check "no point was counted twice" same "$(sort "$list" | uniq -d)" ""
check "there are at least $least points" at_least "$distinct" $least
check "counters: no call failed, and the sums are exact" accounts_balance
sed 's/^/# list /' "$list"
claim="fault points (class, request, site, step), at each of $sites sites"
figure "$claim: not whole in the old or the new generation" \
	"$failures of $distinct" "0 of at least $least"
