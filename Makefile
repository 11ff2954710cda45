# SPDX-License-Identifier: GPL-2.0
#
# What a user can ask for. Each verb is one script in tools/; the rules for the
# modules themselves are in Kbuild.

# With make gone, also by SIGKILL, its script ends too and takes all it began along.
RUN := setpriv --pdeathsig TERM

export KDIR SDK TESTS BENCH FUZZ_SECONDS FUZZ_JOBS M MINUTES SOAK CHECKERS

help: ## this list
	@sed -n -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
	@echo 'Set-up comes by itself. Where it is kept and what can be chosen: tools/README.md'

demo: ## replace a module that is in use, in a guest, and show each step
	@$(RUN) tools/demo

demo-storage: ## the same for the driver of a disk, with a file system on it
	@$(RUN) tools/demo storage

demo-process: ## the same for the objects of all processes, while they come and go
	@$(RUN) tools/demo process

test: ## run all tests, on this machine and in a guest (TESTS="name ..." for some)
	@$(RUN) tools/test

check: ## formatting, lints and other checks of the source
	@$(RUN) tools/check

check-module: ## take states of modules there and back (M=folder, or M="file ...")
	@$(RUN) tools/check-module

bench: ## measure calls and transitions (BENCH="name ..." for some of it)
	@$(RUN) tools/bench

soak: ## the long versions of the tests, for MINUTES (60), ending in a table (SOAK="name ..." for some)
	@$(RUN) tools/soak

debug-kernel: ## build kernels with checkers, once (25 minutes each; CHECKERS="kasan kcsan")
	@$(RUN) tools/setup-debug $(or $(CHECKERS),kasan kcsan)

test-debug: ## the tests in guests, on those
	@$(RUN) tools/test-debug

patches: ## write the series that makes Molt part of a kernel tree
	@$(RUN) tools/patches

test-tree: ## apply it to a copy of one; build, KUnit and selftests there
	@$(RUN) tools/test-tree

evidence: ## what is claimed, with the figures of tests and benchmarks (half an hour; FULL=1)
	@$(RUN) tools/evidence

fuzz: ## feed the readers of modules and schemas with nonsense (FUZZ_SECONDS=60 each)
	@$(RUN) tools/fuzz

shell: ## a prompt in a guest, with the modules and samples at hand
	@$(RUN) tools/shell

modules: ## build the modules (KDIR=directory for another kernel)
	@$(RUN) tools/modules

moltctl: ## build the command-line tool, its manual page and completions
	@$(RUN) tools/moltctl-build

sdk: ## what a module elsewhere is built with (SDK=directory; otherwise build/sdk)
	@$(RUN) tools/sdk

clean: ## remove what was built here; the shared cache stays
	@$(RUN) tools/clean

.PHONY: help demo demo-storage demo-process test check check-module bench soak debug-kernel test-debug \
	patches test-tree evidence fuzz shell modules moltctl sdk clean
