#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Who keeps what alive: modules, classes, instances whose handles are dropped anywhere.

. ./functions.sh
plan 29

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
