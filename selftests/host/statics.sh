#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Names of statics: selftests/host/statics.rs, case by case.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo 'KTAP version 1'
if ! rustc --edition=2021 --test -Dwarnings -Coverflow-checks=on -o "$out/statics" \
	selftests/host/statics.rs >"$out/log" 2>&1; then
	sed 's/^/# /' "$out/log"
	echo '1..1'
	echo 'not ok 1 compile'
	exit 1
fi

mapfile -t cases < <("$out/statics" --list --format terse | sed -n 's/: test$//p')
echo "1..${#cases[@]}"
number=0 failed=0
for name in "${cases[@]}"; do
	result=ok
	"$out/statics" --exact "$name" >"$out/log" 2>&1 || { result='not ok' failed=1; }
	[[ $result == ok ]] || sed 's/^/# /' "$out/log"
	echo "$result $((++number)) $name"
done
exit "$failed"
