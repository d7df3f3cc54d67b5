/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What grant.c (references) and grant-defer.c (ends of access that wait for the peer) know of each other.
 */
#ifndef XPV_GRANTS_H
#define XPV_GRANTS_H

#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xpv/grant.h>
#include "domain.h"

struct xpv_account;

#define GRANT_CACHE	64	/* references that one CPU may keep */
#define GRANT_BATCH	32	/* how many move between a cache and the table at a time */
#define GRANT_PROBE	128	/* how many a waiter's need is tried with at most */

/**
 * struct grant_cache - one CPU's free references
 * @lock: irq-safe; its CPU's alone but for reclaim from another one, so it is not contended
 */
struct grant_cache {
	spinlock_t lock;
	unsigned int nr;
	xpv_gref_t refs[GRANT_CACHE];
};

/**
 * struct grant_defer - references that the peer still uses (grant-defer.c)
 * @lock:     irq-safe; protects @list, @nr, @interval and @last
 * @list:     struct grant_slot in order of age
 * @nr:       how many are deferred, also those being looked at now
 * @interval: jiffies to the next scan
 * @last:     when the last scan ended
 * @scan:     the scan
 * @slots:    pages of struct grant_slot, one for each reference that ever left the table
 */
struct grant_defer {
	spinlock_t lock;
	struct list_head list;
	unsigned int nr;
	unsigned long interval;
	unsigned long last;
	struct delayed_work scan;
	struct xarray slots;
};

/**
 * struct xpv_grants - a domain's grants, from xpv_grants_init() to the last reference to the domain
 * @dom:        domain
 * @caches:     per CPU
 * @wait_lock:  irq-safe; protects @waiters, @nr_waiting and changes of @running
 * @waiters:    struct xpv_grant_waiter in order of arrival
 * @nr_waiting: those on @waiters and the one that is being tried
 * @running:    the waiter being tried or called by @serve
 * @ran:        woken when @running changes
 * @serve:      tries the waiters
 * @probe:      of @serve alone
 * @defer:      see there
 */
struct xpv_grants {
	struct xpv_domain *dom;
	struct grant_cache __percpu *caches;

	spinlock_t wait_lock;
	struct list_head waiters;
	unsigned int nr_waiting;
	struct xpv_grant_waiter *running;
	wait_queue_head_t ran;
	struct delayed_work serve;
	xpv_gref_t probe[GRANT_PROBE];

	struct grant_defer defer;
};

/* grant.c: end of a reference that is not granted any more, and of what came with it */
void xpv_grants_finish(struct xpv_grants *g, struct xpv_account *acc, xpv_gref_t ref, struct page *page);

/* grant-defer.c */
void xpv_grants_defer_init(struct xpv_grants *g);
void xpv_grants_defer_exit(struct xpv_grants *g);
void xpv_grants_defer_suspend(struct xpv_grants *g);
void xpv_grants_defer_resume(struct xpv_grants *g);

/* xpv_grants_defer_prepare() - make sure that each of @refs can be deferred later. Any context. */
bool xpv_grants_defer_prepare(struct xpv_grants *g, unsigned int n, const xpv_gref_t *refs);

/* xpv_grants_defer() - try again later. Cannot fail for references that were prepared. Any context. */
void xpv_grants_defer(struct xpv_grants *g, struct xpv_account *acc, xpv_gref_t ref, struct page *page);

/* xpv_grants_defer_kick() - the peer let go of something, perhaps of more. Any context. */
void xpv_grants_defer_kick(struct xpv_grants *g);

#endif /* XPV_GRANTS_H */
