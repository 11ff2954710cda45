// SPDX-License-Identifier: GPL-2.0
/*
 * Whoever loads this dies: its init reads from address 8. It stays half loaded.
 */

#include <linux/init.h>
#include <linux/module.h>

static int __init test_oops_init(void)
{
	unsigned long read;

	/* By hand: no checker has put an instruction of its own before it. */
	asm volatile("movq (%1), %0" : "=r" (read) : "r" (8UL));
	return read ? -EINVAL : -ENODEV;
}

module_init(test_oops_init);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Molt developers");
MODULE_DESCRIPTION("Molt test: an oops outside all classes");
