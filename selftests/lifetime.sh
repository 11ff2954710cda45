#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Who keeps what alive: modules, classes, instances whose handles are dropped anywhere.

. ./functions.sh
plan 39

load molt_control counter_v1 counter_v2
load_with counter_load instances=10
open_counters

check "rmmod of a module whose objects live is refused" not rmmod counter_v1
check "of a caller that holds handles, too" not rmmod counter_load
check "of the framework, too" not rmmod molt
check "the system goes on" all is_loaded counter_v1 -- accounts_balance
update counter Sum@2
check "after an update the new one's module is refused" not rmmod counter_v2
check "a class with instances cannot be removed: EBUSY" \
	put_refused $classes/counter/remove 1 EBUSY
check "which names how many" has "$(value counter last_result)" EBUSY 10
sleep 60 4<>/dev/counter_load &
user=$!
await 5 same "$(sleep 1; value counter instances)" 20
hold 3
behind $classes/counter/update "Sum@1 deadline_ms=20000"
await 5 in_state counter transferring
kill $user
wait $user
check "nor while a transition closes it to instances that end: EBUSY, at once" \
	all put_refused $classes/counter/remove 1 EBUSY -- in_state counter transferring
hold 0
ended 5
check "and that goes on" same "$errno" ok
release_callers
await 5 same "$(value counter instances)" 0
check "without instances it can" put $classes/counter/remove 1
check "its files are gone" await 5 not test -e $classes/counter
check "its modules can go" all rmmod counter_v1 -- rmmod counter_v2
load counter_v2
check "the class comes back with the next implementation" served counter Sum@2 0
open_counters
check "and works" test -e /proc/self/fd/3
release_callers

# Handles dropped where sleeping is forbidden.
load test_alpha_v1 test_alpha_v2 test_beta_v1 test_dropper
dropper=/sys/kernel/debug/test_dropper/command
in_class()
{
	[ "$(value alpha instances)" = "$1" ]
}

for place in interrupt spinlock task; do
	echo make 50 >$dropper
	check "50 instances are there" in_class 50
	echo $place >$dropper
	check "dropped in context $place: they end from a worker" await 5 in_class 0
done

# While the gate is closed the drop returns at once, and the worker waits.
for place in interrupt spinlock; do
	echo make 50 >$dropper
	hold 2
	behind $classes/alpha/update "Plain@2 deadline_ms=20000"
	await 5 in_state alpha blocking
	echo $place >$dropper
	usleep 100000
	check "dropped in context $place before a closed gate: the drop returns, nobody has ended" \
		all in_class 50 -- in_state alpha blocking
	put $classes/alpha/abort 1
	ended 5
	hold 0
	check "when the gate opens they end" await 5 in_class 0
done

slept()
{
	dmesg | grep "scheduling while atomic"
}

# Dropped by a method of the class.
load test_walker
walker=/sys/kernel/debug/test_walker
sh -c "echo bury >$walker/command" &
usleep 300000
check "dropped by a running method while the class is updated" update alpha Plain@2
check "and back" update alpha Plain@1
echo stop >$walker/command
wait
check "they end from a worker" await 5 in_class 4
check "no call was lost" same "$(sed -n 's/^returned //p' $walker/result)" \
	"$(sed -n 's/^total //p' $walker/result)"
check "and nothing slept where it must not" not slept

# A rule that ends an instance of the class while its instances are walked.
rmmod test_walker test_dropper
put $classes/alpha/remove 1
rmmod test_alpha_v2
rmmod test_alpha_v1
load test_alpha_ends test_alpha_v1 test_walker
sh -c "echo bury >$walker/command" &
usleep 300000
echo stop >$walker/command
wait
check "a rule that ends an instance: EDEADLK" refused EDEADLK alpha Plain@1 "rule called a handle"
check "the instance ends all the same, later" await 5 in_class 4
check "and the class goes on" served alpha Plain@4 0

# And while the sweep has a list locked, which that instance is in as well.
rmmod test_walker
await 5 in_class 0
put $classes/alpha/remove 1
rmmod test_alpha_ends
rmmod test_alpha_v1
load test_alpha_ends_late test_alpha_v1
taskset 1 busybox modprobe test_walker
taskset 1 sh -c "echo bury >$walker/command" &
usleep 300000
echo stop >$walker/command
wait
check "a rule that cannot fail and ends an instance: the update goes on" \
	all update alpha "Plain@1 policy=lazy complete_ms=1" -- await 5 in_state alpha idle
check "that instance ends, later" await 5 in_class 4
check "and all are of the new version" served alpha Plain@1 1

# What is written to a class by molt_control is the class's own, which stays.
load counter_v1
check "a question is answered" update counter "Sum@1 check=1"
last=$(value counter last_result)
rmmod molt_control
load test_tick_v1 test_tick_v2 test_tick_v3 test_tock_v1 test_tock_v2 molt_control
check "the answer outlasts who has written it" same "$(value counter last_result)" "$last"

# A module that may yet go is in no table that refers to it.
busybox modprobe test_counter_slow init_ms=$((2000 * slower)) fail=1 2>/dev/null &
init=$!
await 5 test -e "$classes/counter/implementations/Sum@4"
check "plans leave out what is in its init" not grep -q Sum@4 $debug/plans
wait $init

# Whoever has the processor when the update ends, and nobody else.
processor=/sys/devices/system/cpu/cpu1/online
[ ! -e $processor ] || echo 0 >$processor
check "the old module can be removed as soon as an update has ended" \
	fileop replace $classes/counter/update Sum@1 counter_v2
[ ! -e $processor ] || echo 1 >$processor
