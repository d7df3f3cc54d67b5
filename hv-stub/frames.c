// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that a domain shares with the stub: shared_info, the store's ring, grant frames. They
 * belong to the domain and live as long as its object. Mapping one is handing out its address.
 */
#include <linux/gfp.h>
#include "hv.h"

void *stub_page_alloc(gfp_t gfp)
{
	void *page = (void *)get_zeroed_page(gfp | __GFP_NOWARN);

	if (page)
		atomic_inc(&stub_counters.pages);
	return page;
}

void stub_page_free(void *page)
{
	if (!page)
		return;
	free_page((unsigned long)page);
	atomic_dec(&stub_counters.pages);
}

int stub_map_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void **va)
{
	struct stub_domain *d = hv;
	int err = 0;

	if (stub_domain_is_dying(d))
		return -ESHUTDOWN;
	if (space != XPV_FRAME_GRANT && idx)
		return -EINVAL;

	switch (space) {
	case XPV_FRAME_SHARED_INFO:
		*va = d->events.shared;
		break;
	case XPV_FRAME_STORE:
		*va = d->ring;
		break;
	case XPV_FRAME_GRANT:
		if (idx >= STUB_MAX_GRANT_FRAMES)
			return -ENOSPC;
		err = stub_grants_grow(d, idx + 1, GFP_KERNEL);
		if (!err)
			*va = d->grants.frames[idx];
		break;
	default:
		err = -EINVAL;
	}
	return err;
}

void stub_unmap_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void *va)
{
}

int stub_frames_init(struct stub_domain *d)
{
	BUILD_BUG_ON(sizeof(struct xenstore_domain_interface) > PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct shared_info) > PAGE_SIZE);

	d->ring = stub_page_alloc(GFP_KERNEL);
	return d->ring ? 0 : -ENOMEM;
}

void stub_frames_exit(struct stub_domain *d)
{
	stub_page_free(d->ring);
}
