// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of shared rings. A ring of several pages is made contiguous by vmap() on both sides.
 */
#include <linux/completion.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/vmalloc.h>
#include <xpv/ring.h>
#include <xpv/xenbus.h>

/* How long an allocation waits for grant references before it gives up. */
#define REFS_TIMEOUT	msecs_to_jiffies(1000)

static void *ring_vmap(struct xpv_ring *ring)
{
	if (ring->nr_pages == 1)
		return page_address(ring->pages[0]);
	return vmap(ring->pages, ring->nr_pages, VM_MAP, PAGE_KERNEL);
}

static void ring_vunmap(struct xpv_ring *ring)
{
	if (ring->nr_pages > 1)
		vunmap(ring->sring);
	ring->sring = NULL;
}

/* --- Frontend ------------------------------------------------------------------------------------------------- */

struct refs_waiter {
	struct xpv_grant_waiter w;
	struct completion done;
};

static void refs_free_again(struct xpv_grant_waiter *w)
{
	complete(&container_of(w, struct refs_waiter, w)->done);
}

/* As xpv_grant_alloc(), but waits for a while. */
static int refs_alloc(struct xpv_device *dev, unsigned int n, xpv_gref_t *refs)
{
	unsigned long left = REFS_TIMEOUT;
	struct refs_waiter rw;
	int err;

	xpv_grant_waiter_init(&rw.w, refs_free_again);
	for (;;) {
		err = xpv_grant_alloc(dev, n, refs);
		if (err != -EAGAIN || !left)
			return err;

		init_completion(&rw.done);
		xpv_grant_wait(dev, &rw.w, n);
		left = wait_for_completion_timeout(&rw.done, left);
		xpv_grant_wait_cancel(dev, &rw.w);
	}
}

static void pages_free(struct xpv_ring *ring, unsigned int n)
{
	while (n--)
		__free_page(ring->pages[n]);
}

static int pages_alloc(struct xpv_ring *ring)
{
	unsigned int i;

	for (i = 0; i < ring->nr_pages; i++) {
		ring->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!ring->pages[i]) {
			pages_free(ring, i);
			return -ENOMEM;
		}
	}
	return 0;
}

static int ring_alloc(struct xpv_device *dev, struct xpv_ring *ring)
{
	unsigned int i;
	int err;

	err = pages_alloc(ring);
	if (err)
		return err;

	ring->sring = ring_vmap(ring);
	if (!ring->sring) {
		err = -ENOMEM;
		goto err_pages;
	}

	err = refs_alloc(dev, ring->nr_pages, ring->refs);
	if (err)
		goto err_vmap;

	for (i = 0; i < ring->nr_pages; i++)
		xpv_grant_set(dev, ring->refs[i], ring->pages[i], XPV_GRANT_RW);
	return 0;

err_vmap:
	ring_vunmap(ring);
err_pages:
	pages_free(ring, ring->nr_pages);
	return err;
}

int xpv_ring_alloc(struct xpv_device *dev, unsigned int order, struct xpv_ring *ring)
{
	unsigned int noio;
	int err;

	ring->sring = NULL;
	if (order > XPV_RING_MAX_ORDER)
		return -EINVAL;

	/* A ring is also made to reconnect the device that memory would be written back to. */
	noio = memalloc_noio_save();
	ring->nr_pages = 1U << order;
	err = ring_alloc(dev, ring);
	memalloc_noio_restore(noio);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_ring_alloc);

void xpv_ring_free(struct xpv_device *dev, struct xpv_ring *ring)
{
	unsigned int i;

	if (!ring->sring)
		return;

	ring_vunmap(ring);
	for (i = 0; i < ring->nr_pages; i++)
		xpv_grant_end(dev, ring->refs[i], ring->pages[i]);
}
EXPORT_SYMBOL_GPL(xpv_ring_free);

/* --- Backend -------------------------------------------------------------------------------------------------- */

/* Tell of the first grant that could not be mapped. */
static int ring_map_error(struct xpv_device *dev, const struct xpv_ring *ring)
{
	unsigned int i;
	int err;

	for (i = 0; i < ring->nr_pages - 1; i++) {
		if (ring->maps[i].status != GNTST_okay)
			break;
	}

	err = xpv_gntst_errno(ring->maps[i].status) ?: -EIO;
	xpv_device_error(dev, err, "cannot map page %u of the ring, grant reference %u: %s", i, ring->maps[i].gref,
			 xpv_gntst_text(ring->maps[i].status));
	return err;
}

static int ring_map(struct xpv_device *dev, const grant_ref_t *refs, struct xpv_ring *ring)
{
	unsigned int i;
	int err;

	for (i = 0; i < ring->nr_pages; i++)
		ring->maps[i] = (struct xpv_grant_map) { .gref = refs[i], .flags = XPV_GRANT_RW };

	if (xpv_grant_map(dev, ring->maps, ring->nr_pages)) {
		err = ring_map_error(dev, ring);
		goto err_unmap;
	}

	for (i = 0; i < ring->nr_pages; i++)
		ring->pages[i] = ring->maps[i].page;
	ring->sring = ring_vmap(ring);
	if (!ring->sring) {
		err = -ENOMEM;
		goto err_unmap;
	}
	return 0;

err_unmap:
	xpv_grant_unmap(dev, ring->maps, ring->nr_pages);
	return err;
}

int xpv_ring_map(struct xpv_device *dev, const grant_ref_t *refs, unsigned int nr_pages, struct xpv_ring *ring)
{
	unsigned int noio;
	int err;

	ring->sring = NULL;
	if (!is_power_of_2(nr_pages) || nr_pages > XPV_RING_MAX_PAGES)
		return -EINVAL;

	noio = memalloc_noio_save();
	ring->nr_pages = nr_pages;
	err = ring_map(dev, refs, ring);
	memalloc_noio_restore(noio);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_ring_map);

void xpv_ring_unmap(struct xpv_device *dev, struct xpv_ring *ring)
{
	if (!ring->sring)
		return;

	ring_vunmap(ring);
	xpv_grant_unmap(dev, ring->maps, ring->nr_pages);
}
EXPORT_SYMBOL_GPL(xpv_ring_unmap);
