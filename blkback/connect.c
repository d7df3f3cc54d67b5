// SPDX-License-Identifier: GPL-2.0
/*
 * The actions of the bus, in the order in which they happen. None of them waits for the frontend.
 *
 *   probe        memory, the watch on physical-device
 *   publish      the backing device, if it has been named: what is wrong with it shows early
 *   connect      the backing device, else; its properties go to the store; rings are served
 *   changed      the backing device has another size
 *   disconnect   rings are given back when the bios in flight have ended; the device is closed
 *   remove       memory
 */
#include <linux/slab.h>
#include "blkback.h"

static int probe(struct xpv_device *xdev)
{
	struct blkback_dev *bd;
	int err;

	bd = kzalloc(sizeof(*bd), GFP_KERNEL);
	if (!bd)
		return -ENOMEM;
	bd->xdev = xdev;
	mutex_init(&bd->lock);
	ratelimit_state_init(&bd->complain, 5 * HZ, 2);
	ratelimit_set_flags(&bd->complain, RATELIMIT_MSG_ON_RELEASE);
	xpv_set_drvdata(xdev, bd);
	err = xpv_device_watch(xdev, "physical-device");
	if (err) {
		xpv_set_drvdata(xdev, NULL);
		kfree(bd);
	}
	return err;
}

/*
 * A hotplug script waits for InitWait before it names the backing device: not knowing it does not
 * stop the announcement. Trying already makes a missing or busy one known before any frontend is
 * there.
 */
static int publish(struct xpv_device *xdev)
{
	int err = blkback_bdev_open(xdev->priv);

	return err == -EAGAIN ? 0 : err;
}

static int connect(struct xpv_device *xdev)
{
	struct blkback_dev *bd = xdev->priv;
	struct blkback_peer_keys keys = {};
	int err;

	if (bd->queues)
		return 0;
	err = blkback_bdev_open(bd);
	if (err)
		return err;
	err = blkback_read_keys(bd, &keys);
	if (err)
		return err;
	blkback_bdev_measure(bd);
	bd->persistent = blkback_kept_wanted(bd);
	err = blkback_write_keys(bd);
	if (err) {
		xpv_device_fatal(xdev, err, "cannot write sectors, sector-size, info");
		return err;
	}
	return blkback_queues_open(bd, &keys);
}

static void changed(struct xpv_device *xdev)
{
	struct blkback_dev *bd = xdev->priv;
	int err;

	if (!bd->queues || !blkback_bdev_resized(bd))
		return;
	blkback_bdev_measure(bd);
	err = blkback_write_size(bd);
	if (err)
		xpv_device_error(xdev, err, "cannot write the new size");
}

static void disconnect(struct xpv_device *xdev, bool gone)
{
	struct blkback_dev *bd = xdev->priv;

	blkback_queues_close(bd);
	blkback_bdev_close(bd);
}

static void remove(struct xpv_device *xdev)
{
	struct blkback_dev *bd = xdev->priv;

	xpv_set_drvdata(xdev, NULL);
	kfree(bd);
}

struct xpv_driver blkback_driver = {
	.name = "xpv-blkback",
	.type = "vbd",
	.side = XPV_BACKEND,
	.published = XenbusStateInitWait,
	.stats = blkback_groups,
	.probe = probe,
	.publish = publish,
	.connect = connect,
	.changed = changed,
	.disconnect = disconnect,
	.remove = remove,
};
