// SPDX-License-Identifier: GPL-2.0
/*
 * The block backend: gives block devices of this domain to others. See blkback.h for how it hangs
 * together.
 */
#include <linux/module.h>
#include "blkback.h"

static int __init blkback_init(void)
{
	return xpv_driver_register(&blkback_driver);
}

static void __exit blkback_exit(void)
{
	xpv_driver_unregister(&blkback_driver);
}

module_init(blkback_init);
module_exit(blkback_exit);

MODULE_DESCRIPTION("Xen-ABI block backend");
MODULE_LICENSE("GPL");
XPV_BACKEND_ALIAS("vbd");
