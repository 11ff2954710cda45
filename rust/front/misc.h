/* SPDX-License-Identifier: GPL-2.0 */
/* What misc.c offers; the Rust side declares the same. */

#ifndef _MOLT_MISC_H
#define _MOLT_MISC_H

#include <linux/types.h>

struct file;
struct iov_iter;
struct kiocb;
struct kvec;
struct poll_table_struct;
struct wait_queue_head;

bool molt_misc_iter_is_user(const struct iov_iter *iter);
void molt_misc_iter_of(struct iov_iter *iter, struct kvec *vector, void *bytes, size_t length,
		       bool is_source);
bool molt_misc_fault_in(const struct iov_iter *iter, size_t length, bool to_write);
bool molt_misc_may_wait(const struct kiocb *kiocb);
void molt_misc_poll_wait(struct file *file, struct wait_queue_head *queue,
			 struct poll_table_struct *table);

#endif /* _MOLT_MISC_H */
