#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# moves.sh: what it costs to move the state of one instance, in instructions: ten fields, of which
# six are moved, one is new, one is converted, one is behind a lock and one is a vector. For a
# guest whose time counts instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

update=/sys/kernel/molt/classes/counter/update
few=1
many=241
rounds=5

# transferring IMPLEMENTATION: updates; how long the states took, in nanoseconds.
transferring()
{
	echo "$1" >$update || give_up "$(cat /sys/kernel/molt/classes/counter/last_result)"
	moment transferring_us | awk '{ print 1000 * $1 }'
}

# measure N THERE BACK: the times of updates there and back, with so many instances.
measure()
{
	local there=0 back=0 _

	modprobe counter_load "instances=$1" || give_up "counter_load"
	exec 4</dev/counter_load
	for _ in $(seq $rounds); do
		there=$((there + $(transferring "$2")))
		back=$((back + $(transferring "$3")))
	done
	exec 4<&-
	rmmod counter_load
	echo "$there $back"
}

# each MODULE MODULE THERE BACK: instructions for each instance, there and back. The fixed part
# of a transition, such as the scan for calls, is left out.
each()
{
	modprobe "$1" || give_up "$1"
	modprobe "$2" || give_up "$2"
	echo "$(measure $few "$3" "$4") $(measure $many "$3" "$4")" |
		awk -v n=$(((many - few) * rounds)) '{ print ($3 - $1) / n, ($4 - $2) / n }'
	rmmod "$2"
	echo 1 >/sys/kernel/molt/classes/counter/remove
	rmmod "$1"
}

modprobe molt_control || give_up molt_control
# A transfer that is asked for each instance, too, and moves one word by a function of its own.
least=$(each counter_v1 test_counter_slow Sum@4 Sum@1)
all=$(each bench_ten_v1 bench_ten_v2 Ten@2 Ten@1)
echo "$least $all" | awk -v n=$((many - few)) '{
	printf "result move.least %.1f instructions 1 %d\n", $1, n
	printf "result move.whole.forth %.1f instructions 1 %d\n", $3, n
	printf "result move.whole.back %.1f instructions 1 %d\n", $4, n
	printf "result move.forth %.1f instructions 1 %d\n", $3 - $1, n
	printf "result move.back %.1f instructions 1 %d\n", $4 - $2, n
}'
