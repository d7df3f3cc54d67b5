/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of shared rings, of one or more pages. The indices and slots are those of
 * <xen/interface/io/ring.h>; slots are read with RING_COPY_REQUEST() and RING_COPY_RESPONSE() only
 * (make lint sees to that).
 */
#ifndef XPV_RING_H
#define XPV_RING_H

#include <xen/interface/io/ring.h>
#include <xpv/grant.h>

struct xpv_device;

#define XPV_RING_MAX_ORDER	4
#define XPV_RING_MAX_PAGES	BIT(XPV_RING_MAX_ORDER)

/**
 * struct xpv_ring - the pages of one shared ring
 * @sring:    kernel address, contiguous; NULL while there is no ring
 * @nr_pages: how many
 * @pages:    them
 * @refs:     frontend: what the backend is to be told
 * @maps:     backend: the mappings
 */
struct xpv_ring {
	void *sring;
	unsigned int nr_pages;
	struct page *pages[XPV_RING_MAX_PAGES];
	union {
		xpv_gref_t refs[XPV_RING_MAX_PAGES];
		struct xpv_grant_map maps[XPV_RING_MAX_PAGES];
	};
};

/**
 * xpv_ring_alloc() - frontend: a zeroed ring of 1 << @order pages, granted to the peer
 *
 * May sleep. Return: 0, -ENOMEM, -EAGAIN without enough grant references; nothing is left behind then.
 */
int xpv_ring_alloc(struct xpv_device *dev, unsigned int order, struct xpv_ring *ring);

/** xpv_ring_free() - mirror; pages that the peer still has mapped are freed when it lets go. No-op without a ring. */
void xpv_ring_free(struct xpv_device *dev, struct xpv_ring *ring);

/**
 * xpv_ring_map() - backend: map the peer's ring of @nr_pages pages
 *
 * May sleep. Return: 0; -EINVAL for a number that is not a power of two up to %XPV_RING_MAX_PAGES; the errno of the
 * first grant that could not be mapped (xpv_device_error() has named it). Nothing is left behind then.
 */
int xpv_ring_map(struct xpv_device *dev, const grant_ref_t *refs, unsigned int nr_pages, struct xpv_ring *ring);

/** xpv_ring_unmap() - mirror. No-op without a ring. */
void xpv_ring_unmap(struct xpv_device *dev, struct xpv_ring *ring);

#endif /* XPV_RING_H */
