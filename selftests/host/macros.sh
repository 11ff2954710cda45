#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What the macros accept and what they refuse.
#
# selftests/macros/accept/*.rs must compile as code of a client module, without a
# warning and without `unsafe`. selftests/macros/reject/*.rs must not, and the
# compiler must say what stands in the .stderr beside it. BLESS=1 writes those.
#
# KDIR is the kernel directory, OBJ has libmolt_macros.so, libmolt.rmeta and
# libmolt_abi.rmeta in it. Arguments choose cases, as in reject/result-dyn.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
KDIR=${KDIR:-/kernel/build}
OBJ=${OBJ:-build/modules/rust/crates}
export OBJTREE=$KDIR RUSTC_BOOTSTRAP=1

inputs=selftests/macros
features=arbitrary_self_types,asm_goto,generic_arg_infer,used_with_arg
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# compile FILE FLAG...: as Kbuild would, but without code generation.
compile()
{
	local file=$1
	shift

	RUST_MODFILE=${file%.rs} rustc --edition=2021 --crate-type rlib --emit=metadata \
		--out-dir "$out/${file//\//-}.d" --target="$KDIR/scripts/target.json" \
		-Cpanic=abort -Zunstable-options "-Zallow-features=$features" \
		-Zcrate-attr=no_std "-Zcrate-attr=feature($features)" --sysroot=/dev/null \
		--cfg MODULE "@$KDIR/include/generated/rustc_cfg" -L "$KDIR/rust" -L "$OBJ" \
		--extern pin_init --extern kernel --extern molt --extern molt_abi \
		--diagnostic-width=100 "$@" "$file"
}

# Messages without what depends on other files than the input: quotations of the
# framework's source, lists of types that would do, and the count at the end. Of an
# assertion in there its text is left.
normalise()
{
	awk '
	/^(error|warning)/ { skip = 0 }
	/^(note: |help: consider|error: aborting|Some errors have|For more information)/ { skip = 1 }
	/^ *= / { skip = 0 }
	/^ *= (help: (the|you may|consider|add)|note: this error originates|note: see)/ { skip = 1 }
	/^$/ { skip = 0; foreign = 0 }
	/^ *--> \/molt\/rust\// { foreign = 1 }
	foreign && sub(/^.*the evaluated program panicked at/, "  = panicked at") {
		sub(/, \/molt\/rust\/.*/, "")
		print
	}
	foreign { next }
	!skip' | cat -s | sed '$ { /^$/d }'
}

accept()
{
	compile "$1" -Dunsafe_code -Dwarnings -Wmissing_docs -Wrust_2018_idioms -Wunreachable_pub
}

reject()
{
	local expected=${1%.rs}.stderr

	if compile "$1" -Awarnings >"$out/raw" 2>&1; then
		echo 'it compiles'
		return 1
	fi
	normalise <"$out/raw" >"$out/said"
	[[ -z ${BLESS:-} ]] || cp "$out/said" "$expected"
	diff -u --label expected "$expected" --label said "$out/said"
}

cases=("$@")
if ((! ${#cases[@]})); then
	for file in "$inputs"/{accept,reject}/*.rs; do
		file=${file#"$inputs/"}
		cases+=("${file%.rs}")
	done
fi

echo 'KTAP version 1'
echo "1..${#cases[@]}"
number=0 failed=0
for name in "${cases[@]}"; do
	result=ok
	case $name in
	accept/*) accept "$inputs/$name.rs" ;;
	*) reject "$inputs/$name.rs" ;;
	esac >"$out/log" 2>&1 || { result='not ok' failed=1; }
	[[ $result == ok ]] || sed 's/^/# /' "$out/log"
	echo "$result $((++number)) $name"
done
exit "$failed"
