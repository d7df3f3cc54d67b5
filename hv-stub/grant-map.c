// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping of granted pages, and the handles that keep track of it.
 *
 * A map returns the frame itself: all domains are in one kernel and have its linear map. No check
 * is left out for it. A handle holds a reference to the owner of the page, which stays in memory,
 * its table with it, until the last handle is gone; that the page stays is the owner's to see to
 * (an entry in use is never revoked).
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include "hv.h"

#define HANDLE_NONE	((u32)~0)

static struct stub_mapping *handle_slot(struct stub_maptrack *t, u32 handle)
{
	lockdep_assert_held(&t->lock);
	return &t->chunks[handle / STUB_HANDLES_PER_CHUNK][handle % STUB_HANDLES_PER_CHUNK];
}

/* No handle is free: make some, in any context. */
static bool handles_grow(struct stub_maptrack *t)
{
	struct stub_mapping *chunk;
	u32 first = t->nr_chunks * STUB_HANDLES_PER_CHUNK;
	unsigned int n;

	lockdep_assert_held(&t->lock);
	if (t->nr_chunks == STUB_HANDLE_CHUNKS)
		return false;
	if (!t->chunks)
		t->chunks = kcalloc(STUB_HANDLE_CHUNKS, sizeof(*t->chunks), GFP_ATOMIC | __GFP_NOWARN);
	if (!t->chunks)
		return false;
	chunk = kcalloc(STUB_HANDLES_PER_CHUNK, sizeof(*chunk), GFP_ATOMIC | __GFP_NOWARN);
	if (!chunk)
		return false;

	for (n = 0; n < STUB_HANDLES_PER_CHUNK; n++)
		chunk[n].ref = first + n + 1;
	chunk[n - 1].ref = HANDLE_NONE;
	t->chunks[t->nr_chunks++] = chunk;
	t->free = first;
	return true;
}

/* Consumes the caller's reference to m->owner, if it succeeds. */
static bool handle_alloc(struct stub_maptrack *t, const struct stub_mapping *m, grant_handle_t *handle)
{
	struct stub_mapping *slot;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&t->lock, flags);
	ok = t->free != HANDLE_NONE || handles_grow(t);
	if (ok) {
		*handle = t->free;
		slot = handle_slot(t, t->free);
		t->free = slot->ref;
		*slot = *m;
		t->used++;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return ok;
}

/* Mirror: the reference is the caller's again, in @m. Return: GNTST_*. */
static s16 handle_take(struct stub_maptrack *t, grant_handle_t handle, struct stub_mapping *m)
{
	struct stub_mapping *slot = NULL;
	unsigned long flags;
	s16 status;

	spin_lock_irqsave(&t->lock, flags);
	if (handle < t->nr_chunks * STUB_HANDLES_PER_CHUNK)
		slot = handle_slot(t, handle);
	status = stub_check_handle(handle, t->nr_chunks * STUB_HANDLES_PER_CHUNK, slot && slot->owner);
	if (status == GNTST_okay) {
		*m = *slot;
		slot->owner = NULL;
		slot->ref = t->free;
		t->free = handle;
		t->used--;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return status;
}

static bool map_shall_fail(struct stub_grants *g)
{
	return unlikely(atomic_read(&g->fail_map)) && atomic_dec_if_positive(&g->fail_map) >= 0;
}

static s16 map_from(struct stub_domain *d, struct stub_domain *owner, const struct gnttab_map_grant_ref *req,
		    grant_handle_t *handle, unsigned long *pfn)
{
	u32 use = STUB_USE_MAP | (req->flags & GNTMAP_readonly ? STUB_USE_READ : STUB_USE_WRITE);
	struct stub_mapping m = { .owner = owner, .ref = req->ref, .use = use };
	s16 status;

	if (map_shall_fail(&owner->grants))
		return READ_ONCE(owner->grants.fail_status);
	status = stub_grant_pin(owner, req->ref, d->id, use, pfn);
	if (status != GNTST_okay)
		return status;

	stub_domain_get(owner);
	atomic_inc(&owner->grants.mapped);
	atomic_inc(&stub_counters.maps);
	if (handle_alloc(&d->maptrack, &m, handle))
		return GNTST_okay;

	atomic_dec(&stub_counters.maps);
	atomic_dec(&owner->grants.mapped);
	stub_domain_put(owner);
	stub_grant_unpin(owner, req->ref, use);
	return GNTST_no_device_space;
}

void stub_map(struct stub_domain *d, struct gnttab_map_grant_ref *op)
{
	const struct gnttab_map_grant_ref req = *op;
	struct stub_domain *owner;
	grant_handle_t handle;
	unsigned long pfn;

	op->status = stub_check_map_flags(req.flags);
	if (op->status != GNTST_okay)
		return;
	if (stub_domain_is_dying(d)) {
		op->status = GNTST_general_error;
		return;
	}
	owner = stub_domain_find(req.dom);
	if (!owner) {
		op->status = GNTST_bad_domain;
		return;
	}
	op->status = map_from(d, owner, &req, &handle, &pfn);
	if (op->status == GNTST_okay) {
		op->handle = handle;
		op->dev_bus_addr = PFN_PHYS(pfn);
	}
	stub_domain_put(owner);
}

static s16 unmap_handle(struct stub_domain *d, grant_handle_t handle)
{
	struct stub_mapping m;
	s16 status;

	status = handle_take(&d->maptrack, handle, &m);
	if (status != GNTST_okay)
		return status;
	stub_grant_unpin(m.owner, m.ref, m.use);
	atomic_dec(&stub_counters.maps);
	atomic_dec(&m.owner->grants.mapped);
	stub_domain_put(m.owner);
	return GNTST_okay;
}

void stub_unmap(struct stub_domain *d, struct gnttab_unmap_grant_ref *op)
{
	op->status = unmap_handle(d, op->handle);
}

unsigned int stub_unmap_all(struct stub_domain *d)
{
	unsigned int handle, count = 0;

	for (handle = 0; handle < d->maptrack.nr_chunks * STUB_HANDLES_PER_CHUNK; handle++) {
		if (unmap_handle(d, handle) == GNTST_okay)
			count++;
		if (handle % STUB_HANDLES_PER_CHUNK == 0)
			cond_resched();
	}
	return count;
}

void stub_maptrack_init(struct stub_domain *d)
{
	spin_lock_init(&d->maptrack.lock);
	d->maptrack.free = HANDLE_NONE;
}

void stub_maptrack_exit(struct stub_domain *d)
{
	struct stub_maptrack *t = &d->maptrack;
	unsigned int n;

	WARN_ON_ONCE(t->used);
	for (n = 0; n < t->nr_chunks; n++)
		kfree(t->chunks[n]);
	kfree(t->chunks);
}
