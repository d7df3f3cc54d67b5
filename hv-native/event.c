// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels: ports by hypercall, interrupts by the kernel, with its late EOI.
 *
 * The kernel closes a port when it takes the interrupt away, and from then on the number may be somebody else's. So an
 * interrupt is kept until its port is closed, and both end in one call.
 *
 * The kernel counts neither events nor spurious ones for us, and delays the latter on its own account: what is counted
 * here are EOIs; the delay is not known.
 */
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/interface/sched.h>
#include "native.h"

/**
 * struct native_port - a port
 * @irq:     its interrupt, 0 without one
 * @quality: counters; written by whoever gives the EOI, one at a time
 * @rcu:     frees it: event_eoi looks ports up without a lock
 */
struct native_port {
	unsigned int irq;
	struct xpv_event_quality quality;
	struct rcu_head rcu;
};

static void hv_close(evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	HYPERVISOR_event_channel_op(EVTCHNOP_close, &op);
}

/* --- Ports ---------------------------------------------------------------------------------------------------- */

static int port_add(struct native *n, evtchn_port_t port)
{
	struct native_port *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int err = p ? xa_insert(&n->ports, port, p, GFP_KERNEL) : -ENOMEM;

	if (err) {
		kfree(p);
		hv_close(port);
	}
	return err;
}

int native_event_alloc(struct xpv_domain *dom, domid_t remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };
	int err = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &op);

	*port = op.port;
	return err ?: port_add(to_native(dom), op.port);
}

int native_event_bind(struct xpv_domain *dom, domid_t remote, evtchn_port_t rport,
		      evtchn_port_t *port)
{
	struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = rport };
	int err = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &op);

	*port = op.local_port;
	return err ?: port_add(to_native(dom), op.local_port);
}

static irqreturn_t nothing(int irq, void *arg)
{
	return IRQ_HANDLED;
}

/*
 * A suspend has taken the port from under the interrupt, and its number may be another's by now. The one way to give
 * such an interrupt back is together with a handler.
 */
static void free_stale(struct native_port *p)
{
	if (!request_irq(p->irq, nothing, 0, "xpv-stale", p))
		unbind_from_irqhandler(p->irq, p);
}

void native_event_close(struct xpv_domain *dom, evtchn_port_t port)
{
	struct native_port *p = xa_erase(&to_native(dom)->ports, port);

	if (!p)
		return;
	if (!p->irq)
		hv_close(port);
	else if (irq_from_evtchn(port) == p->irq)
		evtchn_put(port);
	else
		free_stale(p);
	kfree_rcu(p, rcu);
}

/* --- Interrupts ----------------------------------------------------------------------------------------------- */

int native_event_irq(struct xpv_domain *dom, struct xpv_event_binding *b)
{
	struct native_port *p = xa_load(&to_native(dom)->ports, b->port);
	int irq;

	if (!p)
		return -EINVAL;
	if (!p->irq) {
		irq = bind_evtchn_to_irq_lateeoi(b->port);
		if (irq < 0)
			return irq;
		WRITE_ONCE(p->irq, irq);
	}
	b->irq = p->irq;
	return 0;
}

/* See above: with the port. Its handler is gone, so it is masked. */
void native_event_irq_free(struct xpv_domain *dom, struct xpv_event_binding *b)
{
}

void native_event_notify(struct xpv_domain *dom, evtchn_port_t port)
{
	notify_remote_via_evtchn(port);
}

void native_yield(struct xpv_domain *dom)
{
	HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

void native_event_eoi(struct xpv_domain *dom, evtchn_port_t port, bool spurious)
{
	struct native_port *p;
	unsigned int irq = 0;

	rcu_read_lock();
	p = xa_load(&to_native(dom)->ports, port);
	if (p) {
		p->quality.events++;
		p->quality.spurious += spurious;
		irq = READ_ONCE(p->irq);
	}
	rcu_read_unlock();
	if (irq)
		xen_irq_lateeoi(irq, spurious ? XEN_EOI_FLAG_SPURIOUS : 0);
}

void native_event_quality(struct xpv_domain *dom, evtchn_port_t port, struct xpv_event_quality *q)
{
	struct native_port *p;

	memset(q, 0, sizeof(*q));
	rcu_read_lock();
	p = xa_load(&to_native(dom)->ports, port);
	if (p)
		*q = p->quality;
	rcu_read_unlock();
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

void native_events_start(struct native *n)
{
	xa_init(&n->ports);
}

/* Whoever had a port has given it back. */
void native_events_stop(struct native *n)
{
	WARN_ON_ONCE(!xa_empty(&n->ports));
	xa_destroy(&n->ports);
}
