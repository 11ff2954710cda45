/* SPDX-License-Identifier: GPL-2.0 */
/* Between probe.c and the Rust part of the tracker, which declares the same. */

#ifndef _MOLT_PROCESS_PROBE_H
#define _MOLT_PROCESS_PROBE_H

#include <linux/types.h>

/* probe.c */
int process_probes_begin(void *tracker);
void process_probes_end(void);
int process_table_insert(u32 pid, void *instance);
int process_table_adopt(const void *task, u32 pid, void *instance);
void *process_table_find(u32 pid);
void *process_table_remove(u32 pid);
void *process_table_get(unsigned long *pid, void *(*get)(void *instance));
int process_adopt_all(void *tracker);

/* The Rust part. */
bool process_forked(void *tracker, u32 parent, u32 child);
void process_cloned(void *tracker, u32 pid);
void process_execed(void *tracker, u32 pid);
void process_exited(void *tracker, u32 pid);
int process_found(void *tracker, const void *task, u32 pid);

#endif /* _MOLT_PROCESS_PROBE_H */
