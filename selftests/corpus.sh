#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# States of all shapes: each case has a type in two versions, and is checked value by value
# before an update, after it, and after the way back. Counted values tell whether anything is
# dropped twice or lost.

. ./functions.sh

corpus=/sys/kernel/debug/test_corpus
names='order padding deep generic swapped numbers converted units tried begun nested array
	empty tagged tagged_with_c untagged owned table locks lock_opened rebuilt swapped_fields
	kept'
# shellcheck disable=SC2086 # they are words
set -- $names
plan $(($# * 4 + 14))

# client COMMAND
client()
{
	put $corpus/command "$1"
}

result()
{
	cat $corpus/result >"$temporary/result"
}

# is_right CASE NUMBER: all instances have the values that they have to have.
is_right()
{
	same "$(grep "^$1 " "$temporary/result")" "$1 right $2 wrong 0"
}

# adds_up: there are just as many counted values as the instances have.
adds_up()
{
	awk '$1 == "counted" { exit !($2 == $4 - $6) }' "$temporary/result" ||
		{ note "$(grep '^counted' "$temporary/result")"; return 1; }
}

# check_all WHEN NUMBER: one case for each, and the account.
check_all()
{
	local name

	result
	for name in $names; do
		check "$1: $name" is_right "$name" "$2"
	done
	check "$1: each counted value is there once" adds_up
}

load molt_control test_corpus_v1 test_corpus test_corpus_v2
check "instances are made" client "make corpus 20"
check_all "made" 20
check "a lazy policy is refused, for a field" refused EPROTO corpus "Shapes@2 policy=lazy" field
result
check "refused: each counted value is there once" adds_up
check "an update succeeds" update corpus Shapes@2
client "trips 1"
check_all "moved" 20
check "an update back succeeds" update corpus Shapes@1
client "trips 2"
check_all "back" 20
check "another one there succeeds" update corpus Shapes@2
client "trips 3"
result
# shellcheck disable=SC2086 # they are words
set -- $names
figure "pairs of state types that are taken over and given back, with the right values" \
	"$(grep -c ' right 20 wrong 0$' "$temporary/result") of $#" "all, at least 20"
figure "counted values in all positions: made, less dropped, against those in states" \
	"$(awk '$1 == "counted" { print $4 - $6, "against", $2 }' "$temporary/result")" "equal"
check "each counted value is there once" adds_up
check "the instances end" client end
client "trips 0"
others=$((300 / slower))
check "and others are made by version 2" client "make corpus $others"
check_all "made by version 2" $others
client end
# The last of them are dropped by a worker.
settled()
{
	result
	adds_up >"$temporary/account"
}
check "at the end no counted value is left" await 30 settled
cat "$temporary/account"
