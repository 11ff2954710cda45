#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# How a class comes to a front and leaves it, with the front of the samples.

. ./functions.sh
plan 34

file=/sys/kernel/debug/gauge/value
gauge=$classes/gauge

load molt_control
load debugfs_gauge_v1

check "the front is loaded by its alias" is_loaded debugfs_front
check "the file is there with the class" test -e $file
echo 7 >$file
check "it is served by version 1" same "$(cat $file)" 7
check "an error passes" put_refused $file seven EINVAL
check "and so does one of the front" put_refused $file "$(head -c 5000 /dev/zero | tr '\0' 7)" \
	"sh: write error: Argument list too long"
exec 3<>$file
load debugfs_gauge_v2
check "an update with the file open" update gauge Gauge@2
check "it is served by version 2" same "$(cat $file)" 7
echo 9 >&3
echo 5 >&3
check "also for those who had it open" same "$(cat $file)" "5 5 9"
check "a front is not removed while a class is attached" not rmmod debugfs_front
check "nor with a handle of a class that is updated" update gauge Gauge@1
hold 1
behind $gauge/update "Gauge@2 deadline_ms=20000"
check "an update waits" await 5 same "$(sleep 0.5; cat $gauge/state)" tracking
check "the class is not removed then" all put_refused $gauge/remove 1 EBUSY -- \
	same "$(cat $file)" "5"
hold 0
ended 5
check "and the update goes on" served gauge Gauge@2 3
exec 3>&-
load test_gauge_keeper
check "with an instance of somebody else's the class is not removed" \
	put_refused $gauge/remove 1 EBUSY
check "and the front's is what it was" same "$(cat $file)" 5
rmmod test_gauge_keeper
check "the class is removed, and the file with it" all put $gauge/remove 1 -- not test -e $file
check "the front can go then" rmmod debugfs_front
rmmod debugfs_gauge_v2
rmmod debugfs_gauge_v1
front_file=$(module_file debugfs_front)
mv "$front_file" "$temporary/"
depmod 2>/dev/null
check "without its front a module is not inserted" not modprobe debugfs_gauge_v1
check "and leaves no class" not test -e $gauge
check "the log says why" \
	has "$(dmesg | tail -n 4)" "gauge: not attached to the front debugfs: ENOENT"
busybox modprobe test_front_slow init_ms=$((1500 * slower)) 2>/dev/null &
front=$!
await 5 test -e /sys/module/test_front_slow
usleep 300000
check "nor with one that is in its init yet, which may fail" not modprobe debugfs_gauge_v1
check "the log says so" \
	has "$(dmesg | tail -n 4)" "gauge: not attached to the front debugfs: EAGAIN"
wait $front
busybox modprobe test_front_slow init_ms=0 fail=0 exit_ms=$((1500 * slower))
busybox rmmod test_front_slow &
front=$!
usleep 300000
check "nor with one that is going" not modprobe debugfs_gauge_v1
check "and the log says so" \
	has "$(dmesg | tail -n 4)" "gauge: not attached to the front debugfs: ENODEV"
wait $front
mv "$temporary/debugfs_front.ko" "$front_file"
depmod 2>/dev/null
insmod "$front_file"
loaded="debugfs_front $loaded"
modprobe debugfs_gauge_v1
check "with it, it is" test -e $file
echo 1 >$gauge/remove
rmmod debugfs_gauge_v1
busybox modprobe test_gauge_slow init_ms=$((1500 * slower)) 2>/dev/null &
failing=$!
await 5 test -e $gauge
check "no front for a class whose default is in its init yet" not modprobe debugfs_gauge_v1
check "and the log says so" \
	has "$(dmesg | tail -n 4)" "gauge: not attached to the front debugfs: EAGAIN"
wait $failing
check "the class is gone when that has failed" not test -e $gauge
modprobe debugfs_gauge_v1
check "and one that comes then has its file" test -e $file
echo 1 >$gauge/remove

# ---- removals that take their time -------------------------------------------------

# slow MS: the class anew, with a version whose reads take so long.
slow()
{
	rmmod test_gauge_slow 2>/dev/null
	rmmod debugfs_gauge_v1
	modprobe debugfs_gauge_v1
	load_with test_gauge_slow init_ms=0 fail=0 show_ms="$1"
	update gauge Gauge@3
}

slow $((3000 * slower))
cat $file >/dev/null &
reader=$!
usleep $((300000 * slower))
behind $gauge/remove 1
usleep $((300000 * slower))
check "a removal that waits for a call does not keep the class from anything" \
	refused ETIMEDOUT gauge "Gauge@1 deadline_ms=200"
wait $reader
ended 5
check "then it is removed" all same "$errno" ok -- not test -e $file

slow $((6000 * slower))
exec 3<>$file
fileop stall write 3 >/dev/null &
stalled=$!
usleep $((300000 * slower))
behind $gauge/remove 1
usleep $((300000 * slower))
modprobe test_gauge_keeper shows=1 &
keeping=$!
await 5 is_loaded test_gauge_keeper
usleep $((300000 * slower))
kill -KILL $stalled
wait $stalled 2>/dev/null
check "one that finds an instance of somebody else's in the end does not wait for its calls" \
	ended 4
check "it is refused, and the file is there again" all same "$errno" EBUSY -- test -e $file
exec 3>&-
wait $keeping
rmmod test_gauge_keeper
check "without that it succeeds" put $gauge/remove 1
