#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The fuzz targets, briefly and always in the same way: selftests/fuzz. `make fuzz` lets them
# run for as long as one likes.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1

echo 'KTAP version 1'
echo '1..1'
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if tools/inside/fuzz "$out/corpus" -seed=1 -runs=100000 >"$out/log" 2>&1; then
	sed -n 's/^\(== .*\|stat::number_of_executed_units:.*\)/# \1/p' "$out/log"
	echo 'ok 1 nothing breaks the readers'
else
	grep -v '^#[0-9]' "$out/log" | tail -n 60 | sed 's/^/# /'
	echo 'not ok 1 nothing breaks the readers'
	exit 1
fi
