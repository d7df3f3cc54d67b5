// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend, resume, save, restore, migration: the kernel hears of them from the toolstack, and treats them as it does a
 * hibernation: devices are frozen, and restored in a domain that may be a new one, or thawed when it was cancelled.
 *
 * So the domain has a device of its own for the kernel's device model. It is frozen while the kernel's own Xen code
 * still works, and comes back when that does again: the store's client has set its watches anew, the grant table is
 * there, with the entries that were in it gone.
 *
 * A hibernation takes the same path.
 */
#include <linux/platform_device.h>
#include <linux/pm.h>
#include "native.h"

static struct platform_device *pdev;

static int freeze(struct device *dev)
{
	struct xpv_domain *dom = native_domain();
	struct native_store *s;
	int err;

	if (!dom)
		return 0;
	s = &to_native(dom)->store;
	native_watches_hold(s);
	err = xpv_domain_suspend(dom);
	if (err)
		native_watches_let_go(s);
	return err;
}

static int thaw(struct device *dev)
{
	struct xpv_domain *dom = native_domain();
	domid_t domid;
	int err;

	if (!dom)
		return 0;
	native_watches_let_go(&to_native(dom)->store);
	err = native_domid(&domid);
	return err ?: xpv_domain_resume(dom, domid);
}

static const struct dev_pm_ops pm_ops = {
	.freeze = freeze,
	.thaw = thaw,
	.restore = thaw,
};

static int probe(struct platform_device *unused)
{
	return 0;
}

static struct platform_driver driver = {
	.driver = {
		.name = "xpv-hv-native",
		.pm = &pm_ops,
		.suppress_bind_attrs = true,
	},
};

int __init native_pm_init(void)
{
	pdev = platform_create_bundle(&driver, probe, NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(pdev);
}

void native_pm_exit(void)
{
	platform_device_unregister(pdev);
	platform_driver_unregister(&driver);
}
