#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# calls.sh [PARAMETER=VALUE]...: what a call costs, and the same call in other ways; for a
# guest whose time counts instructions, or User Mode Linux. The parameters are bench_calls'.
# Prints "result NAME VALUE UNIT CPUS N".

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

# results NAME: what a module of this name has said since the last time, then forgotten.
results()
{
	dmesg -c >/tmp/log
	sed -n "s/.*$1: \(result .*\)/\1/p" /tmp/log
}

livepatch=/sys/kernel/livepatch/bench_livepatch

transition_is_over()
{
	[ "$(cat $livepatch/transition)" = 0 ]
}

# A patched function, and the same one before.
measure_livepatch()
{
	modprobe bench_target || { problem "bench_target"; return; }
	echo call.livepatch_before >/sys/module/bench_target/parameters/measure
	if modprobe bench_livepatch; then
		until transition_is_over; do usleep 10000; done
		echo call.livepatch >/sys/module/bench_target/parameters/measure
		results bench_target
		echo 0 >$livepatch/enabled
		while [ -e $livepatch ]; do usleep 10000; done
		rmmod bench_livepatch
	else
		problem "bench_livepatch"
	fi
	rmmod bench_target
}

modprobe counter_v1 || exit 1
dmesg -c >/dev/null
if ! modprobe bench_atomic_v1 2>/dev/null; then
	echo "skipped call.molt.atomic: bench_atomic_v1 cannot be loaded"
fi
if modprobe bench_calls "$@"; then
	results bench_calls
	rmmod bench_calls
else
	problem "bench_calls"
	tail -n 5 /tmp/log 2>/dev/null
fi
if [ -d /sys/kernel/livepatch ]; then
	measure_livepatch
fi
exit $failed
