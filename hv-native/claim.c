// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own buses: each type that a driver of the suite drives is claimed there, so that the kernel's driver
 * of the same type cannot have the device too.
 *
 *	kernel's bus "xen-backend"		the suite's bus "xpv-backend"
 *	vbd-1-51712 <- driver "xpv-vbd"		d0-vbd-1-51712 <- driver "xpv-blkback"
 *	  claim			-- offer -->	  may be bound
 *	  statistics, mode ... <-- links --	  attributes of the driver
 *
 * A claim does nothing with its device but hold it. The state in the store is the suite's: the kernel's device is set
 * to Closed, which is not what the store says, but what keeps the kernel from waiting for the device, from closing it
 * when the machine goes down, and from writing that state when it is let go.
 *
 * On the kernel's buses the driver that was registered first gets a device; so the kernel's own modules (xen-blkback,
 * xen-blkfront, ...) should be kept from being loaded. A device that one of them has is left to it: that is logged,
 * and the suite's device of the same name says so in `status`.
 *
 * Claims do not hold this module (their drivers have no owner), else it could not be unloaded while there are
 * devices. It waits for them all the same: unregistering a driver takes it off its devices first.
 *
 * Locks: the kernel's device_lock, then the suite's device_lock (which the core takes in
 * xpv_domain_device_withdraw()), then claim_lock. Under the suite's device_lock the kernel's is only tried.
 */
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <xen/xenbus.h>
#include "native.h"

/**
 * struct claim - a device that we have
 * @list: in native.claims
 * @xdev: the kernel's device, bound
 * @gone: it is being taken away
 */
struct claim {
	struct list_head list;
	struct xenbus_device *xdev;
	bool gone;
};

/**
 * struct claim_driver - a type that we claim
 * @list:    in native.drivers
 * @dom:     for whom
 * @backend: on which bus
 * @ids:     the type, and the end of the list
 * @drv:     the kernel's
 * @name:    of @drv
 */
struct claim_driver {
	struct list_head list;
	struct xpv_domain *dom;
	bool backend;
	struct xenbus_device_id ids[2];
	struct xenbus_driver drv;
	char name[40];
};

static const char *side_name(bool backend)
{
	return backend ? "backend" : "frontend";
}

static struct claim *find(struct native *n, const char *nodename)
{
	struct claim *c;

	lockdep_assert_held(&n->claim_lock);
	list_for_each_entry(c, &n->claims, list)
		if (!strcmp(c->xdev->nodename, nodename))
			return c;
	return NULL;
}

/* --- The kernel's driver -------------------------------------------------------------------------------------- */

static struct claim_driver *to_claim_driver(struct xenbus_device *xdev)
{
	return container_of(to_xenbus_driver(xdev->dev.driver), struct claim_driver, drv);
}

static int claim_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id)
{
	struct xpv_domain *dom = to_claim_driver(xdev)->dom;
	struct native *n = to_native(dom);
	struct claim *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	c->xdev = xdev;
	xdev->state = XenbusStateClosed;
	dev_set_drvdata(&xdev->dev, c);
	mutex_lock(&n->claim_lock);
	list_add(&c->list, &n->claims);
	mutex_unlock(&n->claim_lock);
	xpv_domain_device_offer(dom, xdev->nodename);
	return 0;
}

static void claim_remove(struct xenbus_device *xdev)
{
	struct xpv_domain *dom = to_claim_driver(xdev)->dom;
	struct claim *c = dev_get_drvdata(&xdev->dev);
	struct native *n = to_native(dom);

	mutex_lock(&n->claim_lock);
	c->gone = true;
	mutex_unlock(&n->claim_lock);
	xpv_domain_device_withdraw(dom, xdev->nodename);
	mutex_lock(&n->claim_lock);
	list_del(&c->list);
	mutex_unlock(&n->claim_lock);
	dev_set_drvdata(&xdev->dev, NULL);
	kfree(c);
}

/* The kernel expects a device to be connected anew. The suite sees by itself what the store says after a suspend. */
static int claim_resume(struct xenbus_device *xdev)
{
	xdev->state = XenbusStateClosed;
	return 0;
}

/* --- Other drivers -------------------------------------------------------------------------------------------- */

/* Does another driver of the kernel's bus take devices of our type? */
static int warn_of_rival(struct device_driver *driver, void *data)
{
	const struct claim_driver *cd = data;
	const struct xenbus_device_id *id = to_xenbus_driver(driver)->ids;

	if (driver == &cd->drv.driver || !id)
		return 0;
	for (; *id->devicetype; id++)
		if (!strcmp(id->devicetype, cd->ids[0].devicetype))
			pr_err("xpv-hv-native: the kernel's own driver of %s %ss, \"%s\", is loaded: it gets new devices first; unload its module and keep it from being loaded\n",
			       id->devicetype, side_name(cd->backend), driver->name);
	return 0;
}

static int has_nodename(struct device *dev, const void *nodename)
{
	return !strcmp(to_xenbus_device(dev)->nodename, nodename);
}

/* Whose is the kernel's device? Its lock comes before those that are held here, so it is only tried. */
static void name_rival(struct device *dev, char *why, size_t len)
{
	if (!device_trylock(dev))
		return;
	if (dev->driver)
		snprintf(why, len, "the kernel's device %s, which its own driver \"%s\" has",
			 dev_name(dev), dev->driver->name);
	device_unlock(dev);
}

static struct device *find_rival(struct native *n, const char *nodename)
{
	bool backend = !strncmp(nodename, "backend/", 8);
	struct device *dev = NULL;
	struct claim_driver *cd;

	mutex_lock(&n->claim_lock);
	list_for_each_entry(cd, &n->drivers, list)
		if (cd->backend == backend && !dev)
			dev = bus_find_device(cd->drv.driver.bus, NULL, nodename, has_nodename);
	mutex_unlock(&n->claim_lock);
	return dev;
}

bool native_device_wanted(struct xpv_domain *dom, const char *nodename, char *why, size_t len)
{
	struct native *n = to_native(dom);
	struct device *dev;
	struct claim *c;
	bool ours;

	mutex_lock(&n->claim_lock);
	c = find(n, nodename);
	ours = c && !c->gone;
	mutex_unlock(&n->claim_lock);
	if (ours)
		return true;

	dev = find_rival(n, nodename);
	if (dev)
		name_rival(dev, why, len);
	put_device(dev);
	return false;
}

/* --- Drivers of the suite ------------------------------------------------------------------------------------- */

/*
 * A device of our type that another driver has: the suite's device of the same name may have been asked about before
 * this driver was on the list, and has not been told whose it is.
 */
static int offer_again(struct device *dev, void *data)
{
	const struct claim_driver *cd = data;
	const struct xenbus_device *xdev = to_xenbus_device(dev);

	if (READ_ONCE(dev->driver) != &cd->drv.driver && !strcmp(xdev->devicetype, cd->ids[0].devicetype))
		xpv_domain_device_offer(cd->dom, xdev->nodename);
	return 0;
}

static int claim_register(struct claim_driver *cd)
{
	if (cd->backend)
		return __xenbus_register_backend(&cd->drv, NULL, NULL);
	return __xenbus_register_frontend(&cd->drv, NULL, NULL);
}

void native_driver_added(struct xpv_domain *dom, bool backend, const char *type)
{
	struct claim_driver *cd = kzalloc(sizeof(*cd), GFP_KERNEL);
	struct native *n = to_native(dom);
	int err = -ENOMEM;

	if (!cd)
		goto err_log;
	cd->dom = dom;
	cd->backend = backend;
	strscpy(cd->ids[0].devicetype, type, sizeof(cd->ids[0].devicetype));
	snprintf(cd->name, sizeof(cd->name), "xpv-%s", type);
	cd->drv.name = cd->name;
	cd->drv.ids = cd->ids;
	cd->drv.allow_rebind = true;
	cd->drv.not_essential = true;
	cd->drv.probe = claim_probe;
	cd->drv.remove = claim_remove;
	cd->drv.resume = claim_resume;
	err = claim_register(cd);
	if (err)
		goto err_free;

	mutex_lock(&n->claim_lock);
	list_add(&cd->list, &n->drivers);
	mutex_unlock(&n->claim_lock);
	bus_for_each_drv(cd->drv.driver.bus, NULL, cd, warn_of_rival);
	bus_for_each_dev(cd->drv.driver.bus, NULL, cd, offer_again);
	return;

err_free:
	kfree(cd);
err_log:
	pr_err("xpv-hv-native: %s %ss cannot be claimed: error %d\n", type, side_name(backend),
	       err);
}

void native_driver_removed(struct xpv_domain *dom, bool backend, const char *type)
{
	struct native *n = to_native(dom);
	struct claim_driver *cd, *found = NULL;

	mutex_lock(&n->claim_lock);
	list_for_each_entry(cd, &n->drivers, list)
		if (cd->backend == backend && !strcmp(cd->ids[0].devicetype, type))
			found = cd;
	if (found)
		list_del(&found->list);
	mutex_unlock(&n->claim_lock);
	if (!found)
		return;
	xenbus_unregister_driver(&found->drv);
	kfree(found);
}

/* --- sysfs ---------------------------------------------------------------------------------------------------- */

static void link_one(struct kobject *at, struct kobject *kobj, const char *name)
{
	if (!kobj)
		sysfs_remove_link(at, name);
	else if (compat_only_sysfs_link_entry_to_kobj(at, kobj, name, NULL))
		pr_warn("xpv-hv-native: no link %s in %s\n", name, kobject_name(at));
}

/* A group with a name is a directory, which is linked as one; attributes of others are linked one by one. */
static void link_groups(struct kobject *at, struct kobject *kobj,
			const struct attribute_group **groups)
{
	struct attribute **attr;

	for (; groups && *groups; groups++) {
		if ((*groups)->name) {
			link_one(at, kobj, (*groups)->name);
			continue;
		}
		for (attr = (*groups)->attrs; attr && *attr; attr++)
			link_one(at, kobj, (*attr)->name);
	}
}

void native_device_bound(struct xpv_domain *dom, const char *nodename, struct kobject *kobj,
			 const struct attribute_group **groups)
{
	struct native *n = to_native(dom);
	struct claim *c;

	mutex_lock(&n->claim_lock);
	c = find(n, nodename);
	if (c)
		link_groups(&c->xdev->dev.kobj, kobj, groups);
	mutex_unlock(&n->claim_lock);
}

void native_device_unbound(struct xpv_domain *dom, const char *nodename,
			   const struct attribute_group **groups)
{
	native_device_bound(dom, nodename, NULL, groups);
}

void native_claims_start(struct native *n)
{
	mutex_init(&n->claim_lock);
	INIT_LIST_HEAD(&n->claims);
	INIT_LIST_HEAD(&n->drivers);
}
