// SPDX-License-Identifier: GPL-2.0
/*
 * What a tracker of processes does, in instructions where time counts them: probes that run before
 * and after its own, of the same events. Says at its end what lay between them on average. What it
 * says without a tracker is what a look at the clock costs.
 *
 *	modprobe molt_process; modprobe bench_process
 *	rmmod bench_process; dmesg	bench_process: fork NANOSECONDS CALLS, and so on
 */

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>

/* Whoever takes so long has lost the processor. */
#define MOST_NS 50000

struct event {
	const char *name, *label;
	void *before, *after;
	struct tracepoint *tracepoint;
	u64 since, sum, n;
};

static void begin(struct event *event)
{
	event->since = ktime_get_ns();
}

/* One processor, so that nothing but an interrupt or another task comes in between. */
static void end(struct event *event)
{
	u64 ns = ktime_get_ns() - event->since;

	if (ns > MOST_NS)
		return;
	event->sum += ns;
	event->n++;
}

static void before_fork(void *event, struct task_struct *parent, struct task_struct *child)
{
	begin(event);
}

static void after_fork(void *event, struct task_struct *parent, struct task_struct *child)
{
	end(event);
}

static void before_exec(void *event, struct task_struct *task, pid_t old_pid,
			struct linux_binprm *bprm)
{
	begin(event);
}

static void after_exec(void *event, struct task_struct *task, pid_t old_pid,
		       struct linux_binprm *bprm)
{
	end(event);
}

static void before_exit(void *event, struct task_struct *task, bool group_dead)
{
	begin(event);
}

static void after_exit(void *event, struct task_struct *task, bool group_dead)
{
	end(event);
}

static struct event events[] = {
	{ "sched_process_fork", "fork", before_fork, after_fork },
	{ "sched_process_exec", "exec", before_exec, after_exec },
	{ "sched_process_exit", "exit", before_exit, after_exit },
};

static void look_at(struct tracepoint *tracepoint, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(tracepoint->name, events[i].name))
			events[i].tracepoint = tracepoint;
}

static void unregister(int n)
{
	while (n--) {
		tracepoint_probe_unregister(events[n].tracepoint, events[n].before, &events[n]);
		tracepoint_probe_unregister(events[n].tracepoint, events[n].after, &events[n]);
	}
	tracepoint_synchronize_unregister();
}

static int __init bench_process_init(void)
{
	struct event *event;
	int i, error;

	for_each_kernel_tracepoint(look_at, NULL);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		event = &events[i];
		error = event->tracepoint ? 0 : -ENOENT;
		if (!error)
			error = tracepoint_probe_register_prio(event->tracepoint, event->before,
							       event, INT_MAX);
		if (error) {
			unregister(i);
			return error;
		}
		error = tracepoint_probe_register_prio(event->tracepoint, event->after, event,
						       INT_MIN);
		if (error) {
			tracepoint_probe_unregister(event->tracepoint, event->before, event);
			unregister(i);
			return error;
		}
	}
	return 0;
}

static void __exit bench_process_exit(void)
{
	int i;

	unregister(ARRAY_SIZE(events));
	for (i = 0; i < ARRAY_SIZE(events); i++)
		pr_info("bench_process: %s %llu %llu\n", events[i].label,
			events[i].n ? div64_u64(events[i].sum, events[i].n) : 0, events[i].n);
}

module_init(bench_process_init);
module_exit(bench_process_exit);
MODULE_DESCRIPTION("Molt benchmark: what a tracker of processes does");
MODULE_LICENSE("GPL");
