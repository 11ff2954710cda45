#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's checkpatch for C. Two of its rules do not know lists of symbols that are made
# by a macro, which the kernel's own rust/exports.c has as well.

set -euo pipefail

git ls-files -z -co --exclude-standard '*.c' '*.h' |
	xargs -0 -r perl /kernel/tree/scripts/checkpatch.pl --no-tree --terse --strict --quiet \
		--ignore EXPORT_SYMBOL,MACRO_ARG_REUSE -f
