#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The demonstration of a disk, for the guest: replaces its driver while a file system is mounted
# on it and in use, through three versions, and ends with a table of what was claimed and what
# was seen. The exit status is 0 only if every line of it holds.

class=/sys/kernel/molt/classes/ramblk
device=/dev/ramblk
mnt=/tmp/mnt
updates=30

. /samples/demo-functions.sh

# ---- load --------------------------------------------------------------------------------

# Writes at random, reads all of it back and compares.
verify()
{
	fio --name=verify --filename=$mnt/fio --size=1m --rw=randwrite --bs=4k --direct=1 \
		--ioengine=libaio --iodepth=16 --numjobs=2 --offset_increment=1m \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --minimal
}

# Unpacks a tree, compares what comes back from the disk, and removes it.
tree()
{
	mkdir $mnt/tree && tar -C $mnt/tree -xf /tmp/tree.tar && sync || return 1
	echo 1 >/proc/sys/vm/drop_caches
	(cd $mnt/tree && sha256sum -c /tmp/tree.sums) && rm -r $mnt/tree
}

# again LOAD: until /tmp/stop is there, or it fails. A line in LOAD.rounds for each round.
again()
{
	: >"/tmp/$1.rounds"
	while [ ! -e /tmp/stop ]; do
		"$1" >"/tmp/$1.log" 2>&1 || { cp "/tmp/$1.log" "/tmp/$1.failed"; return; }
		echo >>"/tmp/$1.rounds"
	done
}

rounds()
{
	wc -l <"/tmp/$1.rounds"
}

complaints()
{
	dmesg | grep -cE 'error, dev ramblk|Buffer I/O error|(EXT4-fs|JBD2).*(error|warning)'
}

# what_is_stored: the first lines of what the disk says of itself.
what_is_stored()
{
	run head -n 5 /sys/block/ramblk/statistics
}

# ---- the steps ---------------------------------------------------------------------------

show_kernel

step 'Version 1 of a RAM disk, with ext4 on it, fio and a tree of files that comes and goes'
need run modprobe molt_control
need run modprobe molt_ramblk_v1 mib=64
need run mkfs.ext4 -q -F $device
mkdir $mnt
need run mount -t ext4 $device $mnt
tar -C / -cf /tmp/tree.tar samples
(cd / && find samples -type f -exec sha256sum {} +) >/tmp/tree.sums
again verify &
loads=$!
again tree &
loads="$loads $!"
sleep 2
say "$(serving), generation $(of_class generation)"
first=$(serving)

step 'The update: one write replaces the driver under the file system'
run modprobe molt_ramblk_v2
update RamBlk@2
updated=$?
run rmmod molt_ramblk_v1
removed=$?
timeline
same 'update to version 2' 'RamBlk@1 to RamBlk@2' "$first to $(serving)"
same 'its result, and generation' '0, 1' "$updated, $(of_class generation)"
row 'longest wait of a request' 'at most 500000 us' \
	"$(moment longest_wait_us) us, $(moment waited) waited" \
	test "$(moment longest_wait_us)" -le 500000
row 'removal of the old module, at once' 'status 0, gone' \
	"status $removed, $(is_loaded molt_ramblk_v1 && echo there || echo gone)" \
	test "$removed" = 0 -a ! -e /sys/module/molt_ramblk_v1
say 'it stores what is the same once:'
what_is_stored

step 'A version that finds no memory for its counts, and the same one when there is some'
run modprobe molt_ramblk_v3 fail=1
update RamBlk@3
row 'refused update' 'an error, ENOMEM' "status $?, $(of_class last_result | cut -d' ' -f1)" \
	grep -q '^ENOMEM ' $class/last_result
same 'the class afterwards' 'RamBlk@2, generation 1' "$(serving), generation $(of_class generation)"
run rmmod molt_ramblk_v3
run modprobe molt_ramblk_v3
update RamBlk@3
same 'version 3' 'RamBlk@3, generation 2' "$(serving), generation $(of_class generation)"
run fstrim $mnt
same 'it gives back what is discarded' 0 $?
what_is_stored

step 'What cannot be removed while the file system is mounted'
write 1 $class/remove
row 'removal of the class' 'an error, EBUSY' "status $?, $(cut -d' ' -f1 $class/last_result)" \
	grep -q '^EBUSY ' $class/last_result
run rmmod molt_block
row "removal of the front's module" 'refused' "status $?" is_loaded molt_block

step "$updates updates in turn, there and back between all versions"
run modprobe molt_ramblk_v1 mib=64
count=0 failures=0
before="$(rounds verify) $(rounds tree)"
while [ $count -lt $updates ]; do
	for version in 1 2 3 2 1 3; do
		echo "RamBlk@$version" >$class/update 2>/dev/null || failures=$((failures + 1))
		count=$((count + 1))
	done
done
say "$(serving), generation $(of_class generation)"
same 'updates that failed, of as many' "0 of $updates" "$failures of $count"

step 'The accounts'
: >/tmp/stop
# shellcheck disable=SC2086 # process numbers
wait $loads
say "rounds of fio and of the tree: $(rounds verify), $(rounds tree);" \
	"before the last updates: $before"
row 'rounds of fio, each read compared' 'at least 2, none failed' \
	"$(rounds verify), $(find /tmp -name verify.failed | wc -l) failed" \
	test "$(rounds verify)" -ge 2 -a ! -e /tmp/verify.failed
row 'rounds of a tree, by SHA-256' 'at least 2, none failed' \
	"$(rounds tree), $(find /tmp -name tree.failed | wc -l) failed" \
	test "$(rounds tree)" -ge 2 -a ! -e /tmp/tree.failed
run umount $mnt
run e2fsck -f -n $device
same 'the file system, by e2fsck' 0 $?
same 'requests and file system: complaints' 0 "$(complaints)"

step 'Reads that are due each millisecond, while the driver of their disk is replaced'
replace_under disk "$device 1000" update RamBlk@1
same 'reads over an update: failed' 0 "$(cut -d' ' -f4 /tmp/summary)"

step 'The end'
write 1 $class/remove
same 'removal of the class, and its disk' '0, gone' \
	"$?, $([ -e /sys/block/ramblk ] && echo there || echo gone)"
for module in molt_ramblk_v1 molt_ramblk_v2 molt_ramblk_v3 molt_block molt_control molt; do
	run rmmod $module
done
same 'modules left' 0 "$(grep -c '^molt' /proc/modules)"

claims
