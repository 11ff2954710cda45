#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# ramblk.sh: what a request to a disk costs with Molt and without, in instructions: the same
# driver, the same disk, one request of 4096 bytes at a time, past the cache. For a guest of one
# processor whose time counts instructions. Prints "result NAME VALUE UNIT CPUS N".

set -u

requests=20000
rounds=5

problem()
{
	echo "problem: $*"
	exit 1
}

# run DISK OPERATION: fio's own time for so many requests, in microseconds.
run()
{
	fio --name=run --filename="/dev/$1" --rw="$2" --bs=4k --size=16m --io_size=$((requests * 4))k \
		--direct=1 --ioengine=psync --thread --randseed=1 --norandommap --allow_mounted_write=0 \
		--output-format=json >/tmp/run || problem "fio: $1, $2"
	# The job's times come before those of its latencies.
	awk -v kind="${2#rand}" -F '[:,]' '
		$1 ~ "\"" kind "\"" { here = 1 }
		here && $1 ~ /"total_ios"/ { n = $2 }
		here && $1 ~ /"iops"/ && !rate { rate = $2 }
		here && $1 ~ /"lat_ns"/ { lat = 1 }
		here && lat && $1 ~ /"mean"/ { mean = $2; exit }
		END { if (n != want) exit 1; printf "%.1f\n", 1e9 / rate }' want=$requests /tmp/run ||
		problem "fio said: $(tail -n 5 /tmp/run)"
}

modprobe molt_ramblk_v1 && modprobe molt_ramblk_plain || problem "modules"
# Each block is there before the measuring begins.
for disk in ramblk ramblk_plain; do
	dd if=/dev/urandom of=/dev/$disk bs=1048576 count=16 2>/dev/null
	run $disk randread >/dev/null
done
for _ in $(seq $rounds); do
	for operation in randread randwrite; do
		echo "result request.plain.${operation#rand} $(run ramblk_plain $operation) instructions 1 $requests"
		echo "result request.molt.${operation#rand} $(run ramblk $operation) instructions 1 $requests"
	done
done
