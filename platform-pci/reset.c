// SPDX-License-Identifier: GPL-2.0
/*
 * A fresh start: what a kernel or a module before this one has left is undone, and what this one leaves as well.
 *
 * EVTCHNOP_reset closes all ports and ends FIFO mode. It takes the ports of the store and of the console along, which
 * are the toolstack's; the other ends stay, so they are bound again, and the parameters that name them are written.
 * (The hypervisor's own ports are not closed.)
 *
 * The firmware runs in 32-bit mode and has left the layout of that mode in shared_info: Xen takes note of the mode of
 * whoever sets the callback last.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/printk.h>
#include <xen/interface/hvm/params.h>
#include "platform.h"

/* --- Ports ---------------------------------------------------------------------------------------------------- */

/**
 * struct kept_port - a port of the toolstack's
 * @param:  names it
 * @port:   its number, 0: there is none
 * @status: the other end
 */
struct kept_port {
	u32 param;
	evtchn_port_t port;
	struct evtchn_status status;
};

static void keep(struct kept_port *k)
{
	u64 value;

	k->port = 0;
	if (plat_param_get(k->param, &value) || !value)
		return;
	k->status = (struct evtchn_status) { .dom = DOMID_SELF, .port = value };
	if (!plat_event_channel_op(NULL, EVTCHNOP_status, &k->status))
		k->port = value;
}

static int bind_again(struct kept_port *k)
{
	struct evtchn_bind_interdomain bind = {
		.remote_dom = k->status.u.interdomain.dom,
		.remote_port = k->status.u.interdomain.port,
	};
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = k->status.u.unbound.dom };
	int err;

	switch (k->status.status) {
	case EVTCHNSTAT_interdomain:
		err = plat_event_channel_op(NULL, EVTCHNOP_bind_interdomain, &bind);
		k->port = bind.local_port;
		return err;
	case EVTCHNSTAT_unbound:
		err = plat_event_channel_op(NULL, EVTCHNOP_alloc_unbound, &alloc);
		k->port = alloc.port;
		return err;
	default:
		return -ENXIO;
	}
}

static int restore(struct kept_port *k)
{
	int err;

	if (!k->port)
		return -ENXIO;
	err = bind_again(k);
	if (!err)
		err = plat_param_set(k->param, k->port);
	if (err)
		k->port = 0;
	return err;
}

int plat_ports_reset(struct platform *p)
{
	struct kept_port store = { .param = HVM_PARAM_STORE_EVTCHN };
	struct kept_port console = { .param = HVM_PARAM_CONSOLE_EVTCHN };
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	bool had_console;
	int err;

	keep(&store);
	keep(&console);
	had_console = console.port;
	err = plat_event_channel_op(p, EVTCHNOP_reset, &reset);
	if (err)
		return err;

	err = restore(&store);
	if (err)
		pr_err("the store's port cannot be bound again (%d)\n", err);
	p->store_port = store.port;
	if (restore(&console) && had_console)
		pr_warn("the console's port cannot be bound again\n");
	return 0;	/* what was asked for is done */
}

/* --- The grant table ------------------------------------------------------------------------------------------ */

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
	int err;

	err = plat_param_set(HVM_PARAM_CALLBACK_IRQ, 0);
	if (err)
		return err;
	err = plat_ports_reset(p);
	if (err)
		return err;
	if (!p->store_port)
		return -ENXIO;
	return grants_size(p);
}
