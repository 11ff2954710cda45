#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The orderings that the protocol relies on, in the Linux kernel's memory model: each test of
# selftests/litmus gives the result that it names. One that is never seen has no data race, and
# a twin without the ordering, NAME+WHAT, where it is seen. herd7 explores all executions. The
# model is that of the kernel's own source.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
herd=/run/herd/herd7
source=$PWD/selftests/litmus
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo 'KTAP version 1'
[[ -x $herd ]] || { echo '1..0 # SKIP herd7 could not be had: tools/setup-herd'; exit 4; }

# The model comes out of the kernel's source once: that takes seconds.
model=$PWD/build/litmus/$(sed -n 's/^VERSION=//p' /kernel/info)
if [[ ! -d $model ]]; then
	mkdir -p "$out/model" "${model%/*}" &&
		tar -xf /kernel/source.tar.xz -C "$out/model" --wildcards --strip-components=3 \
			'*/tools/memory-model/linux-kernel.*' '*/tools/memory-model/lock.cat' &&
		mv -T "$out/model" "$model"
fi

# explores FILE: herd7 gives the result that it names.
explores()
{
	local want got

	want=$(sed -n 's/^ \* Result: //p' "$1")
	(cd "$model" && "$herd" -conf linux-kernel.cfg "$1") >"$out/log" 2>&1 || return
	got=$(sed -nE 's/^Observation [^ ]+ ([A-Z][a-z]+) .*/\1/p' "$out/log")
	[[ -n $want && $got == "$want" ]] || return
	[[ $want == Never ]] || return 0
	! grep -q '^Flag' "$out/log" && compgen -G "${1%.litmus}+*.litmus" >/dev/null
}

tests=("$source"/*.litmus)
echo "1..${#tests[@]}"
number=0 failed=0
for test in "${tests[@]}"; do
	result=ok
	explores "$test" || { result='not ok' failed=1; sed 's/^/# /' "$out/log"; }
	name=${test##*/}
	echo "$result $((++number)) ${name%.litmus} $(sed -n 's/^ \* Result: //p' "$test")"
done
exit "$failed"
