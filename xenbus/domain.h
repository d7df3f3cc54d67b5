/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain as xenbus keeps it, and which file owns which part.
 *
 * Lifetime: xpv_domain_register() makes it with one reference, the registration's. Every device and
 * every deferred grant holds another. xpv_domain_unregister() unpublishes (dead = true, off the
 * list), removes devices, fails store requests, stops the facilities, and drops the registration's
 * reference; the last put calls ops->release and the provider's released callback, from process
 * context.
 */
#ifndef XPV_DOMAIN_H
#define XPV_DOMAIN_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include <xpv/hypervisor.h>

struct xpv_store;
struct xpv_grants;
struct xpv_bus_domain;
struct xpv_control;
struct xpv_guest;

/**
 * struct xpv_domain - one domain whose kernel is this one
 * @ref:       see above
 * @node:      on the list of domains, under xpv_domains_lock (domain.c)
 * @claim_node: on the list of those whose provider has a bus of its own, under claims_lock (claim.c)
 * @ops:       facility level
 * @hc:        hypercall level, NULL for a provider that brings its own facilities
 * @hv:        the provider's handle
 * @domid:     its number
 * @toolstack: it owns /dev/xen/xenbus
 * @dead:      set first in unregister; store writes and new devices are refused
 * @suspended: its facilities are down; the provider's calls alone change and read it
 * @leaving:   no driver is bound any more; set under the lock of its devices, never cleared (scan.c)
 * @guest:     xpv_guest_ops' state (guest.c, guest-grant.c, guest-event.c, guest-store.c)
 * @grants:    caches, waiters and deferred list (grant.c)
 * @store:     store client (store.c)
 * @bus:       devices of both buses (scan.c)
 * @copy_pays: see struct xpv_domain_desc
 * @ipis_cost: likewise
 * @shutdowns: likewise
 * @shutdown:  likewise
 * @control:   the toolstack's requests (control.c), NULL without @shutdowns
 * @released:  the provider's callback, with @released_arg
 * @release_work: runs the last put's work in process context
 */
struct xpv_domain {
	struct kref ref;
	struct list_head node;
	struct list_head claim_node;
	const struct xpv_hv_ops *ops;
	const struct xpv_hypercalls *hc;
	void *hv;
	domid_t domid;
	bool toolstack;
	bool dead;
	bool suspended;
	bool leaving;

	struct xpv_guest *guest;
	struct xpv_grants *grants;
	struct xpv_store *store;
	struct xpv_bus_domain *bus;

	unsigned int copy_pays;
	bool ipis_cost;
	unsigned int shutdowns;
	void (*shutdown)(struct xpv_domain *dom, enum xpv_shutdown what);
	struct xpv_control *control;

	void (*released)(void *hv);
	void *released_arg;
	struct work_struct release_work;
};

/* domain.c */
struct xpv_domain *xpv_domain_get(struct xpv_domain *dom);
void xpv_domain_put(struct xpv_domain *dom);	/* any context */
bool xpv_domain_is_dead(const struct xpv_domain *dom);
void xpv_domains_want(const char *driver);
int xpv_domain_renumber(struct xpv_domain *dom, domid_t domid);
struct xpv_store *xpv_domain_store(domid_t domid);
int xpv_domains_init(void);
void xpv_domains_exit(void);

/*
 * grant.c: the domain's part. exit: all devices are gone; flushes the caches, leaves deferred
 * grants, which hold a reference. suspend: no device grants anything, nothing is revoked until resume.
 */
int xpv_grants_init(struct xpv_domain *dom);
void xpv_grants_exit(struct xpv_domain *dom);
void xpv_grants_suspend(struct xpv_domain *dom);
void xpv_grants_resume(struct xpv_domain *dom);
void xpv_grants_release(struct xpv_domain *dom);	/* from the last put, before ops->release */
void xpv_grants_grown(struct xpv_domain *dom);	/* the table has new references: look after the waiters; any context */

/* store.c: the client */
int xpv_store_init(struct xpv_domain *dom);
void xpv_store_shutdown(struct xpv_domain *dom);	/* first: everything pending or later fails */
void xpv_store_exit(struct xpv_domain *dom);		/* nothing is being sent any more when it returns */
void xpv_store_release(struct xpv_domain *dom);		/* from the last put */

/*
 * store-suspend.c. suspend: nothing is sent any more when it returns. forget: the ring has stopped;
 * requests and transactions that are open end. resume: the ring is up again.
 */
void xpv_store_suspend(struct xpv_domain *dom);
void xpv_store_forget(struct xpv_domain *dom);
void xpv_store_resume(struct xpv_domain *dom);

/* scan.c: its devices on both buses */
int xpv_bus_domain_init(struct xpv_domain *dom);
void xpv_bus_domain_exit(struct xpv_domain *dom);
void xpv_bus_domain_suspend(struct xpv_domain *dom);	/* no device does anything until resume */
void xpv_bus_domain_resume(struct xpv_domain *dom);

/* control.c: what its toolstack asks of it. exit: the store is shut down, so nothing is waited for but a suspend */
int xpv_control_init(struct xpv_domain *dom);
void xpv_control_exit(struct xpv_domain *dom);
void xpv_control_resume(struct xpv_domain *dom);

/* hypervisor.c: what its hypervisor is, in /sys/hypervisor */
void xpv_hypervisor_show(struct xpv_domain *dom);
void xpv_hypervisor_hide(struct xpv_domain *dom);

/* claim.c: does its provider have a bus of its own? */
void xpv_claims_domain_add(struct xpv_domain *dom);
void xpv_claims_domain_del(struct xpv_domain *dom);

/* xs-dev.c: its /dev/xen/xenbus-<domid>; the class and the numbers of all of them */
int xpv_xs_dev_init(struct xpv_domain *dom);
void xpv_xs_dev_exit(struct xpv_domain *dom);
int xpv_xs_dev_add(domid_t domid);	/* the node of that number */
void xpv_xs_dev_del(domid_t domid);
int xpv_xs_class_init(void);
void xpv_xs_class_exit(void);

#endif /* XPV_DOMAIN_H */
