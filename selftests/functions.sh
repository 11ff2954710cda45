# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What the tests in the guest share. A test sources it, says how many cases it has,
# and calls `check` for each:
#
#	. ./functions.sh
#	plan 1
#	load molt_control counter_v1
#	check "a class comes with its first implementation" test -d "$classes/counter"
#
# At the end of the script everything that `load` loaded is unloaded.

set -u

molt=/sys/kernel/molt
classes=$molt/classes
debug=/sys/kernel/debug/molt
parameters=/sys/module/molt/parameters
temporary=/tmp/molt-test
FULL=${FULL:-}
# How many times as long things take here: whoever starts the tests may say, and otherwise it is
# seen whether this kernel looks at each access of memory.
if [ -r /etc/slower ]; then
	slower=$(cat /etc/slower)
elif grep -qE ' (kasan_report|kcsan_init)$' /proc/kallsyms; then
	slower=6
else
	slower=1
fi

rm -rf "$temporary"
mkdir -p "$temporary"
cases=0
failures=0
loaded=''
errno=ok
# The programs lie beside the tests where the kernel's own commands have installed them.
PATH=$PATH:$PWD
trap finish EXIT

plan()
{
	planned=$1
	echo "KTAP version 1"
	echo "1..$planned"
}

note()
{
	echo "$*" | cut -c 1-300 | head -n 20 | sed 's/^/# /'
}

# figure CLAIM FIGURE LIMIT: for the table of `make evidence`.
figure()
{
	echo "# figure $1 | $2 | $3"
}

# check NAME COMMAND...: one case.
check()
{
	local name=$1

	shift
	cases=$((cases + 1))
	if "$@"; then
		echo "ok $cases $name"
	else
		failures=$((failures + 1))
		echo "not ok $cases $name"
		note "in: $(echo "$*" | head -n 3)"
		note "errno: $errno"
		note "$(dmesg | tail -n 6)"
	fi
}

# skip NAME REASON: one case that cannot be tried here.
skip()
{
	cases=$((cases + 1))
	echo "ok $cases $1 # SKIP $2"
}

# Exit status: 1 where a case failed, or where there were not as many as planned.
finish()
{
	local status=$?

	allow_loading
	trap - EXIT
	hold 0
	release_callers
	unload_all
	[ $status -ne 0 ] || [ $failures -eq 0 ] || status=1
	[ "$cases" -eq "${planned:-0}" ] || note "$cases cases, ${planned:-0} planned"
	exit $status
}

# ---- comparing ---------------------------------------------------------------------

# same A B: equal texts; says what they are where they are not.
same()
{
	[ "$1" = "$2" ] || { note "have: $1"; note "want: $2"; return 1; }
}

# has TEXT WORD...: every word is in the text.
has()
{
	local text=$1 word

	shift
	for word; do
		case $text in
		*"$word"*) ;;
		*) note "have: $text"; note "without: $word"; return 1 ;;
		esac
	done
}

# at_most A B, at_least A B: numbers.
at_most()
{
	[ "$1" -le "$2" ] || { note "$1 is more than $2"; return 1; }
}

at_least()
{
	[ "$1" -ge "$2" ] || { note "$1 is less than $2"; return 1; }
}

# all COMMAND -- COMMAND ...: every one of them succeeds.
all()
{
	local word command=''

	for word; do
		if [ "$word" = -- ]; then
			eval "$command" || return 1
			command=''
		else
			command="$command '$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'"
		fi
	done
	eval "$command"
}

# not COMMAND...
not()
{
	! "$@"
}

# await SECONDS COMMAND...: until it succeeds.
await()
{
	local end

	end=$(($(now_ms) + $1 * 1000 * slower))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$end" ] || { note "in vain: $*"; return 1; }
		usleep 5000
	done
}

now_ms()
{
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

# ---- modules -----------------------------------------------------------------------

# forbid_loading, allow_loading: the kernel finds no module that it asks for. `busybox modprobe`
# loads them nevertheless.
loader=/proc/sys/kernel/modprobe
usual_loader=''
forbid_loading()
{
	if [ -e $loader ]; then
		usual_loader=$(cat $loader)
		echo /bin/false >$loader
	else
		mv /sbin/modprobe /sbin/modprobe.away
	fi
}
allow_loading()
{
	[ -z "$usual_loader" ] || echo "$usual_loader" >$loader
	[ ! -e /sbin/modprobe.away ] || mv /sbin/modprobe.away /sbin/modprobe
	usual_loader=''
}

# put_refused FILE TEXT ERRNO
put_refused()
{
	put "$1" "$2"
	same "$errno" "$3"
}

# load NAME...: to be unloaded at the end, in the opposite order.
load()
{
	local module

	for module; do
		modprobe "$module" || { note "cannot load $module"; exit 1; }
		loaded="$module $loaded"
	done
}

# load_with NAME PARAMETER...
load_with()
{
	modprobe "$@" || { note "cannot load $1"; exit 1; }
	loaded="$1 $loaded"
}

# module_file NAME: where modprobe finds it.
module_file()
{
	find "/lib/modules/$(uname -r)" -name "$1.ko" | head -n 1
}

is_loaded()
{
	grep -q "^$1 " /proc/modules
}

references()
{
	sed -n "s/^$1 [0-9]* \([0-9]*\) .*/\1/p" /proc/modules
}

# Callers first: they hold handles. Then classes: they pin their default's module. After an oops
# nothing: what a dead task holds is held for good, and who waits for it waits for good.
unload_all()
{
	local class module

	[ $(($(cat /proc/sys/kernel/tainted) & 128)) = 0 ] || return 0
	for module in $loaded; do
		[ "$module" = molt_control ] || rmmod "$module" 2>/dev/null
	done
	for class in "$classes"/*/; do
		[ ! -e "$class/remove" ] || echo 1 >"$class/remove" 2>/dev/null
	done
	for module in $loaded; do
		is_loaded "$module" && { rmmod "$module" || note "left: $module"; }
	done
	rmmod molt_misc 2>/dev/null
	rmmod molt_block 2>/dev/null
	rmmod molt 2>/dev/null
	loaded=''
}

# ---- writing to sysfs --------------------------------------------------------------

errno_name()
{
	case $1 in
	*"No such file or directory"*) echo ENOENT ;;
	*"nonexistent directory"*) echo ENOENT ;;
	*"No such process"*) echo ESRCH ;;
	*"Invalid argument"*) echo EINVAL ;;
	*"Device or resource busy"*) echo EBUSY ;;
	*"Stale file handle"*) echo ESTALE ;;
	*"Protocol error"*) echo EPROTO ;;
	*"Connection timed out"*) echo ETIMEDOUT ;;
	*"Resource deadlock avoided"*) echo EDEADLK ;;
	*"Resource temporarily unavailable"*) echo EAGAIN ;;
	*"Operation not permitted"*) echo EPERM ;;
	*"Operation already in progress"*) echo EALREADY ;;
	*"Operation canceled"*) echo ECANCELED ;;
	*"Numerical argument out of domain"*) echo EDOM ;;
	*"Cannot allocate memory"*|*"Out of memory"*) echo ENOMEM ;;
	*"No such device"*) echo ENODEV ;;
	*"Interrupted system call"*) echo EINTR ;;
	*"Key was rejected by service"*) echo EKEYREJECTED ;;
	*"Input/output error"*) echo EIO ;;
	*) echo "$1" ;;
	esac
}

# put FILE TEXT: writes a line. The name of the errno, or ok, is in $errno.
put()
{
	local message

	if message=$({ echo "$2" >"$1"; } 2>&1); then
		errno=ok
	else
		errno=$(errno_name "$message")
	fi
	[ "$errno" = ok ]
}

# put_bytes FILE: the same with what comes from standard input, in one write.
put_bytes()
{
	local message

	cat >"$temporary/bytes"
	if message=$(dd if="$temporary/bytes" of="$1" bs=65536 conv=notrunc 2>&1); then
		errno=ok
	else
		errno=$(errno_name "$message")
	fi
	[ "$errno" = ok ]
}

# patient TEXT: a request with limits that suit a slow guest, where it has none of its own.
patient()
{
	local text=$1

	if [ "$slower" -gt 1 ]; then
		case $text in
		*@[0-9]*deadline_ms=*) ;;
		*@[0-9]*) text="$text deadline_ms=10000" ;;
		esac
		case $text in
		*@[0-9]*pause_ms=*) ;;
		*@[0-9]*) text="$text pause_ms=1000" ;;
		esac
	fi
	echo "$text"
}

# update CLASS TEXT
update()
{
	put "$classes/$1/update" "$(patient "$2")"
}

# refused ERRNO CLASS TEXT [WORD...]: the update ends so, last_result has it and the words.
refused()
{
	local want=$1 class=$2 last

	update "$class" "$3"
	shift 3
	same "$errno" "$want" || return 1
	last=$(cat "$classes/$class/last_result")
	case $last in
	"$want "*) ;;
	*) note "last_result: $last"; return 1 ;;
	esac
	has "$last" "$@"
}

# last_says CLASS WORD...: in last_result.
last_says()
{
	local class=$1

	shift
	has "$(value "$class" last_result)" "$@"
}

value()
{
	cat "$classes/$1/$2"
}

# served CLASS IMPLEMENTATION@VERSION GENERATION
served()
{
	same "$(value "$1" implementation)@$(value "$1" version) $(value "$1" generation)" "$2 $3"
}

in_state()
{
	[ "$(value "$1" state)" = "$2" ]
}

# is_empty CLASS: it has no instance.
is_empty()
{
	[ "$(value "$1" instances)" = 0 ]
}

# hold MILESTONE: 1 tracking, 2 blocking, 3 transferring, 4 prepared; 0 lets go.
hold()
{
	[ ! -e $parameters/test_hold ] || echo "$1" >$parameters/test_hold
}

# behind FILE TEXT: writes a line in a task of its own, whose pid is in $writer. `ended`
# waits for it, and the errno's name is in $errno then.
behind()
{
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo "$2" >"$1"' sh "$1" "$2" 2>"$temporary/message" &
	writer=$!
}

is_gone()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

# ended [SECONDS]: what was written behind has come to an end within so many seconds.
ended()
{
	await "${1:-5}" is_gone "$writer" || return 1
	if wait "$writer"; then
		errno=ok
	else
		errno=$(errno_name "$(cat "$temporary/message")")
	fi
}

# ---- callers -----------------------------------------------------------------------

callers=''

# open_counters: `counter_load` makes its counters, as file descriptor 3.
open_counters()
{
	exec 3<>/dev/counter_load
}

# begin COMMAND [ARGUMENT]: a task that writes so to $callee, a module's folder in debugfs, which
# has it call until `stop_callers`.
begin()
{
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo "$1" >"$2"' sh "$*" "$callee/command" &
	callers="$callers $!"
}

# counted NAME: a line of what $callee tells. is_counted NAME N: it is so much at least.
counted()
{
	sed -n "s/^$1 //p" "$callee/result"
}

is_counted()
{
	[ "$(counted "$1")" -ge "$2" ]
}

# call_from N [MS]: so many tasks call all counters until `stop_callers`, or for so long.
call_from()
{
	local _

	for _ in $(seq "$1"); do
		sh -c "echo ${2:-3000000} >&3" 3<&3 &
		callers="$callers $!"
	done
	await 5 counters_are_called "$1"
}

counters_are_called()
{
	[ "$(account callers)" -ge "$1" ]
}

account()
{
	cat <&3 | sed -n "s/^$1 //p"
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

# Everything adds up: no call failed, and the counters hold what was added.
accounts_balance()
{
	local accounts

	accounts=$(cat <&3)
	echo "$accounts" >"$temporary/accounts"
	awk '{ v[$1] = $2 } END {
		exit !(v["failed"] == 0 && v["added"] == v["total"]) }' \
		"$temporary/accounts" || { note "$accounts"; return 1; }
}

release_callers()
{
	stop_callers
	exec 3>&-
}

# ---- what there is, byte for byte --------------------------------------------------

# states CLASS: those of all instances, in order. `test_state` has to be on.
states()
{
	grep "^$1 " $debug/instances | sort -k 2 -n
}

# Objects in use in the kernel's general caches, roughly.
slab_objects()
{
	local cache

	for cache in /sys/kernel/slab/kmalloc-*/shrink; do
		[ ! -w "$cache" ] || echo 1 >"$cache"
	done
	awk '/^kmalloc-/ { n += $2 } END { print n }' /proc/slabinfo
}

# history CLASS COLUMN: of each transition of the class, oldest first.
history()
{
	awk -v class="$1" -v column="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["class"] == class { print $at[column] }' $debug/history
}

# moment CLASS COLUMN: of the last transition of the class.
moment()
{
	history "$1" "$2" | tail -n 1
}

# blockers CLASS: pid, task and time of the calls that the last attempt met.
blockers()
{
	sed -n "s/^$1 //p" $debug/blockers
}
