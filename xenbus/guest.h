/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's side of the hypervisor ABI, over struct xpv_hypercalls. Each block names the file that owns it; nothing
 * here is known outside guest*.c.
 */
#ifndef XPV_GUEST_H
#define XPV_GUEST_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/xarray.h>
#include "domain.h"

struct guest_events;
struct guest_fifo;
struct guest_grants;
struct guest_store;

/**
 * struct xpv_guest - a domain's guest side, from xpv_guest_ops.start to .release
 * @grants: to .release
 * @events: to .stop; not while the domain is suspended
 * @store:  likewise
 */
struct xpv_guest {
	struct guest_grants *grants;
	struct guest_events *events;
	struct guest_store *store;
};

/*
 * --- guest-grant.c
 * ------------------------------------------------------------------------------------------------
 */

int guest_grants_start(struct xpv_domain *dom);
void guest_grants_stop(struct xpv_domain *dom);		/* the table grows no more */
int guest_grants_resume(struct xpv_domain *dom);	/* mirror of stop; the hypervisor's table may be a new one */
void guest_grants_release(struct xpv_domain *dom);

unsigned int guest_grant_max(struct xpv_domain *dom);
int guest_grant_alloc(struct xpv_domain *dom, unsigned int n, xpv_gref_t *refs);
void guest_grant_free(struct xpv_domain *dom, unsigned int n, const xpv_gref_t *refs);
void guest_grant_set(struct xpv_domain *dom, xpv_gref_t ref, domid_t to, struct page *page, u32 flags);
int guest_grant_revoke(struct xpv_domain *dom, xpv_gref_t ref);

/*
 * --- guest-map.c: the other side's grants
 * -------------------------------------------------------------------------
 */

unsigned int guest_grant_map(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps, unsigned int n);
void guest_grant_unmap(struct xpv_domain *dom, struct xpv_grant_map *maps, unsigned int n);
unsigned int guest_grant_copy(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs, unsigned int n);

/*
 * --- guest-event.c: ports as interrupts
 * ---------------------------------------------------------------------------
 */

#define GUEST_VCPUS	128U	/* that get events, at most */

/**
 * struct guest_vcpu - what a virtual CPU's scan keeps
 * @events:  domain's
 * @nr:      the hypervisor's number
 * @info:    where the hypervisor notes its events; NULL: it is deaf
 * @next:    the port to begin the next scan with, so that none is served first always
 * @holdoff: the CPU has had enough for now; @timer resumes the scan
 * @deaf:    the hypervisor cannot send it events
 * @timer:   hard interrupt, on the same CPU
 */
struct guest_vcpu {
	struct guest_events *events;
	unsigned int nr;
	struct vcpu_info *info;
	unsigned int next;
	bool holdoff;
	bool deaf;
	struct hrtimer timer;
};

/**
 * struct guest_evtchn_abi - how ports are represented in shared memory
 * @name:          in /proc/interrupts
 * @nr_ports:      port numbers are below
 * @priorities:    EVTCHNOP_set_priority has an effect
 * @start:         all ports masked. May sleep. An error leaves nothing behind: the
 *                 other ABI can be started.
 * @stop:          optional mirror: no upcall comes any more, no port is an interrupt. May sleep.
 * @add_port:      optional: @port is going to be used. May sleep.
 * @mask:          the port raises no upcall any more
 * @unmask:        unmask it. Returns whether an event is pending of which the hypervisor has to be told; it is still
 *                 masked then.
 * @clear_pending: the event is being handled
 * @set_pending:   as if there had been an event; delivered when the port is next unmasked
 * @scan:          call guest_event_deliver() for ports that are pending on @v, at most @budget times, each one once.
 *                 Returns whether any are left. Hard interrupt, on the CPU.
 *
 * Those that take a port, but for @add_port: any context, under the port's lock.
 */
struct guest_evtchn_abi {
	const char *name;
	unsigned int nr_ports;
	bool priorities;
	int (*start)(struct guest_events *e);
	void (*stop)(struct guest_events *e);
	int (*add_port)(struct guest_events *e, evtchn_port_t port);
	void (*mask)(struct guest_events *e, evtchn_port_t port);
	bool (*unmask)(struct guest_events *e, evtchn_port_t port);
	void (*clear_pending)(struct guest_events *e, evtchn_port_t port);
	void (*set_pending)(struct guest_events *e, evtchn_port_t port);
	bool (*scan)(struct guest_vcpu *v, unsigned int budget);
};

/**
 * struct guest_events - a domain's event channels
 * @dom:      domain
 * @shared:   shared memory
 * @abi:      how ports are represented there
 * @fifo:     guest-fifo.h; NULL in 2-level mode
 * @irqs:     the ports as interrupts
 * @fwnode:   names @irqs
 * @ports:    struct guest_port by number; those that are interrupts
 * @nr_vcpus: bound of virtual CPU numbers
 * @vcpus:    by number
 */
struct guest_events {
	struct xpv_domain *dom;
	struct shared_info *shared;
	const struct guest_evtchn_abi *abi;
	struct guest_fifo *fifo;
	struct irq_domain *irqs;
	struct fwnode_handle *fwnode;
	struct xarray ports;
	unsigned int nr_vcpus;
	struct guest_vcpu vcpus[];
};

int guest_events_start(struct xpv_domain *dom);
void guest_events_stop(struct xpv_domain *dom);

/* guest_event_deliver() - @port is pending and not masked on @v. Returns whether its interrupt was handled. */
bool guest_event_deliver(struct guest_vcpu *v, evtchn_port_t port);

/*
 * guest_event_reraise() - @port came up on a virtual CPU that is not its own any more: now on the
 * right one. Any context.
 */
void guest_event_reraise(struct guest_events *e, evtchn_port_t port);

int guest_event_alloc(struct xpv_domain *dom, domid_t remote, evtchn_port_t *port);
int guest_event_bind(struct xpv_domain *dom, domid_t remote, evtchn_port_t rport, evtchn_port_t *port);
void guest_event_close(struct xpv_domain *dom, evtchn_port_t port);
int guest_event_irq(struct xpv_domain *dom, struct xpv_event_binding *b);
void guest_event_irq_free(struct xpv_domain *dom, struct xpv_event_binding *b);
void guest_event_notify(struct xpv_domain *dom, evtchn_port_t port);
void guest_event_eoi(struct xpv_domain *dom, evtchn_port_t port, bool spurious);
void guest_event_quality(struct xpv_domain *dom, evtchn_port_t port, struct xpv_event_quality *q);
int guest_event_priority(struct xpv_domain *dom, evtchn_port_t port, unsigned int priority);
void guest_yield(struct xpv_domain *dom);

/*
 * --- guest-upcall.c: from the hypervisor's interrupt to the scan
 * ---------------------------------------------------
 */

void guest_vcpus_init(struct guest_events *e);
void guest_vcpus_stop(struct guest_events *e);
void guest_vcpu_offline(struct guest_vcpu *v);	/* its CPU is dead, or not up yet; may sleep */

/*
 * --- guest-2l.c: the 2-level bitmaps
 * ------------------------------------------------------------------------------
 */

extern const struct guest_evtchn_abi guest_evtchn_2l;

/*
 * --- guest-fifo-setup.c: FIFO queues, with guest-fifo.c
 * ------------------------------------------------------------------------------
 */

extern const struct guest_evtchn_abi guest_evtchn_fifo;

int guest_fifo_init(void);	/* the module's part */
void guest_fifo_exit(void);

/*
 * --- guest-abi.c: which of the two
 * ------------------------------------------------------------------------------
 */

int guest_abi_start(struct guest_events *e);
void guest_abi_stop(struct guest_events *e);

/*
 * --- guest-store.c: the store's ring
 * ------------------------------------------------------------------------------
 */

int guest_store_start(struct xpv_domain *dom);
void guest_store_stop(struct xpv_domain *dom);
void guest_store_settle(struct xpv_domain *dom);	/* before stop, when the ring may be used again */
int guest_store_send(struct xpv_domain *dom, const struct xsd_sockmsg *msg, const void *body);

#endif /* XPV_GUEST_H */
