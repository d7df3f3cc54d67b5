// SPDX-License-Identifier: GPL-2.0
/* What the block layer may send, and how large the disk is: all from the geometry, in one place. */
#include "blkfront.h"

/** blkfront_limits() - the queue limits that follow from what the backend said */
void blkfront_limits(const struct blkfront_dev *fd, struct xpv_disk_limits *l)
{
	l->logical_block_size = fd->geo.sector_size;
	l->physical_block_size = fd->geo.physical_size;
	l->max_segments = BLKFRONT_MAX_SEGS;
	l->max_hw_sectors = BLKFRONT_MAX_SEGS * PAGE_SECTORS;
	l->write_cache = fd->geo.flush && !READ_ONCE(fd->no_flush);
}

/** blkfront_limits_apply() - to an existing disk. Holds fd->lock. */
int blkfront_limits_apply(struct blkfront_dev *fd)
{
	struct xpv_disk_limits l;

	lockdep_assert_held(&fd->lock);
	blkfront_limits(fd, &l);
	return xpv_disk_set_limits(fd->disk, &l);
}

static bool is_read_only(const struct blkfront_dev *fd)
{
	return fd->geo.info & VDISK_READONLY;
}

/**
 * blkfront_capacity_apply() - size and read-only state; tells user space of a change
 * @fd: the device
 *
 * Holds fd->lock.
 */
void blkfront_capacity_apply(struct blkfront_dev *fd)
{
	lockdep_assert_held(&fd->lock);
	if (get_disk_ro(fd->disk) != is_read_only(fd))
		set_disk_ro(fd->disk, is_read_only(fd));
	set_capacity_and_notify(fd->disk, fd->geo.sectors);
}

/** blkfront_limits_work() - the backend turned out not to flush */
void blkfront_limits_work(struct work_struct *work)
{
	struct blkfront_dev *fd = container_of(work, struct blkfront_dev, limits_work);

	mutex_lock(&fd->lock);
	if (fd->state == BLKFRONT_LIVE)
		blkfront_limits_apply(fd);
	mutex_unlock(&fd->lock);
	xpv_device_error(fd->xdev, -EOPNOTSUPP, "the backend does not flush although it said so");
}
