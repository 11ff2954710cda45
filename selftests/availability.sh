#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --memory 1G --program mkfs.ext4 --program e2fsck --program stress-ng
#
# A disk with a file system on it and the objects of all processes are updated, over and over, in
# one boot and under load. FULL=1: 20,000 times, which the K42 paper gives as the updates of Visa's
# computers in a year. Meanwhile the disk is read at fixed times: a slot of 10 ms is available if a
# read has ended in it.

. ./functions.sh
plan 14

updates=40 probe_ms=3000
[ -z "$FULL" ] || { updates=20000 probe_ms=30000; }
disk=$classes/ramblk
mnt=$temporary/mnt
stop=$temporary/stop
failed=$temporary/failed
mkdir -p "$mnt"

load molt_control molt_ramblk_v1 molt_ramblk_v2 molt_ramblk_v3
load process_shared process_replicated process_replicated_v2 molt_process
mkfs.ext4 -q /dev/ramblk && mount /dev/ramblk "$mnt" || exit 1
mkdir "$mnt/tree"
cp ./*.sh "$mnt/tree"
reference=$(cat ./*.sh | sha256sum)

# ---- loads ---------------------------------------------------------------------------

# A tree that is copied, compared and removed.
storage()
{
	local copy=$mnt/copy

	while [ ! -e "$stop" ]; do
		cp -r "$mnt/tree" "$copy" || break
		echo 3 >/proc/sys/vm/drop_caches
		[ "$(cat "$copy"/*.sh | sha256sum)" = "$reference" ] || break
		rm -r "$copy" || break
	done
	[ -e "$stop" ] || echo storage >>"$failed"
}

processes()
{
	while [ ! -e "$stop" ]; do
		stress-ng --quiet --temp-path /tmp --fork 1 --fork-ops 200 --timeout 20 || break
	done
	[ -e "$stop" ] || echo processes >>"$failed"
}

# probe NAME: how the disk answers meanwhile.
probe()
{
	openloop -o "$temporary/$1.slots" /dev/ramblk 1000 $probe_ms >"$temporary/$1.probe"
}

# word NUMBER NAME: of a probe's last line.
word()
{
	cut -d' ' -f"$1" "$temporary/$2.probe"
}

# share NAME: of slots in which a read has ended, in thousandths of a percent.
share()
{
	echo $((100000 - 100000 * $(word 8 "$1") / $(word 6 "$1")))
}

# percent NUMBER: thousandths as a decimal number.
percent()
{
	printf '%d.%03d %%' $(($1 / 1000)) $(($1 % 1000))
}

# ---- updates -------------------------------------------------------------------------

# replace_in CLASS TEXT: again where it has missed its deadline, as it may on a machine that has
# more to do than it can; how often is counted.
late=0
replace_in()
{
	until put "$classes/$1/update" "$2"; do
		[ "$errno" = ETIMEDOUT ] || return 1
		late=$((late + 1))
	done
}

# Of both classes in turn, to each of their implementations in turn.
replace()
{
	local round=0

	while [ $round -lt $((updates / 2)) ]; do
		case $((round % 3)) in
		0) set -- RamBlk@2 Replicated@1 ;;
		1) set -- RamBlk@3 Replicated@2 ;;
		2) set -- RamBlk@1 Shared@1 ;;
		esac
		replace_in ramblk "$1" || return 1
		replace_in process "$2" || return 1
		round=$((round + 1))
	done
}

# probe_again: for as long as updates go on.
probe_again()
{
	while [ ! -e "$temporary/done" ]; do
		probe updated
		cat "$temporary/updated.probe" >>"$temporary/all"
	done
}

storage &
loads=$!
processes &
loads="$loads $!"
sleep 2
probe alone
begin=$(now_ms)
probe_again &
prober=$!
check "$updates updates of a disk and of all processes, in turn" replace
took=$(($(now_ms) - begin))
: >"$temporary/done"
wait $prober
# All probes as one.
awk '{ o += $2; f += $4; s += $6; e += $8 }
	END { print "operations", o, "failures", f, "slots", s, "empty", e }' \
	"$temporary/all" >"$temporary/updated.probe"
: >"$stop"
# shellcheck disable=SC2086 # process numbers
wait $loads

check "no load has failed" not test -e "$failed"
check "no read has failed" same "$(word 4 updated)" 0
check "so many updates of the disk have committed" \
	same "$(cat $disk/generation)" "$((updates / 2))"
check "and so many of the processes" same "$(cat $classes/process/generation)" "$((updates / 2))"
check "what has not was in time for the next try" at_most "$late" $((updates / 20))
note "$updates updates in $took ms, $late tries in vain; reads: $(cat "$temporary/updated.probe")"
note "without updates: $(cat "$temporary/alone.probe")"
check "reads went on" at_least "$(word 2 updated)" 1000
# Half of what there is without updates: software emulation is no measure of more.
check "and so did availability" at_least "$(share updated)" $(($(share alone) / 2))
figure "updates in one boot, of a disk under ext4 and of all processes, under load" \
	"$updates ($late more tries met no quiet moment in time), $(word 4 updated) reads failed" \
	"0 failed"
figure "share of 10 ms slots in which a read of the disk ended, during those updates" \
	"$(percent "$(share updated)")" "$(percent "$(share alone)") without updates"

accounts=/sys/kernel/debug/molt_process/accounts
balanced()
{
	awk '{ is[$1] = $2 }
		END { exit is["found"] + is["forks"] != is["ended"] + is["live"] + is["failed"] }' \
		$accounts
}

check "each process is accounted for" await 5 balanced
check "the tree is what it was" same "$(cat "$mnt"/tree/*.sh | sha256sum)" "$reference"
check "the file system is unmounted" umount "$mnt"
check "and clean" e2fsck -fn /dev/ramblk
check "no request has failed" same "$(dmesg | grep -cE 'error, dev ramblk|Buffer I/O error')" 0
rmmod molt_process
check "the disk goes" put $disk/remove 1
