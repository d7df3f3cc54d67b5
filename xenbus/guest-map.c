// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that other domains grant: mapping and copying.
 *
 * Operations go to the hypervisor in batches small enough for the stack. With %XPV_HC_MAP_RETURNS_FRAME a mapping
 * returns the granted frame itself; otherwise it is made at a page of the guest's address space that the provider sets
 * aside (page_get), and which is given back when the mapping has gone. One that cannot be undone keeps its page for
 * good: nobody may use what a peer can still write to.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include "guest.h"

#define BATCH	16U

static bool returns_frame(const struct xpv_domain *dom)
{
	return dom->hc->flags & XPV_HC_MAP_RETURNS_FRAME;
}

/* Where to map to. Leaves @m->page NULL where the hypervisor chooses. */
static bool map_target(struct xpv_domain *dom, struct xpv_grant_map *m, struct gnttab_map_grant_ref *op)
{
	m->page = NULL;
	if (returns_frame(dom))
		return true;
	m->page = dom->hc->page_get ? dom->hc->page_get(dom->hv) : NULL;
	if (!m->page)
		return false;
	op->host_addr = page_to_phys(m->page);
	return true;
}

static void target_put(struct xpv_domain *dom, struct page *page)
{
	if (!returns_frame(dom))
		dom->hc->page_put(dom->hv, page);
}

/* Where the hypervisor chooses the page it also takes it back: when a domain goes it is quicker than we are. */
static void unmap_ops(struct xpv_domain *dom, struct gnttab_unmap_grant_ref *ops, struct page **pages,
		      unsigned int n)
{
	unsigned int i;

	if (!n)
		return;
	dom->hc->grant_table_op(dom->hv, GNTTABOP_unmap_grant_ref, ops, n);
	for (i = 0; i < n; i++) {
		if (ops[i].status == GNTST_okay)
			target_put(dom, pages[i]);
		else if (!returns_frame(dom))
			pr_warn_ratelimited("domain %u: cannot unmap a page of another domain (status %d)\n",
					    dom->domid, ops[i].status);
	}
}

static void unmap_prepare(struct xpv_domain *dom, const struct xpv_grant_map *m, struct gnttab_unmap_grant_ref *op)
{
	*op = (struct gnttab_unmap_grant_ref) {
		.handle = m->handle,
		.host_addr = returns_frame(dom) ? 0 : page_to_phys(m->page),
		.status = GNTST_general_error,
	};
}

static bool map_prepare(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *m,
			struct gnttab_map_grant_ref *op)
{
	*op = (struct gnttab_map_grant_ref) {
		.flags = GNTMAP_host_map | (m->flags & XPV_GRANT_READONLY ? GNTMAP_readonly : 0),
		.ref = m->gref,
		.dom = from,
		.status = GNTST_general_error,
	};
	m->status = GNTST_no_device_space;
	return map_target(dom, m, op);
}

/* The frame's own page, or NULL: a frame without a struct page cannot go into bios and skbs. */
static struct page *returned_page(const struct gnttab_map_grant_ref *op)
{
	unsigned long pfn = PHYS_PFN(op->dev_bus_addr);

	return pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
}

static void map_finish(struct xpv_domain *dom, const struct gnttab_map_grant_ref *op, struct xpv_grant_map *m)
{
	m->status = op->status;
	if (op->status != GNTST_okay) {
		if (m->page)
			target_put(dom, m->page);
		return;
	}
	m->handle = op->handle;
	if (!m->page)
		m->page = returned_page(op);
	if (!m->page) {
		struct gnttab_unmap_grant_ref undo = { .handle = op->handle };

		unmap_ops(dom, &undo, &m->page, 1);
		m->status = GNTST_bad_page;
		return;
	}
	m->vaddr = page_address(m->page);
}

static unsigned int map_batch(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps, unsigned int n)
{
	struct gnttab_map_grant_ref ops[BATCH];
	struct xpv_grant_map *of[BATCH];
	unsigned int i, k = 0, failed = 0;

	for (i = 0; i < n; i++)
		if (map_prepare(dom, from, &maps[i], &ops[k]))
			of[k++] = &maps[i];

	/* If the call itself fails, the statuses say so: they were set beforehand. */
	if (k)
		dom->hc->grant_table_op(dom->hv, GNTTABOP_map_grant_ref, ops, k);

	for (i = 0; i < k; i++)
		map_finish(dom, &ops[i], of[i]);
	for (i = 0; i < n; i++)
		failed += maps[i].status != GNTST_okay;
	return failed;
}

unsigned int guest_grant_map(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps, unsigned int n)
{
	unsigned int i, failed = 0;

	for (i = 0; i < n; i += BATCH)
		failed += map_batch(dom, from, maps + i, min(n - i, BATCH));
	return failed;
}

void guest_grant_unmap(struct xpv_domain *dom, struct xpv_grant_map *maps, unsigned int n)
{
	struct gnttab_unmap_grant_ref ops[BATCH];
	struct page *pages[BATCH];
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		if (maps[i].status == GNTST_okay) {
			pages[k] = maps[i].page;
			unmap_prepare(dom, &maps[i], &ops[k++]);
			maps[i].status = GNTST_bad_handle;
		}
		if (k == BATCH || i == n - 1) {
			unmap_ops(dom, ops, pages, k);
			k = 0;
		}
	}
}

/* --- Copying -------------------------------------------------------------------------------------------------- */

static unsigned long gfn_of(const void *local)
{
	return page_to_pfn(virt_to_page(local));
}

static unsigned int copy_batch(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs, unsigned int n)
{
	struct gnttab_copy ops[BATCH];
	unsigned int k = xpv_grant_copy_prepare(peer, segs, n, ops, gfn_of);

	/* If the call itself fails, the statuses say so: they were set beforehand. */
	if (k)
		dom->hc->grant_table_op(dom->hv, GNTTABOP_copy, ops, k);
	return xpv_grant_copy_finish(segs, n, ops);
}

unsigned int guest_grant_copy(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs, unsigned int n)
{
	unsigned int i, failed = 0;

	for (i = 0; i < n; i += BATCH)
		failed += copy_batch(dom, peer, segs + i, min(n - i, BATCH));
	return failed;
}
