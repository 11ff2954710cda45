#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The command-line tool and the kernel: what it asks for is done, and what is refused has
# the exit status and the words of the kernel's refusal.

. ./functions.sh
plan 78

[ -x /bin/moltctl ] || { note "the guest has no moltctl: tools/moltctl-build"; exit 1; }

# ctl ARGUMENT...: its exit status is in $status, what it said in $said and $complaint.
ctl()
{
	status=0
	said=$(timeout 60 moltctl "$@" 2>"$temporary/complaint") || status=$?
	complaint=$(cat "$temporary/complaint")
}

# tells "ARGUMENT..." WORD...: it succeeds, and says these words.
tells()
{
	# shellcheck disable=SC2086 # they are words
	ctl $1
	shift
	same "$status $complaint" "0 " && has "$said" "$@"
}

# lines NUMBER: so many were said.
lines()
{
	same "$(echo "$said" | wc -l)" "$1"
}

# ends STATUS ERRNO CLASS ARGUMENT...: it is refused, in the words of last_result.
ends()
{
	local want=$1 name=$2 class=$3 file

	shift 3
	ctl "$@"
	file=$classes/$class/last_result
	[ -e "$file" ] || file=$molt/last_result
	same "$status" "$want" &&
		same "$complaint" "moltctl: $class: $(sed 's/ /: /' "$file")" &&
		has "$complaint" " $name: "
}

load molt_control counter_v1
load_with counter_load instances=20
load counter_v2
open_counters

# what there is; callers would make and end instances meanwhile
check "status shows class, implementations and modules" \
	tells status "counter  idle  Sum@1  generation  0  instances  20" \
	"Sum@1  module counter_v1  instances  20" "Sum@2  module counter_v2  instances   0"
check "status of one class" tells "status counter" Sum@1
check "status as JSON" tells "status --json" '"implementation": "Sum"' '"version": 1' \
	'"generation": 0' '"module": "counter_v2"'
check "a history without updates has its first line only" \
	all tells "history counter" generation -- lines 1
ctl back counter
check "back without an update says what to do" \
	all same "$status" 1 -- has "$complaint" "moltctl update counter IMPL@V"

# updates
call_from 1
check "check says that an update would succeed" tells "check counter Sum@2" "counter: check: "
check "and changes nothing" served counter Sum@1 0
check "an update succeeds, and what came of it is told" \
	tells "update counter Sum@2 --pause-ms 50" "Sum@1 to Sum@2, generation 1"
check "the class is at generation 1, with version 2" served counter Sum@2 1
check "the old module can be removed at once" rmmod counter_v1
check "load brings it again" tells "load counter_v1" counter_v1
check "back is the way back" tells "back counter" "Sum@2 to Sum@1, generation 2"
check "the class is at generation 2, with version 1" served counter Sum@1 2
check "back again is forth" \
	tells "back counter --deadline-ms 9000" "Sum@1 to Sum@2, generation 3"
check "an assignment is an update, too" \
	tells "update counter=Sum@1 --expect 3" "generation 4"
check "the history has all of them" all tells "history counter" Sum@2 -- lines 5
check "as JSON, too" tells "history --json" '"from": "Sum@2"' '"longest_wait_us": '
stop_callers
check "no call failed, and every total was kept" accounts_balance

# refusals
check "an unknown implementation is 2" ends 2 ENOENT counter update counter Nobody
check "an unknown version is 2, also for check" ends 2 ENOENT counter check counter Sum@99
check "another generation is 116" ends 116 ESTALE counter update counter Sum@2 --expect 3
check "a deadline of 0 is 22" ends 22 EINVAL counter update counter Sum@2 --deadline-ms 0
check "what serves already is 114" ends 114 EALREADY counter update counter Sum@1
check "abort without a transition is 2" ends 2 ENOENT counter abort counter
check "remove with instances is 16" ends 16 EBUSY counter remove counter
check "load of an unknown module is 2" ends 2 ENOENT load load no_such_module
load test_counter_stranger
check "another interface is 71" ends 71 EPROTO counter update counter Sum@7
ctl update nobody Sum@2
check "an unknown class is 2" all same "$status" 2 -- has "$complaint" "nobody: ENOENT: "
ctl status ../counter
check "a path is 64, and so is a blank" same "$status" 64
ctl update counter "Sum@2 check=1"
check "a line in a word is 64" all same "$status" 64 -- served counter Sum@1 4

# held: an update is under way, and does not get on.
held()
{
	hold 1
	moltctl update counter Sum@2 --deadline-ms 20000 >"$temporary/said" 2>"$temporary/held" &
	updater=$!
	await 5 in_state counter tracking
}

held
ctl wait counter --timeout-ms 300
check "wait gives up in time, with 110" \
	all same "$status" 110 -- has "$complaint" "counter: ETIMEDOUT: " tracking
check "status shows the state" tells status "counter  tracking  Sum@1"
check "a second update is 16" ends 16 EBUSY counter update counter Sum@2
moltctl wait counter --timeout-ms 20000 &
waiter=$!
usleep 100000
check "abort succeeds, and says what it ended" tells "abort counter" "counter: ECANCELED "
status=0
wait $updater || status=$?
hold 0
check "the update ends with 125" \
	all same "$status" 125 -- has "$(cat "$temporary/held")" "moltctl: counter: ECANCELED: "
check "and wait with 0" wait $waiter
held
kill "$updater"
wait "$updater"
hold 0
check "to end the tool is to abort the update" \
	all await 5 in_state counter idle -- served counter Sum@1 4

# some instances, and new ones
check "switch moves some" \
	all tells "switch counter Sum@2 --count 5" "Sum@1 to Sum@2" "5 instances" -- \
	served counter Sum@1 4
check "status shows both" tells "status counter" "Sum@1  module counter_v1 " "instances  15" \
	"Sum@2  module counter_v2 " "instances   5"
one=$(awk '$1 == "counter" && $3 == "Sum@1" { print $2; exit }' $debug/instances)
check "switch by number" tells "switch counter Sum@2 --instance $one" "1 instances"
check "switch by share" tells "switch counter Sum@2 --percent 50" "4 instances"
check "so many there already is 114" ends 114 EALREADY counter switch counter Sum@2 --percent 50
check "an unknown instance is 2" ends 2 ENOENT counter switch counter Sum@2 --instance 999999
check "an unknown key is 2" ends 2 ENOENT counter switch counter Sum@2 --key 999999
check "a share of 101 is 22" ends 22 EINVAL counter switch counter Sum@2 --percent 101
check "default tells the default" tells "default counter" Sum@1
check "and sets it" all tells "default counter Sum@2" -- tells "default counter" Sum@2
check "the same again is 114" ends 114 EALREADY counter default counter Sum@2

# holds
check "hold of a class" tells "hold counter on"
check "an update is 16 then" ends 16 EBUSY counter update counter Sum@2
check "no longer" tells "hold counter off"
check "hold of all" tells "hold on"
check "an update is 16 then, too" ends 16 EBUSY counter update counter Sum@2
check "status shows it" tells "status --json" '"hold": true'
check "no longer, for all" tells "hold off"
check "an update of a mixture" tells "update counter Sum@2" "Sum@2, generation 5"

# confirmations
check "an update that has to be confirmed" tells "update counter Sum@1 --confirm-ms 30000" \
	"generation 6"
check "confirm keeps it" tells "confirm counter" "counter: " confirmed
check "a second time is 2" ends 2 ENOENT counter confirm counter

# sweeps
check "rate tells the rate" tells "rate counter" 100000
check "and sets it" all tells "rate counter 2" -- tells "rate counter" 2
check "an update in the background returns after the commit" \
	all tells "update counter Sum@2 --policy background" "generation 7" -- in_state counter lazy
check "status shows the state" tells status "counter  lazy  Sum@2"
ctl wait counter --timeout-ms 300
check "wait gives up in time" all same "$status" 110 -- has "$complaint" "counter: ETIMEDOUT: " lazy
check "abort is 114" ends 114 EALREADY counter abort counter
check "no limit from now on" tells "rate counter 0"
check "wait waits for the end of the sweep" tells "wait counter --timeout-ms 20000"
check "after which the old module can be removed at once" rmmod counter_v1
modprobe counter_v1
check "a lazy update" tells "update counter Sum@1 --policy lazy" "generation 8"
moltctl wait counter --timeout-ms 20000 &
waiter=$!
usleep 200000
check "wait waits for the last call" all not is_gone $waiter -- accounts_balance -- wait $waiter

# several classes
load test_alpha_v1 test_beta_v1 test_alpha_v2 test_beta_v2
check "several classes are updated together" \
	all tells "update alpha=Plain@2 beta=Plain@2" together -- served alpha Plain@2 1 -- \
	served beta Plain@2 1
check "or not at all" ends 2 ENOENT transaction update alpha=Plain@1 beta=Plain@9
check "none has changed" all served alpha Plain@2 1 -- served beta Plain@2 1
check "a check of several" tells "check alpha=Plain@1 beta=Plain@1" "2 classes"
check "they are removed" all tells "remove alpha" removed -- tells "remove beta" removed
rmmod test_alpha_v1 test_alpha_v2 test_beta_v1 test_beta_v2

# the end
# What holds the module and its instances is let go of by a worker.
release_callers
await 5 rmmod counter_load 2>/dev/null
await 5 is_empty counter
check "remove succeeds without instances" tells "remove counter" "counter: removed"
check "and then there is no class" tells status "there are no classes"
rmmod test_counter_stranger counter_v2 counter_v1 molt_control
ctl status
check "without molt_control it is 19" \
	all same "$status" 19 -- has "$complaint" "modprobe molt_control"
