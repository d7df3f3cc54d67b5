// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that other domains grant: mapping and copying.
 *
 * Operations go to the hypervisor in batches small enough for the stack. A mapping returns a page of the provider's
 * choosing: with %XPV_HC_MAP_RETURNS_FRAME it is the granted frame itself. A provider that needs a place in
 * the guest's address space to map to will supply it in map_target(); none exists yet.
 */
#include <linux/mm.h>
#include "guest.h"

#define BATCH	16U

static bool map_target(struct xpv_domain *dom, struct gnttab_map_grant_ref *op)
{
	op->host_addr = 0;
	return dom->hc->flags & XPV_HC_MAP_RETURNS_FRAME;
}

static void unmap_one(struct xpv_domain *dom, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref op = { .handle = handle };

	dom->hc->grant_table_op(dom->hv, GNTTABOP_unmap_grant_ref, &op, 1);
}

static bool map_prepare(struct xpv_domain *dom, domid_t from, const struct xpv_grant_map *m,
			struct gnttab_map_grant_ref *op)
{
	*op = (struct gnttab_map_grant_ref) {
		.flags = GNTMAP_host_map | (m->flags & XPV_GRANT_READONLY ? GNTMAP_readonly : 0),
		.ref = m->gref,
		.dom = from,
		.status = GNTST_general_error,
	};
	return map_target(dom, op);
}

static void map_finish(struct xpv_domain *dom, const struct gnttab_map_grant_ref *op, struct xpv_grant_map *m)
{
	unsigned long pfn = PHYS_PFN(op->dev_bus_addr);

	m->status = op->status;
	if (op->status != GNTST_okay)
		return;

	/* A frame without a struct page cannot go into bios and skbs. */
	if (!pfn_valid(pfn)) {
		unmap_one(dom, op->handle);
		m->status = GNTST_bad_page;
		return;
	}
	m->handle = op->handle;
	m->page = pfn_to_page(pfn);
	m->vaddr = page_address(m->page);
}

static unsigned int map_batch(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps, unsigned int n)
{
	struct gnttab_map_grant_ref ops[BATCH];
	unsigned int i, failed = 0;
	bool able = true;

	for (i = 0; i < n; i++)
		able &= map_prepare(dom, from, &maps[i], &ops[i]);

	/* If the call itself fails, the statuses say so: they were set beforehand. */
	if (able)
		dom->hc->grant_table_op(dom->hv, GNTTABOP_map_grant_ref, ops, n);

	for (i = 0; i < n; i++) {
		map_finish(dom, &ops[i], &maps[i]);
		failed += maps[i].status != GNTST_okay;
	}
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
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		if (maps[i].status == GNTST_okay) {
			ops[k++] = (struct gnttab_unmap_grant_ref) { .handle = maps[i].handle };
			maps[i].status = GNTST_bad_handle;
		}
		if (k == BATCH || (k && i == n - 1)) {
			dom->hc->grant_table_op(dom->hv, GNTTABOP_unmap_grant_ref, ops, k);
			k = 0;
		}
	}
}

/* --- Copying -------------------------------------------------------------------------------------------------- */

static bool copy_within_pages(const struct xpv_grant_copy *s)
{
	return s->len <= PAGE_SIZE && s->offset <= PAGE_SIZE - s->len &&
	       offset_in_page(s->local) <= PAGE_SIZE - s->len;
}

static void copy_prepare(domid_t peer, const struct xpv_grant_copy *s, struct gnttab_copy *op)
{
	unsigned long gfn = page_to_pfn(virt_to_page(s->local));

	*op = (struct gnttab_copy) { .len = s->len, .status = GNTST_general_error };
	if (s->to_peer) {
		op->flags = GNTCOPY_dest_gref;
		op->source.u.gmfn = gfn;
		op->source.domid = DOMID_SELF;
		op->source.offset = offset_in_page(s->local);
		op->dest.u.ref = s->gref;
		op->dest.domid = peer;
		op->dest.offset = s->offset;
	} else {
		op->flags = GNTCOPY_source_gref;
		op->source.u.ref = s->gref;
		op->source.domid = peer;
		op->source.offset = s->offset;
		op->dest.u.gmfn = gfn;
		op->dest.domid = DOMID_SELF;
		op->dest.offset = offset_in_page(s->local);
	}
}

static unsigned int copy_batch(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs, unsigned int n)
{
	struct gnttab_copy ops[BATCH];
	unsigned int i, k = 0, failed = 0;

	for (i = 0; i < n; i++) {
		segs[i].status = copy_within_pages(&segs[i]) ? GNTST_okay : GNTST_bad_copy_arg;
		if (segs[i].status == GNTST_okay)
			copy_prepare(peer, &segs[i], &ops[k++]);
	}
	if (k)
		dom->hc->grant_table_op(dom->hv, GNTTABOP_copy, ops, k);

	for (i = 0, k = 0; i < n; i++) {
		if (segs[i].status == GNTST_okay)
			segs[i].status = ops[k++].status;
		failed += segs[i].status != GNTST_okay;
	}
	return failed;
}

unsigned int guest_grant_copy(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs, unsigned int n)
{
	unsigned int i, failed = 0;

	for (i = 0; i < n; i += BATCH)
		failed += copy_batch(dom, peer, segs + i, min(n - i, BATCH));
	return failed;
}
