#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What the documents say of the tree; tools/inside/docs says what is looked at.

set -euo pipefail

exec tools/inside/docs
