#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The demonstration, for the guest: replaces a module under load, there and back, shows
# an update that is refused and one that is blocked, and ends with a table of what was
# claimed and what was seen. The exit status is 0 only if every line of it holds.
#
# What is known of the kernel that was booted comes from tools/demo, in /demo.

class=/sys/kernel/molt/classes/counter
history=/sys/kernel/debug/molt/history
table=/tmp/table
instances=1000
failed=0
bold='' dim='' red='' green='' plain=''

# shellcheck source=/dev/null
. /demo/facts
if [ "$COLOURS" = yes ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
	red=$(printf '\033[31m') green=$(printf '\033[32m')
fi

# ---- what a person sees ------------------------------------------------------------------

step()
{
	printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"
}

say()
{
	printf '    %s\n' "$*"
}

# run COMMAND...: shows a command, runs it, and shows what it says; its status.
run()
{
	printf '  # %s\n' "$*"
	"$@" >/tmp/said 2>&1
	set -- $?
	sed "s/.*/    $dim&$plain/" /tmp/said
	return "$1"
}

# write TEXT FILE: the same for a write to a file of the class.
write()
{
	printf '  # echo %s > %s\n' "$1" "${2#/sys/kernel/molt/}"
	if { echo "$1" >"$2"; } 2>/tmp/said; then written=0; else written=1; fi
	sed "s/.*/    $dim&$plain/" /tmp/said
	return $written
}

# 1234567 as 1,234,567.
grouped()
{
	echo "$1" | sed -e ':a' -e 's/\([0-9]\)\([0-9]\{3\}\)\(,\|$\)/\1,\2\3/' -e 'ta'
}

# What cannot be done without.
need()
{
	"$@" && return
	printf '\n%sthe demonstration ends here: %s%s\n' "$red" "$*" "$plain"
	exit 1
}

# ---- what is asked -----------------------------------------------------------------------

# A figure of the callers' accounts.
account()
{
	cat <&3 | sed -n "s/^$1 //p"
}

# A file of the class.
of_class()
{
	cat "$class/$1"
}

# The implementation that serves the class.
serving()
{
	echo "$(of_class implementation)@$(of_class version)"
}

# moment COLUMN: what the history says of the last transition.
moment()
{
	awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
		END { print $column }' $history
}

is_loaded()
{
	grep -q "^$1 " /proc/modules
}

# update TEXT: asks for it and says how it ended; its status.
update()
{
	write "$1" $class/update
	set -- $?
	say "last_result: $(of_class last_result)"
	return "$1"
}

# Where the time of the last transition went.
timeline()
{
	awk -v tracking="$(moment tracking_us)" -v blocking="$(moment blocking_us)" \
		-v transferring="$(moment transferring_us)" -v reclaiming="$(moment reclaiming_us)" \
		-v instances="$(moment instances)" -v recorded="$(moment recorded)" \
		-v waited="$(moment waited)" -v reopened="$(moment reopened)" '
		function phase(name, length_us, what,   bar, i) {
			bar = ""
			for (i = 0; i < int(24 * start / all + 0.5); i++) bar = bar " "
			bar = bar "#"
			for (i = 1; i < int(24 * length_us / all + 0.5); i++) bar = bar "#"
			printf "    %8d us  %-13s %8d us  %-26s %s\n", start, name, length_us, bar, what
			start += length_us
		}
		BEGIN {
			start = 0
			all = tracking + blocking + transferring + reclaiming + 1
			phase("tracking", tracking, "calls go on, " recorded " with a record")
			phase("blocking", blocking, "new calls wait, " waited " did")
			phase("transferring", transferring, instances " instances get their new state")
			phase("reclaiming", reclaiming, "calls go on, in the new code")
			if (reopened > 0) print "    reopened " reopened " times"
		}'
	say "longest wait of a call: $(moment longest_wait_us) us"
}

# ---- what is checked ---------------------------------------------------------------------

# row CLAIM EXPECTED SEEN COMMAND...: it holds where the command, mostly test(1), succeeds.
row()
{
	claim=$1 expected=$2 seen=$3 verdict=${green}ok$plain
	shift 3
	if ! "$@" 2>/dev/null; then
		failed=$((failed + 1)) verdict=${red}FAILED$plain
	fi
	printf '  %-42s %-22s %-22s %s\n' "$claim" "$expected" "$seen" "$verdict" >>$table
}

same()
{
	row "$1" "$2" "$3" test "$2" = "$3"
}

# ---- the steps ---------------------------------------------------------------------------

step "What is booted: Debian's kernel as it is"
say "$(cat /proc/version)"
found=$(grep -F ' __ksymtab__R' /proc/kallsyms | sed 's/.* __ksymtab_//' |
	awk 'NR == FNR { is_here[$1]; next } $1 in is_here { found++ } END { print found + 0 }' \
		- /demo/rust-symbols)
say "image:   SHA-256 $IMAGE_SHA256"
say "package: $IMAGE_PACKAGE"
say "Rust API symbols of the distribution: $RUST_SYMBOLS, in this kernel: $found"
same 'image, by SHA-256, is the package'\''s' "$(echo "$PACKAGE_SHA256" | cut -c 1-16)" \
	"$(echo "$IMAGE_SHA256" | cut -c 1-16)"
same 'kernel' "$RELEASE" "$(uname -r)"
row '/proc/version' "Debian $VERSION" \
	"$(grep -oF "Debian $VERSION" /proc/version)" grep -qF "Debian $VERSION " /proc/version
same 'Rust API symbols of the distribution' "$RUST_SYMBOLS" "$found"

step "Version 1 of a counter, $(grouped $instances) instances, four tasks that call them without pause"
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
row 'longest wait of a call' 'at most 500000 us' "$(moment longest_wait_us) us, $(moment waited) waited" \
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
row 'blocked update' 'an error, ETIMEDOUT' "status $blocked, $(of_class last_result | cut -d' ' -f1)" \
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

step 'What was claimed, and what was seen'
printf '  %s%-42s %-22s %-22s%s\n' "$dim" claim expected seen "$plain"
cat $table
[ $failed = 0 ]
