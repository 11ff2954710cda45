#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# phases.sh CPUS [INSTANCES]...: how long the phases of an update last and how long calls take
# meanwhile, per policy; the same change by removing and inserting the modules; a live patch.
# A policy that the modules do not know is left out, with a line that says so.
# Prints "result NAME VALUE UNIT CPUS N".

set -u

# shellcheck source=selftests/bench/functions.sh
. "${0%/*}/functions.sh"

cpus=$1
shift
[ $# -gt 0 ] || set -- 1 1000 100000 1000000
class=/sys/kernel/molt/classes/counter
livepatch=/sys/kernel/livepatch/bench_livepatch
repetitions=3
callers=''

# ---- time: the kernel's, in microseconds ---------------------------------------------

# mark NAME: notes this moment.
mark()
{
	echo "bench-mark $1" >/dev/kmsg
}

# between FROM TO: of the last marks of these names.
between()
{
	dmesg | sed -n "s/^\[ *\([0-9]*\)\.\([0-9]*\)\] bench-mark \($1\|$2\)\$/\3 \1\2/p" |
		awk -v from="$1" -v to="$2" '{ at[$1] = $2 } END { print at[to] - at[from] }'
}

# ---- callers -------------------------------------------------------------------------

# call_from N COMMAND: so many tasks that run it, each until a signal.
call_from()
{
	local _

	callers=''
	for _ in $(seq "$1"); do
		sh -c "$2" &
		callers="$callers $!"
	done
	usleep 50000
}

stop_callers()
{
	local pid

	for pid in $callers; do
		kill "$pid" 2>/dev/null
	done
	for pid in $callers; do
		wait "$pid" 2>/dev/null
	done
	callers=''
}

# ---- an update -----------------------------------------------------------------------

# settled SECONDS: the class is idle again within this time.
settled()
{
	local tries=$(($1 * 50))

	until is_idle; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 20000
	done
}

# lengths POLICY CALLERS N: how long calls took since the counting began.
lengths()
{
	[ "$2" -gt 0 ] || return
	cat <&3 | while read -r what value; do
		case $what in
		le_*) echo "result wait.$1.callers$2.$what $value calls $cpus $3" ;;
		longest_us) echo "result wait.$1.callers$2.longest $value us $cpus $3" ;;
		esac
	done
}

# update POLICY CALLERS N: once, to the version that does not serve the class.
update()
{
	local to part value

	to=$((3 - $(cat $class/version)))
	echo 0 >&3
	if ! echo "Sum@$to policy=$1 deadline_ms=60000 pause_ms=60000" >$class/update; then
		problem "policy $1, $2 callers, $3 instances: $(cat $class/last_result)"
		return 1
	fi
	# Without callers a lazy update has no end of its own: the next one completes it.
	[ "$1.$2" = lazy.0 ] || settled 60 ||
		echo "skipped the end of update.$1.callers$2 for $3: not there in 60 s"
	for part in tracking blocking transferring reclaiming total longest_wait closed; do
		value=$(moment ${part}_us)
		[ -z "$value" ] || echo "result update.$1.callers$2.$part $value us $cpus $3"
	done
	[ "$2" = 0 ] || echo "result update.$1.callers$2.waited $(moment waited) calls $cpus $3"
}

# come_back: to version 1, with nothing left to be moved.
come_back()
{
	until is_idle && [ "$(cat $class/version)" = 1 ]; do
		echo "Sum@$((3 - $(cat $class/version))) deadline_ms=60000 pause_ms=60000" \
			>$class/update
		settled 10
	done
}

is_supported()
{
	local to

	to=$((3 - $(cat $class/version)))
	echo "Sum@$to policy=$1 check=1" 2>/dev/null >$class/update
}

# updates CALLERS N: by each policy, and how long calls take without an update.
updates()
{
	local policy _

	[ "$2" -lt 100000 ] || repetitions=1
	call_from "$1" 'echo 100000000 >&3'
	echo 0 >&3
	usleep 100000
	lengths none "$1" "$2"
	for policy in eager lazy background; do
		# What is lazy yet is in the way of the next one's check.
		come_back
		is_supported $policy || continue
		for _ in $(seq $repetitions); do
			update $policy "$1" "$2" || break
			usleep 20000
			lengths $policy "$1" "$2"
		done
	done
	stop_callers
}

# ---- the same change without Molt ----------------------------------------------------

has_no_instance()
{
	[ "$(cat $class/instances)" = 0 ]
}

# restart N: the counters end, the modules go and come, the counters are made anew. From
# version 1 to 2, with both files at hand, as an update is measured.
restart()
{
	mark restart
	exec 3>&-
	until has_no_instance; do usleep 1000; done
	echo 1 >$class/remove
	rmmod counter_v1
	modprobe counter_v2
	exec 3<>/dev/bench_load
	mark restarted
	echo "result restart $(between restart restarted) us $cpus $1"
}

# patch_live CALLERS: how long inserting the patch takes, and within that the transition, in
# which all tasks leave the old function.
patch_live()
{
	modprobe bench_target || { problem bench_target; return; }
	call_from "$1" 'echo 100000000 >/sys/module/bench_target/parameters/call'
	mark patch
	modprobe bench_livepatch
	until [ "$(cat $livepatch/transition)" = 0 ]; do usleep 100; done
	mark patched
	# Callers that never sleep hold the grace period of tasks up that follows.
	stop_callers
	echo "result livepatch.insert.callers$1 $(between patch patched) us $cpus 0"
	echo "result livepatch.transition.callers$1 $(transition_us) us $cpus 0"
	echo 0 >$livepatch/enabled
	while [ -e $livepatch ]; do usleep 1000; done
	rmmod bench_livepatch
	rmmod bench_target
}

# The last transition to a live patch, by what the kernel says of it.
transition_us()
{
	local said='\(starting patching\|: patching complete\)'

	dmesg | sed -n "s/^\[ *\([0-9]*\)\.\([0-9]*\)\] livepatch: .*$said.*/\1\2/p" |
		tail -n 2 | awk 'NR == 1 { begin = $1 } END { print $1 - begin }'
}

# ---- all of it -----------------------------------------------------------------------

measure()
{
	modprobe molt_control
	modprobe counter_v1
	modprobe counter_v2
	modprobe bench_load instances="$1"
	mark make
	exec 3<>/dev/bench_load || { problem "no $1 counters"; return; }
	mark made
	echo "result make $(between make made) us $cpus $1"
	updates 0 "$1"
	updates 4 "$1"
	come_back
	rmmod counter_v2
	restart "$1"
	exec 3>&-
	until has_no_instance; do usleep 1000; done
	rmmod bench_load
	echo 1 >$class/remove
	rmmod counter_v2 molt_control molt
}

modprobe counter_v1 && modprobe counter_v2 && modprobe molt_control || exit 1
for policy in eager lazy background; do
	is_supported $policy || echo "skipped policy $policy: these modules do not know it"
done
echo 1 >$class/remove
rmmod counter_v1 counter_v2 molt_control molt

for instances; do
	measure "$instances"
done
if [ -d /sys/kernel/livepatch ]; then
	patch_live 0
	# With busy callers on several processors it takes 15 seconds of the guest's time, until the
	# kernel wakes them by a signal; with four of them that is minutes of ours, for the same.
	[ "$cpus" -gt 2 ] || patch_live 4
fi
exit $failed
