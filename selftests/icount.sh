#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --icount --cpus 1
#
# What a call costs, in instructions. In this guest time counts them.

. ./functions.sh
plan 3
load molt_control counter_v1

# Two lines for each kind.
measure()
{
	modprobe bench_calls && rmmod bench_calls
}
measure
measure
dmesg | sed -n 's/.*bench_calls: result \(loop\|call\)/\1/p' >"$temporary/figures"

# counted NAME: of the first run, in hundredths of an instruction.
counted()
{
	sed -n "s/^$1 \([0-9]*\)[.]\([0-9]*\) .*/\1\2/p" "$temporary/figures" | head -n 1
}
by_dyn=$(counted call.dyn)
by_molt=$(counted call.molt.sleepable)
lines=$(wc -l <"$temporary/figures")

check "the figures are the same in each run" same \
	"$(head -n $((lines / 2)) "$temporary/figures")" \
	"$(tail -n $((lines / 2)) "$temporary/figures")"
note "$(head -n $((lines / 2)) "$temporary/figures" | cut -d ' ' -f 1,2 | paste -s -d ' ')"
check "a call through a table costs more than a direct one" \
	at_least "${by_dyn:-0}" $(($(counted call.direct) + 1))
check "a call costs at most 20 instructions over the same through dyn" \
	all at_least "${by_molt:-0}" "$by_dyn" -- at_most $((by_molt - by_dyn)) 2000
