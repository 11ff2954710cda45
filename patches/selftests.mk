# SPDX-License-Identifier: GPL-2.0

# Tests that need a disk of some size, its tools, or a machine that counts instructions run from
# Molt's own tree, and so do those that oops the kernel on purpose.
elsewhere := availability.sh deadline.sh icount.sh moltctl.sh process.sh prompt.sh ramblk.sh \
	     scale.sh schema.sh window.sh $(wildcard oops*.sh)
extended := functions.sh

TEST_GEN_FILES := $(basename $(wildcard *.c))
TEST_PROGS := $(filter-out $(elsewhere) $(extended),$(wildcard *.sh))
TEST_PROGS_EXTENDED := $(extended)
TEST_FILES := settings

CFLAGS += -O2 -static

include ../lib.mk
