// SPDX-License-Identifier: GPL-2.0
/*
 * Ends of access that wait for the peer.
 *
 * A page that the peer has mapped cannot be taken back. Its reference goes on a list per domain, which is scanned at
 * intervals: from 10 ms, doubled up to a second as long as nothing moves, and at once when another grant of the domain
 * could be ended, because a peer that lets go of one page lets go of many. One scan looks at a bounded number.
 *
 * Ending access may happen in any context and must not fail, so the record of it cannot be allocated then: each
 * reference has a slot of its own, made in whole pages when references leave the provider's table. Want of memory is
 * want of references, and makes back-pressure instead of a leak.
 *
 * Each deferred reference holds the device's account and the domain. The last one ends in ops->release. While the
 * domain is suspended the list stays as it is: the hypervisor may have no table.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include "device.h"
#include "grants.h"

#define INTERVAL_MIN	msecs_to_jiffies(10)
#define INTERVAL_MAX	msecs_to_jiffies(1000)
#define SCAN_BATCH	256

/**
 * struct grant_slot - a reference that may have to wait
 * @list: in grant_defer.list while it does
 * @page: NULL, or freed with it
 * @acc:  of the device that it belonged to
 * @ref:  itself
 */
struct grant_slot {
	struct list_head list;
	struct page *page;
	struct xpv_account *acc;
	xpv_gref_t ref;
};

#define SLOTS_PER_PAGE	(PAGE_SIZE / sizeof(struct grant_slot))

static struct grant_slot *slot_of(struct grant_defer *d, xpv_gref_t ref)
{
	u32 n = xpv_gref_wire(ref);
	struct grant_slot *slots = xa_load(&d->slots, n / SLOTS_PER_PAGE);

	return slots ? slots + n % SLOTS_PER_PAGE : NULL;
}

static bool slots_add(struct grant_defer *d, unsigned long index)
{
	void *old, *slots = kcalloc(SLOTS_PER_PAGE, sizeof(struct grant_slot), GFP_ATOMIC | __GFP_NOWARN);
	unsigned long flags;

	if (!slots)
		return false;

	xa_lock_irqsave(&d->slots, flags);
	old = __xa_cmpxchg(&d->slots, index, NULL, slots, GFP_ATOMIC | __GFP_NOWARN);
	xa_unlock_irqrestore(&d->slots, flags);
	if (old)
		kfree(slots);
	return !xa_is_err(old);
}

bool xpv_grants_defer_prepare(struct xpv_grants *g, unsigned int n, const xpv_gref_t *refs)
{
	struct grant_defer *d = &g->defer;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!slot_of(d, refs[i]) && !slots_add(d, xpv_gref_wire(refs[i]) / SLOTS_PER_PAGE))
			return false;
	}
	return true;
}

void xpv_grants_defer(struct xpv_grants *g, struct xpv_account *acc, xpv_gref_t ref, struct page *page)
{
	struct grant_defer *d = &g->defer;
	struct grant_slot *slot = slot_of(d, ref);
	unsigned long flags;

	/* Not a reference that xpv_grant_alloc() gave out. */
	if (WARN_ON_ONCE(!slot))
		return;

	slot->page = page;
	slot->acc = xpv_account_get(acc);
	slot->ref = ref;
	xpv_domain_get(g->dom);
	atomic_inc(&acc->deferred);

	spin_lock_irqsave(&d->lock, flags);
	list_add_tail(&slot->list, &d->list);
	WRITE_ONCE(d->nr, d->nr + 1);
	d->interval = INTERVAL_MIN;
	spin_unlock_irqrestore(&d->lock, flags);
	queue_delayed_work(system_wq, &d->scan, INTERVAL_MIN);
}

void xpv_grants_defer_kick(struct xpv_grants *g)
{
	struct grant_defer *d = &g->defer;

	if (READ_ONCE(d->nr) && time_after(jiffies, READ_ONCE(d->last) + INTERVAL_MIN))
		mod_delayed_work(system_wq, &d->scan, 0);
}

static void scan_take(struct grant_defer *d, struct list_head *todo)
{
	struct list_head *last = &d->list;
	unsigned int i;

	spin_lock_irq(&d->lock);
	for (i = 0; i < SCAN_BATCH && !list_is_last(last, &d->list); i++)
		last = last->next;
	list_cut_position(todo, &d->list, last);
	spin_unlock_irq(&d->lock);
}

/* Take note of @done that ended, @rest that go on waiting, and when to look at them again. */
static void scan_note(struct grant_defer *d, struct list_head *rest, unsigned int done)
{
	spin_lock_irq(&d->lock);
	list_splice_tail(rest, &d->list);
	WRITE_ONCE(d->nr, d->nr - done);
	WRITE_ONCE(d->last, jiffies);
	if (done || d->nr > SCAN_BATCH)
		d->interval = INTERVAL_MIN;
	else
		d->interval = min(2 * d->interval, INTERVAL_MAX);
	if (d->nr)
		queue_delayed_work(system_wq, &d->scan, d->interval);
	spin_unlock_irq(&d->lock);
}

static void slot_finish(struct xpv_grants *g, struct grant_slot *slot)
{
	struct xpv_account *acc = slot->acc;

	/* From here on the slot may belong to the reference's next user. */
	atomic_dec(&acc->deferred);
	xpv_grants_finish(g, acc, slot->ref, slot->page);
	xpv_account_put(acc);
}

static void scan(struct work_struct *work)
{
	struct xpv_grants *g = container_of(to_delayed_work(work), struct xpv_grants, defer.scan);
	struct xpv_domain *dom = g->dom;
	struct grant_slot *slot, *next;
	unsigned int done = 0;
	LIST_HEAD(todo);

	scan_take(&g->defer, &todo);
	list_for_each_entry_safe(slot, next, &todo, list) {
		if (dom->ops->grant_revoke(dom, slot->ref))
			continue;
		list_del(&slot->list);
		slot_finish(g, slot);
		done++;
	}
	scan_note(&g->defer, &todo, done);

	/* The last put releases the domain, which waits for this work to be over. */
	while (done--)
		xpv_domain_put(dom);
}

void xpv_grants_defer_init(struct xpv_grants *g)
{
	struct grant_defer *d = &g->defer;

	spin_lock_init(&d->lock);
	INIT_LIST_HEAD(&d->list);
	d->interval = INTERVAL_MIN;
	d->last = jiffies;
	INIT_DELAYED_WORK(&d->scan, scan);
	xa_init_flags(&d->slots, XA_FLAGS_LOCK_IRQ);
}

void xpv_grants_defer_suspend(struct xpv_grants *g)
{
	cancel_delayed_work_sync(&g->defer.scan);
}

/* Of a table that is new and empty all can be had back at once. */
void xpv_grants_defer_resume(struct xpv_grants *g)
{
	if (READ_ONCE(g->defer.nr))
		mod_delayed_work(system_wq, &g->defer.scan, 0);
}

void xpv_grants_defer_exit(struct xpv_grants *g)
{
	struct grant_defer *d = &g->defer;
	unsigned long index;
	void *slots;

	WARN_ON_ONCE(!list_empty(&d->list));
	cancel_delayed_work_sync(&d->scan);
	xa_for_each(&d->slots, index, slots)
		kfree(slots);
	xa_destroy(&d->slots);
}
