#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --memory 1024M --module xfs --program fio --program blkdiscard --program mkfs.ext4
# guest: --program e2fsck --program mkfs.xfs --program xfs_repair
#
# A disk that is updated under mounted file systems, through three versions in turn: nothing that
# was written is lost, no request fails. FULL=1: 1,000 updates.

. ./functions.sh
plan 48

updates=12 few=6
[ -z "$FULL" ] || updates=1000 few=100
device=/dev/ramblk
queue=/sys/block/ramblk/queue
mnt=$temporary/mnt
mkdir -p "$mnt"

# ---- what is asked -----------------------------------------------------------------------

statistic()
{
	sed -n "s/^$1 //p" /sys/block/ramblk/statistics
}

# to VERSION: an update there.
to()
{
	update ramblk "RamBlk@$1"
}

# is_at VERSION
is_at()
{
	same "$(value ramblk implementation)@$(value ramblk version)" "RamBlk@$1"
}

# What is on the disk itself, and not what is remembered of it.
device_sum()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sha256sum <$device
}

# put_block NUMBER TEXT: a block that begins with this, past the cache. get_block NUMBER.
put_block()
{
	printf '%s' "$2" | dd of=$device bs=4096 seek="$1" conv=sync oflag=direct 2>/dev/null
}

get_block()
{
	dd if=$device bs=4096 skip="$1" count=1 iflag=direct 2>/dev/null | tr -d '\000'
}

# complaints: lines of the kernel's log that say that a request or a file system failed.
complaints()
{
	dmesg | grep -E -e 'error, dev ramblk|Buffer I/O error' \
		-e '(EXT4-fs|JBD2).*(error|warning)|XFS.*([Cc]orrupt|error|[Ss]hutdown)'
}

# load_versions MIB [PARAMETER]...: all three; the parameters are for the first.
load_versions()
{
	local mib=$1

	shift
	load_with molt_ramblk_v1 "mib=$mib" "$@"
	load_with molt_ramblk_v2 "mib=$mib"
	load_with molt_ramblk_v3 "mib=$mib"
}

# is_removed: the class and its disk go, with all versions.
is_removed()
{
	put $classes/ramblk/remove 1 && all test ! -e /sys/block/ramblk -- \
		rmmod molt_ramblk_v1 -- rmmod molt_ramblk_v2 -- rmmod molt_ramblk_v3
}

# ---- load --------------------------------------------------------------------------------

# A file that says that a load is to end, one for each failure, one that grows with each round.
stop=$temporary/stop
failed=$temporary/failed
rounds=$temporary/rounds

# round_of LOAD: once; what it says is kept where it fails.
round_of()
{
	"$1" >"$temporary/$1.log" 2>&1 || { cp "$temporary/$1.log" "$failed.$1"; return 1; }
	echo >>"$rounds.$1"
}

# loads_begin LOAD...: each runs in a process of its own until loads_end.
loads_begin()
{
	local load

	rm -f "$stop" "$failed".* "$rounds".*
	loads=''
	for load; do
		while [ ! -e "$stop" ]; do
			round_of "$load" || break
		done &
		loads="$loads $!"
	done
}

loads_end()
{
	: >"$stop"
	# shellcheck disable=SC2086 # process numbers
	wait $loads
}

# rounds_of LOAD
rounds_of()
{
	if [ -e "$rounds.$1" ]; then wc -l <"$rounds.$1"; else echo 0; fi
}

has_rounds()
{
	[ "$(rounds_of "$1")" -ge "$2" ]
}

no_failure()
{
	local file

	for file in "$failed".*; do
		[ ! -e "$file" ] || { note "$file: $(tail -n 15 "$file")"; return 1; }
	done
}

# verify TARGET SIZE: writes there at random, reads all of it back and compares.
verify()
{
	fio --name=verify --filename="$1" --size="$2" --rw=randwrite --bs=4k --direct=1 \
		--ioengine=libaio --iodepth=16 --numjobs=2 --offset_increment="$2" \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --group_reporting --minimal
}

files()
{
	verify "$mnt/fio" 1m
}

raw()
{
	verify $device 1m
}

# A tree is unpacked, read back from the disk, compared and removed.
tree()
{
	mkdir "$mnt/tree" && tar -C "$mnt/tree" -xf "$temporary/tree.tar" && sync || return 1
	echo 1 >/proc/sys/vm/drop_caches
	(cd "$mnt/tree" && sha256sum -c "$temporary/tree.sums") && rm -r "$mnt/tree"
}

# make_tree: what `tree` unpacks, and its checksums.
make_tree()
{
	tar -C / -cf "$temporary/tree.tar" selftests
	(cd / && find selftests -type f -exec sha256sum {} +) >"$temporary/tree.sums"
}

# in_turn COUNT LOAD...: so many updates, to 2, 3, 2, 1, 3, 1 and again, and more until each load
# has had two rounds meanwhile; or one that fails.
in_turn()
{
	local count=$1 done=0 load end version

	shift
	end=$(($(now_ms) + 2000000))
	while :; do
		for version in 2 3 2 1 3 1; do
			to $version || {
				note "update $done, to $version: $(value ramblk last_result)"
				return 1
			}
			done=$((done + 1))
		done
		[ $done -ge "$count" ] || continue
		for load; do
			[ "$(rounds_of "$load")" -ge 2 ] || continue 2
			[ "$(now_ms)" -lt $end ] || { note "$load does not move"; return 1; }
		done
		made=$done
		return 0
	done
}

# ---- the disk ----------------------------------------------------------------------------

load molt_control
load_versions 64
check "the front was loaded by who asked for it" is_loaded molt_block
loaded="$loaded molt_block"
check "there is a disk of the size that was asked for" same "$(cat /sys/block/ramblk/size)" 131072
check "of blocks of 4096 bytes" same "$(cat $queue/logical_block_size)" 4096
check "without a scheduler, unless somebody asks for one" has "$(cat $queue/scheduler)" "[none]"
check "discard is announced" at_least "$(cat $queue/discard_max_bytes)" 4096
check "and so is to write zeroes" at_least "$(cat $queue/write_zeroes_max_bytes)" 4096
check "what was not written is zeroes" same "$(get_block 16383)" ""
check "the last block can be written" put_block 16383 last
check "and read" same "$(get_block 16383)" last
check "beyond the end nothing can be written" not put_block 16384 beyond
check "and nothing is read" same \
	"$(dd if=$device bs=4096 skip=16384 count=1 iflag=direct 2>/dev/null | wc -c)" 0
rmmod molt_ramblk_v2
check "a version that wants another size is refused" not modprobe molt_ramblk_v2 mib=128
check "and leaves the disk as it is" same "$(cat /sys/block/ramblk/size)" 131072
modprobe molt_ramblk_v2
put_block 1 kept
blkdiscard $device
check "version 1 does not know discard, and keeps what was written" same "$(get_block 1)" kept
check "nor to write zeroes, which the kernel then does itself" /bin/blkdiscard -z -l 1048576 $device
check "so that they are there" same "$(get_block 1)" ""

# ---- bytes, all ways ---------------------------------------------------------------------

dd if=/dev/urandom of=$device bs=65536 count=64 2>/dev/null
# Twice the same.
dd if=$device of=$device bs=65536 count=8 seek=128 2>/dev/null
before=$(device_sum)
are_same()
{
	local version

	for version in 2 3 2 1 3 1; do
		to $version || return 1
		same "$version $(device_sum)" "$version $before" || return 1
	done
}
check "1, 2, 3, 2, 1, 3, 1: each byte is the same" are_same
to 2
cat $device >/dev/null
put_block 9000 again
duplicates=$(statistic duplicates)
put_block 9001 again
check "version 2 stores what is the same once" same "$(statistic duplicates)" $((duplicates + 1))
put_block 9001 other
check "and tells it apart when it changes" all same "$(statistic duplicates)" "$duplicates" -- \
	same "$(get_block 9000) $(get_block 9001)" "again other"
to 3
check "version 3 discards" blkdiscard -o 36864000 -l 8192 $device
check "what was discarded is zeroes" same "$(get_block 9000)$(get_block 9001)" ""
check "and is counted where it was" has "$(cat /sys/block/ramblk/statistics)" "mib 35 " "discards 1"
to 1

# ---- under a file system -----------------------------------------------------------------

check "ext4 is made" mkfs.ext4 -q -F $device
check "and mounted" mount -t ext4 $device "$mnt"
check "the class cannot be removed: EBUSY" put_refused $classes/ramblk/remove 1 EBUSY
check "nor the front's module" not rmmod molt_block
make_tree
hold 2
behind $classes/ramblk/update "$(patient RamBlk@2)"
check "an update waits" await 5 in_state ramblk blocking
check "nor can the class be removed then" put_refused $classes/ramblk/remove 1 EBUSY
hold 0
check "which ends" all ended 20 -- served ramblk RamBlk@2 10
to 1
loads_begin files tree
check "updates in turn, under load" in_turn $updates files tree
loads_end
check "each read was what had been written" no_failure
claim="updates of a disk under ext4, fio (depth 16, 2 jobs) and a tree that comes and goes"
figure "$claim: requests that failed" \
	"$(complaints | wc -l) in $made updates, $(rounds_of files) and $(rounds_of tree) rounds" 0

# ---- an update that finds no memory ------------------------------------------------------

loads_begin files
rmmod molt_ramblk_v3
modprobe molt_ramblk_v3 fail=1
check "an update that finds no memory is refused" refused ENOMEM ramblk RamBlk@3
check "and the class is what it was" is_at 1
await 60 has_rounds files 1
loads_end
check "requests went on meanwhile" all no_failure -- at_least "$(rounds_of files)" 1
rmmod molt_ramblk_v3
modprobe molt_ramblk_v3
check "it goes where there is memory again" to 3
check "trimmed, since version 3 knows how" fstrim "$mnt"
echo late >"$mnt/late"
hold 2
behind $classes/ramblk/update "$(patient RamBlk@2)"
await 5 in_state ramblk blocking
umount "$mnt" &
unmounting=$!
usleep 200000
hold 0
check "it is unmounted in the middle of an update" all wait $unmounting -- ended 20 -- is_at 2
check "the file system is sound" e2fsck -f -n $device
check "nobody complained" same "$(complaints)" ""
check "the class is removed, with its disk" is_removed

# ---- requests that are done later --------------------------------------------------------

load_versions 64 delay_us=1000000
put_block 5 later &
writer=$!
check "a request is put off" await 5 grep -q '[1-9]' /sys/block/ramblk/inflight
before=$(statistic writes)
to 2
wait $writer
check "and done by the version that is there by then" \
	all same "$before $(statistic writes)" "0 1" -- same "$(get_block 5)" later
is_removed
load_versions 64 delay_us=2000
loads_begin raw
check "updates in turn, with requests that are put off" in_turn $few raw
loads_end
check "each read was what had been written" no_failure
is_removed

# ---- requests that find no memory --------------------------------------------------------

load_versions 64 fail_every=3
loads_begin raw
await 60 has_rounds raw 1
loads_end
check "requests that find no memory come again" all no_failure -- has_rounds raw 1
is_removed
load_versions 64 fail_every=3 delay_us=2000
loads_begin raw
await 60 has_rounds raw 1
loads_end
check "those that are put off, too" all no_failure -- has_rounds raw 1
is_removed

# ---- xfs ---------------------------------------------------------------------------------

load_versions 320
mkfs.xfs -q $device && mount -t xfs $device "$mnt"
loads_begin tree
check "xfs, too" in_turn $few tree
loads_end
umount "$mnt"
check "is sound, and nobody complained" all no_failure -- xfs_repair -n $device -- \
	same "$(complaints)" ""
is_removed
rmmod xfs
