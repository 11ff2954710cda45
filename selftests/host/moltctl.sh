#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The command-line tool, with a folder that stands in for /sys/kernel: which lines it
# writes to which file, what it makes of what it reads, and its exit statuses. A file that
# is /dev/full refuses each write, with ENOSPC.
#
# shellcheck disable=SC2016 # what is quoted so in messages is no command

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
built=$PWD/build/moltctl
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
root=$out/sys
class=$root/molt/classes/counter

# put FILE TEXT
put()
{
	mkdir -p "${1%/*}"
	printf '%s\n' "$2" >"$1"
}

# implementation NAME MODULE INSTANCES
implementation()
{
	put "$class/implementations/$1/module" "$2"
	put "$class/implementations/$1/srcversion" ''
	put "$class/implementations/$1/version" "${1#*@}"
	put "$class/implementations/$1/instances" "$3"
}

# tree: a class as today's kernel shows it, after an update there, back and there again.
tree()
{
	local file

	rm -rf "$root"
	for file in interface:counter context:sleepable implementation:Sum version:2 generation:3 \
		instances:1004 state:idle waited_calls:4 longest_wait_us:4640 transitions_ok:3 \
		transitions_failed:0 'last_result:ok transition 3: Sum@1 to Sum@2' update: abort: remove:; do
		put "$class/${file%%:*}" "${file#*:}"
	done
	implementation Sum@1 counter_v1 0
	implementation Sum@2 counter_v2 1004
	put "$root/molt/last_result" 'ENOENT no such module'
	put "$root/molt/load" ''
	put "$root/debug/molt/history" 'id class from to result generation instances total_us pid comm
1 counter Sum@1 Sum@2 ok 1 1004 900 261 sh
2 counter Sum@2 Sum@1 ok 2 1004 900 - 7
3 counter Sum@1 Sum@2 ok 3 1004 900 263 moltctl
4 other Plain@1 Plain@2 ok 3 1 900 263 moltctl
5 counter Sum@2 Sum@3 ETIMEDOUT 3 0 900 264 sh'
}

# later_files: what other kernels have besides.
later_files()
{
	local file

	for file in switch: confirm: repair: default:Sum@2 rate:0 hold:0 'progress:120 1004' \
		'holders:counter_load other_caller'; do
		put "$class/${file%%:*}" "${file#*:}"
	done
	put "$root/molt/hold" 0
	put "$root/molt/transaction" ''
}

# ctl ARGUMENT...: its exit status is in $status, what it said in $said and $complaint.
ctl()
{
	status=0
	timeout 20 "$built/moltctl" --root "$root" "$@" >"$out/said" 2>"$out/complaint" </dev/null ||
		status=$?
	said=$(<"$out/said") complaint=$(<"$out/complaint")
}

same()
{
	[[ $1 == "$2" ]] || { printf 'have: %s\nwant: %s\n' "$1" "$2"; return 1; }
}

# has TEXT WORD...
has()
{
	local text=$1 word

	shift
	for word; do
		[[ $text == *"$word"* ]] || { printf 'have: %s\nwithout: %s\n' "$text" "$word"; return 1; }
	done
}

# writes FILE LINE ARGUMENT...: nothing but this line gets into the file, and it succeeds.
writes()
{
	local file=$1 line=$2

	shift 2
	: >"$file"
	ctl "$@"
	same "$status $complaint" '0 ' && same "$(<"$file")" "$line" && same "$(wc -l <"$file")" 1
}

# ends STATUS ARGUMENT...: with a complaint that names the tool or shows how it is used.
ends()
{
	local want=$1

	shift
	ctl "$@"
	same "$status" "$want" && [[ -n $complaint ]]
}

# all_end STATUS LINE...: the same for each line, in words; and nothing is written anywhere.
all_end()
{
	local want=$1 line words before

	shift
	before=$(find "$root" -type f -exec sha256sum {} +)
	for line; do
		read -ra words <<<"$line"
		ends "$want" "${words[@]}" || { echo "in: $line"; return 1; }
	done
	same "$(find "$root" -type f -exec sha256sum {} +)" "$before"
}

# refuses FILE: each write to it fails.
refuses()
{
	rm -f "$1"
	ln -s /dev/full "$1"
}

is_static()
{
	local headers

	headers=$(readelf -l "$built/moltctl") && has "$headers" LOAD && [[ $headers != *INTERP* ]]
}

has_errnos()
{
	rustc --edition=2021 --test -Adead_code -o "$out/errno" tools/moltctl/src/errno.rs && "$out/errno"
}

# in_all COMMAND...: manual and completions know all commands, and the manual the statuses.
in_all()
{
	local file

	for file in moltctl.8 moltctl.bash moltctl.zsh moltctl.fish; do
		has "$(<"$built/$file")" "$@" || { echo "in: $file"; return 1; }
	done
}

is_manual()
{
	local manual

	manual=$("$built/moltctl" man)
	same "$manual" "$(<"$built/moltctl.8")" && has "$manual" '.TH moltctl 8 ' '.SH COMMANDS' \
		'.SH "EXIT STATUS"' '.SS switch' 'deadline\-ms' ENOENT || return 1
	# Each macro is one that every formatter knows.
	! grep -E '^\.' <<<"$manual" | grep -vE '^\.(\\"|ie |el |TH |SH |SS |PP$|TP$|br$)'
}

# json FILTER: it holds of what was said.
json()
{
	jq -e "$1" <<<"$said" >/dev/null || { printf '%s\n' "$said"; return 1; }
}

shows_status()
{
	ctl status
	same "$status" 0 && same "$said" \
		'counter  idle  Sum@2  generation  3  instances  1004
    Sum@1  module counter_v1  instances     0
    Sum@2  module counter_v2  instances  1004
    last result: ok transition 3: Sum@1 to Sum@2'
}

shows_more()
{
	later_files
	put "$class/state" lazy
	put "$class/hold" 1
	put "$root/molt/hold" 1
	put "$class/default" Sum@1
	ctl status counter
	tree
	same "$status" 0 && has "$said" lazy '120 of 1004 transferred' held 'new instances: Sum@1' \
		'all classes are held'
}

gives_json()
{
	ctl status --json
	json '.hold == null and (.classes | length) == 1 and (.classes[0] |
		.name == "counter" and .state == "idle" and .implementation == "Sum" and .version == 2 and
		.generation == 3 and .instances == 1004 and .progress == null and .rate == null and
		.last_result.result == "ok" and (.implementations | length) == 2 and
		.implementations[1].module == "counter_v2" and .implementations[1].srcversion == null)'
}

gives_more_json()
{
	later_files
	ctl status --json
	tree
	json '.hold == false and (.classes[0] | .progress == {"done": 120, "total": 1004} and
		.holders == ["counter_load", "other_caller"] and .default == "Sum@2" and .hold == false)'
}

shows_history()
{
	ctl history counter
	same "$(wc -l <<<"$said")" 5 && same "$(sed -n 3p <<<"$said")" \
		' 2  counter  Sum@2  Sum@1  ok                  2       1004       900    -  7'
}

gives_history_json()
{
	ctl history counter --json
	json 'length == 4 and .[0].id == 1 and .[0].from == "Sum@1" and .[1].pid == null and
		.[1].comm == "7" and .[3].result == "ETIMEDOUT"'
}

# plans TEXT: what the kernel would do.
plans()
{
	put "$root/debug/molt/plans" "class from to path step
$1"
}

shows_plans()
{
	plans 'counter Sum@2 Sum@3 total converted from `Atomic<u64>`
counter Sum@2 Sum@3 log moved
counter Sum@2 Sum@1 calls dropped
# other: ENOMEM
other Sum@2 Sum@3 total moved'
	ctl check counter "$1"
	rm "$root/debug/molt/plans"
	same "$status" 0 && same "${said#*$'\n'}" "$2"
}

shows_plans_of_a_refusal()
{
	plans 'counter Sum@2 Sum@3 calls refused: `u64` would be lost'
	refuses "$class/update"
	put "$class/last_result" 'ENOSPC no room'
	ctl check counter Sum@3
	tree
	same "$status" 28 && has "$said" 'calls  refused: `u64` would be lost' && has "$complaint" 'no room'
}

# compares STATUS OLD NEW WORD...: what check says of two modules.
compares()
{
	local want=$1 old=$2 new=$3 words

	shift 3
	read -ra words <<<"$new"
	ctl check "$modules/$old.ko" "$modules/${words[0]}.ko" "${words[@]:1}"
	same "$status" "$want" && has "$said$complaint" "$@"
}

compares_json()
{
	ctl check --json "$modules/samples/counter_v1.ko" "$modules/samples/counter_v2.ko"
	json '.class == "counter" and .interface_changes == [] and .update.refused == null and
		.update.can_fail == false and .update.steps[0] == {"path": "total", "step": "moved"} and
		.back.to == "Sum@1" and .back.steps[1].step == "dropped"'
}

# no_module WORD...: what is no module of Molt.
no_module()
{
	ctl check "$modules/samples/counter_v1.ko" "$out/some.ko"
	same "$status $said" '22 ' && has "$complaint" "$out/some.ko: EINVAL: " "$@"
}

damaged()
{
	objcopy --dump-section ".molt.schema=$out/schema" "$modules/samples/counter_v2.ko" /dev/null
	truncate -s -1 "$out/schema"
	objcopy --update-section ".molt.schema=$out/schema" "$modules/samples/counter_v2.ko" "$out/some.ko"
	no_module 'its schema: the schema is truncated'
}

back_after()
{
	put "$root/debug/molt/history" "$1"
	ctl back counter
	tree
	same "$status" 1 && has "$complaint" "$2" 'moltctl update counter IMPL@V'
}

back_without_history()
{
	rm -r "$root/debug"
	ctl back counter
	tree
	same "$status" 2 && has "$complaint" debugfs 'moltctl update counter IMPL@V'
}

back_skips_other_kinds()
{
	put "$root/debug/molt/history" 'id class kind from to result generation
1 counter update Sum@1 Sum@2 ok 3
2 counter switch Sum@2 Sum@4 ok 3'
	writes "$class/update" 'Sum@1 expect=3' back counter
	local result=$?
	tree
	return $result
}

refusal()
{
	refuses "$class/update"
	put "$class/last_result" "$1"
	ctl update counter Sum@2
	tree
	same "$status" 28 && same "$complaint" "moltctl: counter: ENOSPC: $2"
}

refused_transaction()
{
	later_files
	refuses "$root/molt/transaction"
	put "$root/molt/last_result" 'ENOSPC beta: no room'
	ctl update alpha=A beta=B
	tree
	same "$status" 28 && same "$complaint" 'moltctl: transaction: ENOSPC: beta: no room'
}

is_missing()
{
	rm -r "$root/molt"
	ctl status
	tree
	same "$status" 19 && has "$complaint" ENODEV 'modprobe molt_control'
}

waits()
{
	local changer

	put "$class/state" tracking
	{ sleep 0.5; put "$class/state" idle; } &
	changer=$!
	ctl wait counter --timeout-ms 15000
	wait $changer
	same "$status" 0
}

waits_in_vain()
{
	put "$class/state" lazy
	ctl wait counter --timeout-ms 300
	tree
	same "$status" 110 && same "$complaint" 'moltctl: counter: ETIMEDOUT: its state is still lazy'
}

full_output()
{
	local status=0

	"$built/moltctl" --root "$root" status >/dev/full 2>"$out/complaint" || status=$?
	same "$status" 1 && has "$(<"$out/complaint")" 'standard output'
}

# check NAME COMMAND...: one case.
check()
{
	local name=$1 result=ok

	shift
	"$@" >"$out/log" 2>&1 || { result='not ok' failed=1; }
	[[ $result == ok ]] || sed 's/^/# /' "$out/log"
	echo "$result $((++number)) $name"
}

modules=build/modules
long=$(printf 'x%.0s' {1..56})
number=0 failed=0
tree
echo 'KTAP version 1'
echo '1..66'

check 'the binary needs no library' is_static
check 'errors have the names and numbers of the kernel' has_errnos
check 'the manual page is one' is_manual
check 'completions and manual know the commands' in_all status update check back switch default \
	hold confirm rate repair abort wait history remove load completions
check 'help succeeds' ctl --help
check 'and names exit statuses' has "$said" 'Exit status' ENOENT

check 'status is for people' shows_status
check 'it shows what is unusual' shows_more
check 'status as JSON' gives_json
check 'with what other kernels tell' gives_more_json
check 'history of a class' shows_history
check 'history as JSON' gives_history_json
check 'output that cannot be written is a failure' full_output

check 'update of a class' writes "$class/update" Sum@2 update counter Sum@2
check 'what came of it is told' same "$said" 'counter: transition 3: Sum@1 to Sum@2'
check 'the same as an assignment' writes "$class/update" Sum update counter=Sum
check 'options get into the line' writes "$class/update" \
	'Sum@2 policy=background deadline_ms=1 pause_ms=2 complete_ms=3 confirm_ms=4 expect=5' \
	update counter Sum@2 --expect 5 --confirm-ms 4 --complete-ms 3 --pause-ms 2 --deadline-ms 1 \
	--policy background
check 'check begins nothing' writes "$class/update" 'Sum@2 check=1' check counter Sum@2
check 'and shows what would be done' shows_plans Sum@3 '    total  converted from `Atomic<u64>`
    log    moved'
check 'of the highest version without one' shows_plans Sum '    total  converted from `Atomic<u64>`
    log    moved'
check 'of no other one' shows_plans Sum@1 '    calls  dropped'
check 'also where it is refused' shows_plans_of_a_refusal
check 'back goes by the history' writes "$class/update" 'Sum@1 expect=3' back counter
check 'and passes over what is no update' back_skips_other_kinds
check 'back without an update says what to do' back_after 'id class from to result generation' \
	'no committed update'
check 'also where the history is of an earlier class' back_after \
	$'id class from to result generation\n1 counter Sum@1 Sum@2 ok 1' 'does not lead to its generation'
check 'and where there is no history' back_without_history
check 'abort' writes "$class/abort" 1 abort counter
check 'remove' writes "$class/remove" 1 remove counter
check 'load, of a module' writes "$root/molt/load" counter_v2 load counter_v2
check 'load, of an implementation' writes "$root/molt/load" molt:counter:Sum@2 load molt:counter:Sum@2

check 'what this kernel has no file for is EOPNOTSUPP' all_end 95 'update counter=Sum@2 other=Sum@2' \
	'switch counter Sum@2 --count 1' 'default counter' 'default counter Sum' 'rate counter 5' \
	'hold on' 'hold counter off' 'confirm counter' 'repair counter Sum@2 --yes'
later_files
check 'update of several classes is a transaction' writes "$root/molt/transaction" \
	'alpha=Plain@2 beta=Plain deadline_ms=9' update alpha=Plain@2 --deadline-ms 9 beta=Plain
check 'check of several classes' writes "$root/molt/transaction" 'alpha=Plain@2 beta=Plain@2 check=1' \
	check alpha=Plain@2 beta=Plain@2
check 'switch by number' writes "$class/switch" 'Sum@2 percent=5 pause_ms=7' \
	switch counter Sum@2 --percent 5 --pause-ms 7
check 'switch by key' writes "$class/switch" 'Sum@2 key=sda1' switch counter Sum@2 --key sda1
check 'hold of a class' writes "$class/hold" 1 hold counter on
check 'hold of all' writes "$root/molt/hold" 0 hold off
check 'confirm' writes "$class/confirm" 1 confirm counter
check 'default and rate' writes "$class/default" Sum@1 default counter Sum@1
ctl default counter
check 'they are shown, too' same "$said" Sum@1
check 'repair takes --yes' writes "$class/repair" 'Sum@2 deadline_ms=5' \
	repair counter Sum@2 --yes --deadline-ms 5
check 'and is not done without' all_end 64 'repair counter Sum@2'
tree

check 'a refusal has the number, the name and the reason' refusal 'ENOSPC Sum@2: no room' \
	'Sum@2: no room'
check 'the reason of another one is not taken for it' refusal 'EPROTO Sum@2: no rule' \
	'No space left on device'
check 'a refused transaction' refused_transaction
check 'without molt_control.ko it is ENODEV' is_missing
check 'a class that there is not is ENOENT' all_end 2 'update nobody Sum@2' 'status nobody' 'wait nobody'
check 'wait ends when the class is idle' waits
check 'wait gives up in time' waits_in_vain

check 'check of two modules tells what happens to each field' compares 0 samples/counter_v1 \
	samples/counter_v2 'interface counter of class counter: the same' \
	'update Sum@1 to Sum@2: cannot fail: any policy' 'calls  begins with its default' \
	'back Sum@2 to Sum@1: ' 'calls  dropped'
check 'and whether it can fail' compares 0 samples/counter_v2 samples/counter_v3_bad \
	'can fail at `total`: policy eager only' 'total  converted from `Atomic<u64>`'
check 'which other policies refuse' compares 71 samples/counter_v2 \
	'samples/counter_v3_bad --policy lazy' 'counter_v3_bad.ko: EPROTO: the transfer can fail, '
check 'no way back is for those to refuse who need one' compares 71 samples/counter_v2 \
	'samples/counter_v3_bad --back' 'EPROTO: no way back: the state is irreversible'
check 'a way that nobody knows is EPROTO' compares 71 samples/counter_v1 samples/counter_v3_bad \
	'counter_v3_bad.ko: EPROTO: neither Sum@3 nor Sum@1 says how'
check 'statics that would begin again are named' compares 71 samples/counter_v3_bad \
	samples/counter_v2 'static `ASKED` begins again'
check 'functions of an author are not looked into' compares 0 selftests/modules/test_counter_slow \
	samples/counter_v2 'by functions of its author, which cannot be looked into'
check 'an interface of other words is EPROTO' compares 71 samples/counter_v1 \
	selftests/modules/test_counter_narrow 'callers cannot go on' \
	'EPROTO: method `add`: argument `n` was u64, is u32'
check 'the same as JSON' compares_json
check 'a file that is not there is ENOENT' compares 2 samples/counter_v1 samples/nobody ENOENT
echo text >"$out/some.ko"
check 'one that is no module is EINVAL' no_module 'it is no module'
cp "$modules/rust/molt/molt.ko" "$out/some.ko"
check 'so is one that is not of Molt' no_module 'it has no `.molt.schema`'
check 'and one with a damaged schema' damaged

check 'a wrong command line is 64' all_end 64 '' 'nothing' 'update' 'update counter' \
	'update counter Sum@2 Sum@3' 'update counter Sum@2 --policy never' 'update counter Sum@2 --expect -1' \
	'update counter Sum@2 --deadline-ms soon' 'update alpha=A@1 beta' 'update alpha=A beta=B --expect 1' \
	'switch counter Sum@2' 'switch counter Sum@2 --count 1 --percent 2' 'hold' 'hold counter maybe' \
	'completions tcsh' 'wait' 'rate counter fast' 'check a.ko' 'check a.ko b.ko c.ko' \
	'check counter Sum --json' 'check counter Sum --back' \
	"check $modules/samples/counter_v1.ko $modules/samples/counter_v2.ko --expect 1"
check 'names that are none are 64' all_end 64 'status ../counter' 'status .' 'update ../../x Sum@2' \
	'update counter=a=b other=c' 'update counter Sum@two' 'update counter Sum@+2' 'update counter Sum@' \
	'update counter Sum@4294967296' "status $long" "abort a/b" 'load /tmp/evil.ko' 'load molt:a' \
	'load molt:a:b@x' 'switch counter Sum/2 --count 1' 'default counter @1'
blanks()
{
	ends 64 update counter 'Sum@2 check=1' && ends 64 switch counter Sum --key 'a count=1' &&
		ends 64 switch counter Sum --key '' && ends 64 status '' && ends 64 status $'a\nb'
}
check 'blanks get into no line' blanks
((failed == 0))
