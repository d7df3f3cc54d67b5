// SPDX-License-Identifier: GPL-2.0
/* The keys of the store: what the frontend says, and what the backend tells it. */
#include <linux/slab.h>
#include "blkback.h"

/**
 * struct frontend_key - a number that the frontend publishes
 * @name:     of the node in the frontend's directory
 * @max:      more is not possible here
 * @required: the connection cannot go on without it
 * @ignored:  only its presence and range matter
 * @field:    where it goes, in struct blkback_peer_keys
 */
struct frontend_key {
	const char *name;
	u64 max;
	bool required;
	bool ignored;
	size_t field;
};

#define FIELD(f) .field = offsetof(struct blkback_peer_keys, f)

/* The last two are what this backend does not offer: their values must be those that say so. */
static const struct frontend_key keys_table[] = {
	{ "ring-ref", U32_MAX, .required = true, FIELD(ring_ref) },
	{ "event-channel", U32_MAX, .required = true, FIELD(event_channel) },
	{ "feature-persistent", 1, FIELD(persistent) },
	{ "ring-page-order", 0, .ignored = true },
	{ "multi-queue-num-queues", 1, .ignored = true },
};

/* The frontend may have gone away while its keys were read: no fault of the keys. */
static int key_error(struct xpv_device *xdev, const char *name, int err, u64 max)
{
	enum xenbus_state state = xpv_device_peer_state(xdev);

	if (state != XenbusStateInitialised && state != XenbusStateConnected) {
		xpv_device_waits(xdev, "the frontend to publish its rings");
		return -EAGAIN;
	}
	if (err == -ERANGE)
		xpv_device_fatal(xdev, err, "frontend's %s: more than %llu", name, max);
	else
		xpv_device_fatal(xdev, err, "frontend's %s: %s", name,
				 err == -ENOENT ? "missing" :
				 err == -EINVAL ? "not a number" : "cannot be read");
	return err;
}

static int read_key(struct xpv_device *xdev, const struct frontend_key *key,
		    struct blkback_peer_keys *keys)
{
	u64 value;
	int err;

	err = xpv_store_read_u64(xdev, NULL, XPV_PEER, key->name, key->max, &value);
	if (err == -ENOENT && !key->required)
		return 0;
	if (err)
		return key_error(xdev, key->name, err, key->max);
	if (!key->ignored)
		*(u64 *)((void *)keys + key->field) = value;
	return 0;
}

static int read_protocol(struct xpv_device *xdev, struct blkback_peer_keys *keys)
{
	char *text = xpv_store_read(xdev, NULL, XPV_PEER, "protocol");
	int err;

	if (IS_ERR(text)) {
		if (PTR_ERR(text) != -ENOENT)
			return key_error(xdev, "protocol", PTR_ERR(text), 0);
		text = NULL;
	}
	err = blkback_parse_protocol(text, &keys->abi);
	if (err)
		xpv_device_fatal(xdev, err, "frontend's protocol: \"%.32s\" is not known", text);
	kfree(text);
	return err;
}

/**
 * blkback_read_keys() - where the frontend's rings are
 * @bd:   the device
 * @keys: filled in on success
 *
 * Return: 0; -EAGAIN if the frontend is not there any more; another errno after xpv_device_fatal().
 */
int blkback_read_keys(struct blkback_dev *bd, struct blkback_peer_keys *keys)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(keys_table); i++) {
		err = read_key(bd->xdev, &keys_table[i], keys);
		if (err)
			return err;
	}
	return read_protocol(bd->xdev, keys);
}

static bool is_cdrom(struct xpv_device *xdev)
{
	char *type = xpv_store_read(xdev, NULL, XPV_OWN, "device-type");
	bool cdrom;

	if (IS_ERR(type))
		return false;
	cdrom = !strcmp(type, "cdrom");
	kfree(type);
	return cdrom;
}

static unsigned int info_bits(struct blkback_dev *bd)
{
	unsigned int info = 0;

	if (is_cdrom(bd->xdev))
		info |= VDISK_CDROM;
	if (bd->backing.bdev->bd_disk->flags & GENHD_FL_REMOVABLE)
		info |= VDISK_REMOVABLE;
	if (!bd->writable)
		info |= VDISK_READONLY;
	return info;
}

struct keys {
	struct blkback_dev *bd;
	unsigned int info;
};

static int write_keys(struct xpv_device *xdev, struct xpv_store_tx *tx, void *arg)
{
	struct keys *keys = arg;
	struct block_device *bdev = keys->bd->backing.bdev;
	int err;

	err = xpv_store_printf(xdev, tx, "sectors", "%llu", keys->bd->lim.sectors);
	if (!err)
		err = xpv_store_printf(xdev, tx, "sector-size", "%u",
				       bdev_logical_block_size(bdev));
	if (!err)
		err = xpv_store_printf(xdev, tx, "physical-sector-size", "%u",
				       bdev_physical_block_size(bdev));
	if (!err)
		err = xpv_store_printf(xdev, tx, "info", "%u", keys->info);
	if (!err)
		err = xpv_store_printf(xdev, tx, "feature-flush-cache", "%d",
				       bdev_write_cache(bdev));
	if (!err)
		err = xpv_store_printf(xdev, tx, "feature-persistent", "%d",
				       keys->bd->persistent);
	return err;
}

/**
 * blkback_write_keys() - what the disk is, in one transaction
 * @bd: the device, its backing device open
 */
int blkback_write_keys(struct blkback_dev *bd)
{
	struct keys keys = { .bd = bd, .info = info_bits(bd) };

	return xpv_store_transact(bd->xdev, write_keys, &keys);
}

static int write_size(struct xpv_device *xdev, struct xpv_store_tx *tx, void *arg)
{
	struct blkback_dev *bd = arg;
	int err = xpv_store_printf(xdev, tx, "sectors", "%llu", bd->lim.sectors);

	if (err)
		return err;
	/* Frontends watch the state alone: written again, it makes them look. */
	return xpv_store_printf(xdev, tx, "state", "%d", XenbusStateConnected);
}

/**
 * blkback_write_size() - tell a connected frontend of a new size
 * @bd: the device
 */
int blkback_write_size(struct blkback_dev *bd)
{
	return xpv_store_transact(bd->xdev, write_size, bd);
}
