#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What `make sdk` writes: modules in a folder elsewhere are built with it and nothing
# else of this checkout. Those modules are left in build/modules/sdk, and so are in the
# guests of later tests.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
KDIR=${KDIR:-/kernel/build}
OBJ=${OBJ:-build/modules}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/hello"

# kbuild MAKE-ARGUMENT...
kbuild()
{
	make -C "$KDIR" --no-print-directory -j"$(nproc)" "$@" modules
}

hello()
{
	kbuild M="$out/hello" MO="$out/$1" MOLT_SDK="$out/$2"
}

# The framework with one constant more that nobody uses.
altered()
{
	mkdir -p "$out/altered/samples"
	cp -r Kbuild rust "$out/altered"
	rm -rf "$out/altered/rust/control"
	# The reference to the ABI is made for clients only: so there is one.
	cp samples/counter.rs samples/counter_v1.rs "$out/altered/samples"
	printf '/// Nobody uses it.\npub const ALTERED: u32 = 1;\n' >>"$out/altered/rust/molt/error.rs"
	kbuild M="$out/altered"
}

abi_of()
{
	nm -u "$1" | grep -o 'molt_abi_[0-9a-f]*$'
}

same()
{
	[[ $1 == "$2" ]] || { printf 'not the same:\n%s\n%s\n' "$1" "$2"; return 1; }
}

is_whole()
{
	tools/pack-sdk "$OBJ" "$KDIR" "$out/sdk" &&
		[[ -e $out/sdk/molt.ko && -e $out/sdk/README.txt ]] &&
		! grep -r '@[A-Z]*@' "$out/sdk"/{Kbuild.molt,README.txt}
}

keeps_what_is_there()
{
	mkdir "$out/other"
	touch "$out/other/letter"
	! tools/pack-sdk "$OBJ" "$KDIR" "$out/other" && [[ -e $out/other/letter ]]
}

is_built_elsewhere()
{
	cp samples/hello/* "$out/hello" && (($(wc -l <"$out/hello/Kbuild") <= 5)) && hello built sdk
}

is_depending()
{
	same "$(modinfo -F depends "$out/built/hello_$1.ko")" molt
}

has_alias()
{
	same "$(modinfo -F alias "$out/built/hello_v1.ko")" molt:hello:Greeter@1 &&
		same "$(modinfo -F alias "$out/built/hello_v2.ko")" molt:hello:Greeter@2
}

has_abi()
{
	same "$(abi_of "$out/built/hello_$1.ko")" \
		"$(awk -F '\t' '$2 ~ /^molt_abi_/ { print $2 }' "$OBJ/Module.symvers")"
}

has_another_abi()
{
	altered >"$out/log.altered" 2>&1 || { cat "$out/log.altered"; return 1; }
	tools/pack-sdk "$out/altered" "$KDIR" "$out/sdk.altered" && hello rebuilt sdk.altered || return 1
	local abi
	abi=$(abi_of "$out/rebuilt/hello_v1.ko")
	[[ $abi == molt_abi_* && $abi != "$(abi_of "$out/built/hello_v1.ko")" ]]
}

is_refused_elsewhere()
{
	cp -r "$out/sdk" "$out/sdk.old"
	sed -i 's/^molt-release := .*/molt-release := 6.1.0/' "$out/sdk.old/Kbuild.molt"
	hello refused sdk.old >"$out/said" 2>&1 && return 1
	grep 'is for kernel 6.1.0, not' "$out/said" || { cat "$out/said"; return 1; }
}

is_left_for_guests()
{
	mkdir -p build/modules/sdk && cp "$out"/built/*.ko build/modules/sdk/
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

number=0 failed=0
echo 'KTAP version 1'
echo '1..11'
check 'the SDK is written' is_whole
check 'a folder that is something else is left alone' keeps_what_is_there
check 'a folder elsewhere is built with a Kbuild file of five lines' is_built_elsewhere
check 'an implementation depends on molt alone' is_depending v1
check 'a caller, too' is_depending caller
check 'implementations have their aliases' has_alias
check 'an implementation needs this build of the framework' has_abi v1
check 'a caller, too' has_abi caller
check 'with another build of the framework it needs that one' has_another_abi
check 'an SDK for another kernel is refused' is_refused_elsewhere
check 'the modules are there for guests' is_left_for_guests
((failed == 0))
