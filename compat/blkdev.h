/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Block layer: what differs between the supported kernels. Included by the block drivers only.
 */
#ifndef XPV_COMPAT_BLKDEV_H
#define XPV_COMPAT_BLKDEV_H

#include <linux/blkdev.h>
#include <linux/blk-mq.h>
#include <linux/err.h>
#include <linux/file.h>

/**
 * struct xpv_bdev - an open block device
 * @bdev: NULL while not open
 */
struct xpv_bdev {
	struct block_device *bdev;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct file *file;
#else
	fmode_t mode;
	void *holder;
#endif
};

/*
 * v6.9 (f3a608827d1f): an open block device is a struct file. @holder NULL: shared with everybody
 * else.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static inline int xpv_bdev_open(struct xpv_bdev *b, dev_t dev, bool write, void *holder)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0);
	struct file *file = bdev_file_open_by_dev(dev, mode, holder, NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->file = file;
	b->bdev = file_bdev(file);
	return 0;
}

/* The last reference of a file is put later, by a work item: not left to chance here. */
static inline void xpv_bdev_close(struct xpv_bdev *b)
{
	if (!b->bdev)
		return;
	bdev_fput(b->file);
	flush_delayed_fput();
	b->bdev = NULL;
}
#else
static inline int xpv_bdev_open(struct xpv_bdev *b, dev_t dev, bool write, void *holder)
{
	fmode_t mode = FMODE_READ | (write ? FMODE_WRITE : 0) | (holder ? FMODE_EXCL : 0);
	struct block_device *bdev = blkdev_get_by_dev(dev, mode, holder);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	b->mode = mode;
	return 0;
}

static inline void xpv_bdev_close(struct xpv_bdev *b)
{
	if (!b->bdev)
		return;
	blkdev_put(b->bdev, b->mode);
	b->bdev = NULL;
}
#endif

/* v6.5 (d32e2bf83791, ae220766d87c): open and release of a disk take the disk, and no mode for release. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define XPV_DISK_OPEN_ARGS	struct gendisk *disk, blk_mode_t mode
#define XPV_DISK_OPENED		disk
#define XPV_DISK_RELEASE_ARGS	struct gendisk *disk
#else
#define XPV_DISK_OPEN_ARGS	struct block_device *bdev, fmode_t mode
#define XPV_DISK_OPENED		(bdev->bd_disk)
#define XPV_DISK_RELEASE_ARGS	struct gendisk *disk, fmode_t mode
#endif

/* v6.13 (a3396b99990d), and v6.12's stable series: a list of requests is a struct. Before, rq_list_pop() is a macro. */
#ifdef rq_list_pop
#define XPV_QUEUE_RQS_ARGS	struct request **list
#else
#define XPV_QUEUE_RQS_ARGS	struct rq_list *list
#endif

/**
 * struct xpv_disk_limits - those queue limits that our disks set
 * @max_segments: of at most a page each, none crossing a page
 */
struct xpv_disk_limits {
	unsigned int logical_block_size;
	unsigned int physical_block_size;
	unsigned int max_hw_sectors;
	unsigned short max_segments;
	bool write_cache;
};

/* v6.9 to v6.11 (d690cb8ae14b, 1122c0c1cc71): limits and features are set as one. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static inline void xpv_disk_limits_fill(struct queue_limits *lim, const struct xpv_disk_limits *l)
{
	lim->logical_block_size = l->logical_block_size;
	lim->physical_block_size = l->physical_block_size;
	lim->io_min = l->physical_block_size;
	lim->max_hw_sectors = l->max_hw_sectors;
	lim->max_segments = l->max_segments;
	lim->max_segment_size = PAGE_SIZE;
	lim->seg_boundary_mask = PAGE_SIZE - 1;
	lim->dma_alignment = SECTOR_SIZE - 1;
	if (l->write_cache)
		lim->features |= BLK_FEAT_WRITE_CACHE;
	else
		lim->features &= ~BLK_FEAT_WRITE_CACHE;
}

static inline struct gendisk *xpv_disk_alloc(struct blk_mq_tag_set *set,
					     const struct xpv_disk_limits *l, void *queuedata)
{
	struct queue_limits lim = {};

	xpv_disk_limits_fill(&lim, l);
	return blk_mq_alloc_disk(set, &lim, queuedata);
}

static inline int xpv_disk_set_limits(struct gendisk *disk, const struct xpv_disk_limits *l)
{
	struct queue_limits lim = queue_limits_start_update(disk->queue);

	xpv_disk_limits_fill(&lim, l);
	return queue_limits_commit_update(disk->queue, &lim);
}
#else
static inline int xpv_disk_set_limits(struct gendisk *disk, const struct xpv_disk_limits *l)
{
	struct request_queue *q = disk->queue;

	blk_queue_logical_block_size(q, l->logical_block_size);
	blk_queue_physical_block_size(q, l->physical_block_size);
	blk_queue_io_min(q, l->physical_block_size);
	blk_queue_max_hw_sectors(q, l->max_hw_sectors);
	blk_queue_max_segments(q, l->max_segments);
	blk_queue_max_segment_size(q, PAGE_SIZE);
	blk_queue_segment_boundary(q, PAGE_SIZE - 1);
	blk_queue_dma_alignment(q, SECTOR_SIZE - 1);
	blk_queue_write_cache(q, l->write_cache, false);
	return 0;
}

static inline struct gendisk *xpv_disk_alloc(struct blk_mq_tag_set *set,
					     const struct xpv_disk_limits *l, void *queuedata)
{
	struct gendisk *disk = blk_mq_alloc_disk(set, queuedata);

	if (!IS_ERR(disk)) {
		blk_queue_flag_set(QUEUE_FLAG_NONROT, disk->queue);
		xpv_disk_set_limits(disk, l);
	}
	return disk;
}
#endif

#endif /* XPV_COMPAT_BLKDEV_H */
