// SPDX-License-Identifier: GPL-2.0
/* The probes and the table of the tracker of processes, for the one without Molt. */

#include "../../samples/process/probe.c"
