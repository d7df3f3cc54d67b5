// SPDX-License-Identifier: GPL-2.0
/*
 * Grant tables: the shared frames, the entries in use, and the way in for GNTTABOP_*.
 *
 * An entry belongs to its domain, which changes it as it likes; the hypervisor only sets and clears
 * the in-use bits. So what is known of an entry in use is kept apart, in struct stub_pin: who uses
 * it, how often, and which frame it named when the first use began. Later uses and the end of all
 * of them go by that, not by what the entry says by then.
 *
 * Lock order: stub_grants.lock and stub_maptrack.lock are innermost and never nested.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <asm/sync_bitops.h>
#include "hv.h"

/* An owner that changes the entry all the time has granted nothing. */
#define MARK_TRIES	5

/* --- the table -------------------------------------------------------------------------------- */

int stub_grants_grow(struct stub_domain *d, unsigned int nr_frames, gfp_t gfp)
{
	struct stub_grants *g = &d->grants;
	struct grant_entry_v1 *frame;
	struct stub_pin *pins;
	unsigned long flags;
	bool more;

	if (nr_frames > READ_ONCE(g->max_frames))
		return nr_frames <= READ_ONCE(g->nr_frames) ? 0 : -ENOSPC;

	/* Each turn adds a frame, or finds that somebody else did. */
	while (READ_ONCE(g->nr_frames) < nr_frames) {
		frame = stub_page_alloc(gfp);
		pins = kcalloc(STUB_GRANTS_PER_FRAME, sizeof(*pins), gfp | __GFP_NOWARN);
		if (!frame || !pins) {
			stub_page_free(frame);
			kfree(pins);
			return -ENOMEM;
		}

		spin_lock_irqsave(&g->lock, flags);
		more = g->nr_frames < nr_frames;
		if (more) {
			g->frames[g->nr_frames] = frame;
			g->pins[g->nr_frames] = pins;
			WRITE_ONCE(g->nr_frames, g->nr_frames + 1);
		}
		spin_unlock_irqrestore(&g->lock, flags);

		if (!more) {
			stub_page_free(frame);
			kfree(pins);
		}
	}
	return 0;
}

/* For a look at the domain from outside: entries that grant something just now. */
unsigned int stub_grants_count(struct stub_domain *d)
{
	struct stub_grants *g = &d->grants;
	unsigned int frame, n, count = 0;

	for (frame = 0; frame < READ_ONCE(g->nr_frames); frame++)
		for (n = 0; n < STUB_GRANTS_PER_FRAME; n++)
			if (READ_ONCE(g->frames[frame][n].flags) & GTF_type_mask)
				count++;
	return count;
}

int stub_grants_init(struct stub_domain *d)
{
	struct stub_grants *g = &d->grants;

	spin_lock_init(&g->lock);
	g->max_frames = STUB_MAX_GRANT_FRAMES;
	g->fail_status = GNTST_no_device_space;
	return stub_grants_grow(d, 1, GFP_KERNEL);
}

/* The frames stay, as the domain has them mapped. */
void stub_grants_reset(struct stub_domain *d)
{
	struct stub_grants *g = &d->grants;
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&g->lock, flags);
	for (n = 0; n < g->nr_frames; n++)
		clear_page(g->frames[n]);
	spin_unlock_irqrestore(&g->lock, flags);
}

void stub_grants_exit(struct stub_domain *d)
{
	struct stub_grants *g = &d->grants;
	unsigned int n;

	WARN_ON_ONCE(atomic_read(&g->mapped));
	for (n = 0; n < g->nr_frames; n++) {
		stub_page_free(g->frames[n]);
		kfree(g->pins[n]);
	}
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Flags and domid of an entry, the unit of access to it. */
static u32 *entry_word(struct grant_entry_v1 *entry)
{
	return (u32 *)entry;
}

/* Set the in-use bits, if the entry permits the use. */
static s16 entry_mark(struct grant_entry_v1 *entry, bool pinned, domid_t by, u32 use)
{
	u32 seen, old, new;
	unsigned int tries;
	s16 status;

	seen = READ_ONCE(*entry_word(entry));
	for (tries = 0; tries < MARK_TRIES; tries++) {
		status = stub_check_entry(seen, pinned, by, use, &new);
		if (status != GNTST_okay)
			return status;
		old = seen;
		seen = sync_cmpxchg(entry_word(entry), old, new);
		if (seen == old)
			return GNTST_okay;
	}
	return GNTST_general_error;
}

static void entry_clear(struct grant_entry_v1 *entry, u16 gtf)
{
	/* Accesses to the page are over before the owner can see that they are. */
	if (gtf & GTF_writing)
		sync_clear_bit(_GTF_writing, (unsigned long *)entry);
	if (gtf & GTF_reading)
		sync_clear_bit(_GTF_reading, (unsigned long *)entry);
}

/*
 * Is there memory that a domain may own? All domains live in one kernel and none can be kept from
 * another's memory; this is about frames that are no memory, or are the kernel's image. Reserved
 * pages that are in use for I/O are the zero page and those of devices.
 */
bool stub_frame_ok(unsigned long pfn)
{
	struct page *page;

	if (!pfn_valid(pfn) || !virt_addr_valid(pfn_to_kaddr(pfn)))
		return false;
	page = pfn_to_page(pfn);
	if (PageReserved(page) && !is_zero_pfn(pfn) && !is_zone_device_page(page))
		return false;
	return page_count(page) > 0;
}

static s16 pin_first(struct grant_entry_v1 *entry, struct stub_pin *pin, domid_t by, u32 use)
{
	u32 frame = READ_ONCE(entry->frame);

	if (!stub_frame_ok(frame)) {
		entry_clear(entry, stub_idle_flags(pin, use));
		return GNTST_bad_page;
	}
	pin->frame = frame;
	pin->domid = by;
	return GNTST_okay;
}

static s16 pin_locked(struct stub_grants *g, grant_ref_t ref, domid_t by, u32 use, unsigned long *pfn)
{
	struct grant_entry_v1 *entry;
	struct stub_pin *pin;
	s16 status;

	lockdep_assert_held(&g->lock);
	if (ref >= g->nr_frames * STUB_GRANTS_PER_FRAME)
		return GNTST_bad_gntref;
	entry = &g->frames[ref / STUB_GRANTS_PER_FRAME][ref % STUB_GRANTS_PER_FRAME];
	pin = &g->pins[ref / STUB_GRANTS_PER_FRAME][ref % STUB_GRANTS_PER_FRAME];

	status = stub_check_pin(pin, by);
	if (status == GNTST_okay && stub_must_mark(pin, use)) {
		status = entry_mark(entry, stub_pinned(pin), by, use);
		if (status == GNTST_okay && !stub_pinned(pin))
			status = pin_first(entry, pin, by, use);
	}
	if (status != GNTST_okay)
		return status;

	stub_pin_add(pin, use);
	*pfn = pin->frame;
	return GNTST_okay;
}

s16 stub_grant_pin(struct stub_domain *owner, grant_ref_t ref, domid_t by, u32 use, unsigned long *pfn)
{
	struct stub_grants *g = &owner->grants;
	unsigned long flags;
	s16 status;

	spin_lock_irqsave(&g->lock, flags);
	status = pin_locked(g, ref, by, use, pfn);
	spin_unlock_irqrestore(&g->lock, flags);
	return status;
}

void stub_grant_unpin(struct stub_domain *owner, grant_ref_t ref, u32 use)
{
	struct stub_grants *g = &owner->grants;
	unsigned int frame = ref / STUB_GRANTS_PER_FRAME, n = ref % STUB_GRANTS_PER_FRAME;
	unsigned long flags;

	spin_lock_irqsave(&g->lock, flags);
	entry_clear(&g->frames[frame][n], stub_pin_drop(&g->pins[frame][n], use));
	spin_unlock_irqrestore(&g->lock, flags);
}

/* --- the way in ------------------------------------------------------------------------------- */

/* These two speak of a whole table, and a domain may only ask about its own. */
static s16 check_table(struct stub_domain *d, domid_t id)
{
	struct stub_domain *other;

	if (id == DOMID_SELF || id == d->id)
		return GNTST_okay;
	other = stub_domain_find(id);
	if (!other)
		return GNTST_bad_domain;
	stub_domain_put(other);
	return GNTST_permission_denied;
}

static s16 setup_table(struct stub_domain *d, const struct gnttab_setup_table *op)
{
	s16 status = check_table(d, op->dom);
	unsigned int n;

	if (status != GNTST_okay)
		return status;
	if (stub_domain_is_dying(d) || stub_grants_grow(d, op->nr_frames, GFP_ATOMIC))
		return GNTST_general_error;
	if (op->nr_frames && !op->frame_list)
		return GNTST_bad_virt_addr;
	for (n = 0; n < op->nr_frames; n++)
		op->frame_list[n] = page_to_pfn(virt_to_page(d->grants.frames[n]));
	return GNTST_okay;
}

static void query_size(struct stub_domain *d, struct gnttab_query_size *op)
{
	op->status = check_table(d, op->dom);
	if (op->status != GNTST_okay)
		return;
	op->nr_frames = READ_ONCE(d->grants.nr_frames);
	op->max_nr_frames = READ_ONCE(d->grants.max_frames);
}

static int get_version(struct stub_domain *d, struct gnttab_get_version *op)
{
	switch (check_table(d, op->dom)) {
	case GNTST_okay:
		op->version = 1;
		return 0;
	case GNTST_bad_domain:
		return -ESRCH;
	default:
		return -EPERM;
	}
}

static int set_version(struct gnttab_set_version *op)
{
	u32 version = op->version;

	if (version != 1 && version != 2)
		return -EINVAL;
	op->version = 1;
	return version == 1 ? 0 : -ENOSYS;
}

static int table_op(struct stub_domain *d, unsigned int cmd, void *op)
{
	struct gnttab_setup_table *setup = op;

	switch (cmd) {
	case GNTTABOP_setup_table:
		setup->status = setup_table(d, setup);
		return 0;
	case GNTTABOP_query_size:
		query_size(d, op);
		return 0;
	case GNTTABOP_get_version:
		return get_version(d, op);
	case GNTTABOP_set_version:
		return set_version(op);
	default:
		return -ENOSYS;
	}
}

int stub_grant_table_op(void *hv, unsigned int cmd, void *ops, unsigned int count)
{
	struct stub_domain *d = hv;
	unsigned int n;

	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		for (n = 0; n < count; n++)
			stub_map(d, (struct gnttab_map_grant_ref *)ops + n);
		return 0;
	case GNTTABOP_unmap_grant_ref:
		for (n = 0; n < count; n++)
			stub_unmap(d, (struct gnttab_unmap_grant_ref *)ops + n);
		return 0;
	case GNTTABOP_copy:
		for (n = 0; n < count; n++)
			stub_copy(d, (struct gnttab_copy *)ops + n);
		return 0;
	default:
		return count == 1 ? table_op(d, cmd, ops) : -EINVAL;
	}
}
