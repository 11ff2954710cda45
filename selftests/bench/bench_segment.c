// SPDX-License-Identifier: GPL-2.0
/*
 * The per-CPU segment for User Mode Linux, so that modules there can be built with the code
 * that x86-64 runs: `add qword ptr gs:[...], 1` on a per-CPU address.
 *
 * A virtual processor is one thread of the host for good, which does not use gs, and no signal
 * changes its base. So the base is set once in each, by the host's arch_prctl(), to what this
 * processor's per-CPU variables are away from their addresses. The module cannot be unloaded:
 * whoever was built for the segment relies on it.
 *
 * Loading fails where the segment does not hold on some processor, after interrupts of its
 * timer and after sleeps too. Reading the parameter `holds` checks again.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#define HOST_ARCH_PRCTL 158
#define HOST_ARCH_SET_GS 0x1001

/* So many sleeps, and so many ticks of busy waiting, must leave the segment as it is. */
#define SLEEPS 20
#define TICKS 5

static DEFINE_PER_CPU(u64, own);

static long host_set_gs(unsigned long base)
{
	long result = HOST_ARCH_PRCTL;

	asm volatile("syscall" : "+a"(result) : "D"(HOST_ARCH_SET_GS), "S"(base)
		     : "rcx", "r11", "memory");
	return result;
}

static int set_segment(void *unused)
{
	int error;

	preempt_disable();
	error = host_set_gs(per_cpu_offset(smp_processor_id()));
	preempt_enable();
	return error;
}

/* Whether an increment by way of the segment is one of this processor's variable. */
static bool segment_holds(void)
{
	u64 before, after;

	preempt_disable();
	before = this_cpu_read(own);
	asm volatile("addq $1, %%gs:(%0)" : : "r"(&own) : "memory", "cc");
	after = this_cpu_read(own);
	preempt_enable();
	return after == before + 1;
}

static int check_segment(void *unused)
{
	unsigned long end;
	unsigned int i;

	for (i = 0; i < SLEEPS; i++) {
		if (!segment_holds())
			return -EFAULT;
		usleep_range(100, 1000);
	}
	end = jiffies + TICKS;
	while (time_before(jiffies, end)) {
		if (!segment_holds())
			return -EFAULT;
		cpu_relax();
	}
	return 0;
}

/* On each processor in turn, in a task that stays there. */
static int on_each(int (*body)(void *unused))
{
	unsigned int cpu;
	int error = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		error = smp_call_on_cpu(cpu, body, NULL, false);
		if (error) {
			pr_err("no per-CPU segment on CPU %u: error %d\n", cpu, error);
			break;
		}
	}
	cpus_read_unlock();
	return error;
}

static int get_holds(char *text, const struct kernel_param *unused)
{
	return sysfs_emit(text, "%c\n", on_each(check_segment) ? 'N' : 'Y');
}

static const struct kernel_param_ops holds_ops = { .get = get_holds };

module_param_cb(holds, &holds_ops, NULL, 0444);
MODULE_PARM_DESC(holds, "Whether it does, on all processors; checked anew by each look");

static int __init bench_segment_init(void)
{
	return on_each(set_segment) ?: on_each(check_segment);
}
module_init(bench_segment_init);

MODULE_AUTHOR("The Molt developers");
MODULE_DESCRIPTION("Molt benchmark: the per-CPU segment in User Mode Linux");
MODULE_LICENSE("GPL");
