#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2016 # names of fields are in backquotes
#
# Pairs of states of which the second does not take over the first, or does not give it back:
# refused in a check and in an update, for the field and the reason that are to be expected, with
# no byte of any old state changed.

. ./functions.sh
plan 105

pairs=/sys/kernel/debug/test_corpus

# pair WORD NAME: loads the new half.
pair()
{
	modprobe "pair_$1" || note "cannot load pair_$1"
}

# refuses TEXT WORD...: checked and tried.
refuses()
{
	local text=$1

	shift
	refused EPROTO pairs "$text check=1" "$@" && refused EPROTO pairs "$text" "$@"
}

# untouched: the old states are what they were, and their values right.
untouched()
{
	same "$(states pairs | md5sum)" "$before" &&
		has "$(cat $pairs/result)" "old right 5 wrong 0"
}

number=0

# forth NAME WORD...: the new half does not take over the old one.
forth()
{
	local name=$1

	shift
	pair "$name"
	check "$name: refused" refuses Pair@2 "$@"
	check "$name: the old states are untouched" untouched
	check "$name: the old half serves" served pairs Pair@1 $generation
	rmmod "pair_$name"
	number=$((number + 1))
}

# back NAME WORD...: it does, but does not give it back.
back()
{
	local name=$1

	shift
	pair "$name"
	check "$name: taken over" update pairs Pair@2
	before=$(states pairs | md5sum)
	check "$name: refused on the way back" refuses Pair@1 "$@"
	check "$name: the new states are untouched" same "$(states pairs | md5sum)" "$before"
	away "$name"
	again
	number=$((number + 1))
}

# away NAME: the instances end, and the class goes with its new half.
away()
{
	echo end >$pairs/command
	await 10 put $classes/pairs/remove 1
	rmmod "pair_$1"
}

# again: five instances of the old half.
again()
{
	is_loaded pair_old && rmmod pair_old
	modprobe pair_old
	echo "make pairs 5" >$pairs/command
	before=$(states pairs | md5sum)
	generation=0
}

load molt_control test_corpus
echo Y >$parameters/test_state
again
loaded="pair_old $loaded"
check "there are instances, and their states" all \
	untouched -- same "$(states pairs | wc -l)" 5

forth width '`width`: was `u64`, is `u32`'
forth new '`fresh`: `u32` is new and nothing says how it begins'
forth lost '`total`: `u64` would be lost'
forth type '`name`: was `CString`, is `KVec<u8>`'
forth deep '`outer.middle.inner[].value`: was `u64`, is `Option<u64>`'
forth optional '`option`: was `Option<u32>`, is `u32`'
forth variant '`kind.Nothing`: is a variant that the other version does not have'
forth payload '`kind.Number.0`: was `u32`, is `i32`'
forth tag '`kind`: has changed' 'an enum without'
forth untagged '`choice`: has changed' 'an enum without'
forth length '`list`: had 4 elements, has 5'
forth renamed '`fresh`: is made from `absent`, which is not there'
forth twice '`one`: is made from `first`, and so is another field'
forth misread '`width`: was `u64`, but its rule converts `u16`'
forth unclear '`width`' 'it has to say for which `versions`'
forth keep '`pair`: has changed, but its rule says `keep`'
forth generic '`generic.value`: was `u32`, is `bool`'
forth atomic '`reads`: was `Atomic<u32>`, is `Atomic<u64>`'
forth handle '`handle`: was another `Handle`'
forth shared '`shared`: was'
forth tree '`tree`: was `RBTree<u32, u32>`, is `RBTree<u32, [u32; 2]>`'
forth vast '`vast`: was `KVVec<u32>`, is `KVVec<(u32, u32)>`'
forth vector '`vector[].more`: `bool` is new'
forth lock '`lock`: was `u32`, is `array`'
forth unlocked '`lock`: was `Mutex<u32>`, is `u32`'
forth tuple '`pair.0`: was'
forth source 'neither Pair@2 nor Pair@1 says'
back irreversible 'irreversible'
back final_field '`second`: is irreversible'
back final_part '`outer.middle.inner[]`: is irreversible'
back one_way '`width`: its rule has no way `back`'
back forgotten '`shared`: nothing says what'
back grown '`kind.Everything`: is a variant that the other version does not have'
back nothing '`shared`: nothing says what'

pair lazy
check "a lazy update is taken" update pairs "Pair@2 policy=lazy"
check "it moves locks, and what conversions make" \
	has "$(cat $pairs/result)" "new right 5 wrong 0"
away lazy
figure "pairs of state types that are refused, with the field and the reason, and no byte changed" \
	"$number" "at least 20"
