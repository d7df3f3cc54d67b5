// SPDX-License-Identifier: GPL-2.0
/*
 * Providers with a bus of their own for the same devices (hv-native, on a kernel with Xen's own buses): telling them
 * which drivers there are, and asking them before a driver is bound.
 *
 * A driver is refused while the provider does not have the device, and the device marked as one whose probe failed;
 * an offer has its work try again. The mark is set before the provider is asked, and the offer comes after the
 * provider's answer has changed: so either the answer is yes, or the work finds the mark. A device that is still being
 * added is not found by an offer; it is tried again when it can be (hash_device() in device.c).
 *
 * Lock order: the provider's own locks, among them those of the kernel's devices, then device_lock. claims_lock is
 * outside of all: drivers and domains come and go under it, nothing else does.
 */
#include <linux/device.h>
#include <linux/module.h>
#include "bus.h"
#include "domain.h"

static DEFINE_MUTEX(claims_lock);
static LIST_HEAD(claim_drivers);
static LIST_HEAD(claim_domains);

/* --- Drivers and domains -------------------------------------------------------------------------------------- */

static void driver_added(struct xpv_domain *dom, const struct xpv_driver *drv)
{
	dom->ops->driver_added(dom, drv->side == XPV_BACKEND, drv->type);
}

static void driver_removed(struct xpv_domain *dom, const struct xpv_driver *drv)
{
	dom->ops->driver_removed(dom, drv->side == XPV_BACKEND, drv->type);
}

void xpv_claims_driver_add(struct xpv_driver *drv)
{
	struct xpv_domain *dom;

	mutex_lock(&claims_lock);
	list_add_tail(&drv->node, &claim_drivers);
	list_for_each_entry(dom, &claim_domains, claim_node)
		driver_added(dom, drv);
	mutex_unlock(&claims_lock);
}

void xpv_claims_driver_del(struct xpv_driver *drv)
{
	struct xpv_domain *dom;

	mutex_lock(&claims_lock);
	list_del(&drv->node);
	list_for_each_entry(dom, &claim_domains, claim_node)
		driver_removed(dom, drv);
	mutex_unlock(&claims_lock);
}

void xpv_claims_domain_add(struct xpv_domain *dom)
{
	struct xpv_driver *drv;

	if (!dom->ops->driver_added)
		return;
	mutex_lock(&claims_lock);
	list_add_tail(&dom->claim_node, &claim_domains);
	list_for_each_entry(drv, &claim_drivers, node)
		driver_added(dom, drv);
	mutex_unlock(&claims_lock);
}

void xpv_claims_domain_del(struct xpv_domain *dom)
{
	struct xpv_driver *drv;

	if (!dom->ops->driver_added)
		return;
	mutex_lock(&claims_lock);
	list_del_init(&dom->claim_node);
	list_for_each_entry(drv, &claim_drivers, node)
		driver_removed(dom, drv);
	mutex_unlock(&claims_lock);
}

/* --- Devices -------------------------------------------------------------------------------------------------- */

static void say_refused(struct xpv_device_core *core, const char *why)
{
	bool news;

	spin_lock_irq(&core->text_lock);
	news = *why && strcmp(core->waits, why);
	spin_unlock_irq(&core->text_lock);
	if (news)
		dev_warn(&core->dev.dev, "left alone; it would need %s\n", why);
	xpv_device_waits(&core->dev, "%s", *why ? why : "the kernel's own bus to have the device");
}

/** xpv_device_wanted() - may a driver be bound? If not, an offer will have it tried again. Under device_lock. */
bool xpv_device_wanted(struct xpv_device_core *core)
{
	struct xpv_domain *dom = core->dev.domain;
	char why[sizeof(core->waits)] = "";

	if (READ_ONCE(dom->leaving))
		return false;
	if (!dom->ops->device_wanted)
		return true;
	core->probe_at = jiffies;
	set_bit(XPV_CORE_PROBE_FAILED, &core->flags);
	smp_mb__after_atomic();	/* pairs with the one in xpv_domain_device_offer(), see above */
	if (dom->ops->device_wanted(dom, core->dev.nodename, why, sizeof(why)))
		return true;
	say_refused(core, why);
	return false;
}

void xpv_domain_device_offer(struct xpv_domain *dom, const char *nodename)
{
	struct xpv_device_core *core = xpv_bus_find(dom, nodename);

	if (!core)
		return;
	smp_mb();
	set_bit(XPV_CORE_PROBE_AGAIN, &core->flags);
	xpv_device_kick(&core->dev);
	put_device(&core->dev.dev);
}
EXPORT_SYMBOL_GPL(xpv_domain_device_offer);

void xpv_domain_device_withdraw(struct xpv_domain *dom, const char *nodename)
{
	struct xpv_device_core *core = xpv_bus_find(dom, nodename);

	if (!core)
		return;
	device_release_driver(&core->dev.dev);
	set_bit(XPV_CORE_PROBE_FAILED, &core->flags);
	put_device(&core->dev.dev);
}
EXPORT_SYMBOL_GPL(xpv_domain_device_withdraw);

/* The driver core has made the driver's attributes by the time it tells of a driver that was bound. */
static int bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct xpv_device *dev = to_xpv_device(data);
	const struct xpv_hv_ops *ops = dev->domain->ops;
	const struct attribute_group **groups;

	if (!ops->device_bound || !dev->dev.driver)
		return NOTIFY_DONE;
	groups = to_xpv_driver(dev->dev.driver)->stats;
	if (action == BUS_NOTIFY_BOUND_DRIVER)
		ops->device_bound(dev->domain, dev->nodename, &dev->dev.kobj, groups);
	else if (action == BUS_NOTIFY_UNBIND_DRIVER)
		ops->device_unbound(dev->domain, dev->nodename, groups);
	return NOTIFY_DONE;
}

static struct notifier_block notifiers[2] = {
	[XPV_FRONTEND] = { .notifier_call = bus_event },
	[XPV_BACKEND] = { .notifier_call = bus_event },
};

int xpv_claims_init(void)
{
	int err;

	err = bus_register_notifier(&xpv_bus_types[XPV_FRONTEND], &notifiers[XPV_FRONTEND]);
	if (err)
		return err;
	err = bus_register_notifier(&xpv_bus_types[XPV_BACKEND], &notifiers[XPV_BACKEND]);
	if (err)
		bus_unregister_notifier(&xpv_bus_types[XPV_FRONTEND], &notifiers[XPV_FRONTEND]);
	return err;
}

void xpv_claims_exit(void)
{
	bus_unregister_notifier(&xpv_bus_types[XPV_BACKEND], &notifiers[XPV_BACKEND]);
	bus_unregister_notifier(&xpv_bus_types[XPV_FRONTEND], &notifiers[XPV_FRONTEND]);
}
