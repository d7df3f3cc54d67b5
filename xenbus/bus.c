// SPDX-License-Identifier: GPL-2.0
/*
 * The two bus types, "xpv" for frontends and "xpv-backend", and the registration of drivers.
 *
 * Devices of all domains are side by side on them: a frontend is d<domid>-<type>-<id>, a backend
 * d<domid>-<type>-<frontend's domid>-<id>. Drivers are probed asynchronously, so neither a slow
 * probe nor the loading of a driver holds up the rest.
 */
#include <linux/module.h>
#include <linux/string.h>
#include "bus.h"
#include "domain.h"

struct device *xpv_bus_root;
struct workqueue_struct *xpv_scan_wq;
struct workqueue_struct *xpv_device_wq;

static int bus_match(struct device *dev, XPV_MATCH_CONST struct device_driver *drv)
{
	return !strcmp(to_xpv_device(dev)->type, to_xpv_driver(drv)->type);
}

static int driver_uevent(struct xpv_device_core *core, struct kobj_uevent_env *env)
{
	int err = 0;

	mutex_lock(&core->uevent_lock);
	if (core->uevent_drv && core->uevent_drv->uevent)
		err = core->uevent_drv->uevent(&core->dev, env);
	mutex_unlock(&core->uevent_lock);
	return err;
}

static int bus_uevent(XPV_UEVENT_CONST struct device *dev, struct kobj_uevent_env *env)
{
	const struct xpv_device *xdev = to_xpv_device(dev);

	if (add_uevent_var(env, "MODALIAS=%s:%s", dev->bus->name, xdev->type))
		return -ENOMEM;
	if (xdev->side == XPV_FRONTEND)
		return driver_uevent(xdev->core, env);
	if (add_uevent_var(env, "XPV_TYPE=%s", xdev->type) ||
	    add_uevent_var(env, "XPV_PATH=%s", xdev->nodename) ||
	    add_uevent_var(env, "XPV_BASE_PATH=backend") ||
	    add_uevent_var(env, "XPV_DOMID=%u", xdev->domain->domid))
		return -ENOMEM;
	return driver_uevent(xdev->core, env);
}

static int bus_probe(struct device *dev)
{
	return xpv_device_bind(to_xpv_device(dev)->core, to_xpv_driver(dev->driver));
}

static void bus_remove(struct device *dev)
{
	xpv_device_unbind(to_xpv_device(dev)->core);
}

struct bus_type xpv_bus_types[2] = {
	[XPV_FRONTEND] = {
		.name = "xpv",
		.match = bus_match,
		.uevent = bus_uevent,
		.probe = bus_probe,
		.remove = bus_remove,
		.dev_groups = xpv_device_groups,
	},
	[XPV_BACKEND] = {
		.name = "xpv-backend",
		.match = bus_match,
		.uevent = bus_uevent,
		.probe = bus_probe,
		.remove = bus_remove,
		.dev_groups = xpv_device_groups,
	},
};

int __xpv_driver_register(struct xpv_driver *drv, struct module *owner, const char *mod_name)
{
	int err;

	drv->driver.name = drv->name;
	drv->driver.bus = &xpv_bus_types[drv->side];
	drv->driver.owner = owner;
	drv->driver.mod_name = mod_name;
	drv->driver.probe_type = PROBE_PREFER_ASYNCHRONOUS;
	drv->driver.dev_groups = drv->stats;
	err = driver_register(&drv->driver);
	if (err)
		return err;
	xpv_claims_driver_add(drv);
	xpv_domains_want(drv->name);
	return 0;
}
EXPORT_SYMBOL_GPL(__xpv_driver_register);

void xpv_driver_unregister(struct xpv_driver *drv)
{
	driver_unregister(&drv->driver);
	xpv_claims_driver_del(drv);
}
EXPORT_SYMBOL_GPL(xpv_driver_unregister);

static int workqueues_init(void)
{
	xpv_scan_wq = alloc_workqueue("xpv-scan", WQ_UNBOUND, 0);
	if (!xpv_scan_wq)
		return -ENOMEM;
	/* Each device has one work item, and none may wait for another's. */
	xpv_device_wq = alloc_workqueue("xpv-device", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!xpv_device_wq) {
		destroy_workqueue(xpv_scan_wq);
		return -ENOMEM;
	}
	return 0;
}

static void workqueues_exit(void)
{
	destroy_workqueue(xpv_device_wq);
	destroy_workqueue(xpv_scan_wq);
}

int xpv_bus_init(void)
{
	int err = workqueues_init();

	if (err)
		return err;
	xpv_bus_root = root_device_register("xpv");
	if (IS_ERR(xpv_bus_root)) {
		err = PTR_ERR(xpv_bus_root);
		goto err_workqueues;
	}
	err = bus_register(&xpv_bus_types[XPV_FRONTEND]);
	if (err)
		goto err_root;
	err = bus_register(&xpv_bus_types[XPV_BACKEND]);
	if (err)
		goto err_frontend;
	err = xpv_claims_init();
	if (err)
		goto err_backend;
	return 0;

err_backend:
	bus_unregister(&xpv_bus_types[XPV_BACKEND]);
err_frontend:
	bus_unregister(&xpv_bus_types[XPV_FRONTEND]);
err_root:
	root_device_unregister(xpv_bus_root);
err_workqueues:
	workqueues_exit();
	return err;
}

void xpv_bus_exit(void)
{
	xpv_claims_exit();
	bus_unregister(&xpv_bus_types[XPV_BACKEND]);
	bus_unregister(&xpv_bus_types[XPV_FRONTEND]);
	root_device_unregister(xpv_bus_root);
	workqueues_exit();
}
