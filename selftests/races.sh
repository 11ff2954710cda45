#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# An update against what else can happen to a class and its modules, over and over, in an order and
# at moments that SEED chooses: the same one makes the same schedule again. After each round
# everything adds up, the class is idle and usable, and each module has as many references as it
# had. An error is one that is documented for that race. FULL=1: for RUN_SECONDS (600).

. ./functions.sh
plan 20

races="create rmmod_new rmmod_old rmmod_control rmmod_used files hotplug stop kill second half"
races="$races abort remove deadline"
seconds=30
[ -z "$FULL" ] || seconds=${RUN_SECONDS:-600}
SEED=${SEED:-$(awk '{ print int($1 * 100) }' /proc/uptime)}
processor=/sys/devices/system/cpu/cpu1/online
instances=60

# schedule: race, milestone at which the update is held first (0: at none), and when it happens, in
# us; all races in a random order, then all of them again.
schedule()
{
	# shellcheck disable=SC2086 # they are words
	awk -v seed="$SEED" 'BEGIN {
		srand(seed)
		for (;;) {
			for (n = 1; n < ARGC; n++)
				race[n] = ARGV[n]
			for (n = ARGC - 1; n; n--) {
				chosen = 1 + int(rand() * n)
				print race[chosen], int(rand() * 9) % 5, int(rand() * 40000)
				race[chosen] = race[n]
			}
		}
	}' $races
}

# is_one_of ERRNO WHO ERRNO...: it is among those that are documented.
is_one_of()
{
	local got=$1 who=$2 one

	shift 2
	echo "$who $got" >>"$temporary/errors"
	for one; do
		[ "$got" != "$one" ] || return 0
	done
	note "$who: $got, which is none of: $*"
	return 1
}

# begin CLASS REQUEST: an update, in a task of its own; it is where the schedule says, or on its
# way.
begin()
{
	hold "$milestone"
	behind "$classes/$1/update" "$2 deadline_ms=30000"
	usleep "$delay"
}

# end WHO ERRNO...: it has ended in one of these ways.
end()
{
	local who=$1

	shift
	hold 0
	ended 40 || { note "$who: the update does not end"; return 1; }
	is_one_of "$errno" "$who" "$@"
}

# ---- races: each begins an update to $to and ends it ---------------------------------------

# Instances come and go.
race_create()
{
	begin counter "$to"
	for _ in 1 2 3; do
		exec 9<>/dev/counter_load &
		wait $! || return 1
	done &
	maker=$!
	usleep 5000
	end create ok && wait $maker
}

race_rmmod_new()
{
	begin counter "$to"
	rmmod "$new" 2>/dev/null
	end rmmod_new ok ENOENT EAGAIN
}

race_rmmod_old()
{
	begin counter "$to"
	for _ in 1 2 3; do
		rmmod "$old" 2>/dev/null
	done
	end rmmod_old ok
}

race_rmmod_control()
{
	begin counter "$to"
	rmmod molt_control 2>/dev/null || { note "molt_control does not go"; return 1; }
	# A request that came too late finds no file, or one that is going.
	end rmmod_control ok ECANCELED ENODEV ENOENT
}

# What has users stays, whatever goes on.
race_rmmod_used()
{
	begin counter "$to"
	not rmmod molt 2>/dev/null && not rmmod counter_load 2>/dev/null &&
		not rmmod molt_misc 2>/dev/null
	used=$?
	end rmmod_used ok && same $used 0
}

# Files of a device are opened and closed.
race_files()
{
	local n=0

	begin test_pipe "$pipe"
	while [ $n -lt 20 ]; do
		n=$((n + 1))
		exec 9<>/dev/test_pipe 8<>/dev/test_pipe &
	done
	usleep 5000
	end files ok || return 1
	# The callers do not end by themselves.
	await 10 is_empty test_pipe
}

race_hotplug()
{
	begin counter "$to"
	echo 0 >$processor
	usleep 3000
	echo 1 >$processor
	end hotplug ok
}

race_stop()
{
	begin counter "$to"
	kill -STOP "$writer" 2>/dev/null
	hold 0
	usleep 20000
	kill -CONT "$writer" 2>/dev/null
	end stop ok
}

race_kill()
{
	# So that an older result is not taken for that of the one who is killed.
	update counter "$to check=1"
	begin counter "$to"
	kill -KILL "$writer" 2>/dev/null
	hold 0
	# It says nothing any more; the class tells.
	ended 40 || return 1
	await 40 in_state counter idle
	is_one_of "$(cut -d ' ' -f 1 $classes/counter/last_result)" kill ok ECANCELED EINTR
}

# A second one writes the same; whoever comes first.
race_second()
{
	begin counter "$to"
	(
		put $classes/counter/update "$to deadline_ms=30000"
		echo "$errno" >"$temporary/second"
	) &
	second=$!
	usleep "$delay"
	end first ok EBUSY EALREADY || return 1
	wait $second
	is_one_of "$(cat "$temporary/second")" second ok EBUSY EALREADY
}

# A module whose init fails in the end, while somebody asks for it.
race_half()
{
	forbid_loading
	fileop insert "$(module_file test_counter_slow)" "init_ms=20 fail=1" \
		>/dev/null &
	inserter=$!
	begin counter Sum@4
	end half ENOENT EAGAIN
	set -- $?
	wait $inserter && { note "the module is there"; return 1; }
	allow_loading
	return "$1"
}

race_abort()
{
	begin counter "$to"
	put $classes/counter/abort 1
	is_one_of "$errno" abort ok ENOENT EALREADY || return 1
	end aborted ok ECANCELED
}

race_remove()
{
	begin counter "$to"
	put $classes/counter/remove 1
	is_one_of "$errno" remove EBUSY || return 1
	end removed ok
}

# The deadline comes while it is held, or does not.
race_deadline()
{
	hold "$milestone"
	behind $classes/counter/update "$to deadline_ms=$((delay / 1000 + 1))"
	usleep 40000
	end deadline ok ETIMEDOUT
}

# ---- after each round ----------------------------------------------------------------------

# in_balance: as many references as at the beginning; what serves has those of the instances.
in_balance()
{
	local module

	for module in molt molt_misc counter_load counter_v1 counter_v2; do
		echo "$module $(references $module)"
	done >"$temporary/references"
	sed -i "s/^counter_v$(value counter version) /serving /; s/^counter_v. /other /" \
		"$temporary/references"
	same "$(sort "$temporary/references" | xargs)" "$balance"
}

at_rest()
{
	[ "$(value counter instances)" = $instances ] && in_state counter idle &&
		in_state test_pipe idle
}

# sound: nothing is left of the round.
sound()
{
	stop_callers
	modprobe molt_control && modprobe counter_v1 && modprobe counter_v2 || return 1
	await 10 at_rest && accounts_balance && await 10 in_balance || return 1
	calls=$(account calls)
	at_least $((calls - calls_before)) 1 || return 1
	calls_before=$calls
	# It is usable: this is an update like any other.
	update test_pipe "$pipe" || [ "$errno" = EALREADY ]
}

# One round of the schedule.
round()
{
	local version

	version=$(value counter version)
	old=counter_v$version new=counter_v$((3 - version)) to=Sum@$((3 - version))
	pipe=Pipe@$((3 - $(value test_pipe version)))
	call_from 2
	"race_$race" && sound && return
	note "race $race, milestone $milestone, $delay us, to $to:" \
		"$(cat $classes/counter/last_result)"
	return 1
}

load molt_control counter_v1 counter_v2 test_pipe_v1 test_pipe_v2
load_with counter_load instances=$instances
open_counters
mkfifo "$temporary/schedule"
schedule >"$temporary/schedule" 2>/dev/null &
scheduler=$!
exec 7<"$temporary/schedule"
note "SEED=$SEED"
update test_pipe Pipe@2
update test_pipe Pipe@1
calls_before=0 balance=''
in_balance >/dev/null
balance=$(sort "$temporary/references" | xargs)
note "at rest: $balance"

rounds=0 end=$(($(now_ms) + seconds * 1000)) bad=''
kinds=$(echo "$races" | wc -w)
# Each kind of race has its turn.
while [ -z "$bad" ] && { [ "$(now_ms)" -lt $end ] || [ $rounds -lt "$kinds" ]; }; do
	read -r race milestone delay <&7
	round || { bad=$race; note "round $rounds failed"; }
	rounds=$((rounds + 1))
	echo "$race" >>"$temporary/rounds"
done
exec 7<&-
kill $scheduler 2>/dev/null
hold 0
allow_loading
echo 1 >$processor 2>/dev/null
for race in $races; do
	check "$race: $(grep -cx "$race" "$temporary/rounds") rounds, and all is sound" all \
		test "$race" != "$bad" -- grep -qx "$race" "$temporary/rounds"
done
note "what came of it: $(sort "$temporary/errors" | uniq -c |
	awk '{ printf "%s %s: %s; ", $2, $3, $1 }')"
check "updates have succeeded" at_least "$(value counter transitions_ok)" $((rounds / 4))
check "some did not" at_least "$(grep -vc ' ok$' "$temporary/errors")" 1
check "no round was bad" same "$bad" ""
check "no call failed, and the sums are exact" accounts_balance
release_callers
check "all instances end" await 10 same "$(sleep 1; value counter instances)" 0
check "the class can be removed then" put $classes/counter/remove 1
claim="updates against $kinds kinds of races, seed $SEED"
figure "$claim: rounds after which something was not as it has to be" \
	"$([ -z "$bad" ] && echo 0 || echo 1) of $rounds" 0
