#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Users without privilege whose memory is in a file of a file system of their own, which never
# brings it: in a system call on a front's file, they hold off no update.

. ./functions.sh
plan 31

get_value=0x80047c81
add=0xc0047c83

# stall NAME HOW...: such a call; $server is who could bring the page.
stall()
{
	local name=$1

	shift
	: >"$temporary/$name.page"
	chmod 644 "$temporary/$name.page"
	fusestall "$temporary/$name.page" "$@" >"$temporary/$name" 2>&1 &
	server=$!
	await 10 grep -q '^stalled' "$temporary/$name" ||
		{ note "$(cat "$temporary/$name")"; return 1; }
	caller=$(sed -n 's/^caller //p' "$temporary/$name")
}

# is_inside: the caller has not come back, and is nobody special.
is_inside()
{
	not is_gone "$caller" &&
		has "$(cat "/proc/$caller/status")" \
			"Uid:	1000" "CapEff:	0000000000000000"
}

# over NAME: nobody brings the page any more, and the call comes to its end.
over()
{
	kill -KILL "$server"
	wait "$server" 2>/dev/null
	await 10 grep -q "^$2: " "$temporary/$1" && umount "$temporary/$1.page"
}

updates=0 held_off=0 caller=none server=none

# there_and_back CLASS TO BACK
there_and_back()
{
	local to

	for to in "$2" "$3"; do
		updates=$((updates + 1))
		update "$1" "$to" || { held_off=$((held_off + 1)); return 1; }
	done
}

# holds_off_nothing NAME CLASS TO BACK HOW...
holds_off_nothing()
{
	local name=$1 class=$2 to=$3 back=$4

	shift 4
	check "$name: the page does not come" stall "$name" "$@"
	check "$name: updates there and back" there_and_back "$class" "$to" "$back"
	check "$name: the caller is a user like any other, and still in its call" is_inside
	check "$name: the call ends with an error" over "$name" "$1"
	check "$name: and $class can be updated" there_and_back "$class" "$to" "$back"
}

load molt_control test_pipe_v1 test_pipe_v2 rust_misc_device rust_misc_device_v2
load debugfs_gauge_v1
loaded="debugfs_gauge_v1 debugfs_front ${loaded#debugfs_gauge_v1}"
load debugfs_gauge_v2
exec 6<>/dev/test_pipe 7<>/dev/rust-misc-device 8<>/sys/kernel/debug/gauge/value
echo "to be read, by who never does" >&6

holds_off_nothing device-read test_pipe Pipe@2 Pipe@1 read 6
holds_off_nothing device-write test_pipe Pipe@2 Pipe@1 write 6
holds_off_nothing device-ioctl-in rust_misc_device RustMiscDevice@2 RustMiscDevice@1 ioctl 7 $add
holds_off_nothing device-ioctl-out rust_misc_device RustMiscDevice@2 RustMiscDevice@1 \
	ioctl 7 $get_value
holds_off_nothing debugfs-read gauge Gauge@2 Gauge@1 read 8
holds_off_nothing debugfs-write gauge Gauge@2 Gauge@1 write 8

claim="system calls on fronts' files whose memory an own FUSE file system keeps back"
figure "$claim: updates held off" "$held_off of $updates" 0
exec 6>&- 7>&- 8>&-
check "no class is held by who was killed" all put $classes/test_pipe/remove 1 -- \
	put $classes/rust_misc_device/remove 1 -- put $classes/gauge/remove 1
