// SPDX-License-Identifier: GPL-2.0
/*
 * The domain's own grant table, version 1.
 *
 * Entries live in frames of the hypervisor that are mapped as the table grows. Free entries are a linked list of
 * references, whose links are in private memory: the hypervisor and, through it, peers write into the frames.
 * Growing sleeps, so it is left to a work item that runs ahead of need: it is queued when few entries are left, and
 * tells the core (xpv_grants_grown()) so that those who wait try again.
 *
 * An entry is granted by writing domid and frame first and then, after a barrier, the flags; it is revoked by replacing
 * the flags with 0 in one atomic step that fails as long as the hypervisor shows it in use.
 *
 * Frames are only ever added before release, and a reference is known to its user only after its frame is in place; so
 * set and revoke look entries up without the lock. After a suspend, in which nobody sets or revokes, all frames are
 * mapped again. Their entries may be new and all zero: those that peers were using can be taken back then.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/sync_bitops.h>
#include <xpv/grant.h>
#include "guest.h"

#define FRAME_ENTRIES	((unsigned int)(PAGE_SIZE / sizeof(struct grant_entry_v1)))
#define MAX_FRAMES	4096U
#define LOW_WATER	128U
#define REVOKE_TRIES	8

/* Values of a link that are no references. */
#define LINK_END	U32_MAX
#define LINK_IN_USE	(U32_MAX - 1)

/**
 * struct grant_frame - one page of the table
 * @entries: shared with the hypervisor
 * @next:    per entry: the next free one, LINK_END or LINK_IN_USE
 */
struct grant_frame {
	struct grant_entry_v1 *entries;
	u32 *next;
};

/**
 * struct guest_grants - the table
 * @dom:        domain
 * @lock:       irq-safe; protects the list: @free, @nr_free, @wanted, @stopped and the links
 * @free:       first free reference
 * @nr_free:    how many are free
 * @wanted:     how many somebody asked for in vain
 * @stopped:    no growth any more
 * @grow:       adds frames; the only one to do so after start
 * @nr_frames:  frames in place
 * @max_frames: the hypervisor's limit
 * @frames:     @max_frames of them
 */
struct guest_grants {
	struct xpv_domain *dom;
	spinlock_t lock;
	u32 free;
	unsigned int nr_free;
	unsigned int wanted;
	bool stopped;
	struct work_struct grow;
	unsigned int nr_frames;
	unsigned int max_frames;
	struct grant_frame frames[] __counted_by(max_frames);
};

static u32 *link_of(struct guest_grants *g, u32 ref)
{
	return &g->frames[ref / FRAME_ENTRIES].next[ref % FRAME_ENTRIES];
}

static struct grant_entry_v1 *entry_of(struct guest_grants *g, xpv_gref_t gref)
{
	u32 ref = xpv_gref_wire(gref);

	if (WARN_ON_ONCE(ref / FRAME_ENTRIES >= READ_ONCE(g->nr_frames)))
		return NULL;
	return &g->frames[ref / FRAME_ENTRIES].entries[ref % FRAME_ENTRIES];
}

/* --- Growth --------------------------------------------------------------------------------------------------- */

/* Hang the new frame's entries on the front of the list, the lowest first. */
static void frame_publish(struct guest_grants *g, unsigned int index)
{
	u32 first = index * FRAME_ENTRIES, ref = first + FRAME_ENTRIES;
	u32 low = max_t(u32, first, GNTTAB_NR_RESERVED_ENTRIES);
	unsigned long flags;

	spin_lock_irqsave(&g->lock, flags);
	WRITE_ONCE(g->nr_frames, index + 1);
	while (ref-- > low) {
		*link_of(g, ref) = g->free;
		g->free = ref;
		g->nr_free++;
	}
	spin_unlock_irqrestore(&g->lock, flags);
}

static int frame_add(struct guest_grants *g)
{
	unsigned int index = g->nr_frames;
	struct grant_frame *f = &g->frames[index];
	void *va = NULL;
	int err;

	if (index == g->max_frames)
		return -ENOSPC;

	f->next = kmalloc_array(FRAME_ENTRIES, sizeof(*f->next), GFP_KERNEL);
	if (!f->next)
		return -ENOMEM;
	memset32(f->next, LINK_IN_USE, FRAME_ENTRIES);

	err = g->dom->hc->map_frame(g->dom->hv, XPV_FRAME_GRANT, index, &va);
	if (err) {
		kfree(f->next);
		f->next = NULL;
		return err;
	}

	f->entries = va;
	frame_publish(g, index);
	return 0;
}

static bool needs_frame(struct guest_grants *g)
{
	unsigned long flags;
	bool needs;

	spin_lock_irqsave(&g->lock, flags);
	needs = !g->stopped && g->nr_free < max(g->wanted, LOW_WATER);
	if (!needs)
		g->wanted = 0;
	spin_unlock_irqrestore(&g->lock, flags);
	return needs;
}

static void grow(struct work_struct *work)
{
	struct guest_grants *g = container_of(work, struct guest_grants, grow);
	bool grown = false;

	while (needs_frame(g) && !frame_add(g))
		grown = true;
	if (grown)
		xpv_grants_grown(g->dom);
}

/* --- References ----------------------------------------------------------------------------------------------- */

unsigned int guest_grant_max(struct xpv_domain *dom)
{
	return dom->guest->grants->max_frames * FRAME_ENTRIES - GNTTAB_NR_RESERVED_ENTRIES;
}

static void take(struct guest_grants *g, unsigned int n, xpv_gref_t *refs)
{
	unsigned int i;
	u32 *link;

	lockdep_assert_held(&g->lock);
	for (i = 0; i < n; i++) {
		link = link_of(g, g->free);
		refs[i] = xpv_gref_make(g->free);
		g->free = *link;
		*link = LINK_IN_USE;
	}
	g->nr_free -= n;
}

int guest_grant_alloc(struct xpv_domain *dom, unsigned int n, xpv_gref_t *refs)
{
	struct guest_grants *g = dom->guest->grants;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&g->lock, flags);
	if (g->stopped || g->nr_free < n) {
		err = -ENOSPC;
		g->wanted = max(g->wanted, n);
	} else {
		take(g, n, refs);
	}
	if (!g->stopped && g->nr_free < max(g->wanted, LOW_WATER) && g->nr_frames < g->max_frames)
		queue_work(system_wq, &g->grow);
	spin_unlock_irqrestore(&g->lock, flags);
	return err;
}

void guest_grant_free(struct xpv_domain *dom, unsigned int n, const xpv_gref_t *refs)
{
	struct guest_grants *g = dom->guest->grants;
	unsigned long flags;
	struct grant_entry_v1 *e;
	unsigned int i;
	u32 ref, *link;

	spin_lock_irqsave(&g->lock, flags);
	for (i = 0; i < n; i++) {
		e = entry_of(g, refs[i]);
		if (!e)
			continue;
		ref = xpv_gref_wire(refs[i]);
		link = link_of(g, ref);
		/* Freed twice, or still granted: better lost than given to somebody else. */
		if (WARN_ON_ONCE(*link != LINK_IN_USE || READ_ONCE(e->flags)))
			continue;
		*link = g->free;
		g->free = ref;
		g->nr_free++;
	}
	spin_unlock_irqrestore(&g->lock, flags);
}

/* --- Entries -------------------------------------------------------------------------------------------------- */

void guest_grant_set(struct xpv_domain *dom, xpv_gref_t ref, domid_t to, struct page *page, u32 flags)
{
	struct grant_entry_v1 *e = entry_of(dom->guest->grants, ref);
	unsigned long gfn = page_to_pfn(page);

	/* Version 1 has 32 bits for the frame: 16 TiB. */
	if (!e || WARN_ON_ONCE(gfn > U32_MAX))
		return;

	WRITE_ONCE(e->domid, to);
	WRITE_ONCE(e->frame, gfn);
	virt_wmb();	/* the flags make the rest valid */
	WRITE_ONCE(e->flags, GTF_permit_access | (flags & XPV_GRANT_READONLY ? GTF_readonly : 0));
}

int guest_grant_revoke(struct xpv_domain *dom, xpv_gref_t ref)
{
	struct grant_entry_v1 *e = entry_of(dom->guest->grants, ref);
	unsigned int tries;
	u16 seen, flags;

	if (!e)
		return -EBUSY;

	flags = READ_ONCE(e->flags);
	for (tries = 0; tries < REVOKE_TRIES; tries++) {
		if (flags & (GTF_reading | GTF_writing))
			return -EBUSY;
		seen = sync_cmpxchg(&e->flags, flags, 0);
		if (seen == flags)
			return 0;
		flags = seen;
	}
	return -EBUSY;
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

static struct guest_grants *grants_alloc(struct xpv_domain *dom)
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };
	struct guest_grants *g;
	unsigned int max_frames;
	int err;

	err = dom->hc->grant_table_op(dom->hv, GNTTABOP_query_size, &q, 1);
	if (err)
		return ERR_PTR(err);
	if (q.status != GNTST_okay || !q.max_nr_frames)
		return ERR_PTR(xpv_gntst_errno(q.status) ?: -ENOSPC);

	max_frames = min_t(unsigned int, q.max_nr_frames, MAX_FRAMES);
	g = kvzalloc(struct_size(g, frames, max_frames), GFP_KERNEL | __GFP_NOWARN);
	if (!g)
		return ERR_PTR(-ENOMEM);
	g->max_frames = max_frames;
	return g;
}

int guest_grants_start(struct xpv_domain *dom)
{
	struct guest_grants *g = grants_alloc(dom);
	int err;

	if (IS_ERR(g))
		return PTR_ERR(g);

	g->dom = dom;
	spin_lock_init(&g->lock);
	g->free = LINK_END;
	INIT_WORK(&g->grow, grow);
	err = frame_add(g);
	if (err) {
		kvfree(g);
		return err;
	}
	dom->guest->grants = g;
	return 0;
}

void guest_grants_stop(struct xpv_domain *dom)
{
	struct guest_grants *g = dom->guest->grants;

	spin_lock_irq(&g->lock);
	g->stopped = true;
	spin_unlock_irq(&g->lock);
	cancel_work_sync(&g->grow);
}

int guest_grants_resume(struct xpv_domain *dom)
{
	struct guest_grants *g = dom->guest->grants;
	unsigned int i;
	void *va;
	int err;

	for (i = 0; i < g->nr_frames; i++) {
		va = g->frames[i].entries;
		err = dom->hc->map_frame(dom->hv, XPV_FRAME_GRANT, i, &va);
		if (err)
			return err;
		g->frames[i].entries = va;
	}
	spin_lock_irq(&g->lock);
	g->stopped = false;
	spin_unlock_irq(&g->lock);
	return 0;
}

void guest_grants_release(struct xpv_domain *dom)
{
	struct guest_grants *g = dom->guest->grants;
	unsigned int i = g->nr_frames;

	while (i--) {
		dom->hc->unmap_frame(dom->hv, XPV_FRAME_GRANT, i, g->frames[i].entries);
		kfree(g->frames[i].next);
	}
	kvfree(g);
	dom->guest->grants = NULL;
}
