#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Makes each bug of FILE.reports, FILE being in /etc/checkers, in a task of its own. Whether the
# kernel said what it had to is seen in its log.

leaks=/sys/kernel/debug/kmemleak

# scan: what is not yet 5 s old is not suspected, nor what has changed since the last scan.
scan()
{
	[ -w $leaks ] || return 0
	sleep 6
	for _ in 1 2 3; do
		echo scan >$leaks
		sleep 1
	done
	head -n 3 $leaks >/dev/kmsg
}

modprobe test_bugs
modprobe test_bugs_c
grep -v '^#' "/selftests/debug/$(cat /etc/checkers).reports" | cut -d' ' -f1,2 | uniq |
	while read -r module bug; do
		echo "bug: $module $bug" >/dev/kmsg
		sh -c 'echo "$1" >"$2"' sh "$bug" "/sys/kernel/debug/$module/command"
		[ "$bug" != leak ] || scan
	done
exit 0
