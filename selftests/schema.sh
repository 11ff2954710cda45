#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Modules whose schema is damaged, made by tools/inside/damage: the kernel refuses each, with
# the reason in its log, and so does the tool that reads files, in the same words.

. ./functions.sh
plan 18

whole=$(module_file counter_v2)

# log: what the kernel has said since the last mark.
log()
{
	dmesg | awk -v mark="mark $mark" 'index($0, mark) { found = 1; next } found'
}

mark=0
# damaged NAME REASON
damaged()
{
	local said status=0 file=/damaged/$1.ko

	mark=$((mark + 1))
	echo "mark $mark" >/dev/kmsg
	said=$(insmod "$file" 2>&1) && { rmmod counter_v2; return 1; }
	has "$said" "Invalid argument" && has "$(log)" "its schema: $2 (number " || return
	said=$(moltctl check "$whole" "$file" 2>&1) || status=$?
	same "$status" 22 && has "$said" "$file: EINVAL: its schema: $2 (number " &&
		has "$(log)" "${said#*EINVAL: }"
}

[ -x /bin/moltctl ] || { note "the guest has no moltctl: tools/moltctl-build"; exit 1; }
load molt_control counter_v1

check "another magic" damaged magic "the schema has another magic"
check "a size that is not its own" damaged size "the schema is truncated"
check "more records than there may be" damaged count "the schema has too many records of kind"
check "records that do not make up the size" damaged sum \
	"the schema's parts do not make up its size"
check "a name of ten thousand bytes" damaged name "a field's name is no text, or too long"
check "a name that is no text" damaged utf8 "a field's name is no text, or too long"
check "a name that would break a line" damaged control "a field's name is no text, or too long"
check "a type of no known kind" damaged kind "a type is of no known kind"
check "an element of a type that holds none" damaged element \
	"a type lacks its element, or has one too many"
check "a field whose type is what it is in" damaged cycle "a field's type is its own, or another's"
check "a field outside of its state" damaged range "a field is out of its struct's range"
check "fields that overlap" damaged overlap "two fields overlap"

# moltctl_says TEXT: of an update to Deep@2.
moltctl_says()
{
	has "$(moltctl check counter Deep@2)" "$1"
}

# served_still: what was there before is as it was.
served_still()
{
	same "$(cat $classes/counter/implementation)@$(cat $classes/counter/version)" Sum@1 &&
		not test -e $classes/counter/implementations/Sum@2
}
check "the class is what it was" served_still
load counter_v2
check "the module as it was built is taken" test -d $classes/counter/implementations/Sum@2

# agrees: the tool's plan from the files is the kernel's, line by line.
agrees()
{
	local files kernel

	[ -e $debug/plans ] || { note "no $debug/plans"; return 1; }
	files=$(moltctl check "${whole%2.ko}1.ko" "$whole") || return
	files=$(echo "$files" | sed -n '/^update/,/^back/s/^    //p')
	kernel=$(moltctl check counter Sum@2 | sed -n 's/^    //p')
	[ -n "$files" ] && same "$files" "$kernel"
}
check "the tool takes it, too, and says of each field what the kernel says" agrees

# The comparison is nested as types are, on a stack.
inner=$(printf '.inner%.0s' $(seq 13))
unload_all
loaded=''
load molt_control test_deep_v1 test_deep_v2
load_with counter_load instances=10
open_counters
call_from 1
check "a field in as many types as may be is found" moltctl_says \
	"nest$inner.value  converted from"
check "and converted" update counter Deep@2
stop_callers
check "in each instance" all accounts_balance -- served counter Deep@2 1
release_callers
