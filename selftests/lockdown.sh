#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: --append lockdown=integrity
#
# A kernel that is locked down: the modules here are not signed, and it takes none of them.

. ./functions.sh

dmesg | grep -q 'Kernel is locked down' ||
	{ echo "KTAP version 1"; echo "1..0 # SKIP this kernel has no lockdown"; exit 0; }
plan 3

# refused_module NAME
refused_module()
{
	errno=$(errno_name "$(insmod "$(module_file "$1")" 2>&1)")
	same "$errno" EPERM
}

check "the framework is refused" refused_module molt
check "nothing is left of it" not is_loaded molt
check "nor any file" not test -e $molt
