#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Formatting by the kernel's rules. Files one by one: rustfmt would follow `mod`.

set -euo pipefail

git ls-files -z -co --exclude-standard '*.rs' |
	xargs -0 -r rustfmt --edition 2021 --check --config-path /kernel/common/.rustfmt.toml \
		--config skip_children=true 2>/tmp/errors || { cat /tmp/errors; exit 1; }
