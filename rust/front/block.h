/* SPDX-License-Identifier: GPL-2.0 */
/* Disks as block.c makes them, and what it calls for each request. */

#ifndef _MOLT_BLOCK_H
#define _MOLT_BLOCK_H

#include <linux/types.h>

struct request;

/* What a disk is like. */
struct molt_disk_options {
	u64 capacity_sectors;
	u32 logical_block_size;
	u32 physical_block_size;
	u32 queue_depth;
	u32 hw_queues;
	bool rotational;
};

/* What there is to know of a request; lengths and positions in bytes. */
struct molt_request {
	struct request *rq;
	u32 op;
	u32 length;
	u64 position;
};

struct molt_disk;

int molt_disk_add(struct molt_disk **made, const char *name,
		  const struct molt_disk_options *options, void *data);
int molt_disk_remove(struct molt_disk *disk, bool forced);

typedef int (*molt_segment_t)(void *argument, u64 position, void *bytes, size_t length);
int molt_request_walk(struct request *rq, molt_segment_t found, void *argument);

/*
 * On the Rust side. The first answers 0 or a negative errno, or how many nanoseconds later the
 * second is to be called. The last one fills a page for sysfs. All may sleep.
 */
s64 molt_disk_queue(void *data, struct molt_request *request);
int molt_disk_complete(void *data, struct molt_request *request);
ssize_t molt_disk_statistics(void *data, char *page, size_t size);

#endif /* _MOLT_BLOCK_H */
