#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The demonstration of processes, for the guest: the objects of all processes are replaced while
# programs begin and end, through three implementations, and each process is accounted for. It
# ends with a table of what was claimed and what was seen. The exit status is 0 only if every line
# of it holds.

class=/sys/kernel/molt/classes/process
tracker=/sys/kernel/debug/molt_process
updates=30

. /samples/demo-functions.sh

# ---- what is asked -----------------------------------------------------------------------

# take NAME: the tracker's accounts into variables NAME_<account>, and what the kernel has counted
# of forks, threads among them, into NAME_kernel. Without a process of its own.
take()
{
	local name value _

	while read -r name value; do
		eval "$1_$name=$value"
	done <$tracker/accounts
	while read -r name value _; do
		[ "$name" != processes ] || eval "$1_kernel=$value"
	done </proc/stat
}

# settle NAME: the same at a moment in which no process begins or ends.
settle()
{
	until take "$1" && take again && eval "[ \$$1_kernel = \$again_kernel ] &&
		[ \$$1_forks = \$again_forks ] && [ \$$1_ended = \$again_ended ]"; do :; done
}

# of_process PID COLUMN
of_process()
{
	awk -v pid="$1" -v name="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
		$1 == pid { print $column }' $tracker/processes
}

# served_by IMPLEMENTATION: so many processes.
served_by()
{
	of_class "implementations/$1/instances"
}

# ---- the load ----------------------------------------------------------------------------

# Programs that fork, begin programs, make threads, and talk to each other.
load()
{
	while [ ! -e /tmp/stop ]; do
		for sort in fork exec vfork pthread; do
			stress-ng --quiet --timeout 60 --$sort 2 --$sort-ops 100 ||
				echo "$sort" >>/tmp/failed
		done
		hackbench -g 1 -l 20 || echo hackbench >>/tmp/failed
	done >/tmp/load.log 2>&1
}

# ---- the steps ---------------------------------------------------------------------------

show_kernel

step 'A tracker of processes; each is an object, counted in one place (Shared)'
need run modprobe molt_control
need run modprobe process_shared
need run modprobe molt_process
: >/tmp/failed
settle first
load &
loader=$!
sleep 3
run sh -c "grep -E '^(pid|1|2|$$) ' $tracker/processes"
say "$(serving), generation $(of_class generation), $(of_class instances) instances"
first=$(serving)

step 'A busy process is switched to counters for each processor; the others stay as they are'
run modprobe process_replicated
write "Replicated@1 key=$loader" $class/switch
same 'switch of one process' '0, 1 of Replicated@1' "$?, $(served_by Replicated@1) of Replicated@1"

step 'The update: one write moves every process, with its counts'
update Replicated@1
updated=$?
run rmmod process_shared
removed=$?
timeline
same 'update of all processes' 'Shared@1 to Replicated@1' "$first to $(serving)"
same 'its result, and generation' '0, 1' "$updated, $(of_class generation)"
row 'longest wait of a call' 'at most 500000 us' \
	"$(moment longest_wait_us) us, $(moment waited) waited" \
	test "$(moment longest_wait_us)" -le 500000
row 'removal of the old module, at once' 'status 0, gone' \
	"status $removed, $(is_loaded process_shared && echo there || echo gone)" \
	test "$removed" = 0 -a ! -e /sys/module/process_shared

step 'A version that also counts how old processes are when they begin a program'
run modprobe process_replicated_v2
update Replicated@2
same 'version 2' 'Replicated@2, generation 2' "$(serving), generation $(of_class generation)"
sleep 2
run sh -c "head -n 1 $tracker/processes; tail -n 4 $tracker/processes"

step 'A limit, which the implementation decides on: three children live, two are killed'
mkfifo /tmp/go /tmp/end
sh -c 'read -r _ </tmp/go
	well=0
	for i in 1 2 3 4 5; do (:) && well=$((well + 1)); done
	echo $well >/tmp/well
	read -r _ </tmp/end' 2>/dev/null &
limited=$!
echo "  # echo $limited 3 > $tracker/limit"
echo "$limited 3" >$tracker/limit
run modprobe process_shared
update Shared@1
echo >/tmp/go
until [ -s /tmp/well ]; do sleep 0.1; done
same 'the limit, over an update' '3 live, 2 refused' \
	"$(cat /tmp/well) live, $(of_process $limited refused) refused"
echo >/tmp/end

step 'What cannot be removed while processes are tracked'
write 1 $class/remove
row 'removal of the class' 'an error, EBUSY' "status $?, $(cut -d' ' -f1 $class/last_result)" \
	grep -q '^EBUSY ' $class/last_result
run rmmod process_shared
row 'removal of the module that serves' 'refused' "status $?" is_loaded process_shared

step "$updates updates in turn, there and back between all three"
count=0 failures=0
take before
while [ $count -lt $updates ]; do
	for to in Replicated@1 Replicated@2 Shared@1; do
		echo "$to" >$class/update 2>/dev/null || failures=$((failures + 1))
		count=$((count + 1))
	done
done
take now
# shellcheck disable=SC2154 # set by `take`
say "$(serving), generation $(of_class generation);" \
	"$((now_forks - before_forks)) processes meanwhile"
same 'updates that failed, of as many' "0 of $updates" "$failures of $count"

step 'The accounts'
: >/tmp/stop
wait $loader
settle last
sed 's/^/    /' $tracker/accounts
# shellcheck disable=SC2154 # set by `settle`
{
	row 'processes made meanwhile' 'at least 200' "$((last_forks - first_forks))" \
		test $((last_forks - first_forks)) -ge 200
	same 'found and made: ended, or there' $((last_found + last_forks)) \
		$((last_ended + last_live))
	same 'made, with threads: by the kernel' $((last_kernel - first_kernel)) \
		$((last_forks + last_threads - first_forks - first_threads))
	same 'processes without an object' 0 "$last_failed"
}
same 'programs of the load that failed' 0 "$(wc -l </tmp/failed)"

step 'Forks that are due each 10 ms, while the objects of all processes are replaced'
replace_under forks '-f 10000' update Replicated@1
same 'forks over an update: failed' 0 "$(cut -d' ' -f4 /tmp/summary)"

step 'The end'
run rmmod molt_process
while [ "$(of_class instances)" != 0 ] && [ "$failed" = 0 ]; do sleep 0.1; done
write 1 $class/remove
same 'removal of the class' '0, gone' "$?, $([ -e $class ] && echo there || echo gone)"
for module in process_shared process_replicated process_replicated_v2 molt_control molt; do
	run rmmod $module
done
same 'modules left' 0 "$(grep -cE '^(molt|process)' /proc/modules)"

claims
