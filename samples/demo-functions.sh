# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What the demonstrations share. Each sets $class to the directory of its class, sources this,
# and ends with `claims`, which has the exit status.
#
# What is known of the kernel that was booted comes from tools/demo, in /demo.

history=/sys/kernel/debug/molt/history
table=/tmp/table
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
		-v transferring="$(moment transferring_us)" \
		-v reclaiming="$(moment reclaiming_us)" \
		-v instances="$(moment instances)" -v recorded="$(moment recorded)" \
		-v waited="$(moment waited)" -v reopened="$(moment reopened)" '
		function phase(name, length_us, what,   bar, i) {
			bar = ""
			for (i = 0; i < int(24 * start / all + 0.5); i++) bar = bar " "
			bar = bar "#"
			for (i = 1; i < int(24 * length_us / all + 0.5); i++) bar = bar "#"
			printf "    %8d us  %-13s %8d us  %-26s %s\n",
				start, name, length_us, bar, what
			start += length_us
		}
		BEGIN {
			start = 0
			all = tracking + blocking + transferring + reclaiming + 1
			phase("tracking", tracking, "calls go on, " recorded " with a record")
			phase("blocking", blocking, "new calls wait, " waited " did")
			phase("transferring", transferring,
				instances " instances get their new state")
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

# ---- calls in an open loop ---------------------------------------------------------------

# replace_under KIND ARGUMENTS COMMAND...: an open loop of 2 s, in the middle of which the command
# replaces what is called. ARGUMENTS: of `openloop`, up to the period. What comes of it is for
# tools/demo, which takes it out of what is shown.
replace_under()
{
	local kind=$1 arguments=$2 loop

	shift 2
	# shellcheck disable=SC2086 # they are words
	openloop -o /tmp/slots $arguments 2000 >/tmp/summary &
	loop=$!
	sleep 1
	"$@"
	wait $loop
	sed "s/^/slot $kind /" /tmp/slots
	echo "result latency.$kind.failures $(cut -d' ' -f4 /tmp/summary) failures 1 1"
	say "operations due, and failed: $(cut -d' ' -f2 /tmp/summary)," \
		"$(cut -d' ' -f4 /tmp/summary)"
}

# ---- steps -------------------------------------------------------------------------------

show_kernel()
{
	step "What is booted: Debian's kernel as it is"
	say "$(cat /proc/version)"
	found=$(grep -F ' __ksymtab__R' /proc/kallsyms | sed 's/.* __ksymtab_//' |
		awk 'NR == FNR { is_here[$1]; next } $1 in is_here { found++ }
			END { print found + 0 }' - /demo/rust-symbols)
	say "image:   SHA-256 $IMAGE_SHA256"
	say "package: $IMAGE_PACKAGE"
	say "Rust API symbols of the distribution: $RUST_SYMBOLS, in this kernel: $found"
	same 'image, by SHA-256, is the package'\''s' "$(echo "$PACKAGE_SHA256" | cut -c 1-16)" \
		"$(echo "$IMAGE_SHA256" | cut -c 1-16)"
	same 'kernel' "$RELEASE" "$(uname -r)"
	row '/proc/version' "Debian $VERSION" "$(grep -oF "Debian $VERSION" /proc/version)" \
		grep -qF "Debian $VERSION " /proc/version
	same 'Rust API symbols of the distribution' "$RUST_SYMBOLS" "$found"
}

# The table; 0 if all of it holds.
claims()
{
	step 'What was claimed, and what was seen'
	printf '  %s%-42s %-22s %-22s%s\n' "$dim" claim expected seen "$plain"
	cat $table
	[ $failed = 0 ]
}
