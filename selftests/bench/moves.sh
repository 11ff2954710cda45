#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# moves.sh: what it costs to move the state of one instance, in instructions: ten fields, of which
# six are moved, one is new, one is converted, one is behind a lock and one is a vector. For a
# guest whose time counts instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

update=/sys/kernel/molt/classes/counter/update
history=/sys/kernel/debug/molt/history
few=1
many=241
rounds=5

problem()
{
	echo "problem: $*"
	exit 1
}

# transferring VERSION: updates; how long the states took, in nanoseconds.
transferring()
{
	echo "Ten@$1" >$update || problem "$(cat /sys/kernel/molt/classes/counter/last_result)"
	awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "transferring_us") at = i }
		END { print 1000 * $at }' $history
}

# measure N: the times of updates there and back, with so many instances.
measure()
{
	local there=0 back=0 _

	modprobe counter_load "instances=$1" || problem "counter_load"
	exec 4</dev/counter_load
	for _ in $(seq $rounds); do
		there=$((there + $(transferring 2)))
		back=$((back + $(transferring 1)))
	done
	exec 4<&-
	rmmod counter_load
	echo "$there $back"
}

for module in molt_control bench_ten_v1 bench_ten_v2; do
	modprobe $module || problem $module
done
# The fixed part of a transition, such as the scan for calls, is in both.
few_both=$(measure $few)
many_both=$(measure $many)
echo "$few_both $many_both" | awk -v n=$(((many - few) * rounds)) -v count=$((many - few)) '{
	printf "result move.forth %.1f instructions 1 %d\n", ($3 - $1) / n, count
	printf "result move.back %.1f instructions 1 %d\n", ($4 - $2) / n, count
}'
