// SPDX-License-Identifier: GPL-2.0
/*
 * The domain as xenbus sees it: the table of hypercalls, registration, and the end.
 *
 * The end comes in two parts: xenbus takes leave of all peers and stops using events and the store; then, when no peer
 * has a page of ours mapped, it gives the grant frames back and says so. Only then may the frames' next user come.
 */
#include <linux/jiffies.h>
#include <xen/interface/sched.h>
#include "platform.h"

#define IMPATIENT	(2 * HZ)

static evtchn_port_t store_port(void *hv)
{
	struct platform *p = hv;

	return p->store_port;
}

static int event_channel_op(void *hv, int cmd, void *arg)
{
	return cmd == EVTCHNOP_reset ? plat_ports_reset(hv) : plat_event_channel_op(hv, cmd, arg);
}

static void let_others_run(void *hv)
{
	plat_sched_op(SCHEDOP_yield, NULL);
}

static const struct xpv_hypercalls hypercalls = {
	.owner = THIS_MODULE,
	.name = "platform-pci",
	.grant_table_op = plat_grant_table_op,
	.event_channel_op = event_channel_op,
	.map_frame = plat_map_frame,
	.unmap_frame = plat_unmap_frame,
	.store_port = store_port,
	.vcpu_id = plat_vcpu_id,
	.vcpu_info = plat_vcpu_info,
	.set_upcall = plat_set_upcall,
	.page_get = plat_page_get,
	.page_put = plat_page_put,
	.yield = let_others_run,
	.xen_version = plat_xen_version,
};

int plat_domain_register(struct platform *p)
{
	/* toolstack: a guest's programs expect their own domain's store at /dev/xen/xenbus. */
	const struct xpv_domain_desc desc = {
		.ops = &xpv_guest_ops,
		.hypercalls = &hypercalls,
		.hv = p,
		.domid = p->domid,
		.toolstack = true,
		.copy_pays = 2,
		.ipis_cost = true,
		.shutdowns = PLAT_SHUTDOWNS,
		.shutdown = plat_shutdown,
	};
	struct xpv_domain *xpv = xpv_domain_register(&desc);

	if (IS_ERR(xpv))
		return PTR_ERR(xpv);
	p->xpv = xpv;
	return 0;
}

static void released(void *hv)
{
	struct platform *p = hv;

	complete(&p->released);
}

/**
 * plat_domain_unregister() - mirror of plat_domain_register()
 * @p:       the domain
 * @patient: wait for as long as a peer has pages of ours mapped, because this code and the frames are going away;
 *           otherwise, at the end of the kernel, a moment
 */
void plat_domain_unregister(struct platform *p, bool patient)
{
	xpv_domain_withdraw(p->xpv);
	xpv_domain_on_release(p->xpv, released, p);
	xpv_domain_unregister(p->xpv);
	p->xpv = NULL;

	if (!patient) {
		if (!wait_for_completion_timeout(&p->released, IMPATIENT))
			dev_warn(&p->pdev->dev, "other domains have pages of this one mapped\n");
		return;
	}
	while (!wait_for_completion_timeout(&p->released, 10 * HZ))
		dev_warn(&p->pdev->dev, "waiting for other domains, which have pages of this one mapped\n");
	xpv_domain_flush_released();	/* released() may be about to return */
}
