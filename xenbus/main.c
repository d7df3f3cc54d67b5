// SPDX-License-Identifier: GPL-2.0
/* xpv-xenbus: the ladder and its mirror. */
#include <linux/module.h>
#include "bus.h"
#include "domain.h"
#include "guest.h"

static int __init xenbus_init(void)
{
	int err;

	err = xpv_domains_init();
	if (err)
		return err;
	err = xpv_bus_init();
	if (err)
		goto err_domains;
	err = xpv_xs_class_init();
	if (err)
		goto err_bus;
	err = guest_fifo_init();
	if (err)
		goto err_xs_class;
	return 0;

err_xs_class:
	xpv_xs_class_exit();
err_bus:
	xpv_bus_exit();
err_domains:
	xpv_domains_exit();
	return err;
}

static void __exit xenbus_exit(void)
{
	guest_fifo_exit();
	xpv_xs_class_exit();
	xpv_bus_exit();
	xpv_domains_exit();
}

module_init(xenbus_init);
module_exit(xenbus_exit);

MODULE_DESCRIPTION("Bus of the xpv split drivers: devices, store client, grants and event channels");
MODULE_LICENSE("GPL");
