#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Classes that require signatures. Guests sign counter_v2 where the kernel has left its key, as
# kernels with checkers do; nothing else is signed.

. ./functions.sh
plan 17

class=$classes/counter

signed()
{
	cat "$class/implementations/$1/signed"
}

load molt_control counter_v1 counter_v2
load_with counter_load instances=20
open_counters
is_signed=$(signed Sum@2)
note "counter_v2 is signed: $is_signed"
check "a module without a signature is not signed" same "$(signed Sum@1)" 0
check "nothing is required at first" same "$(cat $class/require_signature)" 0
check "an update is as ever" update counter "Sum@2 confirm_ms=60000"
check "while it may have to go back, nothing can be required" \
	put_refused $class/require_signature 1 EBUSY
check "once it is confirmed, it goes back by order only" all \
	put $class/confirm 1 -- update counter "Sum@1 policy=lazy"
check "an update goes on that nobody hastens" in_state counter lazy
check "signatures can be required" put $class/require_signature 1
check "which completes it" in_state counter idle
check "the file says so" same "$(cat $class/require_signature)" 1
check "that is for good" put_refused $class/require_signature 0 EPERM
check "what serves goes on" served counter Sum@1 2

check "one that would have no way back is refused" \
	refused EKEYREJECTED counter "Sum@2 confirm_ms=60000" "valid signature"

# accepted: the update to a module that is signed; refused where it is not.
accepted()
{
	[ "$is_signed" = 1 ] || { refused EKEYREJECTED counter Sum@2 counter_v2; return; }
	update counter Sum@2
}
check "an update is done to a signed module only" accepted
generation=$(value counter generation)
check "the default is not set to an unsigned one" \
	put_refused $class/default Sum@$((1 + (1 - is_signed))) EKEYREJECTED
check "an update to an unsigned one is refused" \
	refused EKEYREJECTED counter Sum@$((1 + (1 - is_signed))) "valid signature"
check "no refusal was an update" same "$(value counter generation)" "$generation"
check "an unsigned module cannot be loaded for it" not insmod \
	"$(module_file test_counter_third)"
