// SPDX-License-Identifier: GPL-2.0
/*
 * The backing device: which one it is, opening and measuring it.
 *
 * The toolstack names it by "physical-device" ("major:minor" in hexadecimal, usually from a hotplug
 * script), or, when no script is in charge, by "params", the path of a block device, which is
 * looked up here. A disk attached for writing is opened exclusively: what is mounted or attached
 * elsewhere for writing is busy.
 */
#include <linux/slab.h>
#include "blkback.h"

static int read_mode(struct blkback_dev *bd)
{
	char *mode = xpv_store_read(bd->xdev, NULL, XPV_OWN, "mode");
	int err = 0;

	if (IS_ERR(mode)) {
		xpv_device_fatal(bd->xdev, PTR_ERR(mode), "mode: missing");
		return PTR_ERR(mode);
	}
	if (strcmp(mode, "w") && strcmp(mode, "r")) {
		err = -EINVAL;
		xpv_device_fatal(bd->xdev, err, "mode: \"%.16s\" is neither r nor w", mode);
	}
	bd->writable = mode[0] == 'w';
	kfree(mode);
	return err;
}

/* Return: 0; -ENOENT without the key; another errno after xpv_device_fatal(). */
static int from_physical_device(struct blkback_dev *bd, char *name, unsigned int len)
{
	char *text = xpv_store_read(bd->xdev, NULL, XPV_OWN, "physical-device");
	unsigned int major, minor;
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text) == -ENOENT ? -ENOENT : PTR_ERR(text);
	err = blkback_parse_devt(text, &major, &minor);
	if (err) {
		xpv_device_fatal(bd->xdev, err, "physical-device: \"%.32s\" is not major:minor",
				 text);
	} else {
		bd->devt = MKDEV(major, minor);
		snprintf(name, len, "physical-device %.32s", text);
	}
	kfree(text);
	return err;
}

static int look_up(struct blkback_dev *bd, const char *params, char *name, unsigned int len)
{
	int err = blkback_parse_path(params, name, len);

	if (!err)
		err = lookup_bdev(name, &bd->devt);
	if (err)
		xpv_device_fatal(bd->xdev, err, "params: \"%.64s\" %s", params,
				 err == -ENOENT ? "does not exist" :
				 err == -ENOTBLK ? "is not a block device" : "cannot be looked up");
	return err;
}

static int from_params(struct blkback_dev *bd, char *name, unsigned int len)
{
	char *params;
	int err;

	if (xpv_store_exists(bd->xdev, NULL, XPV_OWN, "script")) {
		xpv_device_waits(bd->xdev, "physical-device, from the hotplug script");
		return -EAGAIN;
	}
	params = xpv_store_read(bd->xdev, NULL, XPV_OWN, "params");
	if (IS_ERR(params)) {
		xpv_device_waits(bd->xdev, "physical-device or params, from the toolstack");
		return -EAGAIN;
	}
	err = look_up(bd, params, name, len);
	kfree(params);
	return err;
}

static const char *open_error(int err)
{
	switch (err) {
	case -EBUSY:
		return "device busy (mounted, or attached elsewhere)";
	case -ENXIO:
	case -ENODEV:
	case -ENOENT:
		return "no such device";
	case -EROFS:
	case -EACCES:
		return "the device is read-only";
	case -EINVAL:
		return "logical blocks larger than a page";
	default:
		return "cannot be opened";
	}
}

static int open_backing(struct blkback_dev *bd, struct xpv_bdev *backing)
{
	int err = xpv_bdev_open(backing, bd->devt, bd->writable, bd->writable ? bd : NULL);

	if (err)
		return err;
	if (bd->writable && bdev_read_only(backing->bdev))
		err = -EROFS;
	else if (bdev_logical_block_size(backing->bdev) > PAGE_SIZE)
		err = -EINVAL;
	/* What this domain has written through its page cache is what the guest is to read. */
	if (!err)
		err = sync_blockdev(backing->bdev);
	if (err)
		xpv_bdev_close(backing);
	return err;
}

/**
 * blkback_bdev_open() - find and open the backing device. No-op when it is open.
 * @bd: the device
 *
 * Return: 0; -EAGAIN when the toolstack has not said which one, after xpv_device_waits(); another
 * errno after xpv_device_fatal().
 */
int blkback_bdev_open(struct blkback_dev *bd)
{
	struct xpv_bdev backing = {};
	char name[128];
	int err;

	if (bd->backing.bdev)
		return 0;
	err = read_mode(bd);
	if (err)
		return err;
	err = from_physical_device(bd, name, sizeof(name));
	if (err == -ENOENT)
		err = from_params(bd, name, sizeof(name));
	if (err)
		return err;

	err = open_backing(bd, &backing);
	if (err) {
		xpv_device_fatal(bd->xdev, err, "%s: %s", name, open_error(err));
		return err;
	}
	mutex_lock(&bd->lock);
	bd->backing = backing;
	mutex_unlock(&bd->lock);
	blkback_bdev_measure(bd);
	return 0;
}

/**
 * blkback_bdev_close() - mirror; no bio is in flight. No-op when it is not open.
 * @bd: the device
 */
void blkback_bdev_close(struct blkback_dev *bd)
{
	if (!bd->backing.bdev)
		return;
	/* Whoever else has it open would go on seeing what was there before the guest wrote. */
	if (bd->writable)
		invalidate_bdev(bd->backing.bdev);
	mutex_lock(&bd->lock);
	xpv_bdev_close(&bd->backing);
	mutex_unlock(&bd->lock);
}

/**
 * blkback_bdev_resized() - has its size changed since it was measured? Any context.
 * @bd: the device
 */
bool blkback_bdev_resized(const struct blkback_dev *bd)
{
	return bdev_nr_sectors(bd->backing.bdev) != READ_ONCE(bd->lim.sectors);
}

/**
 * blkback_bdev_measure() - take its limits over
 * @bd: the device
 */
void blkback_bdev_measure(struct blkback_dev *bd)
{
	bd->lim.align = bdev_logical_block_size(bd->backing.bdev) >> SECTOR_SHIFT;
	bd->lim.writable = bd->writable;
	WRITE_ONCE(bd->lim.sectors, bdev_nr_sectors(bd->backing.bdev));
}
