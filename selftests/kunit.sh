#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The KUnit tests of the framework, where the kernel has KUnit: they run as the module comes.

. ./functions.sh
results=/sys/kernel/debug/kunit

[ -d $results ] || { echo "KTAP version 1"; echo "1..0 # SKIP no KUnit in this kernel"; exit 0; }

suites='molt_text molt_schema molt_gate molt_memory molt_error'
plan 6

# passed SUITE: all of its cases.
passed()
{
	local result

	result=$(cat "$results/$1/results")
	note "$result"
	has "$result" "ok 1 " || return 1
	! echo "$result" | grep -q 'not ok'
}

load molt
for suite in $suites; do
	check "KUnit: $suite" passed "$suite"
done
check "no other suite is there" same "$(cd $results && echo molt_*)" \
	"$(echo "$suites" | tr ' ' '\n' | sort | paste -s -d ' ')"
