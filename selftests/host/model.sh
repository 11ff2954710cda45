#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The protocol of rust/molt/{gate,record,attempt,window}.rs, explored with loom.
#
# Each scenario of selftests/model must be free of violations with at most two
# preemptions in an execution, one in those that are large, and three in those that are
# small. MODEL_FULL=1 allows one more each, and takes tens of minutes. Each mutant in selftests/model/mutants, a patch of
# a copy of the source, must be found out in the scenario that it names; one that says it
# is harmless must not.
#
# Arguments choose cases, as in scenario/twice or mutant/no-gp. What a case printed is
# in build/model/log; that of a mutant ends with the trail of the violation.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
export CARGO_TARGET_DIR=$PWD/build/model
bound=2
[[ -z ${MODEL_FULL:-} ]] || bound=3

source=selftests/model
model=$CARGO_TARGET_DIR/release/molt-model
copies=$(mktemp -d)
log=$copies/log
mkdir -p "$log/scenario" "$log/mutant" "$CARGO_TARGET_DIR"
# The log of a run at the same time goes.
trap 'rm -rf "$CARGO_TARGET_DIR/log"; cp -r "$log" "$CARGO_TARGET_DIR"; rm -rf "$copies"' EXIT

# build: the model of the unpatched source; prints loom's library.
build()
{
	(cd "$source" && cargo build --release --locked --offline \
		--message-format=json-render-diagnostics) |
		jq -r 'select(.reason == "compiler-artifact" and .target.name == "loom")
			.filenames[] | select(endswith(".rlib"))'
}

# note KEY PATCH: what a mutant says about itself.
note()
{
	sed -n "s/^# $1//p" "$2"
}

# patched NAME: the model of the source with this patch.
patched()
{
	local copy=$copies/$1 level=0

	# Only what is explored to the end is worth optimising.
	! grep -q '^# Harmless' "$source/mutants/$1.patch" || level=1
	mkdir -p "$copy/selftests"
	cp -r --parents rust/molt "$source/src" "$copy" &&
		(cd "$copy" && git apply "$OLDPWD/$source/mutants/$1.patch") &&
		rustc --edition 2021 --crate-name molt_model -A warnings \
			-C "opt-level=$level" -C codegen-units=1 \
			-L "dependency=${loom%/*}" --extern "loom=$loom" \
			-o "$copy/molt-model" "$copy/$source/src/main.rs"
}

scenario()
{
	local more=0

	case $("$model" --list | sed -n "s/^$1 //p") in
	large) more=-1 ;;
	small) more=1 ;;
	esac
	"$model" $((bound + more)) "$1"
}

mutant()
{
	local patch=$source/mutants/$1.patch bounds=(1 2 3) bound status=0

	patched "$1" || return
	! grep -q '^# Harmless' "$patch" || bounds=(2)
	# Most are found with one preemption, in a fraction of the time.
	for bound in "${bounds[@]}"; do
		MODEL_TRAIL=1 "$copies/$1/molt-model" "$bound" "$(note 'Scenario: ' "$patch")" ||
			status=$?
		((status == 0)) || break
	done
	rm -rf "${copies:?}/$1"
	if grep -q '^# Harmless' "$patch"; then
		return "$status"
	fi
	# 3: a violation was found. Nothing found is as wrong as a crash.
	((status == 3))
}

cases=("$@")
loom=$(build 2>"$log/build") || { sed 's/^/# /' "$log/build"; echo 'Bail out! no model'; exit 1; }
if ((! ${#cases[@]})); then
	while read -r name _; do
		cases+=("scenario/$name")
	done < <("$model" --list)
	for patch in "$source"/mutants/*.patch; do
		name=${patch##*/}
		cases+=("mutant/${name%.patch}")
	done
fi

for name in "${cases[@]}"; do
	while (($(jobs -rp | wc -l) >= $(nproc))); do
		wait -n
	done
	{
		case $name in
		scenario/*) scenario "${name#*/}" ;;
		*) mutant "${name#*/}" ;;
		esac >"$log/$name" 2>&1
		echo $? >"$log/$name.status"
	} &
done
wait

echo 'KTAP version 1'
echo "1..${#cases[@]}"
number=0 failed=0
for name in "${cases[@]}"; do
	result=ok
	[[ $(<"$log/$name.status") == 0 ]] || { result='not ok' failed=1; }
	if [[ $result == ok ]]; then
		grep -E ' executions, |^violation: ' "$log/$name" | sed 's/^/# /'
	else
		sed 's/^/# /' "$log/$name"
	fi
	echo "$result $((++number)) $name"
done
exit "$failed"
