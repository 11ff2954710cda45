#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The schemas that modules carry, and their comparison: selftests/host/schema.rs, case by
# case. It also reads the schemas of the modules that were built.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo 'KTAP version 1'
if ! rustc --edition=2021 --test -Dwarnings -Coverflow-checks=on -Copt-level=1 -o "$out/schema" \
	selftests/host/schema.rs >"$out/log" 2>&1; then
	sed 's/^/# /' "$out/log"
	echo '1..1'
	echo 'not ok 1 compile'
	exit 1
fi

mkdir "$out/modules"
for module in build/modules/{samples,selftests/modules}/*.ko; do
	objcopy --dump-section ".molt.schema=$out/modules/${module##*/}" "$module" /dev/null \
		2>/dev/null
done
export MODULES=$out/modules

mapfile -t cases < <("$out/schema" --list --format terse | sed -n 's/: test$//p')
echo "1..${#cases[@]}"
number=0 failed=0
for name in "${cases[@]}"; do
	result=ok
	"$out/schema" --exact "$name" >"$out/log" 2>&1 || { result='not ok' failed=1; }
	[[ $result == ok ]] || sed 's/^/# /' "$out/log"
	echo "$result $((++number)) $name"
done
exit "$failed"
