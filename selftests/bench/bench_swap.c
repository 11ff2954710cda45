// SPDX-License-Identifier: GPL-2.0
/*
 * A misc device as it is without Molt, in two ways: to be removed and inserted again, or with a
 * lock around each call and a state that can be replaced under it, as Bento has it for file
 * systems.
 * An ioctl is a call; one with the first command takes 20 ms. A write replaces the state.
 */

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "Take a lock around each call");

struct bench_state {
	atomic64_t calls;
};

static struct bench_state *state;
static DECLARE_RWSEM(lock);

static long bench_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	if (locked)
		down_read(&lock);
	atomic64_inc(&state->calls);
	if (command == _IO('B', 1))
		msleep(20);
	if (locked)
		up_read(&lock);
	return 0;
}

static ssize_t bench_write(struct file *file, const char __user *text, size_t length,
			   loff_t *position)
{
	struct bench_state *new = kzalloc_obj(*new);
	struct bench_state *old;

	if (!new)
		return -ENOMEM;
	down_write(&lock);
	old = state;
	atomic64_set(&new->calls, atomic64_read(&old->calls));
	state = new;
	up_write(&lock);
	kfree(old);
	return length;
}

static const struct file_operations bench_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
	.write = bench_write,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bench_swap",
	.fops = &bench_operations,
};

static int __init bench_init(void)
{
	int error;

	state = kzalloc_obj(*state);
	if (!state)
		return -ENOMEM;
	error = misc_register(&bench_device);
	if (error)
		kfree(state);
	return error;
}

static void __exit bench_exit(void)
{
	misc_deregister(&bench_device);
	kfree(state);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Molt benchmark: a device that is replaced without Molt");
MODULE_LICENSE("GPL");
