/* SPDX-License-Identifier: GPL-2.0 */
/* C functions of the benchmarks that are called by name from elsewhere. */
#ifndef MOLT_BENCH_H
#define MOLT_BENCH_H

#include <linux/rwlock_types.h>
#include <linux/rwsem.h>
#include <linux/types.h>

/* By the Rust part of bench_calls. */
void bench_locks_init(struct rw_semaphore *sem, rwlock_t *lock);
bool bench_slots_init(unsigned int size, unsigned int align);
void bench_slots_destroy(void);
void *bench_slot_alloc(void);
void bench_slot_free(void *slot);
void *bench_object_alloc(size_t size);
void bench_object_free(void *object);
int bench_run_on(unsigned int cpus, void (*body)(void *argument), void *argument);

/* By bench_target itself; global, so that the live patch finds it. */
u64 bench_target_add(atomic64_t *total, u64 n);

#endif
