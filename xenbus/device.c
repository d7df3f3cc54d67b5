// SPDX-License-Identifier: GPL-2.0
/*
 * Devices: birth, the ordered work, death.
 *
 * Objects. struct xpv_device_core holds a struct xpv_device, whose struct device counts the
 * references: one of the bus (from device_add() to device_unregister()), one for each time its work
 * is queued. It holds the domain and the account; the last reference drops them.
 *
 * Work. Everything that happens to a device happens in one delayed work of its own, on an unbound
 * queue: watches, kicks and errors only set a bit and queue it. It never waits for another
 * device's.
 *
 * Death. (1) The device is marked vanished, by its own work that found the directory gone or
 * another device's, or by the domain's end; from now on it writes nothing. (2) Its work unregisters
 * it: the driver core calls unbind, that is disconnect() and remove(). (3) It leaves the hash of
 * the bus and its directory is noted, for a successor may have been waiting for the name.
 * (4) References that are left keep memory only.
 *
 * Locks, outermost first:
 *	device_lock(&dev->dev)		the driver core's; in the work only by device_unregister()
 *	core->lock			actions
 *	the store client's
 *	store->watch_lock		a spinlock, held around watch callbacks
 *	bus->lock
 *	core->key_lock, core->text_lock
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "bus.h"
#include "domain.h"
#include "node.h"

#define STEPS		8	/* of the state machine in one go, before others have their turn */
#define RETRY_MS	1000

struct xpv_account *xpv_device_account(const struct xpv_device *dev)
{
	return dev->core->acc;
}

domid_t xpv_device_domid(const struct xpv_device *dev)
{
	return xpv_domain_id(dev->domain);
}
EXPORT_SYMBOL_GPL(xpv_device_domid);

bool xpv_device_vanished(const struct xpv_device *dev)
{
	return test_bit(XPV_CORE_VANISHED, &dev->core->flags);
}

/* --- The work --------------------------------------------------------------------------------- */

void xpv_device_kick(struct xpv_device *dev)
{
	get_device(&dev->dev);
	if (mod_delayed_work(xpv_device_wq, &dev->core->work, 0))
		put_device(&dev->dev);
}
EXPORT_SYMBOL_GPL(xpv_device_kick);

static void kick_later(struct xpv_device_core *core)
{
	get_device(&core->dev.dev);
	if (!queue_delayed_work(xpv_device_wq, &core->work, msecs_to_jiffies(RETRY_MS)))
		put_device(&core->dev.dev);
}

/*
 * xpv_device_event() - something in the device's own directory changed
 * @key: what, or "" for the directory itself
 *
 * Called under bus->lock.
 */
void xpv_device_event(struct xpv_device_core *core, const char *key)
{
	bool backend = core->dev.side == XPV_BACKEND;

	if (test_bit(XPV_CORE_PROBE_FAILED, &core->flags))
		set_bit(XPV_CORE_PROBE_AGAIN, &core->flags);
	if (!*key || !strcmp(key, "state") || !strcmp(key, backend ? "frontend" : "backend") ||
	    !strcmp(key, backend ? "frontend-id" : "backend-id"))
		set_bit(XPV_CORE_CHECK, &core->flags);
	else if (!(backend && !strcmp(key, "online")) && !xpv_device_watches(core, key) &&
		 !test_bit(XPV_CORE_PROBE_AGAIN, &core->flags))
		return;
	xpv_device_kick(&core->dev);
}

/** xpv_device_vanish() - step one of its death. Any context. */
void xpv_device_vanish(struct xpv_device_core *core)
{
	if (!test_and_set_bit(XPV_CORE_VANISHED, &core->flags))
		xpv_device_kick(&core->dev);
}

/* The others of the steps. */
static void remove_self(struct xpv_device_core *core)
{
	struct xpv_bus_domain *bus = core->dev.domain->bus;
	const char *nodename = core->dev.nodename;

	device_unregister(&core->dev.dev);
	if (test_bit(XPV_CORE_TOLD, &core->flags))
		xpv_error_remove(core->dev.domain->store, nodename);

	spin_lock(&bus->lock);
	set_bit(XPV_CORE_REMOVED, &core->flags);
	hash_del(&core->hash);
	bus->nr_devices--;
	xpv_bus_note(bus, nodename, strlen(nodename));
	wake_up(&bus->wait);
	spin_unlock(&bus->lock);
}

/* Something in the directory of a device whose probe failed has changed. */
static enum xpv_work probe_again(struct xpv_device_core *core)
{
	if (time_before(jiffies, core->probe_at))
		return XPV_WORK_LATER;
	clear_bit(XPV_CORE_PROBE_AGAIN, &core->flags);
	if (test_bit(XPV_CORE_PROBE_FAILED, &core->flags) && device_attach(&core->dev.dev) < 0)
		dev_dbg(&core->dev.dev, "attach failed\n");
	return XPV_WORK_IDLE;
}

static enum xpv_work steps(struct xpv_device_core *core)
{
	enum xpv_work todo = XPV_WORK_AGAIN;
	unsigned int i;

	mutex_lock(&core->lock);
	for (i = 0; i < STEPS && todo == XPV_WORK_AGAIN; i++)
		todo = xpv_device_step(core);
	mutex_unlock(&core->lock);
	return todo;
}

static void device_work(struct work_struct *work)
{
	struct xpv_device_core *core = container_of(to_delayed_work(work), struct xpv_device_core, work);
	enum xpv_work todo = XPV_WORK_IDLE;

	if (!test_bit(XPV_CORE_REMOVED, &core->flags)) {
		todo = steps(core);
		if (xpv_device_vanished(&core->dev)) {
			/* Not while it is still being added; hash_device() will queue the work again. */
			if (test_bit(XPV_CORE_ADDED, &core->flags))
				remove_self(core);
			todo = XPV_WORK_IDLE;
		} else if (test_bit(XPV_CORE_PROBE_AGAIN, &core->flags)) {
			todo = probe_again(core);
		}
	}
	if (todo == XPV_WORK_AGAIN)
		xpv_device_kick(&core->dev);
	else if (todo == XPV_WORK_LATER)
		kick_later(core);
	put_device(&core->dev.dev);
}

/* --- Driver ----------------------------------------------------------------------------------- */

static void set_uevent_driver(struct xpv_device_core *core, struct xpv_driver *drv)
{
	mutex_lock(&core->uevent_lock);
	core->uevent_drv = drv;
	mutex_unlock(&core->uevent_lock);
}

/** xpv_device_bind() - a driver comes. The driver core calls it, with device_lock held. */
int xpv_device_bind(struct xpv_device_core *core, struct xpv_driver *drv)
{
	int err = 0;

	if (!xpv_device_wanted(core))
		return -ENODEV;
	mutex_lock(&core->lock);
	clear_bit(XPV_CORE_PROBE_FAILED, &core->flags);
	clear_bit(XPV_CORE_FATAL, &core->flags);
	clear_bit(XPV_CORE_BAD, &core->flags);
	clear_bit(XPV_CORE_UNSAID, &core->flags);
	core->live = false;
	core->fatal = false;
	core->fresh = true;
	xpv_device_set_own(core, XenbusStateUnknown);
	if (drv->probe)
		err = drv->probe(&core->dev);
	if (err) {
		xpv_device_error(&core->dev, err, "driver %s failed to probe", drv->name);
		core->probe_at = jiffies + msecs_to_jiffies(RETRY_MS);
		set_bit(XPV_CORE_PROBE_FAILED, &core->flags);
	} else {
		core->drv = drv;
		set_uevent_driver(core, drv);
	}
	mutex_unlock(&core->lock);
	if (!err)
		xpv_device_kick(&core->dev);
	return err;
}

/* The last word of this driver: the peer would wait for ever without. */
static void announce_closed(struct xpv_device_core *core)
{
	unsigned int tries = XPV_NOMEM_TRIES;

	if (test_bit(XPV_CORE_SUSPENDED, &core->flags)) {
		set_bit(XPV_CORE_UNSAID, &core->flags);
		return;
	}
	while (!xpv_device_vanished(&core->dev) &&
	       xpv_device_announce(core, XenbusStateClosed, -1) == -ENOMEM && --tries)
		msleep(XPV_NOMEM_MS);
}

/** xpv_device_unbind() - the driver goes: unbound by hand, unloaded, or the device vanished. As above. */
void xpv_device_unbind(struct xpv_device_core *core)
{
	struct xpv_driver *drv;

	set_uevent_driver(core, NULL);
	mutex_lock(&core->lock);
	drv = core->drv;
	if (drv->disconnect)
		drv->disconnect(&core->dev, true);
	if (drv->remove)
		drv->remove(&core->dev);
	core->drv = NULL;
	core->live = false;
	xpv_device_unwatch(core);
	xpv_device_report_leaks(core);
	announce_closed(core);
	xpv_device_waits(&core->dev, "a driver");
	mutex_unlock(&core->lock);
}

/* --- Birth ------------------------------------------------------------------------------------ */

static void device_release(struct device *dev)
{
	struct xpv_device_core *core = to_xpv_device(dev)->core;

	kfree(core->dev.type);
	kfree(core->dev.nodename);
	kfree(core->dev.otherend);
	if (core->acc)
		xpv_account_put(core->acc);
	xpv_domain_put(core->dev.domain);
	kfree(core);
}

static struct xpv_device_core *core_alloc(struct xpv_domain *dom, bool backend)
{
	struct xpv_device_core *core = kzalloc(sizeof(*core), GFP_KERNEL);

	if (!core)
		return NULL;
	core->dev.core = core;
	core->dev.domain = xpv_domain_get(dom);
	core->dev.side = backend ? XPV_BACKEND : XPV_FRONTEND;
	INIT_HLIST_NODE(&core->hash);
	INIT_DELAYED_WORK(&core->work, device_work);
	mutex_init(&core->lock);
	mutex_init(&core->uevent_lock);
	spin_lock_init(&core->key_lock);
	INIT_LIST_HEAD(&core->keys);
	spin_lock_init(&core->text_lock);
	core->since = ktime_get();
	ratelimit_state_init(&core->limit, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	device_initialize(&core->dev.dev);
	core->dev.dev.bus = &xpv_bus_types[core->dev.side];
	core->dev.dev.parent = xpv_bus_root;
	core->dev.dev.release = device_release;
	return core;
}

static int set_names(struct xpv_device_core *core, const char *nodename, const char *otherend)
{
	bool backend = core->dev.side == XPV_BACKEND;
	struct xpv_device *dev = &core->dev;
	struct xpv_node node;
	int err;

	err = xpv_node_parse(nodename, backend, &node);
	if (err)
		return err;
	dev->type = kstrdup(node.type, GFP_KERNEL);
	dev->nodename = kstrdup(nodename, GFP_KERNEL);
	dev->otherend = kstrdup(otherend, GFP_KERNEL);
	core->acc = xpv_account_alloc();
	if (!dev->type || !dev->nodename || !dev->otherend || !core->acc)
		return -ENOMEM;
	if (backend)
		return dev_set_name(&dev->dev, "d%u-%s-%u-%s", xpv_device_domid(dev), node.type,
				    node.domid, node.id);
	return dev_set_name(&dev->dev, "d%u-%s-%s", xpv_device_domid(dev), node.type, node.id);
}

/*
 * From now on it is found by its name. What has changed since device_add(), and a provider's offer, met no device.
 * An event makes up for that: the device is looked at once more, and a driver that was refused or failed tried again.
 */
static void hash_device(struct xpv_bus_domain *bus, struct xpv_device_core *core)
{
	const char *nodename = core->dev.nodename;

	spin_lock(&bus->lock);
	hash_add(bus->devices, &core->hash, full_name_hash(NULL, nodename, strlen(nodename)));
	bus->nr_devices++;
	set_bit(XPV_CORE_ADDED, &core->flags);
	xpv_device_event(core, "");
	spin_unlock(&bus->lock);
}

/** xpv_device_create() - a device for a directory; only scan.c's work calls it */
int xpv_device_create(struct xpv_bus_domain *bus, const char *nodename, bool backend,
		      const char *otherend, domid_t id)
{
	struct xpv_device_core *core = core_alloc(bus->dom, backend);
	int err;

	if (!core)
		return -ENOMEM;
	core->dev.otherend_id = id;
	err = set_names(core, nodename, otherend);
	if (err)
		goto err_put;
	xpv_device_waits(&core->dev, "a driver");
	err = device_add(&core->dev.dev);
	if (err)
		goto err_put;
	hash_device(bus, core);
	return 0;

err_put:
	put_device(&core->dev.dev);
	return err;
}
