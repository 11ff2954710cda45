#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# process.sh: what a tracker of processes executes for each event, in instructions: that of
# samples/process, and the same one without Molt, which calls directly. process-load.sh compares
# whole loads. For a guest whose time counts instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

n=100
rounds=5

# Programs: fork, exec, exit.
programs()
{
	local i=0

	while [ $i -lt $n ]; do
		busybox true
		i=$((i + 1))
	done
}

# alone NAME: what lies between a probe before the tracker's and one after it.
alone()
{
	dmesg -c >/dev/null
	modprobe bench_process || give_up bench_process
	programs
	rmmod bench_process
	dmesg | sed -n "s/.*bench_process: \([a-z]*\) \([0-9]*\) \([0-9]*\)$/\
result process.\1.$1 \2 instructions 1 $n/p" | grep result
}

modprobe process_shared || give_up process_shared
# What comes first finds caches cold.
programs
sleep 1
for _ in $(seq $rounds); do
	alone none
	modprobe molt_process_plain || give_up molt_process_plain
	alone plain
	rmmod molt_process_plain
	modprobe molt_process || give_up molt_process
	alone molt
	rmmod molt_process
done
