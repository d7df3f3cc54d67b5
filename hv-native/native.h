/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The provider for a kernel that has its own Xen support: objects and who owns them.
 *
 * There is one domain, the kernel's own, and one struct native for it. Each block names the file that owns it.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/xen.h>
#include <xen/page.h>
#include <xen/grant_table.h>
#include <xpv/hypervisor.h>

/**
 * struct native_store - messages to the kernel's store client (store.c) and watches on it (watch.c)
 * @dom:      domain
 * @room:     for messages that are being carried out or whose replies wait to be delivered
 * @requests: carries them out, several at a time
 * @unwatch:  takes watches back, one at a time
 * @unwatching: held by the one that does, or by a suspend
 * @held:     @unwatching is, by a suspend
 * @lock:     irq-safe; protects @out and the watches' @lost
 * @out:      struct native_item in the order in which it is to be delivered
 * @deliver:  does so
 * @watch_lock: protects @watches
 * @watches:  struct native_watch
 * @transactions: those that are open, by number
 */
struct native_store {
	struct xpv_domain *dom;
	struct semaphore room;
	struct workqueue_struct *requests;
	struct workqueue_struct *unwatch;
	struct semaphore unwatching;
	bool held;
	spinlock_t lock;
	struct list_head out;
	struct work_struct deliver;
	struct mutex watch_lock;
	struct list_head watches;
	struct xarray transactions;
};

/**
 * struct native_item - something for xpv_store_deliver()
 * @list:  in native_store.out
 * @hdr:   header; @hdr.len bytes at @body
 * @body:  from kmalloc()
 * @keep:  NULL, or of what @body is to be a copy, made when it is delivered
 * @free:  it was delivered: give it back
 */
struct native_item {
	struct list_head list;
	struct xsd_sockmsg hdr;
	char *body;
	const void *keep;
	void (*free)(struct native_store *s, struct native_item *item);
};

/**
 * struct native - the domain
 * @dom:      as registered
 * @released: nothing of it is left
 * @store:    see there
 * @ports:    struct native_port by number (event.c)
 * @pages:    unpopulated pages to map grants at (map.c)
 * @batches:  records of hypercalls
 * @shrink:   gives pages back that were not used for a while
 * @claim_lock: protects @claims and their members (claim.c); leaf, but for sysfs links
 * @claims:   struct claim
 * @drivers:  struct claim_driver; under the core's lock, see xpv_hv_ops.driver_added
 */
struct native {
	struct xpv_domain *dom;
	struct completion released;
	struct native_store store;
	struct xarray ports;
	struct gnttab_page_cache pages;
	mempool_t *batches;
	struct delayed_work shrink;
	struct mutex claim_lock;
	struct list_head claims;
	struct list_head drivers;
};

static inline struct native *to_native(const struct xpv_domain *dom)
{
	return xpv_domain_hv(dom);
}

/* main.c */
int native_domid(domid_t *domid);		/* as the store has it now */
struct xpv_domain *native_domain(void);		/* NULL before there is a store. May sleep */

/* suspend.c */
int native_pm_init(void);
void native_pm_exit(void);

/* store.c */
int native_store_start(struct native_store *s, struct xpv_domain *dom);
void native_store_stop(struct native_store *s);
void native_store_pause(struct native_store *s);	/* what was sent is done, no transaction open; watches stay */
int native_store_send(struct xpv_domain *dom, const struct xsd_sockmsg *msg, const void *body);
void native_store_queue(struct native_store *s, struct native_item *item);

/* watch.c */
int native_watch_add(struct native_store *s, const char *body, size_t len);
int native_watch_del(struct native_store *s, const char *body, size_t len);
void native_watches_stop(struct native_store *s);
void native_watches_hold(struct native_store *s);	/* none is taken back ... */
void native_watches_let_go(struct native_store *s);	/* ... until now */

/* grant.c */
unsigned int native_grant_max(struct xpv_domain *dom);
int native_grant_alloc(struct xpv_domain *dom, unsigned int n, xpv_gref_t *refs);
void native_grant_free(struct xpv_domain *dom, unsigned int n, const xpv_gref_t *refs);
void native_grant_set(struct xpv_domain *dom, xpv_gref_t ref, domid_t to, struct page *page,
		      u32 flags);
int native_grant_revoke(struct xpv_domain *dom, xpv_gref_t ref);
void native_grant_end(struct xpv_domain *dom, xpv_gref_t ref, struct page *page);

/* map.c */
int native_map_start(struct native *n);
void native_map_stop(struct native *n);
unsigned int native_grant_map(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps,
			      unsigned int n);
void native_grant_unmap(struct xpv_domain *dom, struct xpv_grant_map *maps, unsigned int n);
unsigned int native_grant_copy(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs,
			       unsigned int n);

/* event.c */
void native_events_start(struct native *n);
void native_events_stop(struct native *n);
int native_event_alloc(struct xpv_domain *dom, domid_t remote, evtchn_port_t *port);
int native_event_bind(struct xpv_domain *dom, domid_t remote, evtchn_port_t rport,
		      evtchn_port_t *port);
void native_event_close(struct xpv_domain *dom, evtchn_port_t port);
int native_event_irq(struct xpv_domain *dom, struct xpv_event_binding *b);
void native_event_irq_free(struct xpv_domain *dom, struct xpv_event_binding *b);
void native_event_notify(struct xpv_domain *dom, evtchn_port_t port);
void native_yield(struct xpv_domain *dom);
void native_event_eoi(struct xpv_domain *dom, evtchn_port_t port, bool spurious);
void native_event_quality(struct xpv_domain *dom, evtchn_port_t port, struct xpv_event_quality *q);

/* claim.c */
void native_claims_start(struct native *n);
void native_driver_added(struct xpv_domain *dom, bool backend, const char *type);
void native_driver_removed(struct xpv_domain *dom, bool backend, const char *type);
bool native_device_wanted(struct xpv_domain *dom, const char *nodename, char *why, size_t len);
void native_device_bound(struct xpv_domain *dom, const char *nodename, struct kobject *kobj,
			 const struct attribute_group **groups);
void native_device_unbound(struct xpv_domain *dom, const char *nodename,
			   const struct attribute_group **groups);

#endif /* NATIVE_H */
