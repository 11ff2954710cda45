// SPDX-License-Identifier: GPL-2.0
/* What the front of misc devices needs of the kernel that is an inline function of C. */

#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/uio.h>

#include "misc.h"

bool molt_misc_iter_is_user(const struct iov_iter *iter)
{
	return user_backed_iter(iter);
}

void molt_misc_iter_of(struct iov_iter *iter, struct kvec *vector, void *bytes, size_t length,
		       bool is_source)
{
	*vector = (struct kvec){ .iov_base = bytes, .iov_len = length };
	iov_iter_kvec(iter, is_source ? ITER_SOURCE : ITER_DEST, vector, 1, length);
}

/* Whether there is any of it. */
bool molt_misc_fault_in(const struct iov_iter *iter, size_t length, bool to_write)
{
	size_t missing = to_write ? fault_in_iov_iter_writeable(iter, length) :
				    fault_in_iov_iter_readable(iter, length);

	return missing < length;
}

bool molt_misc_may_wait(const struct kiocb *kiocb)
{
	return !(kiocb->ki_filp->f_flags & O_NONBLOCK) && !(kiocb->ki_flags & IOCB_NOWAIT);
}

void molt_misc_poll_wait(struct file *file, struct wait_queue_head *queue,
			 struct poll_table_struct *table)
{
	poll_wait(file, queue, table);
}
