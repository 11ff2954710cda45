#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# ramblk.sh: what a request to a disk costs with Molt and without, in instructions: the same
# driver, the same disk, one request of 4096 bytes at a time, past the cache. For a guest of one
# processor whose time counts instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

requests=20000
rounds=3

# run DISK OPERATION: how long a request took, the mean of so many, as fio saw it: one
# instruction is a nanosecond. Its rate would be no better than its milliseconds.
run()
{
	fio --name=run --filename="/dev/$1" --rw="$2" --bs=4k --size=16m \
		--io_size=$((requests * 4))k \
		--direct=1 --ioengine=psync --thread --randseed=1 --norandommap \
		--output-format=json >/tmp/run || give_up "fio: $1, $2"
	awk -v kind="${2#rand}" -v want=$requests -F '[:,]' '
		$1 ~ "\"" kind "\"" { is_here = 1 }
		is_here && $1 ~ /"total_ios"/ { count = $2 }
		is_here && $1 ~ /"lat_ns"/ && $1 !~ /[cs]lat_ns/ { is_latency = 1 }
		is_latency && $1 ~ /"mean"/ { mean = $2; exit }
		END { if (count != want) exit 1; printf "%.1f\n", mean }' /tmp/run ||
		give_up "fio said: $(head -n 30 /tmp/run)"
}

modprobe molt_ramblk_v1 || give_up molt_ramblk_v1
modprobe molt_ramblk_plain || give_up molt_ramblk_plain
# Each block is there before the measuring begins.
for disk in ramblk ramblk_plain; do
	dd if=/dev/urandom of=/dev/$disk bs=1048576 count=16 2>/dev/null
	run $disk randread >/dev/null
done
for _ in $(seq $rounds); do
	for operation in randread randwrite; do
		echo "result request.plain.${operation#rand} $(run ramblk_plain $operation)" \
			"instructions 1 $requests"
		echo "result request.molt.${operation#rand} $(run ramblk $operation)" \
			"instructions 1 $requests"
	done
done
