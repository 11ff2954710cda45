// SPDX-License-Identifier: GPL-2.0
/*
 * A function that can be live-patched, and callers of it. It does what a method of the
 * counter samples does.
 *
 *	echo NAME >/sys/module/bench_target/parameters/measure
 *		a million calls with interrupts off; "result NAME ..." in the log
 *	echo MILLISECONDS >/sys/module/bench_target/parameters/call
 *		calls without pause for that time, or until a signal
 */

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/timex.h>

#include "bench.h"

#define CALLS 1000000

static atomic64_t counter;

noinline u64 bench_target_add(atomic64_t *total, u64 n)
{
	return atomic64_add_return(n, total);
}

static int measure(const char *name, const struct kernel_param *param)
{
	unsigned long flags;
	u64 ticks, fraction;
	u32 rest;
	int i;

	local_irq_save(flags);
	ticks = get_cycles();
	for (i = 0; i < CALLS; i++) {
		bench_target_add(&counter, 1);
		barrier();
	}
	ticks = get_cycles() - ticks;
	local_irq_restore(flags);

	fraction = div_u64_rem(div_u64(ticks, CALLS / 100), 100, &rest);
	pr_info("bench_target: result %.*s %llu.%02u instructions 1 %d\n",
		(int)strcspn(name, "\n"), name, fraction, rest, CALLS);
	return 0;
}

static int call(const char *milliseconds, const struct kernel_param *param)
{
	unsigned int ms;
	ktime_t end;
	int i;

	if (kstrtouint(milliseconds, 10, &ms))
		return -EINVAL;
	end = ktime_add_ms(ktime_get(), ms);
	while (ktime_before(ktime_get(), end) && !signal_pending(current)) {
		for (i = 0; i < 1000; i++)
			bench_target_add(&counter, 1);
		cond_resched();
	}
	return 0;
}

static const struct kernel_param_ops measure_ops = { .set = measure };
static const struct kernel_param_ops call_ops = { .set = call };

module_param_cb(measure, &measure_ops, NULL, 0200);
MODULE_PARM_DESC(measure, "A name: measure calls, and log the result under it");
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "Call without pause for so many milliseconds");

MODULE_DESCRIPTION("Molt benchmark: a function that can be live-patched");
MODULE_LICENSE("GPL");
