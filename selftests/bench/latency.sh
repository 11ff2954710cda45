#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# latency.sh: how long calls of a device take while its driver is replaced, in an open loop: one
# is due every 100 us for 2 s, and after half of it the driver is replaced. Another caller has a
# call that takes 20 ms every 50 ms. The driver is replaced by an update; in a design with an
# rwsem around each call; and by removing the module and inserting it again, for which both callers
# have to close the device each time. Prints "result NAME VALUE UNIT CPUS N", and for each 10 ms a
# line "slot KIND MS COUNT P50 P99 P999 MAX ENDED", in microseconds.

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

period_us=100
length_ms=2000

# measure KIND DEVICE OPTION REPLACE...
measure()
{
	local kind=$1 device=$2 option=$3 slow

	shift 3
	# shellcheck disable=SC2086 # there may be none
	openloop -i 0x4201 $option "$device" 50000 $length_ms >/dev/null &
	slow=$!
	# shellcheck disable=SC2086
	openloop -i 0x4202 $option -o /tmp/slots "$device" $period_us $length_ms >/tmp/summary &
	# While a slow call is inside: its caller makes one before it begins to count.
	usleep $((length_ms * 500 + 35000))
	"$@" || give_up "$kind: not replaced"
	wait $!
	kill "$slow" 2>/dev/null
	wait $slow
	sed "s/^/slot $kind /" /tmp/slots
	awk -v kind="$kind" '{ if ($6 > most) most = $6 } END {
		printf "result latency.%s.max %d us 1 %d\n", kind, most, NR }' /tmp/slots
	echo "result latency.$kind.failures $(cut -d' ' -f4 /tmp/summary) failures 1 1"
}

update()
{
	echo Device@2 >/sys/kernel/molt/classes/bench_device/update
}

swap()
{
	echo 1 >/dev/bench_swap
}

insert_again()
{
	until rmmod bench_swap 2>/dev/null; do
		usleep 200
	done
	modprobe bench_swap
}

for module in molt_control bench_device_v1 bench_device_v2; do
	modprobe $module || give_up "$module"
done
measure molt /dev/bench_device '' update
modprobe bench_swap locked=1 || give_up bench_swap
measure rwsem /dev/bench_swap '' swap
rmmod bench_swap
modprobe bench_swap || give_up bench_swap
measure restart /dev/bench_swap -c insert_again
rmmod bench_swap
echo 1 >/sys/kernel/molt/classes/bench_device/remove
rmmod bench_device_v1 bench_device_v2 molt_misc
