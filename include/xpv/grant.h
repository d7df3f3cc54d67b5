/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Grants on behalf of a device: pages given to the peer, and pages of the peer mapped or copied.
 *
 * Giving is in two steps so that a hot path cannot fail halfway: references are allocated first (all or none), then
 * each is filled. References come from per-CPU caches; when the domain has none left, -EAGAIN and xpv_grant_wait()
 * make back-pressure out of it.
 */
#ifndef XPV_GRANT_H
#define XPV_GRANT_H

#include <linux/list.h>
#include <xpv/types.h>

struct xpv_device;

/**
 * xpv_grant_alloc() - take @n references, all or none
 *
 * Any context. Return: 0, or -EAGAIN when there are not enough now: use xpv_grant_wait(). -ENOSPC when @n can
 * never be had.
 */
int xpv_grant_alloc(struct xpv_device *dev, unsigned int n, xpv_gref_t *refs);

/** xpv_grant_free() - give back references that are not in use (never set, or revoked). Any context. */
void xpv_grant_free(struct xpv_device *dev, unsigned int n, const xpv_gref_t *refs);

/**
 * xpv_grant_set() - let the device's peer access @page
 * @flags: XPV_GRANT_*
 *
 * Any context. The page must stay allocated until xpv_grant_revoke() returned 0; xpv_grant_end() sees to that.
 */
void xpv_grant_set(struct xpv_device *dev, xpv_gref_t ref, struct page *page, u32 flags);

/**
 * xpv_grant_revoke() - end the peer's access, keep the reference
 *
 * Any context. Return: 0, the reference may be set again or freed; -EBUSY: the peer still has the
 * page mapped, nothing changed.
 */
int xpv_grant_revoke(struct xpv_device *dev, xpv_gref_t ref);

/**
 * xpv_grant_end() - end access for good and free the reference, at once or as soon as the peer lets go
 * @page: NULL, or a page of which the caller's reference is consumed: put_page() when access has ended
 *
 * Any context. What the peer still has mapped is deferred: a list per domain that is scanned at intervals, visible as
 * `deferred` in the device's `resources`. It outlives the device and, if it must, the domain.
 */
void xpv_grant_end(struct xpv_device *dev, xpv_gref_t ref, struct page *page);

/**
 * struct xpv_grant_waiter - somebody to call when references are free again
 * @fn:   called once, in any context, with no lock held
 * @need: how many references it needs
 * @list: the core's; initialise the struct with xpv_grant_waiter_init()
 */
struct xpv_grant_waiter {
	void (*fn)(struct xpv_grant_waiter *w);
	unsigned int need;
	struct list_head list;
};

static inline void xpv_grant_waiter_init(struct xpv_grant_waiter *w, void (*fn)(struct xpv_grant_waiter *w))
{
	w->fn = fn;
	INIT_LIST_HEAD(&w->list);
}

/** xpv_grant_wait() - call w->fn when @need references can be had; no-op if already waiting. Any context. */
void xpv_grant_wait(struct xpv_device *dev, struct xpv_grant_waiter *w, unsigned int need);

/** xpv_grant_wait_cancel() - w->fn is not running and will not run any more when this returns. May sleep. */
void xpv_grant_wait_cancel(struct xpv_device *dev, struct xpv_grant_waiter *w);

/**
 * xpv_grant_map() - map pages of the device's peer
 *
 * Fills @maps one by one; every element's status must be looked at. Return: the number that failed. Interrupts on;
 * does not sleep on the stub, may on other providers.
 */
unsigned int xpv_grant_map(struct xpv_device *dev, struct xpv_grant_map *maps, unsigned int n);

/** xpv_grant_unmap() - unmap those elements that are mapped (status GNTST_okay); none may be in use any more */
void xpv_grant_unmap(struct xpv_device *dev, struct xpv_grant_map *maps, unsigned int n);

/** xpv_grant_copy() - copy to or from pages of the peer. Return: the number of segments that failed. */
unsigned int xpv_grant_copy(struct xpv_device *dev, struct xpv_grant_copy *segs, unsigned int n);

/**
 * xpv_grant_copy_pays() - up to how many pages it is cheaper to copy than to map and unmap them
 *
 * For what is used once. Any context. Return: 0 where mapping costs next to nothing.
 */
unsigned int xpv_grant_copy_pays(const struct xpv_device *dev);

/** xpv_gntst_errno() - a GNTST_* code as a negative errno; xpv_gntst_text() - as words for a message */
int xpv_gntst_errno(s16 status);
const char *xpv_gntst_text(s16 status);

#endif /* XPV_GRANT_H */
