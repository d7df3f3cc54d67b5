// SPDX-License-Identifier: GPL-2.0
/*
 * Pages given to others: references of the kernel's own grant table.
 *
 * A page that the peer has mapped still is left to the kernel (native_grant_end()), which tries again at intervals
 * for as long as it runs. So nothing of ours has to outlive this module.
 */
#include "native.h"

/* Half as many in a table of version 2, which the kernel uses where frame numbers do not fit otherwise. */
unsigned int native_grant_max(struct xpv_domain *dom)
{
	return gnttab_max_grant_frames() * (PAGE_SIZE / sizeof(struct grant_entry_v1));
}

int native_grant_alloc(struct xpv_domain *dom, unsigned int n, xpv_gref_t *refs)
{
	grant_ref_t head;
	unsigned int i;

	if (n > U16_MAX || gnttab_alloc_grant_references(n, &head))
		return -ENOSPC;
	for (i = 0; i < n; i++)
		refs[i] = xpv_gref_make(gnttab_claim_grant_reference(&head));
	return 0;
}

void native_grant_free(struct xpv_domain *dom, unsigned int n, const xpv_gref_t *refs)
{
	while (n--)
		gnttab_free_grant_reference(xpv_gref_wire(*refs++));
}

void native_grant_set(struct xpv_domain *dom, xpv_gref_t ref, domid_t to, struct page *page,
		      u32 flags)
{
	gnttab_grant_foreign_access_ref(xpv_gref_wire(ref), to, xen_page_to_gfn(page),
					flags & XPV_GRANT_READONLY);
}

int native_grant_revoke(struct xpv_domain *dom, xpv_gref_t ref)
{
	return gnttab_end_foreign_access_ref(xpv_gref_wire(ref)) ? 0 : -EBUSY;
}

void native_grant_end(struct xpv_domain *dom, xpv_gref_t ref, struct page *page)
{
	gnttab_end_foreign_access(xpv_gref_wire(ref), page);
}
