// SPDX-License-Identifier: GPL-2.0
/*
 * xpv_guest_ops: the facility level written over struct xpv_hypercalls. The parts are started in the order in which
 * they need each other, and stopped in reverse. A domain's death does not change the path: hypercalls may fail then,
 * what is ours is freed all the same. Nor does a suspend: events and the store's ring are made anew after it, but the
 * grant table is kept, because there are references of which others know.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "guest.h"

/* What does not outlive a suspend. */
static int connections_start(struct xpv_domain *dom)
{
	int err;

	err = guest_events_start(dom);
	if (err)
		return err;
	err = guest_store_start(dom);
	if (err)
		guest_events_stop(dom);
	return err;
}

static int guest_start(struct xpv_domain *dom)
{
	int err;

	dom->guest = kzalloc(sizeof(*dom->guest), GFP_KERNEL);
	if (!dom->guest)
		return -ENOMEM;

	err = guest_grants_start(dom);
	if (err)
		goto err_guest;
	err = connections_start(dom);
	if (err)
		goto err_grants;
	return 0;

err_grants:
	guest_grants_stop(dom);
	guest_grants_release(dom);
err_guest:
	kfree(dom->guest);
	dom->guest = NULL;
	return err;
}

static void guest_stop(struct xpv_domain *dom)
{
	guest_store_stop(dom);
	guest_events_stop(dom);
	guest_grants_stop(dom);
}

static void guest_suspend(struct xpv_domain *dom)
{
	guest_store_settle(dom);
	guest_stop(dom);
}

static int guest_resume(struct xpv_domain *dom)
{
	int err;

	err = guest_grants_resume(dom);
	if (err)
		return err;
	err = connections_start(dom);
	if (err)
		guest_grants_stop(dom);
	return err;
}

static void guest_release(struct xpv_domain *dom)
{
	if (!dom->guest)
		return;

	guest_grants_release(dom);
	kfree(dom->guest);
	dom->guest = NULL;
}

const struct xpv_hv_ops xpv_guest_ops = {
	.owner = THIS_MODULE,
	.name = "guest",
	.start = guest_start,
	.stop = guest_stop,
	.release = guest_release,
	.suspend = guest_suspend,
	.resume = guest_resume,
	.store_send = guest_store_send,
	.grant_max = guest_grant_max,
	.grant_alloc = guest_grant_alloc,
	.grant_free = guest_grant_free,
	.grant_set = guest_grant_set,
	.grant_revoke = guest_grant_revoke,
	.grant_map = guest_grant_map,
	.grant_unmap = guest_grant_unmap,
	.grant_copy = guest_grant_copy,
	.event_alloc = guest_event_alloc,
	.event_bind = guest_event_bind,
	.event_close = guest_event_close,
	.event_irq = guest_event_irq,
	.event_irq_free = guest_event_irq_free,
	.event_notify = guest_event_notify,
	.event_eoi = guest_event_eoi,
	.event_quality = guest_event_quality,
	.event_priority = guest_event_priority,
	.yield = guest_yield,
};
EXPORT_SYMBOL_GPL(xpv_guest_ops);
