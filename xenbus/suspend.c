// SPDX-License-Identifier: GPL-2.0
/*
 * Suspending a domain and bringing it back.
 *
 * Everything that the hypervisor or the store knows of the domain is given up before, and set up
 * anew after: so it makes no difference whether the domain comes back as a new one, on another
 * host, under another number, or the suspend was cancelled. What survives is what this kernel knows:
 * devices with their drivers, requests that wait, watches, references that peers may still use.
 *
 * The ladder is that of a domain's end (domain.c), with devices that stay:
 *	1. devices are disconnected, as when their peer had crashed, and do nothing until the end;
 *	2. the store client sends nothing any more, but still hears;
 *	3. nobody waits for grants, and none are taken back;
 *	4. the facilities stop; what the store has not answered will not be.
 *
 * Nothing is announced: the peer of a domain that is saved must not take it for one that closes.
 * When the domain is back, a device finds a peer that waits for it, or one that still looks
 * connected; with the latter it starts over as after a crash (state.c).
 *
 * Both halves allocate without writing to disks, which may be the domain's own.
 */
#include <linux/export.h>
#include <linux/sched/mm.h>
#include "domain.h"

int xpv_domain_suspend(struct xpv_domain *dom)
{
	unsigned int noio;

	if (!dom->ops->suspend)
		return -EOPNOTSUPP;
	if (dom->suspended)
		return -EBUSY;

	noio = memalloc_noio_save();
	xpv_bus_domain_suspend(dom);
	xpv_store_suspend(dom);
	xpv_grants_suspend(dom);
	dom->ops->suspend(dom);
	xpv_store_forget(dom);
	memalloc_noio_restore(noio);
	dom->suspended = true;
	return 0;
}
EXPORT_SYMBOL_GPL(xpv_domain_suspend);

static int renumber(struct xpv_domain *dom, domid_t domid)
{
	domid_t old = dom->domid;
	int err;

	if (domid == old)
		return 0;
	err = xpv_domain_renumber(dom, domid);
	if (err)
		return err;
	err = xpv_xs_dev_add(domid);
	if (err)
		xpv_domain_renumber(dom, old);
	else
		xpv_xs_dev_del(old);
	return err;
}

static int resume(struct xpv_domain *dom, domid_t domid)
{
	int err;

	err = renumber(dom, domid);
	if (err)
		return err;
	err = dom->ops->resume(dom);
	if (err)
		return err;
	dom->suspended = false;
	xpv_grants_resume(dom);
	xpv_store_resume(dom);
	xpv_bus_domain_resume(dom);
	xpv_control_resume(dom);
	return 0;
}

int xpv_domain_resume(struct xpv_domain *dom, domid_t domid)
{
	unsigned int noio;
	int err;

	if (!dom->suspended)
		return -EBUSY;
	noio = memalloc_noio_save();
	err = resume(dom, domid);
	memalloc_noio_restore(noio);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_domain_resume);
