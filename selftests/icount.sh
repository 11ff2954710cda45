#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --icount --cpus 1
#
# What a call costs, in instructions. In this guest time counts them.

. ./functions.sh
plan 3
load molt_control counter_v1

modprobe test_icount && rmmod test_icount
modprobe test_icount && rmmod test_icount
# Two lines for each kind, in hundredths of an instruction.
dmesg | sed -n 's/.*test_icount: //p' >"$temporary/figures"
figure()
{
	sed -n "s/^$1 //p" "$temporary/figures" | sed -n "$2p"
}
by_dyn=$(figure dyn 1)
by_molt=$(figure molt 1)

check "the figures are the same in each run" same "$(head -n 4 "$temporary/figures")" \
	"$(tail -n 4 "$temporary/figures")"
note "$(paste -s -d ' ' "$temporary/figures") (hundredths)"
check "a call through a table costs more than a direct one" \
	at_least "${by_dyn:-0}" $(($(figure direct 1) + 1))
check "a call costs at most 20 instructions over the same through dyn" \
	all at_least "${by_molt:-0}" "$by_dyn" -- at_most $((by_molt - by_dyn)) 2000
