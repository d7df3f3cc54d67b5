// SPDX-License-Identifier: GPL-2.0
/*
 * Copies between granted pages, or between a granted page and own memory.
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include "hv.h"

/**
 * struct copy_end - one end of a copy, claimed
 * @owner: whose page it is, a reference is held; NULL: own memory by frame
 * @ref:   the entry, of a granted page
 * @use:   STUB_USE_*
 * @pfn:   the page
 */
struct copy_end {
	struct stub_domain *owner;
	grant_ref_t ref;
	u32 use;
	unsigned long pfn;
};

static s16 claim_gref(struct stub_domain *d, const struct gnttab_copy_ptr *ptr, struct copy_end *end)
{
	s16 status;

	end->owner = stub_domain_find(ptr->domid == DOMID_SELF ? d->id : ptr->domid);
	if (!end->owner)
		return GNTST_bad_domain;
	end->ref = ptr->u.ref;
	status = stub_grant_pin(end->owner, end->ref, d->id, end->use, &end->pfn);
	if (status != GNTST_okay)
		stub_domain_put(end->owner);
	return status;
}

/* Mirror is end_release(), unless it fails. */
static s16 end_claim(struct stub_domain *d, const struct gnttab_copy_ptr *ptr, bool is_gref, u32 use,
		     struct copy_end *end)
{
	*end = (struct copy_end){ .use = use };
	if (is_gref)
		return claim_gref(d, ptr, end);
	end->pfn = ptr->u.gmfn;
	return stub_frame_ok(end->pfn) ? GNTST_okay : GNTST_bad_page;
}

static void end_release(const struct copy_end *end)
{
	if (!end->owner)
		return;
	stub_grant_unpin(end->owner, end->ref, end->use);
	stub_domain_put(end->owner);
}

static s16 copy_one(struct stub_domain *d, const struct gnttab_copy *req)
{
	bool source_gref = req->flags & GNTCOPY_source_gref, dest_gref = req->flags & GNTCOPY_dest_gref;
	struct copy_end source, dest;
	s16 status;

	if (stub_domain_is_dying(d))
		return GNTST_general_error;
	status = stub_check_copy_end(req->source.domid, source_gref);
	if (status == GNTST_okay)
		status = stub_check_copy_end(req->dest.domid, dest_gref);
	if (status != GNTST_okay)
		return status;

	status = end_claim(d, &req->source, source_gref, STUB_USE_READ, &source);
	if (status != GNTST_okay)
		return status;
	status = end_claim(d, &req->dest, dest_gref, STUB_USE_WRITE, &dest);
	if (status != GNTST_okay)
		goto release_source;
	status = stub_check_copy(req);
	if (status == GNTST_okay)
		memmove(pfn_to_kaddr(dest.pfn) + req->dest.offset,
			pfn_to_kaddr(source.pfn) + req->source.offset, req->len);

	end_release(&dest);
release_source:
	end_release(&source);
	return status;
}

void stub_copy(struct stub_domain *d, struct gnttab_copy *op)
{
	const struct gnttab_copy req = *op;

	op->status = copy_one(d, &req);
}
