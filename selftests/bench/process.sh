#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# process.sh: what it costs to track processes, in instructions: of the whole load for each
# process, and of the tracker alone for each event. Without, with the tracker of samples/process,
# and with the same one without Molt, which calls directly. For a guest whose time counts
# instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

n=100
rounds=5

problem()
{
	echo "problem: $*"
	exit 1
}

# Programs: fork, exec, exit.
programs()
{
	local i=0

	while [ $i -lt $n ]; do
		busybox true
		i=$((i + 1))
	done
}

# Processes that end without another program: fork, exit.
forks()
{
	local i=0

	while [ $i -lt $n ]; do
		(:)
		i=$((i + 1))
	done
}

# now: nanoseconds, which are instructions; without a process between two of them but its own.
now()
{
	now=$(awk '/^ktime/ { printf "%.0f", $3 * 1000000 }' /sys/kernel/debug/sched/debug)
}

# measure NAME
measure()
{
	local load start

	for load in programs forks; do
		now
		start=$now
		$load
		now
		echo "result process.$load.$1 $(((now - start) / n)) instructions 1 $n"
	done
}

# alone NAME: what lies between a probe before the tracker's and one after it.
alone()
{
	dmesg -c >/dev/null
	modprobe bench_process || problem bench_process
	programs
	rmmod bench_process
	dmesg | sed -n "s/.*bench_process: \([a-z]*\) \([0-9]*\) \([0-9]*\)$/\
result process.\1.$1 \2 instructions 1 $n/p" | grep result
}

modprobe process_shared || problem process_shared
# What comes first finds caches cold.
programs
forks
sleep 1
for _ in $(seq $rounds); do
	measure none
	alone none
	modprobe molt_process_plain || problem molt_process_plain
	measure plain
	alone plain
	rmmod molt_process_plain
	modprobe molt_process || problem molt_process
	measure molt
	alone molt
	rmmod molt_process
done
