#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The worked example: a lock, a vector, structs that change in it; three versions, all ways.

. ./functions.sh
plan 17

load molt_control store_v1 store_caller store_v2 store_v3

# goes TO GENERATION: an update there.
goes()
{
	update store "Table@$1" && served store "Table@$1" "$2"
}

steps()
{
	sed -n "s/^store Table@$1 Table@$2 //p" $debug/plans
}

check "1 to 2: what happens to each field is told" same "$(steps 1 2)" "$(cat <<-'END'
	name moved
	lookups moved from `hits`
	table[].key moved
	table[].value converted from `u32`
	table[].reads begins with its default
END
)"
check "1 to 3, too" same "$(steps 1 3)" "$(cat <<-'END'
	name moved
	lookups moved from `hits`
	limit begins with its default
	table[].key moved
	table[].value converted from `u32`
END
)"
check "1 to 2" goes 2 1
check "the way back, too" same "$(steps 2 1)" "$(cat <<-'END'
	name moved
	hits moved from `lookups`
	table[].key moved
	table[].value converted from `u64`
	table[].reads dropped
END
)"
check "2 to 3" goes 3 2
check "3 to 1 directly" goes 1 3
check "1 to 3 directly" goes 3 4
check "3 to 2" goes 2 5
check "2 to 1" goes 1 6
check "lazily: EPROTO, since a vector is made anew" \
	refused EPROTO store "Table@2 policy=lazy" "table"
check "1 to 2 again" goes 2 7
check "2 to 3 again" goes 3 8
before=$(dmesg | grep -c 'store [0-9] is closed')
check "none has ended" same "$before" 0
rmmod store_caller
check "all that was put in is there" has "$(dmesg | tail -n 12)" "300 of 300 values are right"
are_closed()
{
	same "$(dmesg | grep -c 'store [0-9] is closed')" 3
}
check "each that ended was told, once" await 5 are_closed
check "and is gone" await 5 is_empty store
check "the modules of before can go" all rmmod store_v1 -- rmmod store_v2
