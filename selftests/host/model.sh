#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The protocol of rust/molt/{gate,record,attempt,window}.rs, explored with loom.
#
# Each scenario of selftests/model must be free of violations with at most two
# preemptions in an execution, one in those that are large, and three in those that are
# small. FULL=1 allows one more each, and takes tens of minutes. Within this bound every
# execution is explored. Each mutant in selftests/model/mutants, a patch of a copy of the
# source, must be found out in the scenario that it names; one that says it is harmless must
# not. What all cases come to is told at the end, and must be enough.
#
# Arguments choose cases, as in scenario/twice or mutant/no-gp. What a case printed is
# in build/model/log; that of a mutant ends with the trail of the violation.

set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
export CARGO_TARGET_DIR=$PWD/build/model
bound=2 enough=1000000
[[ -z ${FULL:-} ]] || bound=3 enough=10000000

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
	local patch=$source/mutants/$1.patch bounds=(1 2 3) bound status=0 scenario

	patched "$1" || return
	scenario=$(note 'Scenario: ' "$patch")
	! grep -q '^# Harmless' "$patch" || bounds=(2)
	# Most are found with one preemption, in a fraction of the time.
	for bound in "${bounds[@]}"; do
		MODEL_TRAIL=1 "$copies/$1/molt-model" "$bound" "$scenario" || status=$?
		((status == 0)) || break
	done
	rm -rf "${copies:?}/$1"
	if grep -q '^# Harmless' "$patch"; then
		return "$status"
	fi
	# 3: a violation was found. Nothing found is as wrong as a crash.
	((status == 3)) && echo "found by scenario $scenario, at most $bound preemptions"
}

# enough: what was explored without a violation, and the mutants that were found.
enough()
{
	local explored mutants found

	explored=$(cat "$log"/scenario/* | awk '/ executions, / { sum += $2 } END { print sum + 0 }')
	mutants=$(grep -L '^# Harmless' "$source"/mutants/*.patch | wc -l)
	found=$(grep -l '^found by scenario ' "$log"/mutant/* | wc -l)
	echo "# figure interleavings of the protocol's source that were explored without a violation |" \
		"$explored, in $("$model" --list | wc -l) scenarios | at least $enough"
	echo "# figure mutants of it that the scenarios find | $found of $mutants | all"
	((explored >= enough && found == mutants))
}

cases=("$@")
loom=$(build 2>"$log/build") || { sed 's/^/# /' "$log/build"; echo 'Bail out! no model'; exit 1; }
is_whole=0
if ((! ${#cases[@]})); then
	is_whole=1
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
echo "1..$((${#cases[@]} + is_whole))"
number=0 failed=0
for name in "${cases[@]}"; do
	result=ok
	[[ $(<"$log/$name.status") == 0 ]] || { result='not ok' failed=1; }
	if [[ $result == ok ]]; then
		grep -E ' executions, |^violation: |^found by ' "$log/$name" | sed 's/^/# /'
	else
		sed 's/^/# /' "$log/$name"
	fi
	echo "$result $((++number)) $name"
done
if ((is_whole)); then
	result=ok
	enough || { result='not ok' failed=1; }
	echo "$result $((++number)) enough"
fi
exit "$failed"
