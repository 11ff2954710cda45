#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What the documents say of the tree: links lead somewhere, files and verbs are there,
# each file in sysfs is in Documentation/ABI, and quotations are what the files hold. A
# quotation is a fenced block below a line `<!-- quote: FILE -->`: its lines stand in FILE
# in one piece. Also: no path of a machine and no name of a mirror stands anywhere.

set -euo pipefail

abi=Documentation/ABI/testing/sysfs-kernel-molt
status=0
mapfile -t documents < <(git ls-files -co --exclude-standard README.md Documentation tools/README.md |
	grep '\.md$' | sort)

problem()
{
	printf '%s: %s\n' "$1" "$2" >&2
	status=1
}

# The anchor that a heading gets.
anchors()
{
	sed -n 's/^#\+ //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

links()
{
	local document=$1 target file

	while IFS= read -r target; do
		[[ $target != http*://* ]] || continue
		file=$document
		[[ $target == '#'* ]] || file=$(dirname "$document")/${target%%#*}
		if [[ ! -e $file ]]; then
			problem "$document" "the link to $target leads nowhere"
		elif [[ $target == *'#'* ]] && ! anchors "$file" | grep -qxF "${target##*#}"; then
			problem "$document" "there is no heading for $target"
		fi
	done < <(grep -oE '\]\([^)]+\)' "$document" | sed 's/^](\(.*\))$/\1/')
}

# Code spans, and lines of code, one per line.
code()
{
	sed '/^```/,/^```/d' "$1" | grep -oE '`[^`]+`|^    .*' | sed 's/^`\(.*\)`$/\1/; s/^ *//'
}

verbs()
{
	local verb

	while IFS= read -r verb; do
		grep -q "^$verb:" Makefile || problem "$1" "there is no verb \`make $verb\`"
	done < <(code "$1" | sed -nE 's/^make ([a-z-]*[a-z])( .*)?$/\1/p')
}

# Paths of this tree; what is built or only a pattern is none.
paths()
{
	local path

	while IFS= read -r path; do
		[[ $path != build/* ]] || continue
		compgen -G "$path" >/dev/null || problem "$1" "there is no $path"
	done < <(code "$1" | grep -E '^[A-Za-z0-9_.*-]+(/[A-Za-z0-9_.*-]*)+$' |
		{ [[ $1 == README.md ]] && cat || grep -E "^($(git ls-files | grep / | cut -d/ -f1 | sort -u | paste -sd'|'))/"; })
}

# is_documented PATH: as a file or a folder of one. The class may be any.
is_documented()
{
	local path=${1%/}

	path=$(sed -E 's,/classes/[^/]+,/classes/<class>,; s,/implementations/[^/]+,/implementations/<name>,' <<<"$path")
	sed -nE 's/^(What:)?[[:space:]]+(\/sys\/[^[:space:]]*).*/\2/p' "$abi" |
		sed -E 's,/classes/[^/]+,/classes/<class>,; s,/implementations/[^/]+,/implementations/<name>,' |
		grep -qE "^$(sed 's/[.]/\\./g' <<<"$path")(/|$)"
}

sysfs()
{
	local path

	while IFS= read -r path; do
		is_documented "$path" || problem "$1" "$path is not in $abi"
	done < <(grep -oE '/sys/kernel/(debug/)?molt[A-Za-z0-9_<>@/-]*' "$1" | sort -u)
}

# Every file that the control module makes.
interface()
{
	local file

	while IFS= read -r file; do
		grep -qE "^(What:)?[[:space:]]+/sys/.*/$file\$" "$abi" || problem rust/control "$file is not in $abi"
	done < <(cat rust/control/*.rs | tr -d '\n' |
		grep -oE '(File::<[A-Za-z]+>::(shown|written)|Table::new)\([[:space:]]*c"[a-z_]+"' |
		sed 's/.*c"//; s/"//' | sort -u)
}

# quotations DOCUMENT: each fenced block below a quote line, against its file.
quotations()
{
	local line file='' block='' inside=''

	while IFS= read -r line; do
		if [[ $line =~ ^'<!-- quote: '(.*)' -->'$ ]]; then
			file=${BASH_REMATCH[1]}
		elif [[ $line == '```'* && -z $inside ]]; then
			inside=yes block=''
			[[ -n $file || $line != '```rust' ]] || problem "$1" 'code that is quoted from no file'
		elif [[ $line == '```' ]]; then
			[[ -z $file ]] || quotation "$1" "$file" "$block"
			inside='' file=''
		elif [[ -n $inside ]]; then
			block+=$line$'\n'
		fi
	done <"$1"
}

quotation()
{
	local text

	[[ -e $2 ]] || { problem "$1" "quotes $2, which is not there"; return; }
	text=$(cat "$2"; echo .)
	[[ -n $3 && $'\n'${text%.} == *$'\n'"$3"* ]] || problem "$1" "what it quotes from $2 is not there"
}

# What only one machine knows.
machines()
{
	local where

	where=$(git ls-files -z -co --exclude-standard |
		xargs -0 grep -nIE '(^|[^[:alnum:]_$}.])/(work|home|root)/[a-z.]|(deb|ftp|security|snapshot|archive)[a-z0-9.]*\.debian\.org|(static|index)\.crates\.io|artifactory|pypi|\bmirrors?\.[a-z]+\.' \
			--exclude=docs.sh) || return 0
	printf '%s\n' "$where" >&2
	problem 'the tree' 'names a machine or a mirror'
}

for document in "${documents[@]}"; do
	links "$document"
	verbs "$document"
	paths "$document"
	quotations "$document"
	! grep -n '<!-- transcript: missing -->\|@FIGURES@' "$document" ||
		problem "$document" 'something is still to be filled in'
done
if [[ -e $abi ]]; then
	for document in "${documents[@]}" samples/README; do
		sysfs "$document"
	done
	interface
else
	problem "$abi" 'is missing'
fi
machines
exit "$status"
