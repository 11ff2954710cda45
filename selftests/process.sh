#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --memory 1G --files build/kselftest:/kselftest --program bash --program stress-ng
# guest: --program hackbench
#
# The sample that tracks processes: each is accounted for exactly once while the class is updated
# under a load of forks, execs and threads, with tests of the kernel's own among them. The kernel's
# own counts are the evidence.

. ./functions.sh
plan 29

tracker=$debug/../molt_process
tracing=/sys/kernel/tracing
updates=12
forks=3000
kselftests='clone3 clone3_set_tid pidfd_wait vfork_exec'
[ -z "$FULL" ] || {
	updates=100 forks=100000
	kselftests="$kselftests clone3_clear_sighand execveat get_set_sud get_syscall_info kcmp_test
		null-argv peeksiginfo pid_max pidfd_fdinfo_test
		pidfd_file_handle_test pidfd_getfd_test pidfd_info_test pidfd_open_test
		pidfd_setns_test pidns_init_via_setns recursion-depth regression_enomem
		rlimits-per-userns"
}

# ---- accounts, read without a process ------------------------------------------------

# take NAME: the accounts, into variables NAME_<account>.
take()
{
	local name value

	while read -r name value; do
		eval "$1_$name=$value"
	done <$tracker/accounts
}

# total_forks: what the kernel has counted since it was booted, threads too, in $kernel_forks.
total_forks()
{
	local name value _

	while read -r name value _; do
		[ "$name" != processes ] || kernel_forks=$value
	done </proc/stat
}

# hits EVENT: how often its trigger has fired. Takes a process: `read` of the shell would poll,
# which waits for the next event.
hits()
{
	sed -n 's/^ *Hits: //p' $tracing/events/"$1"/hist >$temporary/hits
	read -r hits <$temporary/hits
}

# settle NAME: all of it at one moment, in which no process begins or ends but two of its own.
settle()
{
	local name=$1 before begun exited

	while :; do
		take before
		total_forks
		before=$kernel_forks
		hits task/task_newtask
		begun=$hits
		hits sched/sched_process_exit
		exited=$hits
		take "$name"
		total_forks
		eval "${name}_kernel=$kernel_forks ${name}_begun=$begun ${name}_exited=$exited"
		# shellcheck disable=SC2154 # set by `take`
		eval "[ $kernel_forks = $((before + 2)) ] &&
			[ \$${name}_ended = $((before_ended + 2)) ]" && return
	done
}

# grown ACCOUNT: from `first` to `last`.
grown()
{
	eval "echo \$((last_$1 - first_$1))"
}

# balance NAME: everybody has an end or is there.
balance()
{
	eval "same \$(($1_found + $1_forks)) \$(($1_ended + $1_live + $1_failed))"
}

# ---- the processes -------------------------------------------------------------------

# line PID: what is known of a process.
line()
{
	sed -n "s/^$1 //p" $tracker/processes
}

# column PID N
column()
{
	line "$1" | cut -d ' ' -f "$2"
}

# counts N VALUE: column N of the forker.
counts()
{
	same "$(column "$forker" "$1")" "$2"
}

# serves IMPLEMENTATION@VERSION N: so many processes.
serves()
{
	same "$(value process "implementations/$1/instances")" "$2"
}

# all_listed: the list has the processes of /proc, and no other.
all_listed()
{
	local pid list='' proc=''

	for pid in /proc/[0-9]*; do
		proc="$proc ${pid#/proc/}"
	done
	while read -r pid _; do
		[ "$pid" = pid ] || list="$list $pid"
	done <$tracker/processes
	[ "$(echo "$proc" | tr ' ' '\n' | sort -n)" = "$(echo "$list" | tr ' ' '\n' | sort -n)" ]
}

# forker N: a process that makes so many children when told to, says how many of them ended
# well, and stays. Its pid is in $forker.
forker()
{
	rm -f $temporary/go $temporary/end
	mkfifo $temporary/go $temporary/end
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'read -r _ <"$1/go"
		i=0 well=0
		while [ $i -lt "$2" ]; do
			(:) && well=$((well + 1))
			i=$((i + 1))
		done
		echo $well >"$1/well"
		read -r _ <"$1/end"' sh $temporary "$1" 2>/dev/null &
	forker=$!
}

# let_fork WELL: now it does; so many of its children end well.
let_fork()
{
	rm -f $temporary/well
	echo >$temporary/go
	await 60 test -s $temporary/well
	same "$(cat $temporary/well)" "$1"
}

let_end()
{
	echo >$temporary/end
	wait "$forker"
}

# ---- the load ------------------------------------------------------------------------

# verdict TEST: what a test of the kernel's own says of each of its cases, and its status.
verdict()
{
	(
		cd $temporary/kselftest || exit 1
		timeout -s KILL 120 "./$1" 2>/dev/null
		echo "status $?"
	) | grep -E '^(ok|not ok|status) '
}

# kernel_tests FOLDER: the verdicts of all into files there.
kernel_tests()
{
	local test

	mkdir -p "$1"
	for test in $kselftests; do
		verdict "$test" >"$1/$test"
	done
}

# Forks, execs, threads, many processes at once, and the kernel's tests; until the file `stop`
# is there. What failed is in the file `failed`; a line in `rounds` for each round.
load_processes()
{
	local sort

	while [ ! -e $temporary/stop ]; do
		for sort in fork exec vfork clone pthread; do
			stress-ng --quiet --timeout 60 --$sort 2 --$sort-ops $((forks / 40)) \
				>/dev/null 2>&1 || echo "stress-ng $sort: $?" >>$temporary/failed
		done
		hackbench -g 2 -l 20 >/dev/null 2>&1 || echo "hackbench: $?" >>$temporary/failed
		kernel_tests $temporary/during
		diff -r $temporary/before $temporary/during >>$temporary/differences || :
		echo >>$temporary/rounds
	done
}

begin_load()
{
	rm -f $temporary/stop
	: >$temporary/failed
	: >$temporary/differences
	: >$temporary/rounds
	load_processes &
	loader=$!
}

end_load()
{
	: >$temporary/stop
	wait "$loader"
}

have_begun()
{
	take now
	# shellcheck disable=SC2154 # set by `take`
	[ "$now_forks" -ge "$1" ]
}

module_of()
{
	case $1 in
	Shared@1) echo process_shared ;;
	Replicated@1) echo process_replicated ;;
	Replicated@2) echo process_replicated_v2 ;;
	esac
}

# goes TO POLICY: an update there, for which its module is inserted; the one before goes.
goes()
{
	local from

	from=$(value process implementation)@$(value process version)
	modprobe "$(module_of "$1")" && update process "$1 policy=$2" &&
		await 30 in_state process idle && rmmod "$(module_of "$from")" && return
	note "to $1, $2: $errno $(value process last_result)"
	failed=$((failed + 1))
}

# under_load UPDATES FORKS: so many updates in turn, spread over so many forks.
under_load()
{
	local i to policy

	take now
	for i in $(seq "$1"); do
		case $((i % 3)) in
		0) to=Shared@1 ;;
		1) to=Replicated@1 ;;
		2) to=Replicated@2 ;;
		esac
		[ $((i / 3 % 2)) = 0 ] && policy=eager || policy=background
		# shellcheck disable=SC2154 # set by `settle`
		await 120 have_begun $((first_forks + i * $2 / $1)) || return
		goes $to $policy
	done
}

# ---- cases ---------------------------------------------------------------------------

check "without an implementation there is nothing to make" not modprobe molt_process

# Some of the kernel's tests write where they are; one runs scripts that are open.
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
cp -r /kselftest $temporary/
kernel_tests $temporary/before
name="the kernel's own tests succeed without a tracker"
if [ "$slower" -gt 1 ]; then
	skip "$name" "this kernel does not have all that they test"
else
	check "$name" same "$(grep -h '^status' $temporary/before/* | sort | uniq -c |
		awk '{ $1 = $1; print }')" "$(echo "$kselftests" | wc -w) status 0"
fi

load molt_control process_shared molt_process
check "the class is there, and atomic" same "$(value process context)" atomic
check "every process has an instance, and no other is listed" await 10 all_listed

echo 'hist:keys=oom_score_adj if !(clone_flags & 0x10000)' \
	>$tracing/events/task/task_newtask/trigger
echo 'hist:keys=prio if group_dead == 1' >$tracing/events/sched/sched_process_exit/trigger
settle first

# Under load.
failed=0
begin_load
begun=$(now_ms)
under_load $updates $forks
check "$updates updates in turn through three implementations, while processes come and go" \
	all same $failed 0 -- same "$(value process generation)" $updates
took=$(($(now_ms) - begun))
end_load
check "no program of the load failed" same "$(cat $temporary/failed)" ""
tests_run=$(($(wc -l <$temporary/rounds) * $(echo "$kselftests" | wc -w)))
check "the kernel's own tests say case by case what they said before" \
	all at_least $tests_run 1 -- same "$(cat $temporary/differences)" ""
figure "tests of the kernel's own in that load, with the result they had before" \
	"$tests_run, $(cat $temporary/before/* | grep -c '^ok') cases in each round" "all"
settle last
# shellcheck disable=SC2154 # set by `settle`
note "$(grown forks) processes, $(grown threads) threads, $(grown execs) execs, $took ms;" \
	"waited: $(history process waited | awk '{ n += $1 } END { print n }')," \
	"longest: $(history process longest_wait_us | sort -n | tail -n 1) us"
figure "processes tracked over $updates updates, each accounted for once" "$(grown forks)" "$forks"
check "there were as many processes as promised" at_least "$(grown forks)" $forks
check "each has come to its end, or is there" balance last
check "the kernel counts as many forks, threads included" \
	same "$(($(grown forks) + $(grown threads)))" "$(grown kernel)"
check "and as many without threads" same "$(grown forks)" "$(grown begun)"
check "and as many ends" same "$(grown ended)" "$(grown exited)"
# shellcheck disable=SC2154 # set by `settle`
check "all have got an instance, and none was missed" \
	all same "$last_failed" 0 -- same "$(grown unknown)" 0
check "the class has as many instances as there are processes" await 10 all_listed

# The counts of one process.
forker 200
before=$(column "$forker" 1)
failed=0
(
	let_fork 200
	echo $? >$temporary/forked
) >/dev/null 2>&1 &
for to in Replicated@1 Shared@1 Replicated@2 Replicated@1 Replicated@2 Shared@1; do
	[ "$(value process implementation)@$(value process version)" = $to ] || goes $to eager
done
await 60 test -s $temporary/forked
check "a process that forks 200 times meanwhile has 200 children more" \
	all same $failed 0 -- same "$(cat $temporary/forked)" 0 -- \
	same "$(($(column "$forker" 1) - before))" 200
let_end

# A switch of a few.
load process_replicated process_replicated_v2
forker 50
check "a busy process is switched by its number" \
	put $classes/process/switch "Replicated@1 key=$forker"
check "and is the only one" serves Replicated@1 1
check "it goes on to count" all let_fork 50 -- counts 1 50
check "all others follow" all update process "Replicated@1 policy=eager" -- \
	serves Shared@1 0
let_end

# Lazily: whoever never forks is moved by the next update only.
check "an update can be lazy" \
	all update process "Replicated@2 policy=lazy" -- in_state process lazy -- \
	update process "Replicated@1 policy=eager" -- in_state process idle -- all_listed

# The limit.
forker 10
check "a limit is kept" all put $tracker/limit "$forker 4" -- counts 5 4
check "over updates, too" all update process Replicated@2 -- counts 5 4 -- \
	update process Shared@1 -- counts 5 4
check "four children live, and six are killed" let_fork 4
check "they are counted" all counts 1 10 -- counts 4 6
let_end
check "the limit of a process that is not there: ESRCH" \
	put_refused $tracker/limit "4194305 1" ESRCH

# What may not be removed.
check "the implementation cannot go while it serves" not rmmod process_shared
check "nor the class while there are processes: EBUSY" put_refused $classes/process/remove 1 EBUSY

# The tracker comes and goes while processes do.
begin_load
went=0
for i in 1 2 3 4 5; do
	dmesg -c >/dev/null
	rmmod molt_process
	dmesg | sed -n 's/.*molt_process: \([a-z]*\) \([0-9]*\)$/final_\1=\2/p' >$temporary/final
	# shellcheck source=/dev/null
	. $temporary/final
	balance final && went=$((went + 1))
	modprobe molt_process
	await 60 have_begun 100
done
end_load
check "it comes and goes under load, five times, and each process is accounted for" \
	all same $went 5 -- same "$(cat $temporary/differences)" ""
settle last
check "in the end, too" all balance last -- await 10 all_listed
