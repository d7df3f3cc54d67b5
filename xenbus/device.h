/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core's bookkeeping of a device: what stands behind struct xpv_device's @core. Each block names the file
 * that owns it.
 */
#ifndef XPV_DEVICE_H
#define XPV_DEVICE_H

#include <linux/spinlock.h>
#include <xpv/xenbus.h>

/**
 * struct xpv_account - what a device holds now, for its `resources` attribute and the leak report at its end
 * @grants:   references allocated (grant.c)
 * @deferred: of them, those that wait for the peer to let go (grant.c)
 * @mapped:   pages of the peer mapped (grant.c)
 * @bad:      protocol violations of the peer (device.c)
 * @lock:     protects @events
 * @events:   bound struct xpv_event, by their list member (event.c)
 * @nr_events: how many
 *
 * Reference-counted apart from the device, because deferred grants outlive it.
 */
struct xpv_account {
	struct kref ref;
	atomic_t grants;
	atomic_t deferred;
	atomic_t mapped;
	atomic_t bad;
	spinlock_t lock;
	struct list_head events;
	unsigned int nr_events;
};

/* grant.c */
struct xpv_account *xpv_account_alloc(void);	/* with one reference, all counters zero; NULL without memory */
struct xpv_account *xpv_account_get(struct xpv_account *acc);
void xpv_account_put(struct xpv_account *acc);	/* any context */

/* device.c */
struct xpv_account *xpv_device_account(const struct xpv_device *dev);

#endif /* XPV_DEVICE_H */
