#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# windows.sh CPUS PAIRS [INSTANCES]: how long calls of an atomic class take that find its gate
# closed, while another processor updates the class: PAIRS updates there and back, which move
# the instances, and as many that close and open an empty gate, since they are refused at their
# commit point. They take turns.
# Prints "result NAME VALUE UNIT CPUS N"; N is the number of such calls.

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

cpus=$1
pairs=$2
class=/sys/kernel/molt/classes/bench_atomic
refuse=/sys/module/molt/parameters/test_refuse

# update KIND: to the version that does not serve the class; notes what the caller saw.
update()
{
	local to

	to=$((3 - $(cat $class/version)))
	echo "Sum@$to deadline_ms=10000" 2>/dev/null >$class/update
	until is_idle; do usleep 1000; done
	moment window_ns >>"/tmp/$1.closed"
	cat <&3 >>"/tmp/$1.waits"
}

# moved, and refused: one update of each kind.
moved()
{
	local before

	before=$(cat $class/version)
	update moved
	[ "$(cat $class/version)" != "$before" ] || problem "no update: $(cat $class/last_result)"
}

refused()
{
	local before

	before=$(cat $class/version)
	echo 1 >$refuse
	update empty
	echo 0 >$refuse
	[ "$(cat $class/version)" = "$before" ] || problem "an update that was to be refused"
}

# part PERCENT FILE: so much percent of its lines are no more than this.
part()
{
	sort -n "$2" | sed -n "$((($(wc -l <"$2") * $1 + 99) / 100))p"
}

# show NAME FILE
show()
{
	local n

	n=$(wc -l <"$2")
	echo "result $1.n $n calls $cpus $pairs"
	[ "$n" -gt 0 ] || { echo "skipped $1 on $cpus CPUs: nobody has met it"; return; }
	echo "result $1.p50 $(part 50 "$2") ns $cpus $n"
	echo "result $1.p99 $(part 99 "$2") ns $cpus $n"
	echo "result $1.max $(part 100 "$2") ns $cpus $n"
}

modprobe molt_control && modprobe bench_atomic_v1 && modprobe bench_atomic_v2 || exit 1
modprobe bench_waits instances="${3:-1000}" || exit 1
exec 3<>/dev/bench_waits || exit 1
taskset $((1 << (cpus - 1))) sh -c 'echo 1 >&3' &
caller=$!
usleep 100000
for _ in $(seq "$pairs"); do
	moved
	refused
done
kill $caller
wait $caller 2>/dev/null
for kind in moved empty; do
	show "window.$kind.wait" /tmp/$kind.waits
	show "window.$kind.closed" /tmp/$kind.closed
done
exit $failed
