// SPDX-License-Identifier: GPL-2.0
/*
 * xpv-hv-native: the provider for a kernel that has its own Xen support (dom0, PV, PVH and plain HVM guests).
 *
 * The domain is registered as soon as the kernel can talk to the store: in dom0 the store's daemon may be started later
 * than this module is loaded.
 */
#include <linux/module.h>
#include <xen/xenbus.h>
#include "native.h"

static struct native native;
static int native_err;

static int start(struct xpv_domain *dom)
{
	struct native *n = to_native(dom);
	int err = native_map_start(n);

	if (err)
		return err;
	err = native_store_start(&n->store, dom);
	if (err) {
		native_map_stop(n);
		return err;
	}
	native_events_start(n);
	native_claims_start(n);
	return 0;
}

static void stop(struct xpv_domain *dom)
{
	struct native *n = to_native(dom);

	native_events_stop(n);
	native_store_stop(&n->store);
	native_map_stop(n);
}

/*
 * Grants and watches are the kernel's, which has them again when the domain is back. Of ports none is left: whoever had
 * one has given it back.
 */
static void suspend(struct xpv_domain *dom)
{
	native_store_pause(&to_native(dom)->store);
}

static int resume(struct xpv_domain *dom)
{
	return 0;
}

/* The kernel itself waits for peers that keep a page mapped: nothing is left to be done. */
static void release(struct xpv_domain *dom)
{
}

static const struct xpv_hv_ops native_ops = {
	.owner = THIS_MODULE,
	.name = "native",
	.start = start,
	.stop = stop,
	.release = release,
	.suspend = suspend,
	.resume = resume,
	.store_send = native_store_send,
	.grant_max = native_grant_max,
	.grant_alloc = native_grant_alloc,
	.grant_free = native_grant_free,
	.grant_set = native_grant_set,
	.grant_revoke = native_grant_revoke,
	.grant_end = native_grant_end,
	.grant_map = native_grant_map,
	.grant_unmap = native_grant_unmap,
	.grant_copy = native_grant_copy,
	.event_alloc = native_event_alloc,
	.event_bind = native_event_bind,
	.event_close = native_event_close,
	.event_irq = native_event_irq,
	.event_irq_free = native_event_irq_free,
	.event_notify = native_event_notify,
	.event_eoi = native_event_eoi,
	.event_quality = native_event_quality,
	.yield = native_yield,
	.driver_added = native_driver_added,
	.driver_removed = native_driver_removed,
	.device_wanted = native_device_wanted,
	.device_bound = native_device_bound,
	.device_unbound = native_device_unbound,
};

/* --- The domain ----------------------------------------------------------------------------------------------- */

int native_domid(domid_t *domid)
{
	unsigned int number;

	*domid = 0;
	if (xen_initial_domain())
		return 0;
	if (xenbus_scanf(XBT_NIL, "domid", "", "%u", &number) != 1 ||
	    number >= DOMID_FIRST_RESERVED)
		return -EIO;
	*domid = number;
	return 0;
}

static void released(void *hv)
{
	complete(&((struct native *)hv)->released);
}

/* Not the toolstack's domain as far as the core is concerned: /dev/xen/xenbus is there, and is the kernel's. */
static int domain_register(struct native *n)
{
	struct xpv_domain_desc desc = { .ops = &native_ops, .hv = n, .copy_pays = 2, .ipis_cost = true };
	int err = native_domid(&desc.domid);

	if (err)
		return err;
	n->dom = xpv_domain_register(&desc);
	if (IS_ERR(n->dom)) {
		err = PTR_ERR(n->dom);
		n->dom = NULL;
		return err;
	}
	xpv_domain_on_release(n->dom, released, n);
	return 0;
}

static void domain_unregister(struct native *n)
{
	if (!n->dom)
		return;
	xpv_domain_unregister(n->dom);
	wait_for_completion(&n->released);
	xpv_domain_flush_released();
	n->dom = NULL;
}

static void store_up(struct work_struct *work)
{
	native_err = domain_register(&native);
	if (native_err)
		pr_err("xpv-hv-native: the domain cannot be registered: error %d\n", native_err);
}

static DECLARE_WORK(store_up_work, store_up);

struct xpv_domain *native_domain(void)
{
	flush_work(&store_up_work);
	return native.dom;
}

/* Called at once if the store is up already. */
static int store_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	schedule_work(&store_up_work);
	return NOTIFY_DONE;
}

static struct notifier_block store_notifier = { .notifier_call = store_notify };

static int __init native_init(void)
{
	if (!xen_domain()) {
		pr_err("xpv-hv-native: this kernel runs no Xen code of its own here\n");
		return -ENODEV;
	}
	init_completion(&native.released);
	native_err = native_pm_init();
	if (native_err)
		return native_err;
	register_xenstore_notifier(&store_notifier);
	flush_work(&store_up_work);
	if (!native_err)
		return 0;
	unregister_xenstore_notifier(&store_notifier);
	native_pm_exit();
	return native_err;
}

static void __exit native_exit(void)
{
	unregister_xenstore_notifier(&store_notifier);
	cancel_work_sync(&store_up_work);
	native_pm_exit();
	domain_unregister(&native);
}

module_init(native_init);
module_exit(native_exit);

MODULE_DESCRIPTION("xpv on the kernel's own Xen support");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xpv-provider:native");
MODULE_ALIAS(XPV_ALIAS_HYPERVISOR);
