// SPDX-License-Identifier: GPL-2.0
/*
 * Domains: register, find, unregister, release.
 *
 * struct xpv_domain is reference-counted: the registration has one reference, each device and each
 * deferred grant another. Files of /dev/xen/xenbus hold the store client only, so that a program
 * that sits on one does not keep a dead domain's grant table.
 *
 * The ladder of xpv_domain_register() and its mirror are the order of construction. Death, in
 * steps:
 *	0. a provider with a bus of its own takes drivers off the devices, while everything works, and
 *	   so does one that goes while the domain stays (xpv_domain_withdraw()); nobody asks it any
 *	   more what hypervisor it runs on;
 *	a. dead is set and the domain leaves the list: nobody finds it any more;
 *	b. store requests, pending and later, fail at once, so nothing below waits for the store; the
 *	   toolstack is not listened to any more, so no suspend begins;
 *	c. the mirror of the ladder: devices remove themselves, files see the end, facilities stop,
 *	   unless they have since the domain was suspended (suspend.c);
 *	d. the registration's reference is dropped. The last reference's work frees what deferred
 *	   grants needed and tells the provider.
 *
 * Locks: xpv_domains_lock protects the list, and is held around a registration's check and its
 * insertion only.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "bus.h"
#include "domain.h"

static DEFINE_MUTEX(xpv_domains_lock);
static LIST_HEAD(xpv_domains);
static struct workqueue_struct *release_wq;

/* --- References ------------------------------------------------------------------------------- */

struct xpv_domain *xpv_domain_get(struct xpv_domain *dom)
{
	kref_get(&dom->ref);
	return dom;
}

static void release(struct work_struct *work)
{
	struct xpv_domain *dom = container_of(work, struct xpv_domain, release_work);

	xpv_grants_release(dom);
	dom->ops->release(dom);
	xpv_store_release(dom);
	if (dom->released)
		dom->released(dom->released_arg);
	kfree(dom);
	/* This module: its exit waits for the queue, so this function has returned before it is unloaded. */
	module_put(THIS_MODULE);
}

static void last_put(struct kref *ref)
{
	struct xpv_domain *dom = container_of(ref, struct xpv_domain, ref);

	queue_work(release_wq, &dom->release_work);
}

void xpv_domain_put(struct xpv_domain *dom)
{
	kref_put(&dom->ref, last_put);
}

bool xpv_domain_is_dead(const struct xpv_domain *dom)
{
	return READ_ONCE(dom->dead);
}

void *xpv_domain_hv(const struct xpv_domain *dom)
{
	return dom->hv;
}
EXPORT_SYMBOL_GPL(xpv_domain_hv);

domid_t xpv_domain_id(const struct xpv_domain *dom)
{
	return READ_ONCE(dom->domid);
}
EXPORT_SYMBOL_GPL(xpv_domain_id);

/* --- The list --------------------------------------------------------------------------------- */

static struct xpv_domain *find(domid_t domid)
{
	struct xpv_domain *dom;

	lockdep_assert_held(&xpv_domains_lock);
	list_for_each_entry(dom, &xpv_domains, node)
		if (domid == DOMID_SELF ? dom->toolstack : dom->domid == domid)
			return dom;
	return NULL;
}

/** xpv_domain_store() - the store client of a domain, referenced, or NULL. %DOMID_SELF: the toolstack's */
struct xpv_store *xpv_domain_store(domid_t domid)
{
	struct xpv_store *st = NULL;
	struct xpv_domain *dom;

	mutex_lock(&xpv_domains_lock);
	dom = find(domid);
	if (dom)
		st = smp_load_acquire(&dom->store);	/* pairs with xpv_store_init() */
	if (st)
		kref_get(&st->ref);
	mutex_unlock(&xpv_domains_lock);
	return st;
}

static int list_domain(struct xpv_domain *dom)
{
	int err = 0;

	mutex_lock(&xpv_domains_lock);
	if (find(dom->domid) || (dom->toolstack && find(DOMID_SELF)))
		err = -EEXIST;
	else
		list_add_tail(&dom->node, &xpv_domains);
	mutex_unlock(&xpv_domains_lock);
	return err;
}

static void unlist_domain(struct xpv_domain *dom)
{
	mutex_lock(&xpv_domains_lock);
	WRITE_ONCE(dom->dead, true);
	list_del(&dom->node);
	mutex_unlock(&xpv_domains_lock);
}

/**
 * xpv_domains_want() - a driver came: without a domain, have the providers loaded that may find one on this machine
 * @driver: its name
 *
 * Does not wait for them. A soft dependency of the driver's module would load them as well while the stub has domains,
 * and give the devices of real Xen to this suite although nobody asked for it.
 */
void xpv_domains_want(const char *driver)
{
	bool none;

	mutex_lock(&xpv_domains_lock);
	none = list_empty(&xpv_domains);
	mutex_unlock(&xpv_domains_lock);
	if (!none)
		return;
	pr_info("xpv-xenbus: no domain for %s yet: looking for Xen; xpv-hv-stub needs none\n", driver);
	request_module_nowait(XPV_ALIAS_HYPERVISOR);
}

/** xpv_domain_renumber() - the domain has come back with another number. Return: 0 or -EEXIST. */
int xpv_domain_renumber(struct xpv_domain *dom, domid_t domid)
{
	struct xpv_domain *other;

	mutex_lock(&xpv_domains_lock);
	other = find(domid);
	if (!other)
		WRITE_ONCE(dom->domid, domid);
	mutex_unlock(&xpv_domains_lock);
	return !other || other == dom ? 0 : -EEXIST;
}

/* --- Registration ----------------------------------------------------------------------------- */

static struct xpv_domain *domain_alloc(const struct xpv_domain_desc *desc)
{
	struct xpv_domain *dom = kzalloc(sizeof(*dom), GFP_KERNEL);

	if (!dom)
		return NULL;
	kref_init(&dom->ref);
	dom->ops = desc->ops;
	dom->hc = desc->hypercalls;
	dom->hv = desc->hv;
	dom->domid = desc->domid;
	dom->toolstack = desc->toolstack;
	dom->copy_pays = desc->copy_pays;
	dom->ipis_cost = desc->ipis_cost;
	dom->shutdowns = desc->shutdowns;
	dom->shutdown = desc->shutdown;
	INIT_LIST_HEAD(&dom->claim_node);
	INIT_WORK(&dom->release_work, release);
	return dom;
}

static int domain_start(struct xpv_domain *dom)
{
	int err;

	err = dom->ops->start(dom);
	if (err)
		return err;
	err = xpv_grants_init(dom);
	if (err)
		goto err_stop;
	err = xpv_store_init(dom);
	if (err)
		goto err_grants;
	err = xpv_xs_dev_init(dom);
	if (err)
		goto err_store;
	err = xpv_control_init(dom);
	if (err)
		goto err_xs_dev;
	err = xpv_bus_domain_init(dom);
	if (err)
		goto err_control;
	return 0;

err_control:
	xpv_control_exit(dom);
err_xs_dev:
	xpv_xs_dev_exit(dom);
err_store:
	xpv_store_shutdown(dom);
	xpv_store_exit(dom);
err_grants:
	xpv_grants_exit(dom);
err_stop:
	dom->ops->stop(dom);
	xpv_grants_release(dom);
	dom->ops->release(dom);
	return err;
}

static void domain_stop(struct xpv_domain *dom)
{
	xpv_store_shutdown(dom);
	xpv_control_exit(dom);
	xpv_bus_domain_exit(dom);
	xpv_xs_dev_exit(dom);
	xpv_store_exit(dom);
	/* Of one that dies suspended, what peers let go of has to be seen again. */
	if (dom->suspended)
		xpv_grants_resume(dom);
	xpv_grants_exit(dom);
	if (!dom->suspended)
		dom->ops->stop(dom);
}

struct xpv_domain *xpv_domain_register(const struct xpv_domain_desc *desc)
{
	struct xpv_domain *dom = domain_alloc(desc);
	int err;

	if (!dom)
		return ERR_PTR(-ENOMEM);
	err = list_domain(dom);
	if (err)
		goto err_free;
	err = domain_start(dom);
	if (err)
		goto err_unlist;
	__module_get(THIS_MODULE);
	xpv_hypervisor_show(dom);
	xpv_claims_domain_add(dom);
	return dom;

err_unlist:
	unlist_domain(dom);
	xpv_store_release(dom);
err_free:
	kfree(dom);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(xpv_domain_register);

void xpv_domain_on_release(struct xpv_domain *dom, void (*released)(void *hv), void *hv)
{
	dom->released_arg = hv;
	dom->released = released;
}
EXPORT_SYMBOL_GPL(xpv_domain_on_release);

void xpv_domain_unregister(struct xpv_domain *dom)
{
	xpv_claims_domain_del(dom);
	xpv_hypervisor_hide(dom);
	unlist_domain(dom);
	domain_stop(dom);
	xpv_domain_put(dom);
}
EXPORT_SYMBOL_GPL(xpv_domain_unregister);

void xpv_domain_flush_released(void)
{
	flush_workqueue(release_wq);
}
EXPORT_SYMBOL_GPL(xpv_domain_flush_released);

int xpv_domains_init(void)
{
	release_wq = alloc_workqueue("xpv-release", WQ_UNBOUND, 0);
	return release_wq ? 0 : -ENOMEM;
}

void xpv_domains_exit(void)
{
	destroy_workqueue(release_wq);
}
