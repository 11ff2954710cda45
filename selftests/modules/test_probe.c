// SPDX-License-Identifier: GPL-2.0
/*
 * Probes functions of client modules, as a tracer does, and counts how often they are hit.
 * The kernel's own probe events refuse functions of Rust modules, which are not prepared
 * for ftrace; register_kprobe() does not.
 *
 * Usage: insmod with first= and second=, names from /proc/kallsyms; the counts are in
 * the parameters first_hits and second_hits.
 */

#include <linux/kprobes.h>
#include <linux/module.h>

static char *names[2];
static unsigned long hits[2];

module_param_named(first, names[0], charp, 0444);
module_param_named(second, names[1], charp, 0444);
module_param_named(first_hits, hits[0], ulong, 0444);
module_param_named(second_hits, hits[1], ulong, 0444);

static int count_first(struct kprobe *probe, struct pt_regs *regs)
{
	hits[0]++;
	return 0;
}

static int count_second(struct kprobe *probe, struct pt_regs *regs)
{
	hits[1]++;
	return 0;
}

static struct kprobe probes[2] = {
	{ .pre_handler = count_first },
	{ .pre_handler = count_second },
};

static int __init test_probe_init(void)
{
	int error;

	probes[0].symbol_name = names[0];
	probes[1].symbol_name = names[1];
	error = register_kprobe(&probes[0]);
	if (error)
		return error;
	error = register_kprobe(&probes[1]);
	if (error)
		unregister_kprobe(&probes[0]);
	return error;
}

static void __exit test_probe_exit(void)
{
	unregister_kprobe(&probes[1]);
	unregister_kprobe(&probes[0]);
}

module_init(test_probe_init);
module_exit(test_probe_exit);

MODULE_DESCRIPTION("Molt test: probes functions of client modules");
MODULE_LICENSE("GPL");
