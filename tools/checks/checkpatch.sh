#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's checkpatch for C.

set -euo pipefail

git ls-files -z -co --exclude-standard '*.c' '*.h' |
	xargs -0 -r perl /kernel/tree/scripts/checkpatch.pl --no-tree --terse --strict --quiet -f
