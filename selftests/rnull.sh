#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --module configfs
#
# The kernel tree's null block driver, replaced under its disks: how they are configured stays in a
# module of its own, what is done with requests is updated.

. ./functions.sh
plan 17

config=/tmp/config

load configfs
mkdir -p $config
mount -t configfs none $config
load molt_control rnull_mod rnull_config

# A disk of 16 MiB: NAME IRQMODE
power()
{
	mkdir $config/rnull/"$1" &&
		echo 16 >$config/rnull/"$1"/size &&
		echo "$2" >$config/rnull/"$1"/irqmode &&
		echo 1 >$config/rnull/"$1"/power
}

# request DISK NUMBER: so many.
request()
{
	dd if=/dev/"$1" of=/dev/null bs=4096 count="$2" iflag=direct 2>/dev/null
}

requests()
{
	sed -n 's/^requests //p' /sys/block/"$1"/statistics
}

check "the class has no disk of its own" same "$(cat $classes/rnull/instances)" 0
check "a disk that is done at once" power null0 0
check "and one that is done later" power null1 1
check "each is an instance" same "$(cat $classes/rnull/instances)" 2
check "both answer" all request null0 100 -- request null1 100
load rnull_mod_v2

# counts DISK, has_instances NUMBER
counts()
{
	[ -n "$(requests "$1")" ]
}

has_instances()
{
	same "$(cat $classes/rnull/instances)" "$1"
}

steady()
{
	while [ ! -e "$temporary/stop" ]; do
		request null1 50 || : >"$temporary/failed"
	done
}

# A disk is added by a task that waits, here for the gate, and may wait for a module to be loaded.
load molt_ramblk_v1
hold 3
behind $classes/rnull/update "NullBlkDevice@2 deadline_ms=20000"
await 5 in_state rnull transferring
power null3 0 &
adding=$!
usleep 300000
busybox modprobe molt_ramblk_v2 &
joining=$!
usleep 300000
busybox modprobe hello_v1 &
loading=$!
loaded="hello_v1 molt_ramblk_v2 $loaded"
check "modules are loaded while a disk is being added" await 5 is_gone $loading
check "also those of a class that has one" await 5 is_gone $joining
put $classes/rnull/abort 1
ended 5
hold 0
wait $loading $joining $adding
put $classes/ramblk/remove 1
check "then it is there, and can be ended" all test -e /dev/null3 -- \
	put $config/rnull/null3/power 0

steady &
load=$!
check "an update with requests under way" update rnull NullBlkDevice@2
check "the old module goes" rmmod rnull_mod
: >"$temporary/stop"
wait $load
check "no request has failed" not test -e "$temporary/failed"
before=$(requests null0)
request null0 100
check "the new version counts, exactly" same "$(($(requests null0) - before))" 100
check "a new disk is of the new version" all power null2 0 -- counts null2
exec 3</dev/null2
check "a class with disks is not removed" put_refused $classes/rnull/remove 1 EBUSY
check "who configured a disk can end it, also while it is open" \
	all put $config/rnull/null2/power 0 -- not test -e /dev/null2
exec 3<&-
check "and those of the other" all put $config/rnull/null0/power 0 -- \
	put $config/rnull/null1/power 0 -- await 5 has_instances 0
rmdir $config/rnull/*/
rmmod rnull_config
check "then the class goes" put $classes/rnull/remove 1
umount $config
