#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# development.sh N: a load of the sort of SDET, which is what somebody at a source tree does: N
# scripts at the same time, each with a folder of its own, copy the benchmarks' sources, look for
# words in them, sort, count, edit, compare, assemble, link, pack and remove them.

set -eu

work=/tmp/development

# script FOLDER: everything once.
script()
{
	local file name

	mkdir -p "$1/old" "$1/new"
	cp /bench/process.sh /bench/bench_process.c /bench/calls.rs /bench/bench.h "$1/old"
	cd "$1/old"
	for file in *; do
		name=${file%.*}
		sed 's/static/extern/g; s/[[:space:]]*$//' "$file" >"../new/$file"
		# shellcheck disable=SC2126 # the pipe is part of the load
		grep -n extern "../new/$file" | wc -l >"../new/$name.count" || :
		tr -cs '[:alnum:]_' '\n' <"$file" | sort | uniq -c | sort -rn |
			head -n 20 >"../new/$name.words"
		awk '{ n += NF } END { print n }' "$file" >"../new/$name.fields"
		diff "$file" "../new/$file" >"../new/$name.diff" || :
		cut -c 1-40 "$file" | fold -w 20 | tail -n 5 >"../new/$name.end"
	done
	cd ..
	cat >sum.s <<-END
		.globl _start
		_start:
			xor %edi, %edi
			mov \$60, %eax
			syscall
	END
	as -o sum.o sum.s
	ld -o sum sum.o
	./sum
	ls -l new >list
	find . -name '*.words' -exec cat {} + | sort -k 2 | md5sum >sums
	tar -cf - old new | gzip -1 >all.tar.gz
	gunzip -c all.tar.gz | tar -tf - | wc -l >>list
	cmp -s list sums || mv list new/
	cd ..
	rm -r "$1"
}

i=0 scripts=''
while [ $i -lt "$1" ]; do
	script $work/$i &
	scripts="$scripts $!"
	i=$((i + 1))
done
for i in $scripts; do
	wait "$i"
done
