// SPDX-License-Identifier: GPL-2.0
/*
 * Where processes begin and end, and the table of their instances by process number.
 *
 * The probes run in the task that forks, executes or exits, with nothing held but the SRCU read
 * lock of tracepoints: they may sleep. A process is in the list of tasks before its fork is
 * reported, and runs after that; its exit is reported before its number can be given to another.
 */

#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/xarray.h>
#include <trace/events/sched.h>

#include "probe.h"

static DEFINE_XARRAY(processes);

/* ---- the table ---- */

/* -EBUSY: it is there. Sleeps. */
int process_table_insert(u32 pid, void *instance)
{
	return xa_insert(&processes, pid, instance, GFP_KERNEL);
}

/*
 * The same for a process that may be at its end; -ESRCH: it is. Whoever is alive here, under the
 * lock, removes its entry later. So the lock is not to be dropped for an allocation.
 */
int process_table_adopt(const void *task, u32 pid, void *instance)
{
	const struct task_struct *leader = task;
	int error = -ESRCH;

	xa_lock(&processes);
	if (atomic_read(&leader->signal->live))
		error = __xa_insert(&processes, pid, instance, GFP_ATOMIC);
	xa_unlock(&processes);
	return error;
}

void *process_table_find(u32 pid)
{
	return xa_load(&processes, pid);
}

void *process_table_remove(u32 pid)
{
	return xa_erase(&processes, pid);
}

/* What get() makes of the first entry from *pid on, while that is in the table. */
void *process_table_get(unsigned long *pid, void *(*get)(void *instance))
{
	void *instance;

	xa_lock(&processes);
	instance = xa_find(&processes, pid, ULONG_MAX, XA_PRESENT);
	if (instance)
		instance = get(instance);
	xa_unlock(&processes);
	return instance;
}

/* ---- the probes ---- */

static void on_fork(void *tracker, struct task_struct *parent, struct task_struct *child)
{
	if (!thread_group_leader(child)) {
		process_cloned(tracker, parent->tgid);
		return;
	}
	/* A tracepoint cannot refuse; the child dies before its first instruction. */
	if (!process_forked(tracker, parent->tgid, child->tgid) && !(child->flags & PF_KTHREAD))
		send_sig(SIGKILL, child, 1);
}

static void on_exec(void *tracker, struct task_struct *task, pid_t old_pid,
		    struct linux_binprm *bprm)
{
	process_execed(tracker, task->tgid);
}

static void on_exit(void *tracker, struct task_struct *task, bool group_dead)
{
	if (group_dead)
		process_exited(tracker, task->tgid);
}

/* In the order in which they are registered: whoever is inserted must be removed. */
static struct {
	const char *name;
	void *probe;
	struct tracepoint *tracepoint;
	void *tracker;
} probes[] = {
	{ "sched_process_exit", on_exit },
	{ "sched_process_exec", on_exec },
	{ "sched_process_fork", on_fork },
};

static void look_at(struct tracepoint *tracepoint, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tracepoint->name, probes[i].name))
			probes[i].tracepoint = tracepoint;
}

/* No probe runs any more after this. Sleeps. */
void process_probes_end(void)
{
	int i;

	for (i = ARRAY_SIZE(probes) - 1; i >= 0; i--) {
		if (probes[i].tracker)
			tracepoint_probe_unregister(probes[i].tracepoint, probes[i].probe,
						    probes[i].tracker);
		probes[i].tracker = NULL;
	}
	tracepoint_synchronize_unregister();
}

/* Sleeps. */
int process_probes_begin(void *tracker)
{
	int i, error;

	check_trace_callback_type_sched_process_exit(on_exit);
	check_trace_callback_type_sched_process_exec(on_exec);
	check_trace_callback_type_sched_process_fork(on_fork);
	/* Those of the kernel itself are not exported. */
	for_each_kernel_tracepoint(look_at, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		error = probes[i].tracepoint ?
			tracepoint_probe_register(probes[i].tracepoint, probes[i].probe, tracker) :
			-ENOENT;
		if (error) {
			process_probes_end();
			return error;
		}
		probes[i].tracker = tracker;
	}
	return 0;
}

/* ---- processes from before ---- */

/* All leaders that fit, with a reference each; how many there are. */
static size_t take_leaders(struct task_struct **leaders, size_t most)
{
	struct task_struct *task;
	size_t n = 0;

	rcu_read_lock();
	for_each_process(task) {
		if (n < most)
			leaders[n] = get_task_struct(task);
		n++;
	}
	rcu_read_unlock();
	return n;
}

static void put_leaders(struct task_struct **leaders, size_t n)
{
	while (n)
		put_task_struct(leaders[--n]);
	kvfree(leaders);
}

/*
 * Hands all processes to process_found(), with the probes in place; those that are made meanwhile
 * may be among them. Sleeps.
 */
int process_adopt_all(void *tracker)
{
	size_t i, n, most = 256;
	struct task_struct **leaders;
	int error = 0;

	for (;;) {
		leaders = kvmalloc_array(most, sizeof(*leaders), GFP_KERNEL);
		if (!leaders)
			return -ENOMEM;
		n = take_leaders(leaders, most);
		if (n <= most)
			break;
		put_leaders(leaders, most);
		most = 2 * n;
	}
	for (i = 0; i < n && !error; i++)
		error = process_found(tracker, leaders[i], leaders[i]->tgid);
	put_leaders(leaders, n);
	return error;
}
