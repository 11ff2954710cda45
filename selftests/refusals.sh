#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What is refused before anything is touched, and with which words.

. ./functions.sh
plan 43

load molt_control counter_v1 counter_v2
load_with counter_load instances=10
open_counters
call_from 1
last=$classes/counter/last_result

# names
put $molt/load no_such_module
check "load: an unknown module is ENOENT" same "$errno" ENOENT
check "and is named" has "$(cat $molt/last_result)" ENOENT no_such_module
put $molt/load /tmp/evil.ko
check "load: a path is EINVAL" same "$errno" EINVAL
check "update: an unknown implementation is ENOENT, and named" refused ENOENT counter Nobody Nobody
check "update: an unknown version is ENOENT, and named" refused ENOENT counter Sum@9 Sum@9
check "update: an unknown class has no file" not test -e $classes/nobody
put $molt/load molt:nobody:Sum@2
check "load: an implementation of an unknown class is ENOENT" same "$errno" ENOENT
check "and is named" has "$(cat $molt/last_result)" ENOENT nobody

# lines
check "update: an unknown word is EINVAL, and named" refused EINVAL counter "Sum@2 foo=1" foo
check "update: a number that is none is EINVAL, and named" \
	refused EINVAL counter "Sum@2 deadline_ms=soon" deadline_ms=soon
check "update: a negative number is EINVAL, and named" \
	refused EINVAL counter "Sum@2 pause_ms=-1" pause_ms=-1
check "update: a deadline of 0 is EINVAL, and named" \
	refused EINVAL counter "Sum@2 deadline_ms=0" deadline_ms=0
check "update: too long a deadline is EINVAL, and named" \
	refused EINVAL counter "Sum@2 deadline_ms=60001" deadline_ms=60001
check "update: a number beyond 64 bits is EINVAL, and named" \
	refused EINVAL counter "Sum@2 expect=18446744073709551616" expect=18446744073709551616
check "update: a word twice is EINVAL, and named" \
	refused EINVAL counter "Sum@2 expect=0 expect=0" expect
check "update: an unknown policy is EINVAL, and named" \
	refused EINVAL counter "Sum@2 policy=never" policy=never
check "update: a version that is no number is EINVAL, and named" \
	refused EINVAL counter Sum@two Sum@two
check "update: blanks are EINVAL" refused EINVAL counter "   "
check "update: an empty line is EINVAL" refused EINVAL counter ""

# refused_bytes: the same with what comes from standard input.
refused_bytes()
{
	put_bytes $classes/counter/update
	same "$errno" EINVAL && has "$(cat "$last")" EINVAL && served counter Sum@1 0
}
line_of()
{
	printf '%*s' "$1" "" | tr ' ' x
}
printf 'Sum@2\0\n' >"$temporary/nul"
check "update: a NUL is EINVAL" refused_bytes <"$temporary/nul"
printf 'Sum@2\nSum@2\n' >"$temporary/two"
check "update: two lines are EINVAL" refused_bytes <"$temporary/two"
{ line_of 4096; printf 'Sum@2\n'; } >"$temporary/long"
check "update: the tail of a line over 4096 bytes is not taken for a command" \
	refused_bytes <"$temporary/long"
{ printf 'Sum@2 '; line_of 4089; printf 'x\n'; } >"$temporary/longer"
check "update: nor is the head of one" refused_bytes <"$temporary/longer"
{ line_of 4095; printf '\nSum@2\n'; } >"$temporary/page"
check "update: nor what follows a whole page" refused_bytes <"$temporary/page"

# state of the class
check "expect= of another generation is ESTALE, with both numbers" \
	refused ESTALE counter "Sum@2 expect=7" 0 7
check "an update to what serves the class is EALREADY" refused EALREADY counter Sum@1 Sum@1
hold 1
behind $classes/counter/update "Sum@2 deadline_ms=5000"
await 5 in_state counter tracking
check "a second transition of the class is EBUSY" refused EBUSY counter Sum@2 counter
check "and its removal, too" not put $classes/counter/remove 1
hold 0
ended 5
check "the first one goes on" all same "$errno" ok -- served counter Sum@2 1
update counter Sum@1

# privilege
# uid 0, but not in the initial user namespace: without CAP_SYS_MODULE here.
unprivileged=$(unshare -r sh -c "id -u; echo Sum@2 >$classes/counter/update" 2>&1)
errno=$(errno_name "$unprivileged")
check "uid 0 without CAP_SYS_MODULE is EPERM" \
	all has "$unprivileged" 0 -- same "$errno" EPERM -- served counter Sum@1 2

# interfaces and states
check "an implementation of another interface is EPROTO at its registration" \
	not modprobe test_counter_narrow
check "and the log names the method" has "$(dmesg | tail -n 3)" EPROTO add u32 u64
check "a caller of another interface is refused" not modprobe test_counter_misread
check "and the log names the method" has "$(dmesg | tail -n 3)" EPROTO add u32 u64
load test_counter_layout test_counter_stranger
check "a transfer for another layout is EPROTO, and the field is named" \
	refused EPROTO counter Sum@6 total sum Sum@1
check "no transfer for this version is EPROTO, and both are named" \
	refused EPROTO counter Sum@7 Sum@7 Sum@1

# modules in their init
complained()
{
	dmesg | grep "molt-test: "
}
slow_init()
{
	busybox modprobe test_counter_slow init_ms=700 "$@" 2>"$temporary/slow" &
	slow=$!
	await 5 test -e $classes/counter/implementations/Sum@4
}
# Else the update would load the module itself.
forbid_loading
slow_init fail=1
check "an implementation whose module is in its init is EAGAIN" \
	refused EAGAIN counter Sum@4 test_counter_slow
wait $slow
check "when the init has failed the implementation is gone" refused ENOENT counter Sum@4 Sum@4
slow_init
wait $slow
loaded="test_counter_slow $loaded"
check "when it has succeeded the update does, too" update counter Sum@4
update counter Sum@1
allow_loading
stop_callers
check "nothing of it was used before, and no call failed" all not complained -- accounts_balance
rmmod test_counter_slow
check "an update loads the module that it needs by its alias" update counter Sum@4
update counter Sum@1

# framework ABI
cp "$(module_file test_counter_slow)" "$temporary/stranger.ko"
rmmod test_counter_slow
strings -t d "$temporary/stranger.ko" | sed -n 's/^ *\([0-9]*\) .*\(molt_abi_[0-9a-f]*\)$/\1 \2/p' |
	while read -r offset _; do
		printf 'molt_abi_x' |
			dd of="$temporary/stranger.ko" bs=1 seek="$offset" conv=notrunc 2>/dev/null
	done
check "a client of another build of the framework is not linked" \
	not insmod "$temporary/stranger.ko"
check "and the log names the symbol" has "$(dmesg | tail -n 3)" "Unknown symbol molt_abi_x"
