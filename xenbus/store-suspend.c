// SPDX-License-Identifier: GPL-2.0
/*
 * The store client of a domain that is suspended.
 *
 * New requests wait from the start. Those under way get a while for their replies; what has none
 * when the ring has stopped is sent again by xpv_st_talk(), if it belongs to no transaction.
 * Transactions are forgotten: whoever goes on with one is told that it has conflicted. Watches stay
 * on our side and are set again; each fires then, so that nobody misses what has changed meanwhile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include "domain.h"
#include "store.h"

#define DRAIN	msecs_to_jiffies(500)

void xpv_store_suspend(struct xpv_domain *dom)
{
	struct xpv_store *st = dom->store;
	unsigned long deadline = jiffies + DRAIN;

	WRITE_ONCE(st->suspended, true);
	down_write(&st->send_sem);	/* who has not seen it yet has sent */
	up_write(&st->send_sem);
	while (!xa_empty(&st->reqs) && time_before(jiffies, deadline))
		usleep_range(500, 1000);
}

void xpv_store_forget(struct xpv_domain *dom)
{
	struct xpv_store *st = dom->store;

	xpv_st_sweep(st, -ECANCELED);
	xa_destroy(&st->txs);
}

void xpv_store_resume(struct xpv_domain *dom)
{
	struct xpv_store *st = dom->store;
	int err;

	WRITE_ONCE(st->suspended, false);
	wake_up_all(&st->running);
	err = xpv_watches_replay(st);
	if (err)
		pr_err("domain %u: not all watches could be set again (%d)\n", dom->domid, err);
}
