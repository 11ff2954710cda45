#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's checkpatch for C. Two of its rules do not know lists of symbols that are made
# by a macro, which the kernel's own rust/exports.c has as well; two more do not know how
# tracepoints are declared, in the kernel's own headers as here.

set -euo pipefail

check()
{
	xargs -0 -r perl /kernel/tree/scripts/checkpatch.pl --no-tree --terse --strict --quiet \
		--ignore "EXPORT_SYMBOL,MACRO_ARG_REUSE${1:-}" -f
}

git ls-files -z -co --exclude-standard '*.c' '*.h' ':!*/trace.h' | check
git ls-files -z -co --exclude-standard '*/trace.h' | check ,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
