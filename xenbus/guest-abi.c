// SPDX-License-Identifier: GPL-2.0
/*
 * Which of the two ABIs of event channels a domain uses: the parameter, and what is done where the
 * hypervisor lacks FIFO.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "guest.h"

/* By index; the first one is the default. */
static const struct guest_evtchn_abi *const abis[] = { &guest_evtchn_fifo, &guest_evtchn_2l };
static const char *const names[] = { "fifo", "2l" };
static unsigned int wanted;

static int wanted_set(const char *val, const struct kernel_param *kp)
{
	int n = sysfs_match_string(names, val);

	if (n < 0)
		return n;
	WRITE_ONCE(wanted, n);
	return 0;
}

static int wanted_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", names[READ_ONCE(wanted)]);
}

static const struct kernel_param_ops wanted_ops = { .set = wanted_set, .get = wanted_get };

module_param_cb(events, &wanted_ops, NULL, 0644);
MODULE_PARM_DESC(events, "event channels of domains that start: fifo (falls back to 2l), 2l");

int guest_abi_start(struct guest_events *e)
{
	int err;

	e->abi = abis[READ_ONCE(wanted)];
	err = e->abi->start(e);
	if (e->abi == &guest_evtchn_2l || !err || err == -ENOMEM || err == -ESHUTDOWN)
		return err;

	pr_info("domain %u: no FIFO event channels (error %d), 2-level instead\n", e->dom->domid, err);
	e->abi = &guest_evtchn_2l;
	return e->abi->start(e);
}

void guest_abi_stop(struct guest_events *e)
{
	if (e->abi->stop)
		e->abi->stop(e);
}
