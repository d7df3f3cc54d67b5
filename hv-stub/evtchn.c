// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels: ports as Xen has them. Delivery is 2-level here; evtchn-fifo.c has that of domains
 * in FIFO mode.
 *
 * A port is closed, unbound (waits for one domain to bind it), interdomain (connected to a port,
 * which is connected to it), a virtual interrupt, an IPI, or a server port, whose other end is the
 * stub's store.
 *
 * Locks:
 *
 *	topology_lock			opening and closing of ports of all domains; process context only
 *	    stub_port.lock		one port's state, interrupts off
 *	        stub_fifo.lock		queues of a domain in FIFO mode (evtchn-fifo.c)
 *
 * A state is written under both and may be read under either, so opening and closing see both ends
 * of a connection without an order between domains, and sending takes the lock of the sender's port
 * alone. While a port's lock is held and its state says that it is connected, the peer's port stays
 * open and the peer in memory: closing an end unbinds the other end first, under the other end's
 * lock. Never two port locks at a time.
 *
 * Chunks of ports live until their domain is freed.
 */
#include <linux/slab.h>
#include <asm/sync_bitops.h>
#include "hv.h"

/* One more kind of port, beside EVTCHNSTAT_*: the other end is a function. */
#define PORT_SERVER	0x100U

/**
 * struct port_state - what a port is; all zero when closed
 * @kind:   EVTCHNSTAT_* or PORT_SERVER
 * @remote: unbound: who may bind to it
 * @virq:   virtual interrupt
 * @peer_port: interdomain: the other end, a port ...
 * @peer:   ... of this domain, which may be the same
 * @notify: server port: called for each event
 * @arg:    its argument
 */
struct port_state {
	u32 kind;
	domid_t remote;
	u32 virq;
	evtchn_port_t peer_port;
	struct stub_domain *peer;
	void (*notify)(void *arg);
	void *arg;
};

/**
 * struct stub_port - one port
 * @lock: see above
 * @s:    its state
 * @vcpu: the virtual CPU that its events go to. Written under @lock, or while the port is closed
 *        under the topology lock; read with READ_ONCE().
 * @fifo: for FIFO mode, under its lock
 */
struct stub_port {
	spinlock_t lock;	/* protects @s */
	struct port_state s;
	unsigned int vcpu;
	struct stub_fifo_port fifo;
};

static DEFINE_SPINLOCK(topology_lock);

/* --- ports ------------------------------------------------------------------------------------ */

static bool virq_is_global(u32 virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/*
 * Where the port of a virtual interrupt is noted. A global one's events may go elsewhere than to
 * its virtual CPU, 0.
 */
static u16 *virq_slot(struct stub_domain *d, u32 virq, unsigned int vcpu)
{
	return &d->events.vcpus[virq_is_global(virq) ? 0 : vcpu].virq_port[virq];
}

static struct stub_port *port_get(struct stub_domain *d, evtchn_port_t port)
{
	struct stub_port *chunk;

	if (port == 0 || port >= STUB_MAX_PORTS)
		return NULL;
	/* pairs with chunk_make() */
	chunk = smp_load_acquire(&d->events.chunks[port / STUB_PORTS_PER_CHUNK]);
	return chunk ? &chunk[port % STUB_PORTS_PER_CHUNK] : NULL;
}

static int chunk_make(struct stub_port **slot)
{
	struct stub_port *chunk;
	unsigned int n;

	chunk = kcalloc(STUB_PORTS_PER_CHUNK, sizeof(*chunk), GFP_ATOMIC | __GFP_NOWARN);
	if (!chunk)
		return -ENOMEM;
	for (n = 0; n < STUB_PORTS_PER_CHUNK; n++)
		spin_lock_init(&chunk[n].lock);
	smp_store_release(slot, chunk);	/* pairs with port_get() */
	return 0;
}

static void port_set(struct stub_port *p, const struct port_state *s)
{
	unsigned long flags;

	lockdep_assert_held(&topology_lock);
	spin_lock_irqsave(&p->lock, flags);
	p->s = *s;
	spin_unlock_irqrestore(&p->lock, flags);
}

/* The domain's FIFO mode, or NULL. It stays as long as interrupts are off or the lock is held. */
static struct stub_fifo *fifo_get(const struct stub_domain *d)
{
	return rcu_dereference_check(d->events.fifo,
				     irqs_disabled() || lockdep_is_held(&topology_lock));
}

/* The lowest closed one from the knob on, or the limit. */
static unsigned int port_find(const struct stub_events *ev, unsigned int max)
{
	unsigned int n = find_next_zero_bit(ev->used, max, READ_ONCE(ev->first));

	return n < max ? n : find_next_zero_bit(ev->used, max, 1);
}

/* A closed port becomes @s. */
static int port_open(struct stub_domain *d, const struct port_state *s, unsigned int vcpu, evtchn_port_t *port)
{
	struct stub_events *ev = &d->events;
	struct stub_port **slot;
	unsigned int max = READ_ONCE(ev->max);
	unsigned int n;
	int err;

	lockdep_assert_held(&topology_lock);
	if (stub_domain_is_dying(d))
		return -ESHUTDOWN;
	if (!stub_events_are_fifo(ev))
		max = min_t(unsigned int, max, EVTCHN_2L_NR_CHANNELS);
	n = port_find(ev, max);
	if (n >= max)
		return -ENOSPC;

	slot = &ev->chunks[n / STUB_PORTS_PER_CHUNK];
	if (!*slot) {
		err = chunk_make(slot);
		if (err)
			return err;
	}
	WRITE_ONCE(port_get(d, n)->vcpu, vcpu);
	WRITE_ONCE(port_get(d, n)->fifo.priority, EVTCHN_FIFO_PRIORITY_DEFAULT);
	port_set(port_get(d, n), s);
	__set_bit(n, ev->used);
	ev->nr++;
	atomic_inc(&stub_counters.ports);
	*port = n;
	return 0;
}

static void port_close(struct stub_domain *d, evtchn_port_t port)
{
	static const struct port_state closed;
	struct stub_port *p = port_get(d, port);
	struct stub_fifo *fifo = fifo_get(d);
	struct port_state *s = &p->s;

	lockdep_assert_held(&topology_lock);
	if (s->kind == EVTCHNSTAT_interdomain) {
		struct port_state unbound = { .kind = EVTCHNSTAT_unbound, .remote = d->id };

		port_set(port_get(s->peer, s->peer_port), &unbound);
	} else if (s->kind == EVTCHNSTAT_virq) {
		WRITE_ONCE(*virq_slot(d, s->virq, p->vcpu), 0);
	}
	port_set(p, &closed);
	if (fifo)
		stub_fifo_close(fifo, port, &p->fifo);
	else
		sync_clear_bit(port, d->events.shared->evtchn_pending);
	__clear_bit(port, d->events.used);
	d->events.nr--;
	atomic_dec(&stub_counters.ports);
}

/* An event for @d, interrupts off. The caller holds a lock that keeps @port open. */
static void port_raise(struct stub_domain *d, evtchn_port_t port)
{
	struct stub_events *ev = &d->events;
	struct shared_info *shared = ev->shared;
	struct stub_port *p = port_get(d, port);
	struct stub_fifo *fifo = fifo_get(d);

	lockdep_assert_irqs_disabled();
	if (unlikely(atomic_read(&ev->drop)) && atomic_dec_if_positive(&ev->drop) >= 0)
		return;
	if (fifo) {
		stub_fifo_raise(d, fifo, port, &p->fifo, READ_ONCE(p->vcpu));
		return;
	}
	if (sync_test_and_set_bit(port, shared->evtchn_pending))
		return;
	if (sync_test_bit(port, shared->evtchn_mask))
		return;
	stub_vcpu_notify(d, READ_ONCE(p->vcpu), port);
}

/* --- hypercalls ------------------------------------------------------------------------------- */

static bool is_self(const struct stub_domain *d, domid_t id)
{
	return id == DOMID_SELF || id == d->id;
}

static int alloc_unbound(struct stub_domain *d, struct evtchn_alloc_unbound *op)
{
	struct port_state s = { .kind = EVTCHNSTAT_unbound };
	int err;

	if (!is_self(d, op->dom))
		return -EPERM;
	s.remote = op->remote_dom == DOMID_SELF ? d->id : op->remote_dom;

	spin_lock(&topology_lock);
	err = port_open(d, &s, 0, &op->port);
	spin_unlock(&topology_lock);
	return err;
}

static int bind_locked(struct stub_domain *d, struct stub_domain *rd, struct evtchn_bind_interdomain *op)
{
	struct port_state s = { .kind = EVTCHNSTAT_interdomain, .peer = rd, .peer_port = op->remote_port };
	struct stub_port *rp = port_get(rd, op->remote_port);
	unsigned long flags;
	int err;

	if (!rp || rp->s.kind != EVTCHNSTAT_unbound || rp->s.remote != d->id)
		return -EINVAL;
	err = port_open(d, &s, 0, &op->local_port);
	if (err)
		return err;

	s.peer = d;
	s.peer_port = op->local_port;
	port_set(rp, &s);

	/*
	 * What was sent before the connection was there is not lost: the binder finds its port
	 * pending.
	 */
	local_irq_save(flags);
	port_raise(d, op->local_port);
	local_irq_restore(flags);
	return 0;
}

static int bind_interdomain(struct stub_domain *d, struct evtchn_bind_interdomain *op)
{
	struct stub_domain *rd;
	int err;

	rd = stub_domain_find(op->remote_dom == DOMID_SELF ? d->id : op->remote_dom);
	if (!rd)
		return -ESRCH;
	spin_lock(&topology_lock);
	err = bind_locked(d, rd, op);
	spin_unlock(&topology_lock);
	stub_domain_put(rd);
	return err;
}

static int bind_virq(struct stub_domain *d, struct evtchn_bind_virq *op)
{
	struct port_state s = { .kind = EVTCHNSTAT_virq, .virq = op->virq };
	u16 *virq_port;
	int err;

	if (op->virq >= NR_VIRQS || (virq_is_global(op->virq) && op->vcpu))
		return -EINVAL;
	if (op->vcpu >= d->events.nr_vcpus)
		return -ENOENT;
	virq_port = virq_slot(d, op->virq, op->vcpu);

	spin_lock(&topology_lock);
	err = *virq_port ? -EEXIST : port_open(d, &s, op->vcpu, &op->port);
	if (!err)
		WRITE_ONCE(*virq_port, op->port);
	spin_unlock(&topology_lock);
	return err;
}

static int bind_ipi(struct stub_domain *d, struct evtchn_bind_ipi *op)
{
	struct port_state s = { .kind = EVTCHNSTAT_ipi };
	int err;

	if (op->vcpu >= d->events.nr_vcpus)
		return -ENOENT;
	spin_lock(&topology_lock);
	err = port_open(d, &s, op->vcpu, &op->port);
	spin_unlock(&topology_lock);
	return err;
}

/* On a domain that is dying the ports are closed already: what releases succeeds. */
static int dead_or(const struct stub_domain *d, int err)
{
	return stub_domain_is_dying(d) ? 0 : err;
}

/* A server port is the stub's, not the domain's, to close. */
static bool port_is_domains(const struct stub_port *p)
{
	lockdep_assert_held(&topology_lock);
	return p && p->s.kind != EVTCHNSTAT_closed && p->s.kind != PORT_SERVER;
}

static int close(struct stub_domain *d, struct evtchn_close *op)
{
	int err = 0;

	spin_lock(&topology_lock);
	if (port_is_domains(port_get(d, op->port)))
		port_close(d, op->port);
	else
		err = dead_or(d, -EINVAL);
	spin_unlock(&topology_lock);
	return err;
}

/* Also the way back to 2-level mode, and the only one. May sleep. */
static int reset(struct stub_domain *d, struct evtchn_reset *op)
{
	struct stub_events *ev = &d->events;
	struct stub_fifo *fifo;
	unsigned int port;

	if (!is_self(d, op->dom))
		return -EPERM;
	mutex_lock(&ev->fifo_mutex);
	spin_lock(&topology_lock);
	for_each_set_bit(port, d->events.used, STUB_MAX_PORTS)
		if (port_is_domains(port_get(d, port)))
			port_close(d, port);
	fifo = fifo_get(d);
	RCU_INIT_POINTER(ev->fifo, NULL);
	spin_unlock(&topology_lock);
	if (fifo) {
		synchronize_rcu();
		stub_fifo_free(d, fifo);
	}
	mutex_unlock(&ev->fifo_mutex);
	return 0;
}

static int send(struct stub_domain *d, struct evtchn_send *op)
{
	struct stub_port *p = port_get(d, op->port);
	void (*notify)(void *arg) = NULL;
	unsigned long flags;
	void *arg = NULL;
	int err = 0;

	if (!p)
		return dead_or(d, -EINVAL);

	rcu_read_lock();	/* see stub_evtchn_free_server() */
	spin_lock_irqsave(&p->lock, flags);
	switch (p->s.kind) {
	case EVTCHNSTAT_interdomain:
		port_raise(p->s.peer, p->s.peer_port);
		break;
	case EVTCHNSTAT_ipi:
		port_raise(d, op->port);
		break;
	case PORT_SERVER:
		notify = p->s.notify;
		arg = p->s.arg;
		break;
	case EVTCHNSTAT_unbound:
		break;
	default:
		err = dead_or(d, -EINVAL);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	if (notify)
		notify(arg);
	rcu_read_unlock();
	return err;
}

static int unmask(struct stub_domain *d, struct evtchn_unmask *op)
{
	struct stub_port *p = port_get(d, op->port);
	struct shared_info *shared = d->events.shared;
	struct stub_fifo *fifo;
	unsigned long flags;
	int err = 0;

	if (!p)
		return dead_or(d, -EINVAL);

	spin_lock_irqsave(&p->lock, flags);
	fifo = fifo_get(d);
	if (p->s.kind == EVTCHNSTAT_closed)
		err = dead_or(d, -EINVAL);
	else if (fifo)
		stub_fifo_unmask_port(d, fifo, op->port, &p->fifo, READ_ONCE(p->vcpu));
	else if (sync_test_and_clear_bit(op->port, shared->evtchn_mask) &&
		 sync_test_bit(op->port, shared->evtchn_pending))
		stub_vcpu_notify(d, READ_ONCE(p->vcpu), op->port);
	spin_unlock_irqrestore(&p->lock, flags);
	return err;
}

static int status(struct stub_domain *d, struct evtchn_status *op)
{
	struct stub_port *p = port_get(d, op->port);
	static const struct port_state closed;
	const struct port_state *s = p ? &p->s : &closed;

	if (!is_self(d, op->dom))
		return -EPERM;
	if (op->port == 0 || op->port >= STUB_MAX_PORTS)
		return -EINVAL;

	memset(&op->u, 0, sizeof(op->u));
	spin_lock(&topology_lock);
	op->status = s->kind;
	op->vcpu = p ? p->vcpu : 0;
	if (s->kind == EVTCHNSTAT_unbound) {
		op->u.unbound.dom = s->remote;
	} else if (s->kind == EVTCHNSTAT_interdomain) {
		op->u.interdomain.dom = s->peer->id;
		op->u.interdomain.port = s->peer_port;
	} else if (s->kind == EVTCHNSTAT_virq) {
		op->u.virq = s->virq;
	} else if (s->kind == PORT_SERVER) {
		op->status = EVTCHNSTAT_interdomain;	/* to the store's domain, 0 */
	}
	spin_unlock(&topology_lock);
	return 0;
}

/*
 * Events that are pending stay where they are, as in Xen. But a CPU that is going offline will not
 * look at them any more, and gets its interrupts moved away just then.
 */
static int rebind(struct stub_domain *d, struct stub_port *p, evtchn_port_t port, unsigned int vcpu)
{
	struct shared_info *shared = d->events.shared;
	unsigned int old = p->vcpu;

	lockdep_assert_held(&p->lock);
	if (p->s.kind == EVTCHNSTAT_closed)
		return dead_or(d, -EINVAL);
	if (p->s.kind == EVTCHNSTAT_ipi || (p->s.kind == EVTCHNSTAT_virq && !virq_is_global(p->s.virq)))
		return -EINVAL;

	WRITE_ONCE(p->vcpu, vcpu);
	if (fifo_get(d))
		return 0;	/* in Xen's hands: the domain empties that CPU's queues */
	if (!cpu_online(old) && !sync_test_bit(port, shared->evtchn_mask) &&
	    sync_test_bit(port, shared->evtchn_pending))
		stub_vcpu_notify(d, vcpu, port);
	return 0;
}

/* An affinity is changed under the interrupt's lock, so the topology lock is out of reach. */
static int bind_vcpu(struct stub_domain *d, struct evtchn_bind_vcpu *op)
{
	struct stub_port *p = port_get(d, op->port);
	unsigned long flags;
	int err;

	if (op->vcpu >= d->events.nr_vcpus)
		return -ENOENT;
	if (!p)
		return dead_or(d, -EINVAL);

	spin_lock_irqsave(&p->lock, flags);
	err = rebind(d, p, op->port, op->vcpu);
	spin_unlock_irqrestore(&p->lock, flags);
	return err;
}

static int set_priority(struct stub_domain *d, struct evtchn_set_priority *op)
{
	struct stub_port *p = port_get(d, op->port);
	unsigned long flags;
	int err = 0;

	if (!p)
		return dead_or(d, -EINVAL);

	spin_lock_irqsave(&p->lock, flags);
	if (p->s.kind == EVTCHNSTAT_closed)
		err = dead_or(d, -EINVAL);
	else if (!fifo_get(d))
		err = -ENOSYS;
	else if (op->priority > EVTCHN_FIFO_PRIORITY_MIN)
		err = -EINVAL;
	else
		WRITE_ONCE(p->fifo.priority, op->priority);	/* where it is queued it stays */
	spin_unlock_irqrestore(&p->lock, flags);
	return err;
}

int stub_event_channel_op(void *hv, int cmd, void *arg)
{
	struct stub_domain *d = hv;

	switch (cmd) {
	case EVTCHNOP_send:
		return send(d, arg);
	case EVTCHNOP_unmask:
		return unmask(d, arg);
	case EVTCHNOP_alloc_unbound:
		return alloc_unbound(d, arg);
	case EVTCHNOP_bind_interdomain:
		return bind_interdomain(d, arg);
	case EVTCHNOP_bind_virq:
		return bind_virq(d, arg);
	case EVTCHNOP_bind_ipi:
		return bind_ipi(d, arg);
	case EVTCHNOP_bind_vcpu:
		return bind_vcpu(d, arg);
	case EVTCHNOP_close:
		return close(d, arg);
	case EVTCHNOP_status:
		return status(d, arg);
	case EVTCHNOP_reset:
		return reset(d, arg);
	case EVTCHNOP_init_control:
		return stub_fifo_init_control(d, arg);
	case EVTCHNOP_expand_array:
		return stub_fifo_expand(d, arg);
	case EVTCHNOP_set_priority:
		return set_priority(d, arg);
	default:
		return -ENOSYS;
	}
}

/* --- between the modes ------------------------------------------------------------------------ */

void stub_evtchn_save_pending(struct stub_domain *d)
{
	struct stub_port *p;
	unsigned int port;

	spin_lock_irq(&topology_lock);
	for_each_set_bit(port, d->events.used, STUB_MAX_PORTS) {
		p = port_get(d, port);
		WRITE_ONCE(p->fifo.priority, EVTCHN_FIFO_PRIORITY_DEFAULT);
		if (sync_test_bit(port, d->events.shared->evtchn_pending))
			stub_fifo_save(fifo_get(d), &p->fifo);
	}
	spin_unlock_irq(&topology_lock);
}

void stub_evtchn_raise_saved(struct stub_domain *d, unsigned int first, unsigned int end)
{
	unsigned int port = first;
	struct stub_port *p;

	end = min_t(unsigned int, end, STUB_MAX_PORTS);
	spin_lock_irq(&topology_lock);
	for_each_set_bit_from(port, d->events.used, end) {
		p = port_get(d, port);
		if (stub_fifo_take_saved(fifo_get(d), &p->fifo))
			stub_fifo_raise(d, fifo_get(d), port, &p->fifo, READ_ONCE(p->vcpu));
	}
	spin_unlock_irq(&topology_lock);
}

/* --- server ports and virtual interrupts ------------------------------------------------------ */

int stub_evtchn_alloc_server(struct stub_domain *d, void (*notify)(void *arg), void *arg, evtchn_port_t *port)
{
	struct port_state s = { .kind = PORT_SERVER, .notify = notify, .arg = arg };
	int err;

	spin_lock(&topology_lock);
	err = port_open(d, &s, 0, port);
	spin_unlock(&topology_lock);
	return err;
}

void stub_evtchn_raise(struct stub_domain *d, evtchn_port_t port)
{
	struct stub_port *p = port_get(d, port);
	unsigned long flags;

	if (!p)
		return;
	spin_lock_irqsave(&p->lock, flags);
	if (p->s.kind == PORT_SERVER)
		port_raise(d, port);
	spin_unlock_irqrestore(&p->lock, flags);
}

void stub_evtchn_free_server(struct stub_domain *d, evtchn_port_t port)
{
	struct stub_port *p = port_get(d, port);

	spin_lock(&topology_lock);
	if (p && p->s.kind == PORT_SERVER)
		port_close(d, port);
	spin_unlock(&topology_lock);
	synchronize_rcu();	/* send() calls notify in a read-side section */
}

void stub_virq_raise(unsigned int virq)
{
	struct stub_domain *d;
	struct stub_port *p;
	unsigned long flags;
	evtchn_port_t port;

	if (virq >= NR_VIRQS || !virq_is_global(virq))
		return;

	rcu_read_lock();
	d = stub_domain_zero();
	port = d ? READ_ONCE(*virq_slot(d, virq, 0)) : 0;
	p = port ? port_get(d, port) : NULL;
	if (p) {
		spin_lock_irqsave(&p->lock, flags);
		if (p->s.kind == EVTCHNSTAT_virq && p->s.virq == virq)
			port_raise(d, port);
		spin_unlock_irqrestore(&p->lock, flags);
	}
	rcu_read_unlock();
}

/* --- life ------------------------------------------------------------------------------------- */

void stub_events_reset(struct stub_domain *d)
{
	struct evtchn_reset op = { .dom = DOMID_SELF };
	unsigned int port;

	reset(d, &op);
	spin_lock(&topology_lock);
	for_each_set_bit(port, d->events.used, STUB_MAX_PORTS)
		port_close(d, port);
	spin_unlock(&topology_lock);
	stub_vcpus_drain(d);
	clear_page(d->events.shared);
}

void stub_events_kill(struct stub_domain *d)
{
	unsigned int port;

	spin_lock(&topology_lock);
	WRITE_ONCE(d->dying, true);	/* under the lock: no port_open() from here on */
	for_each_set_bit(port, d->events.used, STUB_MAX_PORTS)
		port_close(d, port);
	spin_unlock(&topology_lock);

	stub_vcpus_drain(d);	/* its grace point is also that of server callbacks */
}

int stub_events_init(struct stub_domain *d)
{
	struct stub_events *ev = &d->events;
	int err;

	ev->max = STUB_MAX_PORTS;
	ev->first = 1;
	mutex_init(&ev->fifo_mutex);
	ev->shared = stub_page_alloc(GFP_KERNEL);
	if (!ev->shared)
		return -ENOMEM;
	err = stub_vcpus_init(d);
	if (err)
		stub_page_free(ev->shared);
	return err;
}

void stub_events_exit(struct stub_domain *d)
{
	unsigned int n;

	stub_fifo_free(d, rcu_dereference_protected(d->events.fifo, true));
	stub_vcpus_exit(d);
	for (n = 0; n < STUB_PORT_CHUNKS; n++)
		kfree(d->events.chunks[n]);
	stub_page_free(d->events.shared);
}
