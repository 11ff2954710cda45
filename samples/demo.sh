#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The demonstration, for the guest: replaces a module under load, there and back, shows
# an update that is refused and one that is blocked, and ends with a table of what was
# claimed and what was seen. The exit status is 0 only if every line of it holds.

class=/sys/kernel/molt/classes/counter
instances=1000

. /samples/demo-functions.sh

# A figure of the callers' accounts.
account()
{
	cat <&3 | sed -n "s/^$1 //p"
}

show_kernel

step "Version 1 of a counter, $(grouped $instances) instances," \
	"four tasks that call them without pause"
need run modprobe molt_control
need run modprobe counter_v1
need run modprobe counter_load instances=$instances
echo '  # exec 3<>/dev/counter_load'
exec 3<>/dev/counter_load
callers=''
for number in 1 2 3 4; do
	(
		printf %s "caller-$number" >/proc/self/comm
		echo 120000 >&3
		exit 0
	) &
	callers="$callers $!"
done
echo '  # for i in 1 2 3 4; do echo 120000 >&3 & done'
sleep 1
say "$(serving), generation $(of_class generation), $(of_class instances) instances"
say "calls in the first second: $(grouped "$(account calls)")"
first=$(serving)

step 'The update: one write moves every instance, with its state, to version 2'
run modprobe counter_v2
update Sum@2
updated=$?
run rmmod counter_v1
removed=$?
timeline
same 'update to version 2' 'Sum@1 to Sum@2' "$first to $(serving)"
same 'its result, and generation' '0, 1' "$updated, $(of_class generation)"
# Calls that waited have waited for some time.
row 'longest wait of a call' 'at most 500000 us' \
	"$(moment longest_wait_us) us, $(moment waited) waited" \
	test "$(moment longest_wait_us)" -le 500000 -a \
	\( "$(moment waited)" = 0 -o "$(moment longest_wait_us)" -gt 0 \)
row 'instances updated' "at least $instances" "$(moment instances)" \
	test "$(moment instances)" -ge $instances
row 'removal of the old module, at once' 'status 0, gone' \
	"status $removed, $(is_loaded counter_v1 && echo there || echo gone)" \
	test "$removed" = 0 -a ! -e /sys/module/counter_v1

step 'The way back, and forth again'
run modprobe counter_v1
update Sum@1
same 'way back' 'Sum@1, generation 2' "$(serving), generation $(of_class generation)"
run rmmod counter_v2
same 'removal of version 2' 0 $?
run modprobe counter_v2
update Sum@2
same 'forth again' 'Sum@2, generation 3' "$(serving), generation $(of_class generation)"
run rmmod counter_v1

step 'A version whose transfer refuses the 500th instance'
run modprobe counter_v3_bad refuse_at=500
update Sum@3
row 'refused version' 'an error, EDOM' "status $?, $(of_class last_result | cut -d' ' -f1)" \
	grep -q '^EDOM ' $class/last_result
same 'the class afterwards' 'Sum@2, generation 3' "$(serving), generation $(of_class generation)"
run rmmod counter_v3_bad
same 'removal of the refused version' 0 $?

step 'A version that keeps a call inside, so that nobody can replace it'
run modprobe counter_busy park_ms=3000
update Busy
run sleep 0.2
(
	printf %s parked >/proc/self/comm
	echo park >&3
	exit 0
) &
parked=$!
echo "  # echo park >&3 &                            (process $parked)"
sleep 0.3
before=$(account calls)
update 'Sum@2 deadline_ms=1000'
blocked=$?
after=$(account calls)
named=$(of_class last_result | grep -oE 'pid [0-9]+ \([^)]*\)')
say "calls of the others meanwhile: $(grouped $((after - before)))"
row 'blocked update' 'an error, ETIMEDOUT' \
	"status $blocked, $(of_class last_result | cut -d' ' -f1)" \
	test $blocked -ne 0 -a "$(of_class last_result | cut -d' ' -f1)" = ETIMEDOUT
same 'its blocker' "pid $parked (parked)" "$named"
row 'calls of the others meanwhile' 'more than 1,000' "$(grouped $((after - before)))" \
	test $((after - before)) -gt 1000
same 'the class afterwards' 'Busy@1, generation 4' "$(serving), generation $(of_class generation)"
wait $parked
say 'the call has ended; again:'
update Sum@2
same 'update once nothing is in the way' 'Sum@2, generation 5' \
	"$(serving), generation $(of_class generation)"
run rmmod counter_busy
same 'removal of the busy version' 0 $?

step 'The accounts'
# shellcheck disable=SC2086 # process numbers
kill $callers
wait 2>/dev/null
cat <&3 >/tmp/accounts
sed 's/^/    /' /tmp/accounts
row 'calls' 'at least 1,000,000' "$(grouped "$(account calls)")" test "$(account calls)" -ge 1000000
same 'failed calls' 0 "$(account failed)"
row 'instances made and ended meanwhile' 'some, all ended' \
	"$(account created), $(account ended)" \
	test "$(account created)" -ge 4 -a "$(account created)" = "$(account ended)"
same 'sum of all counters' "$(account added)" "$(account total)"

step 'The end'
exec 3>&-
run rmmod counter_load
while [ "$(of_class instances)" != 0 ] && [ $failed = 0 ]; do
	sleep 0.1
done
write 1 $class/remove
run rmmod counter_v2
run rmmod molt_control
run rmmod molt
same 'modules left' 0 "$(grep -cE '^(molt|counter)' /proc/modules)"

claims
