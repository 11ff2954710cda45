#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What of the framework runs on the host, with each access of memory checked by AddressSanitizer:
# states of the samples go there and back, and the tests of the readers run. Two modules access
# what they must not (selftests/round-trip/memory), which nothing else finds.
#
# What is written in assembler and what rustc brings along compiled are not checked.
#
# Functions are called by case_of.
# shellcheck disable=SC2317

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export RUSTC_BOOTSTRAP=1 ASAN_OPTIONS=detect_leaks=0
modules=/molt/selftests/round-trip
number=0 failed=0

# case_of NAME COMMAND...: one case.
case_of()
{
	local name=$1 result=ok

	shift
	"$@" >"$out/log" 2>&1 || { result='not ok' failed=1; sed 's/^/# /' "$out/log"; }
	echo "$result $((++number)) $name"
}

# readers NAME: the tests of selftests/host/NAME.rs pass.
readers()
{
	rustc --edition=2021 --test -Dwarnings -Copt-level=1 -Zsanitizer=address \
		-Zexternal-clangrt -Zpre-link-args='-Wl,--no-as-needed -lasan' -o "$out/$1" \
		"selftests/host/$1.rs" && "$out/$1"
}

# finds PROBLEM NAME: it is said of the way to the implementation NAME.
finds()
{
	cat "$out/planted"
	grep -q "^# .*AddressSanitizer: $1 " "$out/planted" &&
		grep -q "^not ok [0-9]* place Base@1 to $2@1 and back" "$out/planted"
}

echo 'KTAP version 1'
echo '1..6'
export SANITIZE=1

case_of 'states go there and back' tools/inside/check-module /molt/samples /molt/samples/hello \
	/molt/samples/store $modules/{base,good,anew,late}.rs
tools/inside/check-module $modules/base.rs $modules/memory/{past,freed}.rs \
	>"$out/planted" 2>&1
case_of 'an access past the end is found' finds heap-buffer-overflow Past
case_of 'so is one of memory that was freed' finds use-after-poison Freed
for name in request statics schema; do
	case_of "the tests of $name" readers $name
done
exit "$failed"
