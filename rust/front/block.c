// SPDX-License-Identifier: GPL-2.0
/*
 * Disks of blk-mq, for a front. In C since the kernel crate's disks have neither data nor errors
 * nor discard, and their queues may not sleep.
 *
 * A request belongs to the front from its start to its end. What is answered later waits here, in
 * a timer and a work item of its own, and is asked for again by then.
 */

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "block.h"

/* When a request comes again that was put off and then found no memory, as in blk-mq. */
#define MOLT_RETRY_NS (3 * NSEC_PER_MSEC)

struct molt_disk {
	struct blk_mq_tag_set tags;
	struct gendisk *gendisk;
	struct workqueue_struct *workqueue;
	void *data;
	bool is_going;
};

/* What is kept for each request. */
struct molt_command {
	struct hrtimer timer;
	struct work_struct work;
};

static struct molt_request molt_request_of(struct request *rq)
{
	return (struct molt_request){
		.rq = rq,
		.op = req_op(rq),
		.length = blk_rq_bytes(rq),
		.position = blk_rq_pos(rq) << SECTOR_SHIFT,
	};
}

/* That a version does not know an operation is no fault of the disk. */
static void molt_end_request(struct request *rq, int error)
{
	if (error == -EOPNOTSUPP)
		rq->rq_flags |= RQF_QUIET;
	blk_mq_end_request(rq, errno_to_blk_status(error));
}

static void molt_command_run(struct work_struct *work)
{
	struct molt_command *command = container_of(work, struct molt_command, work);
	struct request *rq = blk_mq_rq_from_pdu(command);
	struct molt_disk *disk = rq->q->queuedata;
	struct molt_request request = molt_request_of(rq);
	unsigned int noio = memalloc_noio_save();
	int error = molt_disk_complete(disk->data, &request);

	memalloc_noio_restore(noio);
	if (error == -ENOMEM)
		hrtimer_start(&command->timer, ns_to_ktime(MOLT_RETRY_NS), HRTIMER_MODE_REL);
	else
		molt_end_request(rq, error);
}

static enum hrtimer_restart molt_command_expired(struct hrtimer *timer)
{
	struct molt_command *command = container_of(timer, struct molt_command, timer);
	struct molt_disk *disk = blk_mq_rq_from_pdu(command)->q->queuedata;

	queue_work(disk->workqueue, &command->work);
	return HRTIMER_NORESTART;
}

static int molt_init_request(struct blk_mq_tag_set *set, struct request *rq, unsigned int hctx,
			     int node)
{
	struct molt_command *command = blk_mq_rq_to_pdu(rq);

	hrtimer_setup(&command->timer, molt_command_expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	INIT_WORK(&command->work, molt_command_run);
	return 0;
}

/*
 * What the disk's class allocates must not write to this very disk to get memory; and where it has
 * none, the request comes again later.
 */
static blk_status_t molt_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct request *rq = bd->rq;
	struct molt_command *command = blk_mq_rq_to_pdu(rq);
	struct molt_disk *disk = rq->q->queuedata;
	struct molt_request request = molt_request_of(rq);
	unsigned int noio = memalloc_noio_save();
	s64 answer;

	blk_mq_start_request(rq);
	answer = molt_disk_queue(disk->data, &request);
	memalloc_noio_restore(noio);
	if (answer == -ENOMEM)
		return BLK_STS_RESOURCE;
	if (answer > 0)
		hrtimer_start(&command->timer, ns_to_ktime(answer), HRTIMER_MODE_REL);
	else
		molt_end_request(rq, answer);
	return BLK_STS_OK;
}

static const struct blk_mq_ops molt_blk_mq_ops = {
	.queue_rq = molt_queue_rq,
	.init_request = molt_init_request,
};

static int molt_disk_open(struct gendisk *gendisk, blk_mode_t mode)
{
	struct molt_disk *disk = gendisk->private_data;

	return disk->is_going ? -ENXIO : 0;
}

/* Whoever came too late to open the disk may have kept it until now. */
static void molt_disk_free(struct gendisk *gendisk)
{
	kfree(gendisk->private_data);
}

static const struct block_device_operations molt_disk_operations = {
	.owner = THIS_MODULE,
	.open = molt_disk_open,
	.free_disk = molt_disk_free,
};

static ssize_t statistics_show(struct device *device, struct device_attribute *attribute,
			       char *page)
{
	struct molt_disk *disk = dev_to_disk(device)->private_data;

	return molt_disk_statistics(disk->data, page, PAGE_SIZE);
}

static DEVICE_ATTR_RO(statistics);

static struct attribute *molt_disk_attrs[] = {
	&dev_attr_statistics.attr,
	NULL,
};

ATTRIBUTE_GROUPS(molt_disk);

static int molt_disk_make(struct molt_disk *disk, const char *name,
			  const struct molt_disk_options *options)
{
	struct queue_limits limits = {
		.logical_block_size = options->logical_block_size,
		.physical_block_size = options->physical_block_size,
		.discard_granularity = options->logical_block_size,
		.max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT,
		.max_write_zeroes_sectors = UINT_MAX >> SECTOR_SHIFT,
		.features = options->rotational ? BLK_FEAT_ROTATIONAL : 0,
	};

	disk->gendisk = blk_mq_alloc_disk(&disk->tags, &limits, disk);
	if (IS_ERR(disk->gendisk))
		return PTR_ERR(disk->gendisk);

	disk->gendisk->fops = &molt_disk_operations;
	disk->gendisk->private_data = disk;
	strscpy(disk->gendisk->disk_name, name, DISK_NAME_LEN);
	set_capacity(disk->gendisk, options->capacity_sectors);
	return 0;
}

/* Makes a disk. From then on there are requests for @data. Sleeps. */
int molt_disk_add(struct molt_disk **made, const char *name,
		  const struct molt_disk_options *options, void *data)
{
	struct molt_disk *disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	int error;

	if (!disk)
		return -ENOMEM;
	disk->data = data;
	/* Memory may be waiting for what is put off, so that its workers must not. */
	disk->workqueue = alloc_workqueue("molt_%s", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_PERCPU, 0,
					  name);
	if (!disk->workqueue) {
		error = -ENOMEM;
		goto free;
	}
	disk->tags.ops = &molt_blk_mq_ops;
	disk->tags.nr_hw_queues = options->hw_queues;
	disk->tags.queue_depth = options->queue_depth;
	disk->tags.cmd_size = sizeof(struct molt_command);
	disk->tags.numa_node = NUMA_NO_NODE;
	disk->tags.flags = BLK_MQ_F_BLOCKING | BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	error = blk_mq_alloc_tag_set(&disk->tags);
	if (error)
		goto free_workqueue;
	error = molt_disk_make(disk, name, options);
	if (error)
		goto free_tags;
	*made = disk;
	error = device_add_disk(NULL, disk->gendisk, molt_disk_groups);
	if (error)
		goto put;
	return 0;
put:
	put_disk(disk->gendisk);
free_tags:
	blk_mq_free_tag_set(&disk->tags);
free_workqueue:
	destroy_workqueue(disk->workqueue);
free:
	kfree(disk);
	return error;
}

/*
 * Ends a disk that nobody has open, or says that somebody has; with @forced also one that is open.
 * Sleeps until requests are done.
 */
int molt_disk_remove(struct molt_disk *disk, bool forced)
{
	bool is_open;

	mutex_lock(&disk->gendisk->open_mutex);
	is_open = !forced && disk_openers(disk->gendisk) > 0;
	if (!is_open)
		disk->is_going = true;
	mutex_unlock(&disk->gendisk->open_mutex);
	if (is_open)
		return -EBUSY;

	del_gendisk(disk->gendisk);
	destroy_workqueue(disk->workqueue);
	blk_mq_free_tag_set(&disk->tags);
	put_disk(disk->gendisk);
	return 0;
}

/* Shows @found each piece of a request's memory, in order, until it fails. */
int molt_request_walk(struct request *rq, molt_segment_t found, void *argument)
{
	u64 position = blk_rq_pos(rq) << SECTOR_SHIFT;
	struct req_iterator iter;
	struct bio_vec segment;
	int error = 0;

	rq_for_each_segment(segment, rq, iter) {
		void *bytes = bvec_kmap_local(&segment);

		error = found(argument, position, bytes, segment.bv_len);
		if (!op_is_write(req_op(rq)))
			flush_dcache_page(segment.bv_page);
		kunmap_local(bytes);
		if (error)
			break;
		position += segment.bv_len;
	}
	return error;
}
