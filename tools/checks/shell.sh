#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Every shell script, known by its first line, through shellcheck.

set -euo pipefail

git ls-files -z -co --exclude-standard | xargs -0 grep -lzE '^#![^[:cntrl:]]*\b(ba|busybox )?sh\b' |
	xargs -d '\n' shellcheck --external-sources
