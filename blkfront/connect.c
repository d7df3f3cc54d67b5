// SPDX-License-Identifier: GPL-2.0
/*
 * The actions of the bus, in the order in which they happen. None of them waits for the backend.
 *
 *   probe        memory
 *   publish      the name, rings, keys
 *   connect      what the backend says; the disk, the first time; I/O goes
 *   changed      the backend says something new
 *   closing      nobody has it open?
 *   disconnect   I/O stops, what is in flight comes back; with @gone it fails, and the disk is dead
 *   remove       the disk goes; memory, when the last user has closed it
 */
#include <linux/slab.h>
#include "blkfront.h"

static int probe(struct xpv_device *xdev)
{
	struct blkfront_dev *fd;
	int err;

	fd = kzalloc(sizeof(*fd), GFP_KERNEL);
	if (!fd)
		return -ENOMEM;
	fd->xdev = xdev;
	fd->domid = xpv_device_domid(xdev);
	spin_lock_init(&fd->life);
	mutex_init(&fd->lock);
	INIT_LIST_HEAD(&fd->claim);
	err = blkfront_queues_alloc(fd);
	if (err) {
		kfree(fd);
		return err;
	}
	xpv_set_drvdata(xdev, fd);
	return 0;
}

static int take_name(struct blkfront_dev *fd)
{
	int err;

	if (!list_empty(&fd->claim))
		return 0;
	err = blkfront_read_name(fd);
	if (err)
		return err;
	err = blkfront_claim_name(fd);
	if (err)
		xpv_device_fatal(fd->xdev, err, "the disk name %s is in use", fd->text);
	return err;
}

static int publish(struct xpv_device *xdev)
{
	struct blkfront_dev *fd = xdev->priv;
	int err;

	err = take_name(fd);
	if (err)
		return err;

	blkfront_queues_close(fd, false);
	err = blkfront_queues_open(fd);
	if (err) {
		xpv_device_fatal(xdev, err, "no memory or grant for the ring");
		return err;
	}
	err = blkfront_write_keys(fd);
	if (err) {
		blkfront_queues_close(fd, false);
		xpv_device_fatal(xdev, err, "cannot write ring-ref and event-channel");
	}
	return err;
}

/* How requests go on this connection. I/O is held up meanwhile. */
static void prepare_queues(struct blkfront_dev *fd)
{
	unsigned int i;

	lockdep_assert_held(&fd->lock);
	for (i = 0; i < fd->nr_queues; i++)
		fd->queues[i].persistent = fd->persistent && fd->geo.persistent;
}

/* Limits may be other ones than on the last connection. I/O is held up meanwhile. */
static int prepare_disk(struct blkfront_dev *fd)
{
	lockdep_assert_held(&fd->lock);
	if (!fd->disk)
		return blkfront_disk_create(fd);
	return blkfront_limits_apply(fd);
}

/*
 * After a migration the backend may be another one. Its size and features are taken as they are; but
 * requests that wait, and the file system that made them, know the sectors of before: smaller ones
 * will do, larger ones not.
 */
static int check_sectors(struct blkfront_dev *fd, const struct blkfront_geometry *geo)
{
	if (!fd->disk || geo->sector_size <= fd->geo.sector_size || !disk_openers(fd->disk))
		return 0;
	xpv_device_fatal(fd->xdev, -EINVAL, "backend: sector-size is %llu and was %llu, with the disk in use",
			 geo->sector_size, fd->geo.sector_size);
	return -EINVAL;
}

static int connect(struct xpv_device *xdev)
{
	struct blkfront_dev *fd = xdev->priv;
	struct blkfront_geometry geo;
	int err;

	err = blkfront_read_geometry(fd, &geo);
	if (!err)
		err = check_sectors(fd, &geo);
	if (err)
		return err;

	mutex_lock(&fd->lock);
	if (fd->state != BLKFRONT_OFFLINE) {
		mutex_unlock(&fd->lock);
		return 0;
	}
	fd->geo = geo;
	fd->no_flush = false;
	prepare_queues(fd);
	err = prepare_disk(fd);
	if (!err) {
		blkfront_disk_live(fd);
		blkfront_capacity_apply(fd);
	}
	mutex_unlock(&fd->lock);
	if (err)
		xpv_device_fatal(xdev, err, "no disk %s", fd->text);
	return err;
}

static void changed(struct xpv_device *xdev)
{
	struct blkfront_dev *fd = xdev->priv;
	struct blkfront_geometry geo;

	if (blkfront_read_geometry(fd, &geo))
		return;
	mutex_lock(&fd->lock);
	if (fd->state == BLKFRONT_LIVE) {
		/*
		 * The size and whether it can be written may change at any time, all else only with
		 * a new connection.
		 */
		fd->geo.sectors = geo.sectors;
		fd->geo.info = geo.info;
		blkfront_capacity_apply(fd);
	}
	mutex_unlock(&fd->lock);
}

static int closing(struct xpv_device *xdev)
{
	struct blkfront_dev *fd = xdev->priv;
	int users = blkfront_disk_close(fd);

	if (!users)
		return 0;
	xpv_device_waits(xdev, "%s is open by %d user%s", fd->text, users, users == 1 ? "" : "s");
	return -EBUSY;
}

static void disconnect(struct xpv_device *xdev, bool gone)
{
	struct blkfront_dev *fd = xdev->priv;
	bool dies;

	mutex_lock(&fd->lock);
	blkfront_disk_offline(fd);
	blkfront_queues_close(fd, gone);
	dies = gone && fd->state != BLKFRONT_DEAD;
	if (dies)
		WRITE_ONCE(fd->state, BLKFRONT_DEAD);
	mutex_unlock(&fd->lock);
	if (dies)
		blkfront_disk_die(fd);
}

static void remove(struct xpv_device *xdev)
{
	struct blkfront_dev *fd = xdev->priv;

	xpv_set_drvdata(xdev, NULL);
	spin_lock(&fd->life);
	fd->xdev = NULL;
	spin_unlock(&fd->life);
	blkfront_disk_destroy(fd);
}

struct xpv_driver blkfront_driver = {
	.name = "xpv-blkfront",
	.type = "vbd",
	.side = XPV_FRONTEND,
	.published = XenbusStateInitialised,
	.stats = blkfront_groups,
	.probe = probe,
	.publish = publish,
	.connect = connect,
	.changed = changed,
	.closing = closing,
	.disconnect = disconnect,
	.remove = remove,
};
