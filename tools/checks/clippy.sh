#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The modules once more, with the kernel's lints, and moltctl; a warning is a failure.

set -euo pipefail

make -C /kernel/build M=/molt MO=/molt/build/clippy CLIPPY=1 -j"$(nproc)" \
	--no-print-directory modules 2>&1 | tee /tmp/log
if grep -nE '^(warning|error)' /tmp/log; then
	# A warning is printed only once: build it again the next time.
	rm -rf build/clippy
	exit 1
fi

cd tools/moltctl
CARGO_TARGET_DIR=/molt/build/moltctl/target cargo clippy --locked --offline --quiet -- -Dwarnings
