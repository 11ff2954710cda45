/* SPDX-License-Identifier: GPL-2.0 */
/* What sysfs.c offers; the Rust files that use it declare the same. */

#ifndef _MOLT_CONTROL_SYSFS_H
#define _MOLT_CONTROL_SYSFS_H

#include <linux/types.h>

struct kset;
struct molt_dir;
struct seq_file;

/* A file: a value that is shown, a request that is written, or both. */
struct molt_file {
	const char *name;
	ssize_t (*show)(const void *owner, char *page);
	ssize_t (*store)(const void *owner, const char *text, size_t length, loff_t position);
};

/* A table in debugfs. */
struct molt_table {
	const char *name;
	void (*show)(struct seq_file *seq);
};

struct kset *molt_set_new(struct molt_dir *parent, const char *name);
void molt_set_remove(struct kset *set);

struct molt_dir *molt_dir_new(struct molt_dir *parent, struct kset *set, const char *name,
			      const struct molt_file *files, size_t count, const void *owner);
void molt_dir_remove(struct molt_dir *dir);
void molt_dir_tell(struct molt_dir *dir, const char *edge, u64 transition, const char *result);

void molt_later_begin(void (*run)(const void *argument), const void *argument);
void molt_later(void);
void molt_later_end(void);

void *molt_tables_new(const char *name, const struct molt_table *tables, size_t count);
void molt_tables_remove(void *dir);

int molt_load(const char *name);

#endif /* _MOLT_CONTROL_SYSFS_H */
