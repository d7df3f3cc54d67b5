// SPDX-License-Identifier: GPL-2.0
/* The block frontend: disks of a domain, /dev/xvd*. See blkfront.h for how it hangs together. */
#include <linux/module.h>
#include "blkfront.h"

static int __init blkfront_init(void)
{
	int err;

	err = blkfront_disk_init();
	if (err)
		return err;
	err = xpv_driver_register(&blkfront_driver);
	if (err)
		goto err_disk;
	return 0;

err_disk:
	blkfront_disk_exit();
	return err;
}

static void __exit blkfront_exit(void)
{
	xpv_driver_unregister(&blkfront_driver);
	blkfront_disk_exit();
}

module_init(blkfront_init);
module_exit(blkfront_exit);

MODULE_DESCRIPTION("Xen-ABI block frontend");
MODULE_LICENSE("GPL");
XPV_FRONTEND_ALIAS("vbd");
