#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Misc devices: files that stay open while their driver is replaced. The driver is the kernel
# tree's own sample; where that has nothing to block or to map, one of ours.

. ./functions.sh
plan 38

driver=/dev/rust-misc-device
get=0x80047c81
set_value=0x40047c82
hello=0x7c80
add=0xc0047c83
version=0x5001

load molt_control rust_misc_device rust_misc_device_v2 test_pipe_v1 test_pipe_v2

# goes CLASS TO
goes()
{
	update "$1" "$2"
}

# asked FD COMMAND [NUMBER] ANSWER: what an ioctl says.
asked()
{
	local answer

	if [ $# -eq 4 ]; then
		answer=$(fileop ioctl "$1" "$2" "$3" 2>&1)
		same "$answer" "$4"
	else
		answer=$(fileop ioctl "$1" "$2" 2>&1)
		same "$answer" "$3"
	fi
}

# polled FD MILLISECONDS EVENTS
polled()
{
	same "$(fileop poll "$1" "$2")" "$3"
}

# told: the last of what a process says to its file.
told()
{
	same "$(tail -n 1 "$temporary/$1")" "$2"
}

# ---- the driver of the kernel tree -----------------------------------------------------

exec 3<>$driver 4<>$driver 5<>$driver
for file in 3 4 5; do
	fileop ioctl $file $set_value $((file * 1000)) >/dev/null
	echo "content of $file" >/proc/self/fd/$file
done
# That has opened them once more: what was written is in other files.
echo "third" >&3
echo "fourth" >&4

check "an open file has a state of its own" all asked 3 $get "0 3000" -- asked 4 $get "0 4000"
check "each is an instance" same "$(cat $classes/rust_misc_device/instances)" 3
check "what a version does not know it does not know" asked 3 $add 1 ENOTTY
check "an update with files open" goes rust_misc_device RustMiscDevice@2
check "their states have moved" all asked 3 $get "0 3000" -- asked 5 $get "0 5000"
check "what only the new version knows, in a file that the old one has opened" \
	asked 3 $add 17 "0 3017"
check "an error passes" asked 3 $add 2147483647 EOVERFLOW
check "an ioctl without an argument" asked 3 $hello "0 0"
check "one of neither" asked 3 0x7c99 ENOTTY
check "memory that is not there is EFAULT" asked 3 $add bad EFAULT
check "but not where nobody looks" asked 3 0xc0047c99 bad ENOTTY
check "what was written is there, from where it was" same "$(head -n 1 <&3)" third
check "the way back" goes rust_misc_device RustMiscDevice@1
check "and what it did not know it knows no more" asked 3 $add 1 ENOTTY
check "the value of the other version stays" asked 3 $get "0 3017"

# Counts in $lost how often a state was not what it had been.
hundred()
{
	local round=0 to=2

	lost=0
	while [ $round -lt 100 ]; do
		update rust_misc_device RustMiscDevice@$to || return 1
		asked 4 $get "0 $((4000 + round))" || lost=$((lost + 1))
		fileop ioctl 4 $set_value $((4001 + round)) >/dev/null
		to=$((3 - to))
		round=$((round + 1))
	done
	same $lost 0
}

check "100 updates, and a change of the state after each" hundred
check "what nobody touched meanwhile is as it was" asked 5 $get "0 5000"
check "and so is what was written" same "$(head -n 1 <&4)" fourth
figure "open files over 100 updates: states lost" "$lost" 0

# ---- a device that blocks --------------------------------------------------------------

exec 6<>/dev/test_pipe 7<>/dev/test_pipe
head -n 1 <&6 >"$temporary/read" &
reader=$!
fileop poll 7 -20000 >"$temporary/poll" &
poller=$!
sleep 1
check "a read without an end does not hold off an update" goes test_pipe Pipe@2
check "it goes on" all kill -0 $reader -- kill -0 $poller
echo late >&6
echo late >&7
wait $reader $poller
check "what comes after the update wakes it" told read late
check "and a poll" told poll "in "
check "a file of before uses an ioctl of after" asked 7 $version "2 0"
check "a read that may not block does not" \
	not dd if=/proc/self/fd/6 iflag=nonblock bs=1 count=1 2>/dev/null
check "poll says what there is" polled 7 0 "in out"
check "and what there is not" polled 6 0 "out"

mkfifo "$temporary/requests"
fileop map 6 <"$temporary/requests" >"$temporary/map" &
mapper=$!
exec 8>"$temporary/requests"
echo "put 65" >&8
check "the way back with a page mapped" goes test_pipe Pipe@1
echo "get" >&8
check "the page is what it was" await 5 told map 65
check "and the same for who maps it after" \
	same "$(echo get | fileop map 6)" 65
exec 8>&-
wait $mapper
# While its page does not come each of them is in a system call on the file.
echo "to be read" >&6
stalled=''
for how in "read 6" "write 6" "ioctl 6 $add"; do
	# shellcheck disable=SC2086 # they are words
	fileop stall $how >"$temporary/stalled" 2>&1 &
	stalled="$stalled $!"
done
exec 9<>$driver
fileop stall ioctl 9 $add >"$temporary/stalled" 2>&1 &
stalled="$stalled $!"
sleep 1
# shellcheck disable=SC2086
check "callers whose memory does not come hold off no update" all \
	goes test_pipe Pipe@2 -- goes rust_misc_device RustMiscDevice@2 -- kill -0 $stalled
# shellcheck disable=SC2086
kill -KILL $stalled
# shellcheck disable=SC2086
wait $stalled 2>/dev/null
exec 9>&-
check "nor does their end" all goes test_pipe Pipe@1 -- goes rust_misc_device RustMiscDevice@1

check "a signal ends a read" all \
	not timeout 1 head -n 1 /proc/self/fd/6

# ---- the end ---------------------------------------------------------------------------

check "a front is not removed under its devices" not rmmod molt_misc
check "a class is not, with files open" put_refused $classes/test_pipe/remove 1 EBUSY
check "and is what it was" all asked 7 $version ENOTTY -- test -c /dev/test_pipe
(
	usleep 20000
	exec 6>&-
) &
exec 6>&- 7>&-
check "files are closed in the middle of an update" goes test_pipe Pipe@2
wait
check "then it is, with its device" all put $classes/test_pipe/remove 1 -- \
	not test -e /dev/test_pipe
exec 3>&- 4>&- 5>&-
check "and the other" all put $classes/rust_misc_device/remove 1 -- not test -e $driver
