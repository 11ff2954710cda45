#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# process-load.sh: what it costs to track processes, as the difference of whole loads within one
# boot: development.sh without the tracker, with it, with it, without it, and so on. Each two in a
# row are a pair. The processor is never idle meanwhile, so the time is all that is executed. For a
# guest of one processor whose time counts instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

pairs=24
scripts=2

# look: the time in nanoseconds, which are instructions, and how often the processor has become
# idle; without a process between two of them but its own.
look()
{
	# shellcheck disable=SC2046 # two words
	set -- $(awk '/^now at/ { now = $3 } /^cpu0 / { idle = $5 }
		END { printf "%s %d", now, idle }' /proc/timer_list /proc/schedstat)
	now=$1 idle=$2
}

forks()
{
	awk '/^processes/ { print $2 }' /proc/stat
}

# A fixed piece of work, in which what is left to workers and to RCU has its turn, too.
spin()
{
	awk 'BEGIN { for (i = 0; i < 50000; i++) sum += i }'
}

# load: instructions of it, in $took.
load()
{
	local start idled

	spin
	look
	start=$now idled=$idle
	busybox sh /bench/development.sh $scripts >/tmp/said 2>&1 ||
		give_up "the load: $(cat /tmp/said)"
	spin
	look
	took=$((now - start))
	[ "$idle" = "$idled" ] || give_up "the processor was idle $((idle - idled)) times"
}

# one HOW
one()
{
	[ "$1" != with ] || modprobe molt_process || give_up molt_process
	load
	[ "$1" != with ] || rmmod molt_process
	echo "result process.load.$1 $took instructions 1 $processes"
}

modprobe process_shared || give_up process_shared
# What comes first finds caches cold.
for _ in 1 2 3 4; do
	load
done
before=$(forks)
load
processes=$(($(forks) - before))
# Before there has ever been a tracker.
for _ in $(seq 8); do
	one never
done
for i in $(seq "$pairs"); do
	if [ $((i % 2)) = 1 ]; then
		one without
		one with
	else
		one with
		one without
	fi
done
