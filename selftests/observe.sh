#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What can be seen of transitions: tracepoints, uevents, tables, stacks.

. ./functions.sh
plan 33

tracing=/sys/kernel/tracing

finish_tracing()
{
	echo 0 >$tracing/events/molt/enable
	echo 0 >$tracing/tracing_on
	echo >$tracing/trace
}
trap 'finish_tracing 2>/dev/null; finish' EXIT

load molt_control counter_v1 counter_v2
load_with counter_load instances=20
open_counters

# ---- tracepoints -------------------------------------------------------------------

check "there are four tracepoints" same \
	"$(cd $tracing/events/molt && echo molt_*)" "molt_abort molt_begin molt_commit molt_end"
echo >$tracing/trace
echo 1 >$tracing/events/molt/enable
echo 1 >$tracing/tracing_on

# traced NUMBER: the events of a transition, in order.
traced()
{
	sed -n "s/.* \(molt_[a-z]*\): transition=$1 \(.*\)/\1 \2/p" $tracing/trace
}

# last_id CLASS: of the transition that its last_result tells of.
last_id()
{
	sed -n 's/^[A-Za-z]* transition \([0-9]*\):.*/\1/p' $classes/"$1"/last_result
}

# logged NUMBER LINES: what the kernel log says of it, in its last lines.
logged()
{
	dmesg | sed -n "s/.*molt: transition $1: \(.*\)/\1/p" | tail -n "$2"
}

# told NUMBER LINE...: these events, and no other.
told()
{
	local number=$1

	shift
	same "$(traced "$number")" "$(printf '%s\n' "$@")"
}

update counter Sum@2
id=$(last_id counter)
check "last_result has a number" at_least "${id:-0}" 1
check "the events of a commit carry it" told "$id" \
	"molt_begin class=counter from=Sum@1 to=Sum@2" "molt_commit class=counter error=0" \
	"molt_end class=counter error=0"
check "so does the history" same "$(moment counter id)" "$id"
check "and so does the log: begun, committed, reclaimed" \
	same "$(logged "$id" 3 | sed 's/.*\(begun\|committed\|reclaimed\).*/\1/' | xargs)" \
	"begun committed reclaimed"
hold 1
behind $classes/counter/update "Sum@1 deadline_ms=10000"
await 5 in_state counter tracking
put $classes/counter/abort 1
ended 5
hold 0
aborted=$(last_id counter)
check "another transition has another number" at_least "${aborted:-0}" $((id + 1))
check "the events of an abort, with the errno" told "$aborted" \
	"molt_begin class=counter from=Sum@2 to=Sum@1" "molt_abort class=counter error=-125"
check "the history and the log have it, too" all same "$(moment counter id)" "$aborted" -- \
	has "$(logged "$aborted" 2)" begun "aborted: ECANCELED"
update counter "Sum@1 policy=lazy"
id=$(last_id counter)
check "a lazy one has committed, and has not ended" told "$id" \
	"molt_begin class=counter from=Sum@2 to=Sum@1" "molt_commit class=counter error=0"
cat <&3 >/dev/null
await 5 in_state counter idle
has_ended()
{
	[ "$(traced "$1" | tail -n 1 | cut -d ' ' -f 1)" = molt_end ]
}
check "when all is moved it has" await 2 has_ended "$id"
put $classes/counter/switch "Sum@2 count=1"
check "a switch is told of, too" told "$(last_id counter)" \
	"molt_begin class=counter from=Sum@1 to=Sum@2" "molt_commit class=counter error=0" \
	"molt_end class=counter error=0"
load test_alpha_v1 test_beta_v1 test_alpha_v2 test_beta_v2 test_walker
put $molt/transaction "alpha=Plain@2 beta=Plain@2"
check "a transaction has one number, and an event for each class" told "$(last_id alpha)" \
	"molt_begin class=alpha from=Plain@1 to=Plain@2" \
	"molt_begin class=beta from=Plain@1 to=Plain@2" \
	"molt_commit class=alpha error=0" "molt_commit class=beta error=0" \
	"molt_end class=alpha error=0" "molt_end class=beta error=0"
echo 0 >$tracing/events/molt/enable
update counter "Sum@2"
check "what is not enabled is not told" told "$(last_id counter)" ""

# ---- uevents -----------------------------------------------------------------------

# The kernel runs this for each uevent, with the event's variables in its environment.
helper=$temporary/helper
cat >"$helper" <<end
#!/bin/busybox sh
[ -z "\$MOLT_EVENT" ] ||
	echo "\$MOLT_EVENT \$MOLT_TRANSITION \$MOLT_RESULT \${DEVPATH##*/}" >>$temporary/uevents
end
chmod +x "$helper"
: >"$temporary/uevents"
uevents()
{
	tr -s ' ' <"$temporary/uevents" | sort | sed -n "s/\([a-z]*\) $1 /\1 /p" | tr '\n' ';'
}
sent()
{
	[ "$(uevents "$1")" = "$2" ]
}
uevent "$helper" >/dev/null 2>&1 &
listener=$!
usleep 300000
update counter Sum@1
id=$(last_id counter)
check "a commit sends begin, commit and end" \
	await 5 sent "$id" "begin counter;commit ok counter;end ok counter;"
hold 1
behind $classes/counter/update "Sum@2 deadline_ms=10000"
await 5 in_state counter tracking
put $classes/counter/abort 1
ended 5
hold 0
check "an abort sends begin and abort, with the errno" \
	await 5 sent "$(last_id counter)" "abort ECANCELED counter;begin counter;"
put $molt/transaction "alpha=Plain@1 beta=Plain@1"
check "a transaction sends them of each class" await 5 sent "$(last_id alpha)" \
	"begin alpha;begin beta;commit ok alpha;commit ok beta;end ok alpha;end ok beta;"
refused EALREADY counter Sum@1
usleep 200000
check "what is refused beforehand sends nothing" same "$(wc -l <"$temporary/uevents")" 11
kill $listener

# ---- holders -----------------------------------------------------------------------

check "holders: who made instances and keeps them" \
	all same "$(value counter holders)" counter_load -- \
	same "$(value alpha holders)" test_walker
load test_dropper
echo make 3 >/sys/kernel/debug/test_dropper/command
check "all of them are named" same "$(value alpha holders)" "test_walker test_dropper"
echo task >/sys/kernel/debug/test_dropper/command
held_by()
{
	[ "$(value "$1" holders)" = "$2" ]
}
check "and no more when they have let go" await 5 held_by alpha test_walker
exec 3>&-
check "the last one gone: an empty line" all await 5 held_by counter "" -- \
	same "$(wc -l <$classes/counter/holders)" 1
open_counters

# ---- stacks and names --------------------------------------------------------------

update counter Sum@2
load_with counter_busy park_ms=2500
update counter Busy
# A task may name itself anything; this name would be a line of its own.
forge='printf "x\nalpha 1 y 7" >/proc/$$/comm'
sh -c "$forge; echo park >&3" 3<&3 &
parked=$!
usleep 300000
check "a call from before the update blocks it" \
	refused ETIMEDOUT counter "Sum@2 deadline_ms=300" "pid $parked (x?alpha 1 y 7)"
check "its stack names a function of its module" has "$(cat $debug/stacks)" \
	"counter $parked x?alpha_1_y_7" " [counter_busy]"
check "a name is no line, and no column" \
	all same "$(blockers counter)" "$parked x?alpha_1_y_7 -" -- \
	same "$(blockers alpha)" "" -- same "$(wc -l <$classes/counter/last_result)" 1
wait $parked
hold 1
sh -c "printf 'w\nok 99 z' >/proc/\$\$/comm
	echo 'Sum@2 deadline_ms=1200' >$classes/counter/update" 2>"$temporary/message" &
writer=$!
await 5 in_state counter tracking
sh -c "$forge; echo park >&3" 3<&3 &
parked=$!
usleep 300000
hold 0
ended 5
check "one from during the update, too" \
	last_says counter ETIMEDOUT "pid $parked (x?alpha 1 y 7) inside"
check "with its stack" has "$(cat $debug/stacks)" "counter $parked x?alpha_1_y_7" " [counter_busy]"
check "who asked is in the history, and no line either" same "$(moment counter comm)" "w?ok_99_z"
check "each row has all columns" \
	awk 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad || NR < 5 }' $debug/history
check "the log has no line of its own of it" same \
	"$(dmesg | grep '^\[[ 0-9.]*\] \(alpha 1\|ok 99\)')" ""
addresses()
{
	find $molt $debug -type f -exec cat {} + 2>/dev/null | grep -E 'ffff[0-9a-f]{12}'
}
check "no file shows an address" same "$(addresses)" ""
check "of those that there are" at_least \
	"$(find $molt $debug -type f -exec cat {} + 2>/dev/null | wc -l)" 100
wait $parked
update counter Sum@2

# ---- tables that add up ------------------------------------------------------------

for table in history timing histograms; do
	cat $debug/$table >"$temporary/$table"
done

# adds_up TABLE: every row follows from the history, and there is a row for all of it.
adds_up()
{
	awk -v kind="$1" '
		FNR == 1 { file++; delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
		file == 1 && $at["result"] == "ok" {
			split("tracking blocking transferring reclaiming total longest_wait", parts)
			for (i = 1; i <= 6; i++) {
				us = $at[parts[i] "_us"]
				key = $at["class"] " " parts[i]
				if (!(key in n) || us < least[key]) least[key] = us
				if (us > most[key]) most[key] = us
				n[key]++
				sum[key] += us
				below = 1
				while (below <= us) below *= 2
				if (kind == "histograms") left[key " " below]++
				else left[key] = 1
			}
		}
		file == 2 {
			key = $at["class"] " " $at["part"]
			if (kind == "histograms") {
				key = key " " $at["below_us"]
				if (left[key] != $at["transitions"]) {
					print "# row:", $0, left[key]
					bad = 1
				}
			} else {
				mean = sum[key] / n[key]
				if (n[key] != $at["transitions"] || least[key] != $at["least_us"] ||
				    most[key] != $at["most_us"] || $at["mean_us"] < mean - 1 ||
				    $at["mean_us"] > mean + 1) {
					print "# row:", $0, n[key], mean
					bad = 1
				}
			}
			delete left[key]
			rows++
		}
		END {
			for (key in left) { print "# no row:", key; bad = 1 }
			exit bad || rows < 10
		}' "$temporary/history" "$temporary/$1"
}
check "timing adds up with the history" adds_up timing
check "so do the histograms" adds_up histograms
