// SPDX-License-Identifier: GPL-2.0
/* The keys of the store: what the frontend tells the backend, and what it wants to know. */
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/interface/io/protocols.h>
#include "blkfront.h"

static bool persistent = true;
module_param(persistent, bool, 0644);
MODULE_PARM_DESC(persistent, "where the backend can: requests go through pages that stay granted (default: yes); from the next connection on");

/**
 * struct backend_key - a number that the backend publishes
 * @name:     of the node in the backend's directory
 * @max:      more is nonsense
 * @required: the connection cannot go on without it
 * @field:    where it goes, in struct blkfront_geometry
 *
 * Those that are not required keep the value that was there before, the default.
 */
struct backend_key {
	const char *name;
	u64 max;
	bool required;
	size_t field;
};

#define FIELD(f) offsetof(struct blkfront_geometry, f)

static const struct backend_key keys[] = {
	{ "sectors", LLONG_MAX >> SECTOR_SHIFT, true, FIELD(sectors) },
	{ "sector-size", PAGE_SIZE, false, FIELD(sector_size) },
	{ "physical-sector-size", SZ_1M, false, FIELD(physical_size) },
	{ "info", U32_MAX, false, FIELD(info) },
	{ "feature-flush-cache", 1, false, FIELD(flush) },
	{ "feature-persistent", 1, false, FIELD(persistent) },
};

static int read_key(struct xpv_device *xdev, const struct backend_key *key,
		    struct blkfront_geometry *geo)
{
	u64 *field = (void *)geo + key->field;
	int err = xpv_store_read_u64(xdev, NULL, XPV_PEER, key->name, key->max, field);

	if (!err || (err == -ENOENT && !key->required))
		return 0;
	/* Of a backend that has just gone nothing can be read: no fault of its keys. */
	if (xpv_device_peer_state(xdev) != XenbusStateConnected) {
		xpv_device_waits(xdev, "the backend to connect");
		return -EAGAIN;
	}
	xpv_device_fatal(xdev, err, "backend's %s: %s", key->name,
			 err == -ENOENT ? "missing" : err == -ERANGE ? "too large" :
			 err == -EINVAL ? "not a number" : "cannot be read");
	return err;
}

/* A disk attached as read-only is that, even if the backend forgot to say so in "info". */
static void read_mode(struct xpv_device *xdev, struct blkfront_geometry *geo)
{
	char *mode = xpv_store_read(xdev, NULL, XPV_PEER, "mode");

	if (IS_ERR(mode))
		return;
	if (mode[0] == 'r')
		geo->info |= VDISK_READONLY;
	kfree(mode);
}

/**
 * blkfront_read_geometry() - what the backend says of the disk, checked
 * @fd:  the device
 * @geo: filled in on success
 *
 * On error xpv_device_fatal() has been called.
 */
int blkfront_read_geometry(struct blkfront_dev *fd, struct blkfront_geometry *geo)
{
	const char *wrong;
	unsigned int i;
	int err;

	*geo = (struct blkfront_geometry){ .sector_size = SECTOR_SIZE };
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		err = read_key(fd->xdev, &keys[i], geo);
		if (err)
			return err;
	}
	if (!geo->physical_size)
		geo->physical_size = geo->sector_size;
	read_mode(fd->xdev, geo);

	wrong = blkfront_geometry_check(geo);
	if (wrong) {
		xpv_device_fatal(fd->xdev, -EINVAL, "backend: %s", wrong);
		return -EINVAL;
	}
	return 0;
}

/**
 * blkfront_read_name() - the virtual device number and what it means
 * @fd: the device
 *
 * On error xpv_device_fatal() has been called.
 */
int blkfront_read_name(struct blkfront_dev *fd)
{
	u64 vdev;
	int err;

	err = xpv_store_read_u64(fd->xdev, NULL, XPV_OWN, "virtual-device", U32_MAX, &vdev);
	if (err == -ENOENT)
		err = xpv_store_read_u64(fd->xdev, NULL, XPV_OWN, "virtual-device-ext", U32_MAX,
					 &vdev);
	if (err) {
		xpv_device_fatal(fd->xdev, err, "virtual-device: %s",
				 err == -ENOENT ? "missing" : "not a number");
		return err;
	}

	fd->vdev = vdev;
	err = blkfront_name_parse(vdev, &fd->name);
	if (err)
		xpv_device_fatal(fd->xdev, err, "virtual-device %llu is no disk that is known",
				 vdev);
	return err;
}

static int write_keys(struct xpv_device *xdev, struct xpv_store_tx *tx, void *arg)
{
	const struct blkfront_queue *q = arg;
	int err;

	err = xpv_store_printf(xdev, tx, "ring-ref", "%u", xpv_gref_wire(q->mem.refs[0]));
	if (!err)
		err = xpv_store_printf(xdev, tx, "event-channel", "%u", q->event.port);
	if (!err)
		err = xpv_store_printf(xdev, tx, "protocol", "%s", XEN_IO_PROTO_ABI_NATIVE);
	if (!err)
		err = xpv_store_printf(xdev, tx, "feature-persistent", "%u", q->fd->persistent);
	return err;
}

/** blkfront_write_keys() - where the rings are and what can be done with them, all or nothing */
int blkfront_write_keys(struct blkfront_dev *fd)
{
	fd->persistent = READ_ONCE(persistent);
	return xpv_store_transact(fd->xdev, write_keys, &fd->queues[0]);
}
