// SPDX-License-Identifier: GPL-2.0
/*
 * Grants on behalf of a device.
 *
 * References are taken from the provider's table in batches and kept in per-CPU caches, so that the hot path touches
 * only its own CPU's lock. A cached reference is free. When cache and table are empty the other CPUs' caches are
 * emptied; only then is there none, and callers wait with xpv_grant_wait().
 *
 * A waiter is called from a work item: free and end may be called under the very locks that its function takes.
 * That work tries a waiter's need by taking and returning that many references. It is queued by whoever frees a
 * reference while there are waiters, and runs at intervals as long as there are, because tables grow.
 *
 * Lock order: nothing else is taken under wait_lock; under a cache's lock only what the provider's grant_alloc and
 * grant_free take.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "device.h"
#include "grants.h"

#define SERVE_INTERVAL	msecs_to_jiffies(100)
#define SERVE_PACE	msecs_to_jiffies(10)	/* for needs that cannot be tried out in full */

/* --- Accounts ------------------------------------------------------------------------------------------------- */

struct xpv_account *xpv_account_alloc(void)
{
	struct xpv_account *acc = kzalloc(sizeof(*acc), GFP_KERNEL);

	if (!acc)
		return NULL;

	kref_init(&acc->ref);
	spin_lock_init(&acc->lock);
	INIT_LIST_HEAD(&acc->events);
	return acc;
}

struct xpv_account *xpv_account_get(struct xpv_account *acc)
{
	kref_get(&acc->ref);
	return acc;
}

static void account_free(struct kref *ref)
{
	kfree(container_of(ref, struct xpv_account, ref));
}

void xpv_account_put(struct xpv_account *acc)
{
	kref_put(&acc->ref, account_free);
}

/* --- Caches --------------------------------------------------------------------------------------------------- */

/* References right from the table, all or none. */
static bool table_take(struct xpv_grants *g, unsigned int n, xpv_gref_t *refs)
{
	const struct xpv_hv_ops *ops = g->dom->ops;

	if (ops->grant_alloc(g->dom, n, refs))
		return false;
	if (xpv_grants_defer_prepare(g, n, refs))
		return true;

	ops->grant_free(g->dom, n, refs);
	return false;
}

static unsigned int cache_pop(struct grant_cache *c, unsigned int n, xpv_gref_t *refs)
{
	lockdep_assert_held(&c->lock);

	n = min(n, c->nr);
	c->nr -= n;
	memcpy(refs, c->refs + c->nr, n * sizeof(*refs));
	return n;
}

/* Up to @n references from this CPU's cache, which is refilled first if it has to be and can be. */
static unsigned int cache_take(struct xpv_grants *g, unsigned int n, xpv_gref_t *refs)
{
	struct grant_cache *c = raw_cpu_ptr(g->caches);
	unsigned long flags;
	unsigned int got;

	spin_lock_irqsave(&c->lock, flags);
	if (c->nr < n && n <= GRANT_BATCH && table_take(g, GRANT_BATCH, c->refs + c->nr))
		c->nr += GRANT_BATCH;
	got = cache_pop(c, n, refs);
	spin_unlock_irqrestore(&c->lock, flags);
	return got;
}

static unsigned int caches_reclaim(struct xpv_grants *g, unsigned int n, xpv_gref_t *refs)
{
	unsigned int got = 0;
	unsigned long flags;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct grant_cache *c = per_cpu_ptr(g->caches, cpu);

		if (!READ_ONCE(c->nr))
			continue;

		spin_lock_irqsave(&c->lock, flags);
		got += cache_pop(c, n - got, refs + got);
		spin_unlock_irqrestore(&c->lock, flags);
		if (got == n)
			break;
	}
	return got;
}

static void cache_give(struct xpv_grants *g, unsigned int n, const xpv_gref_t *refs)
{
	struct grant_cache *c = raw_cpu_ptr(g->caches);
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&c->lock, flags);
	for (i = 0; i < n; i++) {
		if (c->nr == GRANT_CACHE) {
			c->nr -= GRANT_BATCH;
			g->dom->ops->grant_free(g->dom, GRANT_BATCH, c->refs + c->nr);
		}
		c->refs[c->nr++] = refs[i];
	}
	spin_unlock_irqrestore(&c->lock, flags);
}

static void caches_flush(struct xpv_grants *g)
{
	unsigned long flags;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct grant_cache *c = per_cpu_ptr(g->caches, cpu);

		spin_lock_irqsave(&c->lock, flags);
		if (c->nr)
			g->dom->ops->grant_free(g->dom, c->nr, c->refs);
		c->nr = 0;
		spin_unlock_irqrestore(&c->lock, flags);
	}
}

/* All @n or none, from wherever there are some. */
static bool refs_take(struct xpv_grants *g, unsigned int n, xpv_gref_t *refs)
{
	unsigned int got = cache_take(g, n, refs);

	if (got == n || table_take(g, n - got, refs + got))
		return true;

	got += caches_reclaim(g, n - got, refs + got);
	if (got == n || table_take(g, n - got, refs + got))
		return true;

	cache_give(g, got, refs);
	return false;
}

/* --- Waiters -------------------------------------------------------------------------------------------------- */

static void waiters_kick(struct xpv_grants *g)
{
	/* Pairs with the one in xpv_grant_wait(): either the waiter is seen here or the references there. */
	smp_mb();
	if (READ_ONCE(g->nr_waiting))
		mod_delayed_work(system_wq, &g->serve, 0);
}

static void refs_give(struct xpv_grants *g, unsigned int n, const xpv_gref_t *refs)
{
	cache_give(g, n, refs);
	waiters_kick(g);
}

/* Whether @need references can be had now; one that can never be satisfied is to find that out by itself. */
static bool can_have(struct xpv_grants *g, unsigned int need)
{
	unsigned int n = min_t(unsigned int, need, GRANT_PROBE);

	if (!n || need > g->dom->ops->grant_max(g->dom))
		return true;
	if (!refs_take(g, n, g->probe))
		return false;

	cache_give(g, n, g->probe);
	return true;
}

static struct xpv_grant_waiter *waiter_next(struct xpv_grants *g, struct list_head *todo, unsigned int *need)
{
	struct xpv_grant_waiter *w;

	spin_lock_irq(&g->wait_lock);
	w = list_first_entry_or_null(todo, struct xpv_grant_waiter, list);
	if (w) {
		list_del_init(&w->list);
		*need = w->need;
	}
	WRITE_ONCE(g->running, w);
	spin_unlock_irq(&g->wait_lock);
	wake_up_all(&g->ran);
	return w;
}

/* Tried in vain: wait on, unless it was put on the list again meanwhile. */
static void waiter_again(struct xpv_grants *g, struct xpv_grant_waiter *w)
{
	spin_lock_irq(&g->wait_lock);
	if (list_empty(&w->list))
		list_add_tail(&w->list, &g->waiters);
	else
		g->nr_waiting--;
	spin_unlock_irq(&g->wait_lock);
}

static void waiter_call(struct xpv_grants *g, struct xpv_grant_waiter *w)
{
	spin_lock_irq(&g->wait_lock);
	g->nr_waiting--;
	spin_unlock_irq(&g->wait_lock);
	w->fn(w);
}

static void waiters_serve(struct work_struct *work)
{
	struct xpv_grants *g = container_of(to_delayed_work(work), struct xpv_grants, serve);
	struct xpv_grant_waiter *w;
	unsigned int need = 0;
	LIST_HEAD(todo);

	spin_lock_irq(&g->wait_lock);
	list_splice_init(&g->waiters, &todo);
	spin_unlock_irq(&g->wait_lock);

	while ((w = waiter_next(g, &todo, &need))) {
		if (can_have(g, need))
			waiter_call(g, w);
		else
			waiter_again(g, w);
	}

	if (READ_ONCE(g->nr_waiting))
		queue_delayed_work(system_wq, &g->serve, SERVE_INTERVAL);
}

void xpv_grant_wait(struct xpv_device *dev, struct xpv_grant_waiter *w, unsigned int need)
{
	struct xpv_grants *g = dev->domain->grants;
	unsigned long flags;

	spin_lock_irqsave(&g->wait_lock, flags);
	if (list_empty(&w->list)) {
		w->need = need;
		list_add_tail(&w->list, &g->waiters);
		WRITE_ONCE(g->nr_waiting, g->nr_waiting + 1);
	}
	spin_unlock_irqrestore(&g->wait_lock, flags);

	/* Pairs with waiters_kick(). */
	smp_mb();
	mod_delayed_work(system_wq, &g->serve, need > GRANT_PROBE ? SERVE_PACE : 0);
}
EXPORT_SYMBOL_GPL(xpv_grant_wait);

/* Takes @w off the list. Returns whether it is being tried or called; then it may be on the list again after. */
static bool waiter_remove(struct xpv_grants *g, struct xpv_grant_waiter *w)
{
	bool busy;

	spin_lock_irq(&g->wait_lock);
	if (!list_empty(&w->list)) {
		list_del_init(&w->list);
		g->nr_waiting--;
	}
	busy = g->running == w;
	spin_unlock_irq(&g->wait_lock);
	return busy;
}

void xpv_grant_wait_cancel(struct xpv_device *dev, struct xpv_grant_waiter *w)
{
	struct xpv_grants *g = dev->domain->grants;

	might_sleep();
	while (waiter_remove(g, w))
		wait_event(g->ran, READ_ONCE(g->running) != w);
}
EXPORT_SYMBOL_GPL(xpv_grant_wait_cancel);

void xpv_grants_grown(struct xpv_domain *dom)
{
	if (dom->grants)
		waiters_kick(dom->grants);
}

/* --- Giving pages to the peer --------------------------------------------------------------------------------- */

int xpv_grant_alloc(struct xpv_device *dev, unsigned int n, xpv_gref_t *refs)
{
	struct xpv_grants *g = dev->domain->grants;

	if (!n)
		return 0;
	if (!refs_take(g, n, refs)) {
		/* What was taken for a while may have been missed by a waiter. */
		waiters_kick(g);
		return n > g->dom->ops->grant_max(g->dom) ? -ENOSPC : -EAGAIN;
	}

	atomic_add(n, &xpv_device_account(dev)->grants);
	return 0;
}
EXPORT_SYMBOL_GPL(xpv_grant_alloc);

void xpv_grant_free(struct xpv_device *dev, unsigned int n, const xpv_gref_t *refs)
{
	if (!n)
		return;
	atomic_sub(n, &xpv_device_account(dev)->grants);
	refs_give(dev->domain->grants, n, refs);
}
EXPORT_SYMBOL_GPL(xpv_grant_free);

void xpv_grant_set(struct xpv_device *dev, xpv_gref_t ref, struct page *page, u32 flags)
{
	dev->domain->ops->grant_set(dev->domain, ref, dev->otherend_id, page, flags);
}
EXPORT_SYMBOL_GPL(xpv_grant_set);

int xpv_grant_revoke(struct xpv_device *dev, xpv_gref_t ref)
{
	return dev->domain->ops->grant_revoke(dev->domain, ref);
}
EXPORT_SYMBOL_GPL(xpv_grant_revoke);

void xpv_grants_finish(struct xpv_grants *g, struct xpv_account *acc, xpv_gref_t ref, struct page *page)
{
	if (page)
		put_page(page);
	atomic_dec(&acc->grants);
	refs_give(g, 1, &ref);
}

void xpv_grant_end(struct xpv_device *dev, xpv_gref_t ref, struct page *page)
{
	struct xpv_account *acc = xpv_device_account(dev);
	struct xpv_grants *g = dev->domain->grants;
	const struct xpv_hv_ops *ops = dev->domain->ops;

	if (ops->grant_end) {
		ops->grant_end(dev->domain, ref, page);
		atomic_dec(&acc->grants);
		waiters_kick(g);
		return;
	}
	if (xpv_grant_revoke(dev, ref)) {
		xpv_grants_defer(g, acc, ref, page);
		return;
	}
	xpv_grants_finish(g, acc, ref, page);
	xpv_grants_defer_kick(g);
}
EXPORT_SYMBOL_GPL(xpv_grant_end);

/* --- Pages of the peer ---------------------------------------------------------------------------------------- */

static unsigned int count_mapped(const struct xpv_grant_map *maps, unsigned int n)
{
	unsigned int i, mapped = 0;

	for (i = 0; i < n; i++)
		mapped += maps[i].status == GNTST_okay;
	return mapped;
}

unsigned int xpv_grant_map(struct xpv_device *dev, struct xpv_grant_map *maps, unsigned int n)
{
	unsigned int failed = dev->domain->ops->grant_map(dev->domain, dev->otherend_id, maps, n);

	atomic_add(n - failed, &xpv_device_account(dev)->mapped);
	return failed;
}
EXPORT_SYMBOL_GPL(xpv_grant_map);

void xpv_grant_unmap(struct xpv_device *dev, struct xpv_grant_map *maps, unsigned int n)
{
	unsigned int mapped = count_mapped(maps, n);

	if (!mapped)
		return;
	dev->domain->ops->grant_unmap(dev->domain, maps, n);
	atomic_sub(mapped, &xpv_device_account(dev)->mapped);
}
EXPORT_SYMBOL_GPL(xpv_grant_unmap);

unsigned int xpv_grant_copy(struct xpv_device *dev, struct xpv_grant_copy *segs, unsigned int n)
{
	return dev->domain->ops->grant_copy(dev->domain, dev->otherend_id, segs, n);
}
EXPORT_SYMBOL_GPL(xpv_grant_copy);

unsigned int xpv_grant_copy_pays(const struct xpv_device *dev)
{
	return dev->domain->copy_pays;
}
EXPORT_SYMBOL_GPL(xpv_grant_copy_pays);

/* --- Status codes --------------------------------------------------------------------------------------------- */

/* By the negated code. */
static const struct {
	int err;
	const char *text;
} gntst[] = {
	[-GNTST_okay]			= { 0,		"okay" },
	[-GNTST_general_error]		= { -EIO,	"error" },
	[-GNTST_bad_domain]		= { -ESRCH,	"no such domain" },
	[-GNTST_bad_gntref]		= { -EINVAL,	"grant reference not valid" },
	[-GNTST_bad_handle]		= { -EINVAL,	"mapping handle not valid" },
	[-GNTST_bad_virt_addr]		= { -EFAULT,	"virtual address not valid" },
	[-GNTST_bad_dev_addr]		= { -EFAULT,	"device address not valid" },
	[-GNTST_no_device_space]	= { -ENOSPC,	"IOMMU is full" },
	[-GNTST_permission_denied]	= { -EACCES,	"permission denied" },
	[-GNTST_bad_page]		= { -EFAULT,	"granted page not valid" },
	[-GNTST_bad_copy_arg]		= { -EINVAL,	"copy crosses a page" },
	[-GNTST_address_too_big]	= { -ERANGE,	"address too big" },
	[-GNTST_eagain]			= { -EAGAIN,	"page not available now" },
	[-GNTST_no_space]		= { -ENOSPC,	"out of mapping handles" },
};

static unsigned int gntst_index(s16 status)
{
	unsigned int i = -(int)status;

	return i < ARRAY_SIZE(gntst) ? i : -GNTST_general_error;
}

int xpv_gntst_errno(s16 status)
{
	return gntst[gntst_index(status)].err;
}
EXPORT_SYMBOL_GPL(xpv_gntst_errno);

const char *xpv_gntst_text(s16 status)
{
	return gntst[gntst_index(status)].text;
}
EXPORT_SYMBOL_GPL(xpv_gntst_text);

/* --- The domain's part ---------------------------------------------------------------------------------------- */

int xpv_grants_init(struct xpv_domain *dom)
{
	struct xpv_grants *g = kzalloc(sizeof(*g), GFP_KERNEL);
	int cpu;

	if (!g)
		return -ENOMEM;

	g->caches = alloc_percpu(struct grant_cache);
	if (!g->caches) {
		kfree(g);
		return -ENOMEM;
	}

	g->dom = dom;
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(g->caches, cpu)->lock);
	spin_lock_init(&g->wait_lock);
	INIT_LIST_HEAD(&g->waiters);
	init_waitqueue_head(&g->ran);
	INIT_DELAYED_WORK(&g->serve, waiters_serve);
	xpv_grants_defer_init(g);
	dom->grants = g;
	return 0;
}

void xpv_grants_exit(struct xpv_domain *dom)
{
	struct xpv_grants *g = dom->grants;

	WARN_ON_ONCE(!list_empty(&g->waiters));
	cancel_delayed_work_sync(&g->serve);
	caches_flush(g);
}

/* No device is connected, so nobody queues these any more. */
void xpv_grants_suspend(struct xpv_domain *dom)
{
	struct xpv_grants *g = dom->grants;

	cancel_delayed_work_sync(&g->serve);
	xpv_grants_defer_suspend(g);
}

void xpv_grants_resume(struct xpv_domain *dom)
{
	struct xpv_grants *g = dom->grants;

	waiters_kick(g);
	xpv_grants_defer_resume(g);
}

void xpv_grants_release(struct xpv_domain *dom)
{
	struct xpv_grants *g = dom->grants;

	if (!g)
		return;

	xpv_grants_defer_exit(g);
	cancel_delayed_work_sync(&g->serve);
	free_percpu(g->caches);
	kfree(g);
	dom->grants = NULL;
}
