// SPDX-License-Identifier: GPL-2.0
/* Includes that the table of the design does not allow; the directory makes it a provider. */

#include <linux/module.h>
#include <xpv/hypervisor.h>
#include <xpv/types.h>
#include "bad.h"
#include "../compat/blkdev.h"
#include <xpv/grant.h>		/* bad */
#include <xpv/xenbus.h>		/* bad */
#include "../xenbus/domain.h"	/* bad */
#include "xenbus/store.h"	/* bad */
