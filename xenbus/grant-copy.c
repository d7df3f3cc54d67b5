// SPDX-License-Identifier: GPL-2.0
/*
 * Copies between pages of domains, as the hypervisor wants them: one translation for all providers that have an
 * operation GNTTABOP_copy of some kind. A segment that crosses a page is refused here, and takes no part in the call.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <xpv/hypervisor.h>

static bool within_pages(const struct xpv_grant_copy *s)
{
	return s->len <= PAGE_SIZE && s->offset <= PAGE_SIZE - s->len &&
	       offset_in_page(s->local) <= PAGE_SIZE - s->len;
}

static void prepare(domid_t peer, const struct xpv_grant_copy *s, struct gnttab_copy *op,
		    unsigned long (*gfn)(const void *local))
{
	*op = (struct gnttab_copy) { .len = s->len, .status = GNTST_general_error };
	if (s->to_peer) {
		op->flags = GNTCOPY_dest_gref;
		op->source.u.gmfn = gfn(s->local);
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
		op->dest.u.gmfn = gfn(s->local);
		op->dest.domid = DOMID_SELF;
		op->dest.offset = offset_in_page(s->local);
	}
}

unsigned int xpv_grant_copy_prepare(domid_t peer, struct xpv_grant_copy *segs, unsigned int n,
				    struct gnttab_copy *ops, unsigned long (*gfn)(const void *local))
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		segs[i].status = within_pages(&segs[i]) ? GNTST_okay : GNTST_bad_copy_arg;
		if (segs[i].status == GNTST_okay)
			prepare(peer, &segs[i], &ops[k++], gfn);
	}
	return k;
}
EXPORT_SYMBOL_GPL(xpv_grant_copy_prepare);

unsigned int xpv_grant_copy_finish(struct xpv_grant_copy *segs, unsigned int n, const struct gnttab_copy *ops)
{
	unsigned int i, k = 0, failed = 0;

	for (i = 0; i < n; i++) {
		if (segs[i].status == GNTST_okay)
			segs[i].status = ops[k++].status;
		failed += segs[i].status != GNTST_okay;
	}
	return failed;
}
EXPORT_SYMBOL_GPL(xpv_grant_copy_finish);
