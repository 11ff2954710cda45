#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make check-module`: what it says of the samples, and of selftests/round-trip, where all
# modules take over the state of base.rs, most of them wrongly.
#
# What stands in backquotes is said, not run.
# shellcheck disable=SC2016

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
dir=/molt/selftests/round-trip
number=0 failed=0

# look NAME SOURCE...: what is said of modules, and the status.
look()
{
	local name=$1

	shift
	tools/inside/check-module "$@" >"$out/$name" 2>"$out/$name.err"
	echo "status $?" >>"$out/$name"
}

# case_of NAME TEST LINE...: lines that must be in what was said, each as a whole.
case_of()
{
	local said=$out/$1 name=$2 line result=ok

	shift 2
	for line; do
		grep -qxE -- "$line" "$said" && continue
		result='not ok' failed=1
		echo "# not said: $line"
	done
	[[ $result == ok ]] || sed 's/^/# | /' "$said" "$said.err"
	echo "$result $((++number)) $name"
}

# verdict FILE NAME SAYS: base.rs and this one, which must not come out well.
verdict()
{
	case_of all "$1" "#   $3" "not ok [0-9]+ place Base@1 to $2 and back"
}

echo 'KTAP version 1'
echo '1..14'

look samples /molt/samples /molt/samples/hello /molt/samples/store
case_of samples samples 'status 0' \
	'ok [0-9]+ counter Sum@1 to Sum@2 and back' \
	'ok [0-9]+ counter Sum@2 to Busy@1 and back' \
	'ok [0-9]+ counter Sum@2 to Sum@3 and back # SKIP' \
	'#   some are refused: field `total`, Numerical argument out of domain .*' \
	'#     refused: Sum@3 to Sum@2: the state is irreversible, as its author says' \
	'ok [0-9]+ hello Greeter@1 to Greeter@2 and back' \
	'ok [0-9]+ store Table@1 to Table@2 and back' \
	'ok [0-9]+ store Table@1 to Table@3 and back' \
	'ok [0-9]+ store Table@2 to Table@3 and back' \
	'#     table\[\]\.value  converted from `u32`'

look all $dir
case_of all 'a folder with faults' 'status 1'
case_of all good.rs 'ok [0-9]+ place Base@1 to Good@1 and back' \
	'#   8 states went there and back, and are what they were' \
	'#   [1-9][0-9]+ allocations were made to fail'
case_of all anew.rs 'ok [0-9]+ place Base@1 to Anew@1 and back' \
	'#   8 states went there and back, .*, but for what begins again: count'
case_of all late.rs 'ok [0-9]+ place Base@1 to Late@1 and back' \
	'#   field `spare` was [0-9]+ and comes back as 7' \
	'#   that is with other values than `create` gives: no failure'
verdict inverse.rs Inverse@1 'field `value` was [0-9]+ and comes back as [0-9]+'
verdict leak.rs Leak@1 'state number 0: memory is lost: .*'
verdict sleeps.rs Sleeps@1 'state number 0: an allocation may sleep, but interrupts are off'
verdict touch.rs Touch@1 'state number 0: a move that was not made changes the old state'
case_of all panics.rs 'not ok [0-9]+ place Base@1 to Panics@1 and back' '# no way for 0'
case_of all absent.rs 'ok [0-9]+ place Base@1 to Absent@1 and back # SKIP' \
	'# calls `rust_helper_fsleep`, which only the kernel has'
case_of all broken.rs '# broken.rs is not looked at: error.*no_such_function.*'

look named $dir/base.rs $dir/absent.rs
case_of named 'what is absent, of a file that is named' 'status 1' \
	'not ok 1 place Base@1 to Absent@1 and back'
look named $dir/base.rs $dir/broken.rs
case_of named 'what does not compile, of a file that is named' 'status 1' \
	'# broken.rs is not looked at: error.*'

exit "$failed"
