// SPDX-License-Identifier: GPL-2.0
/*
 * What a kernel or a module before this one has left: ports that are open, a grant table of another version. The
 * ports of the store and of the console are the toolstack's, there is no way to get new ones; so they stay.
 *
 * And the firmware, which runs in 32-bit mode, has left the layout of that mode in shared_info: Xen takes note of the
 * mode of whoever sets the callback last.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/printk.h>
#include <xen/interface/hvm/params.h>
#include "platform.h"

#define PORTS_MAX	BIT(17)	/* of the FIFO ABI */

static void close_ports(evtchn_port_t store, evtchn_port_t console)
{
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_close close;
	unsigned int closed = 0;

	/* Ends at the first number that Xen has no room for: it makes room in small steps. */
	for (status.port = 1; status.port < PORTS_MAX; status.port++) {
		if (plat_event_channel_op(NULL, EVTCHNOP_status, &status))
			break;
		if (status.status == EVTCHNSTAT_closed || status.port == store || status.port == console)
			continue;
		close.port = status.port;
		closed += !plat_event_channel_op(NULL, EVTCHNOP_close, &close);
	}
	if (closed)
		pr_info("closed %u ports that were left open\n", closed);
}

static int grants_size(struct platform *p)
{
	struct gnttab_set_version version = { .version = 1 };
	struct gnttab_query_size size = { .dom = DOMID_SELF };
	int err;

	err = plat_grant_table_op(p, GNTTABOP_set_version, &version, 1);
	if (err || version.version != 1) {
		pr_err("the grant table is not of version 1, and cannot be changed (%d)\n", err);
		return err ?: -EBUSY;
	}
	err = plat_grant_table_op(p, GNTTABOP_query_size, &size, 1);
	if (err || size.status != GNTST_okay)
		return err ?: -ENXIO;
	p->max_frames = size.max_nr_frames;
	return 0;
}

int plat_reset(struct platform *p)
{
	u64 store, console;
	int err;

	err = plat_param_set(HVM_PARAM_CALLBACK_IRQ, 0);
	if (err)
		return err;
	err = plat_param_get(HVM_PARAM_STORE_EVTCHN, &store);
	if (err)
		return err;
	if (!store)
		return -ENXIO;
	if (plat_param_get(HVM_PARAM_CONSOLE_EVTCHN, &console))
		console = 0;
	p->store_port = store;
	close_ports(store, console);
	return grants_size(p);
}
