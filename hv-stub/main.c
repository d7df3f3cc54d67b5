// SPDX-License-Identifier: GPL-2.0
/*
 * xpv-hv-stub: software domains in one kernel, no Xen needed.
 */
#include <linux/module.h>
#include "hv.h"

static int __init stub_init(void)
{
	int err;

	err = stub_version_init();
	if (err)
		return err;
	err = stub_domains_init();
	if (err)
		return err;
	err = stub_store_init();
	if (err)
		goto err_domains;
	err = stub_zero_init();
	if (err)
		goto err_store;
	err = stub_configfs_init();
	if (err)
		goto err_zero;
	return 0;

err_zero:
	stub_zero_exit();
err_store:
	stub_store_exit();
err_domains:
	stub_domains_exit();
	return err;
}

static void __exit stub_exit(void)
{
	stub_configfs_exit();
	stub_zero_exit();
	stub_store_exit();
	stub_domains_exit();
}

module_init(stub_init);
module_exit(stub_exit);

MODULE_DESCRIPTION("Xen-like software domains, for split drivers without a hypervisor");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xpv-provider:stub");
