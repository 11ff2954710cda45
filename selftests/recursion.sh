#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Must show 5: calls that call back into the class, through other classes and modules too,
# while it is updated, and the last handle of an instance dropped in a call.

. ./functions.sh
plan 9

load molt_control test_alpha_v1 test_beta_v1 test_walker test_alpha_v2 test_beta_v2
walker=/sys/kernel/debug/test_walker
updates=50

# missed CLASS DIRECTION: says why.
missed()
{
	note "$1, $2: $(value "$1" last_result)"
	note "$(head -n 1 $debug/history)"
	note "$(awk -v class="$1" '$2 == class' $debug/history | tail -n 1)"
}

# back_and_forth CLASS: so many times to version 2 and back; counts what failed.
back_and_forth()
{
	local failed=0

	for _ in $(seq $updates); do
		update "$1" Plain@2 || { failed=$((failed + 1)); missed "$1" there; }
		update "$1" Plain@1 || { failed=$((failed + 1)); missed "$1" back; }
	done
	echo $failed >"$temporary/failed-$1"
}

for kind in self other cross cross bury; do
	sh -c "echo $kind >$walker/command" &
done
usleep 100000
back_and_forth beta &
beta=$!
back_and_forth alpha
await 60 is_gone $beta
echo stop >$walker/command
check "the walks come to an end" await 10 not pidof sh-walk
wait
nested=$(history alpha nested | grep -vcx 0)
note "alpha: $((2 * updates)) updates, $nested with a nested call between blocking and commit"
note "beta: $(history beta nested | grep -vcx 0)"
note "$(paste -s -d ' ' $walker/result)"
figure "updates with a nested call between blocking and commit" \
	"$nested of $((2 * updates)), no deadlock" "no deadlock"
check "no update of the one class failed" same "$(cat "$temporary/failed-alpha")" 0
check "nor of the other one, at the same time" same "$(cat "$temporary/failed-beta")" 0
check "the generations say that there were 100 each" \
	all served alpha Plain@1 $((2 * updates)) -- served beta Plain@1 $((2 * updates))
check "in at least 50 of 100 a nested call entered between blocking and commit" \
	at_least "$nested" 50
check "no walk came back wrong" has "$(cat $walker/result)" "wrong 0" "failed 0"
check "every call was counted once" same "$(sed -n 's/^returned //p' $walker/result)" \
	"$(sed -n 's/^total //p' $walker/result)"
check "instances whose last handle was dropped in a call are gone" \
	await 5 same "$(value alpha instances)" 4
check "both modules of the versions that went can be removed" rmmod test_alpha_v2
