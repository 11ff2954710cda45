// SPDX-License-Identifier: GPL-2.0
/*
 * Live-patches the function of bench_target with one that does the same.
 *
 *	modprobe bench_livepatch
 *	until [ "$(cat /sys/kernel/livepatch/bench_livepatch/transition)" = 0 ]; do :; done
 *	echo 0 >/sys/kernel/livepatch/bench_livepatch/enabled
 */

#include <linux/atomic.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static u64 patched_add(atomic64_t *total, u64 n)
{
	return atomic64_add_return(n, total);
}

static struct klp_func funcs[] = {
	{ .old_name = "bench_target_add", .new_func = patched_add },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "bench_target", .funcs = funcs },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };

static int __init bench_livepatch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit bench_livepatch_exit(void)
{
}

module_init(bench_livepatch_init);
module_exit(bench_livepatch_exit);
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Molt benchmark: a live patch");
MODULE_LICENSE("GPL");
