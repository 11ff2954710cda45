// SPDX-License-Identifier: GPL-2.0
/*
 * What the measuring of calls needs of the kernel that is a macro in C: locks, memory as
 * molt.ko allocates it, and threads that stay on one processor each.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/rwlock.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#include "bench.h"

struct run {
	void (*body)(void *argument);
	void *argument;
	atomic_t running;
	struct completion ended;
};

void bench_locks_init(struct rw_semaphore *sem, rwlock_t *lock)
{
	init_rwsem(sem);
	rwlock_init(lock);
}

static struct kmem_cache *slots;

/* With a constructor memory is not zeroed whenever it is used again. */
static void make_slot(void *slot)
{
}

bool bench_slots_init(unsigned int size, unsigned int align)
{
	slots = kmem_cache_create("bench_slot", size, align, 0, make_slot);
	return slots;
}

void bench_slots_destroy(void)
{
	kmem_cache_destroy(slots);
}

void *bench_slot_alloc(void)
{
	return kmem_cache_alloc(slots, GFP_KERNEL);
}

void bench_slot_free(void *slot)
{
	kmem_cache_free(slots, slot);
}

void *bench_object_alloc(size_t size)
{
	return size <= PAGE_SIZE ? kzalloc(size, GFP_KERNEL) : kvzalloc(size, GFP_KERNEL);
}

void bench_object_free(void *object)
{
	kvfree(object);
}

static int run_thread(void *data)
{
	struct run *run = data;

	run->body(run->argument);
	if (atomic_dec_and_test(&run->running))
		complete(&run->ended);
	return 0;
}

/* The threads wait for each other, so either all of them begin or none. */
int bench_run_on(unsigned int cpus, void (*body)(void *argument), void *argument)
{
	struct run run = { .body = body, .argument = argument };
	struct task_struct *threads[8];
	unsigned int cpu, made;

	if (cpus < 1 || cpus > ARRAY_SIZE(threads) || cpus > num_online_cpus())
		return -EINVAL;
	atomic_set(&run.running, cpus);
	init_completion(&run.ended);

	for (made = 0; made < cpus; made++) {
		cpu = cpumask_nth(made, cpu_online_mask);
		threads[made] = kthread_create_on_cpu(run_thread, &run, cpu, "bench/%u");
		if (IS_ERR(threads[made]))
			break;
	}
	if (made < cpus) {
		int error = PTR_ERR(threads[made]);

		while (made--)
			kthread_stop(threads[made]);
		return error;
	}
	while (made--)
		wake_up_process(threads[made]);
	wait_for_completion(&run.ended);
	return 0;
}
