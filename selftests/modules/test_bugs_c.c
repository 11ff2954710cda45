// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs on purpose, for the checkers that look at locks, RCU, sleeping, references and objects:
 * see test_bugs.rs. The names are those of the functions below; a test writes one to
 * test_bugs_c/command in debugfs.
 */

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);

/* Each order is fine by itself. */
static int lock_order(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
	return 0;
}

static int __rcu *pointer;

static int rcu_pointer(void)
{
	return rcu_dereference(pointer) ? -EIO : 0;
}

struct entry {
	struct list_head link;
};

static LIST_HEAD(entries);

static int rcu_list(void)
{
	struct entry *entry;
	int count = 0;

	list_for_each_entry_rcu(entry, &entries, link)
		count++;
	return count;
}

static int sleep_atomic(void)
{
	spin_lock(&first);
	msleep(20);
	spin_unlock(&first);
	return 0;
}

static int reference(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
	return 0;
}

static void nothing(struct timer_list *timer)
{
}

/* The checker of objects stops the timer. */
static int free_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
	return 0;
}

static unsigned long number;

static void change(struct work_struct *work)
{
	for (int i = 0; i < 2000000; i++) {
		number++;
		barrier();
	}
}

static DECLARE_WORK(change_work, change);

static int race(void)
{
	schedule_work(&change_work);
	change(NULL);
	flush_work(&change_work);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} bugs[] = {
	{ "lock_order", lock_order },
	{ "rcu_pointer", rcu_pointer },
	{ "rcu_list", rcu_list },
	{ "sleep_atomic", sleep_atomic },
	{ "reference", reference },
	{ "free_timer", free_timer },
	{ "race", race },
};

static ssize_t command_write(struct file *file, const char __user *from, size_t length,
			     loff_t *position)
{
	char name[32] = "";
	ssize_t copied = simple_write_to_buffer(name, sizeof(name) - 1, position, from, length);

	if (copied < 0)
		return copied;
	for (int i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (sysfs_streq(name, bugs[i].name))
			return bugs[i].run() ?: copied;
	}
	return -EINVAL;
}

static const struct file_operations command_operations = {
	.owner = THIS_MODULE,
	.write = command_write,
};

static struct dentry *dir;

static int __init test_bugs_init(void)
{
	dir = debugfs_create_dir("test_bugs_c", NULL);
	debugfs_create_file("command", 0200, dir, NULL, &command_operations);
	return 0;
}

static void __exit test_bugs_exit(void)
{
	debugfs_remove(dir);
}

module_init(test_bugs_init);
module_exit(test_bugs_exit);

MODULE_AUTHOR("The Molt developers");
MODULE_DESCRIPTION("Molt test: bugs on purpose, in C");
MODULE_LICENSE("GPL");
