// SPDX-License-Identifier: GPL-2.0
/*
 * What the control module needs of the kernel that has no Rust abstraction: kobjects and
 * their files, module requests, one work item, and tables in debugfs. What is said and
 * what is understood is Rust.
 */

#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kmod.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "sysfs.h"

/* Directories and files. */

struct molt_entry {
	struct kobj_attribute shown;
	const struct bin_attribute written;
	const struct molt_file *file;
	const void *owner;
};

struct molt_dir {
	struct kobject *kobj;
	struct molt_entry entries[];
};

static ssize_t molt_show(struct kobject *kobj, struct kobj_attribute *attr, char *page)
{
	struct molt_entry *entry = container_of(attr, struct molt_entry, shown);

	return entry->file->show(entry->owner, page);
}

/*
 * Written files are binary attributes: those are told who opened the file and at which
 * position a write comes. A set-uid program may have been handed an open file, so both
 * the opener and the writer must have the capability.
 *
 * The first write is the request. When it is refused, the position moves on all the same,
 * so that what user space still has of a long line does not come in as a request.
 */
static ssize_t molt_write(struct file *file, struct kobject *kobj,
			  const struct bin_attribute *attr, char *text, loff_t position,
			  size_t length)
{
	const struct molt_entry *entry = attr->private;
	ssize_t result;

	if (!capable(CAP_SYS_MODULE) || !file_ns_capable(file, &init_user_ns, CAP_SYS_MODULE))
		result = -EPERM;
	else
		result = entry->file->store(entry->owner, text, length, position);
	if (result < 0)
		WRITE_ONCE(file->f_pos, position + length);
	return result;
}

/* A written file that can be read, too: what it shows, from @position on. */
static ssize_t molt_read(struct file *file, struct kobject *kobj,
			 const struct bin_attribute *attr, char *text, loff_t position,
			 size_t length)
{
	const struct molt_entry *entry = attr->private;
	char *page = (char *)__get_free_page(GFP_KERNEL);
	ssize_t result;

	if (!page)
		return -ENOMEM;
	result = entry->file->show(entry->owner, page);
	if (result >= 0)
		result = memory_read_from_buffer(text, length, &position, page, result);
	free_page((unsigned long)page);
	return result;
}

static int molt_entry_add(struct molt_dir *dir, struct molt_entry *entry)
{
	const bool is_read = entry->file->show;
	const struct bin_attribute written = {
		.attr = { .name = entry->file->name, .mode = is_read ? 0644 : 0200 },
		.private = entry,
		.read = is_read ? molt_read : NULL,
		.write = molt_write,
	};

	if (!entry->file->store) {
		sysfs_attr_init(&entry->shown.attr);
		entry->shown.attr.name = entry->file->name;
		entry->shown.attr.mode = 0444;
		entry->shown.show = molt_show;
		return sysfs_create_file(dir->kobj, &entry->shown.attr);
	}
	/* Constant from here on. */
	memcpy((void *)&entry->written, &written, sizeof(written));
	sysfs_attr_init((struct attribute *)&entry->written.attr);
	return sysfs_create_bin_file(dir->kobj, &entry->written);
}

/*
 * A kobject whose release function is the kernel's own, not in this module: a kobject may
 * be released late.
 */
static struct kobject *molt_kobject_new(struct kobject *parent, struct kset *set,
					const char *name)
{
	struct kobject *kobj = kzalloc(sizeof(*kobj), GFP_KERNEL);
	int error;

	if (!kobj)
		return NULL;
	kobj->kset = set;
	error = kobject_init_and_add(kobj, get_ktype(kernel_kobj), parent, "%s", name);
	if (error) {
		kobject_put(kobj);
		return NULL;
	}
	return kobj;
}

/*
 * A directory in @set, or else in @parent, or else in /sys/kernel. @files, their names and
 * @owner stay valid until molt_dir_remove() has returned.
 */
struct molt_dir *molt_dir_new(struct molt_dir *parent, struct kset *set, const char *name,
			      const struct molt_file *files, size_t count, const void *owner)
{
	struct molt_dir *dir = kzalloc(struct_size(dir, entries, count), GFP_KERNEL);
	size_t i;

	if (!dir)
		return NULL;
	dir->kobj = molt_kobject_new(set ? NULL : parent ? parent->kobj : kernel_kobj, set, name);
	if (!dir->kobj) {
		kfree(dir);
		return NULL;
	}
	for (i = 0; i < count; i++) {
		dir->entries[i].file = &files[i];
		dir->entries[i].owner = owner;
		if (molt_entry_add(dir, &dir->entries[i])) {
			molt_dir_remove(dir);
			return NULL;
		}
	}
	if (set)
		kobject_uevent(dir->kobj, KOBJ_ADD);
	return dir;
}

/* Waits for every show and write that runs. */
void molt_dir_remove(struct molt_dir *dir)
{
	kobject_del(dir->kobj);
	kobject_put(dir->kobj);
	kfree(dir);
}

/* A uevent, and a wake-up of those who poll the file "state". */
void molt_dir_tell(struct molt_dir *dir, const char *edge, u64 transition, const char *result)
{
	char event[32], number[48], outcome[48];
	char *env[4] = { event, number, *result ? outcome : NULL };

	snprintf(event, sizeof(event), "MOLT_EVENT=%s", edge);
	snprintf(number, sizeof(number), "MOLT_TRANSITION=%llu", transition);
	snprintf(outcome, sizeof(outcome), "MOLT_RESULT=%s", result);
	kobject_uevent_env(dir->kobj, KOBJ_CHANGE, env);
	sysfs_notify(dir->kobj, NULL, "state");
}

/* A set: uevents are only sent for what is in one. */

struct kset *molt_set_new(struct molt_dir *parent, const char *name)
{
	return kset_create_and_add(name, NULL, parent->kobj);
}

void molt_set_remove(struct kset *set)
{
	kset_unregister(set);
}

/* The work item: for what must not be done inside a write. */

static void (*molt_later_run)(const void *argument);
static const void *molt_later_argument;

static void molt_later_work(struct work_struct *work)
{
	molt_later_run(molt_later_argument);
}

static DECLARE_WORK(molt_later_item, molt_later_work);

void molt_later_begin(void (*run)(const void *argument), const void *argument)
{
	molt_later_run = run;
	molt_later_argument = argument;
}

void molt_later(void)
{
	queue_work(system_dfl_wq, &molt_later_item);
}

void molt_later_end(void)
{
	cancel_work_sync(&molt_later_item);
}

/*
 * Tables in debugfs. Not by kernel::debugfs: its files have no owner, so one that is still
 * open when the module goes would call a function pointer in freed memory at its end.
 */

static int molt_table_show(struct seq_file *seq, void *unused)
{
	const struct molt_table *table = seq->private;

	table->show(seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(molt_table);

void *molt_tables_new(const char *name, const struct molt_table *tables, size_t count)
{
	struct dentry *dir = debugfs_create_dir(name, NULL);
	size_t i;

	for (i = 0; i < count; i++)
		debugfs_create_file(tables[i].name, 0400, dir, (void *)&tables[i],
				    &molt_table_fops);
	return dir;
}

void molt_tables_remove(void *dir)
{
	debugfs_remove(dir);
}

/* Modules. */

/* The name is checked: modprobe runs as root. */
int molt_load(const char *name)
{
	return request_module("%s", name);
}
