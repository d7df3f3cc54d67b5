// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels as Linux interrupts.
 *
 *	hypervisor                       this file                        interrupt core, driver
 *	pending, upcall -> (guest-upcall.c) abi->scan() -> guest_event_deliver() -> handle_edge_irq()
 *	                                 port_ack(): hold, clear pending  -> handler
 *	unmask          <- port_release()                                 <- event_eoi()
 *
 * A port raises upcalls only while nothing holds it. What may hold it are the interrupt core (the
 * interrupt is disabled or not requested), an interrupt whose EOI is awaited, the delay that a
 * spurious EOI earned, and the port's end. Each is a bit of guest_port.held; the first one masks
 * the port and the last one to go unmasks it. Thus a disabled interrupt stays masked when its EOI
 * comes, and an EOI that comes twice does nothing.
 *
 * Each interrupt is bound to the virtual CPU of one CPU and handled there alone.
 *
 * Life of a port's record: event_irq to event_irq_free, freed after an RCU grace period, because
 * event_eoi and the scan look ports up without a lock. The caller has freed the interrupt before
 * event_irq_free, so nobody handles it then.
 *
 * Locks: irq_desc's lock, then guest_port.lock; hypercalls are made under both.
 */
#include <linux/cpumask.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include "guest.h"

/* What holds a port, see above. */
#define HELD_IRQ	BIT(0)
#define HELD_EOI	BIT(1)
#define HELD_DELAY	BIT(2)
#define HELD_DEAD	BIT(3)

/**
 * struct guest_port - a port that is an interrupt
 * @events:  domain's
 * @port:    its number
 * @irq:     the Linux interrupt
 * @lock:    protects all below
 * @held:    HELD_*
 * @cpu:     where it is handled
 * @vcpu:    that one's virtual CPU; read without the lock by the scan
 * @row:     how many spurious events came in a row
 * @quality: counters
 * @timer:   ends HELD_DELAY
 * @rcu:     frees it
 */
struct guest_port {
	struct guest_events *events;
	evtchn_port_t port;
	unsigned int irq;
	raw_spinlock_t lock;
	unsigned int held;
	unsigned int cpu;
	unsigned int vcpu;
	unsigned int row;
	struct xpv_event_quality quality;
	struct timer_list timer;
	struct rcu_head rcu;
};

/* Over all domains: how many interrupts are bound to each CPU. */
static DEFINE_PER_CPU(atomic_t, channels);

static int evtchn_op(struct guest_events *e, int cmd, void *arg)
{
	return e->dom->hc->event_channel_op(e->dom->hv, cmd, arg);
}

/* --- A port's mask -------------------------------------------------------------------------------------------- */

/* Unmask, or deliver what is pending if it is not masked. On a domain that is dying it may fail: no events then. */
static void port_unmask(struct guest_port *p)
{
	struct guest_events *e = p->events;
	struct evtchn_unmask op = { .port = p->port };

	lockdep_assert_held(&p->lock);
	if (e->abi->unmask(e, p->port))
		evtchn_op(e, EVTCHNOP_unmask, &op);
}

static void port_hold(struct guest_port *p, unsigned int why)
{
	lockdep_assert_held(&p->lock);
	if (!p->held)
		p->events->abi->mask(p->events, p->port);
	p->held |= why;
}

static void port_release(struct guest_port *p, unsigned int why)
{
	lockdep_assert_held(&p->lock);
	if (!(p->held & why))
		return;
	p->held &= ~why;
	if (!p->held)
		port_unmask(p);
}

/* --- CPUs ----------------------------------------------------------------------------------------------------- */

static unsigned int vcpu_of(struct guest_events *e, unsigned int cpu)
{
	return e->dom->hc->vcpu_id(e->dom->hv, cpu);
}

/* The online CPU of @mask with the fewest interrupts of this kind. */
static int cpu_pick(struct guest_events *e, const struct cpumask *mask)
{
	int cpu, n, best = -EINVAL, fewest = INT_MAX;
	unsigned int vcpu;

	for_each_cpu_and(cpu, mask, cpu_online_mask) {
		vcpu = vcpu_of(e, cpu);
		if (vcpu >= e->nr_vcpus || READ_ONCE(e->vcpus[vcpu].deaf))
			continue;
		n = atomic_read(per_cpu_ptr(&channels, cpu));
		if (n < fewest) {
			fewest = n;
			best = cpu;
		}
	}
	return best;
}

static int port_bind_cpu(struct guest_port *p, unsigned int cpu)
{
	struct evtchn_bind_vcpu op = { .port = p->port, .vcpu = vcpu_of(p->events, cpu) };
	int err = evtchn_op(p->events, EVTCHNOP_bind_vcpu, &op);

	if (err)
		return err;

	p->cpu = cpu;
	WRITE_ONCE(p->vcpu, op.vcpu);
	return 0;
}

/* Masked meanwhile: an event that is pending on the old CPU is raised again on the new one. */
static int port_move(struct guest_port *p, unsigned int cpu)
{
	unsigned int old = p->cpu;
	int err;

	lockdep_assert_held(&p->lock);
	if (!p->held)
		p->events->abi->mask(p->events, p->port);
	err = port_bind_cpu(p, cpu);
	if (!p->held)
		port_unmask(p);
	if (err)
		return err;

	atomic_dec(per_cpu_ptr(&channels, old));
	atomic_inc(per_cpu_ptr(&channels, cpu));
	return 0;
}

/* --- The interrupt chip --------------------------------------------------------------------------------------- */

static void chip_mask(struct irq_data *d)
{
	struct guest_port *p = irq_data_get_irq_chip_data(d);

	raw_spin_lock(&p->lock);
	port_hold(p, HELD_IRQ);
	raw_spin_unlock(&p->lock);
}

static void chip_unmask(struct irq_data *d)
{
	struct guest_port *p = irq_data_get_irq_chip_data(d);

	raw_spin_lock(&p->lock);
	port_release(p, HELD_IRQ);
	raw_spin_unlock(&p->lock);
}

/* The handler is going to be called. */
static void chip_ack(struct irq_data *d)
{
	struct guest_port *p = irq_data_get_irq_chip_data(d);

	raw_spin_lock(&p->lock);
	port_hold(p, HELD_EOI);
	p->events->abi->clear_pending(p->events, p->port);
	p->quality.events++;
	raw_spin_unlock(&p->lock);
}

/* The handler cannot be called now; the interrupt core remembers the event. No EOI will come for it. */
static void chip_mask_ack(struct irq_data *d)
{
	struct guest_port *p = irq_data_get_irq_chip_data(d);

	raw_spin_lock(&p->lock);
	port_hold(p, HELD_IRQ);
	p->events->abi->clear_pending(p->events, p->port);
	raw_spin_unlock(&p->lock);
}

static int chip_retrigger(struct irq_data *d)
{
	struct guest_port *p = irq_data_get_irq_chip_data(d);

	raw_spin_lock(&p->lock);
	p->events->abi->set_pending(p->events, p->port);
	if (!p->held)
		port_unmask(p);
	raw_spin_unlock(&p->lock);
	return 1;
}

static int chip_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	struct guest_port *p = irq_data_get_irq_chip_data(d);
	int cpu = p->cpu, err = 0;

	if (!cpu_online(cpu) || !cpumask_test_cpu(cpu, dest))
		cpu = cpu_pick(p->events, dest);
	if (cpu < 0)
		return cpu;

	raw_spin_lock(&p->lock);
	if (cpu != p->cpu)
		err = port_move(p, cpu);
	raw_spin_unlock(&p->lock);
	if (err)
		return err;

	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK;
}

/* A port is masked from delivery to EOI whatever the handlers are, hence ONESHOT_SAFE. */
static struct irq_chip event_chip = {
	.name = "xpv-event",
	.flags = IRQCHIP_ONESHOT_SAFE | IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
	.irq_mask = chip_mask,
	.irq_unmask = chip_unmask,
	.irq_ack = chip_ack,
	.irq_mask_ack = chip_mask_ack,
	.irq_retrigger = chip_retrigger,
	.irq_set_affinity = chip_set_affinity,
};

static int irqs_map(struct irq_domain *d, unsigned int irq, irq_hw_number_t port)
{
	struct guest_events *e = d->host_data;
	struct guest_port *p = xa_load(&e->ports, port);
	struct irq_data *data = irq_get_irq_data(irq);

	if (!p)
		return -ENXIO;

	irq_set_chip_data(irq, p);
	irq_set_chip_and_handler_name(irq, &event_chip, handle_edge_irq, e->abi->name);
	irq_set_status_flags(irq, IRQ_MOVE_PCNTXT | IRQ_NOPROBE);
	irqd_set_single_target(data);
	irq_data_update_effective_affinity(data, cpumask_of(p->cpu));
	return 0;
}

static const struct irq_domain_ops irqs_ops = {
	.map = irqs_map,
};

/* --- Delivery ------------------------------------------------------------------------------------------------- */

bool guest_event_deliver(struct guest_vcpu *v, evtchn_port_t port)
{
	struct guest_events *e = v->events;
	struct guest_port *p;
	bool ours;

	rcu_read_lock();
	p = xa_load(&e->ports, port);
	ours = p && READ_ONCE(p->vcpu) == v->nr;
	if (ours)
		generic_handle_irq(p->irq);
	else if (!p)
		e->abi->mask(e, port);	/* nobody's: closed just now */
	rcu_read_unlock();
	return ours;
}

void guest_event_reraise(struct guest_events *e, evtchn_port_t port)
{
	struct guest_port *p;
	unsigned long flags;

	rcu_read_lock();
	p = xa_load(&e->ports, port);
	if (p) {
		raw_spin_lock_irqsave(&p->lock, flags);
		if (!p->held) {
			e->abi->mask(e, port);
			port_unmask(p);
		}
		raw_spin_unlock_irqrestore(&p->lock, flags);
	}
	rcu_read_unlock();
}

/* --- End of interrupt ----------------------------------------------------------------------------------------- */

/* From the second spurious event in a row on: 1, 2, 4 ... jiffies, up to a second. */
static unsigned long spurious_delay(unsigned int row)
{
	if (row < 2)
		return 0;
	return min_t(unsigned long, 1UL << min(row - 2, 16U), HZ);
}

static void port_eoi(struct guest_port *p, bool spurious)
{
	unsigned long delay;

	lockdep_assert_held(&p->lock);
	if (!(p->held & HELD_EOI))
		return;

	p->row = spurious ? p->row + 1 : 0;
	p->quality.spurious += spurious;
	delay = spurious_delay(p->row);
	if (delay && !(p->held & HELD_DEAD)) {
		p->quality.delayed += jiffies_to_msecs(delay);
		p->held |= HELD_DELAY;
		mod_timer(&p->timer, jiffies + delay);
	}
	port_release(p, HELD_EOI);
}

static void port_timer(struct timer_list *timer)
{
	struct guest_port *p = from_timer(p, timer, timer);
	unsigned long flags;

	raw_spin_lock_irqsave(&p->lock, flags);
	port_release(p, HELD_DELAY);
	raw_spin_unlock_irqrestore(&p->lock, flags);
}

void guest_event_eoi(struct xpv_domain *dom, evtchn_port_t port, bool spurious)
{
	struct guest_port *p;
	unsigned long flags;

	rcu_read_lock();
	p = xa_load(&dom->guest->events->ports, port);
	if (p) {
		raw_spin_lock_irqsave(&p->lock, flags);
		port_eoi(p, spurious);
		raw_spin_unlock_irqrestore(&p->lock, flags);
	}
	rcu_read_unlock();
}

void guest_event_quality(struct xpv_domain *dom, evtchn_port_t port, struct xpv_event_quality *q)
{
	struct guest_port *p;
	unsigned long flags;

	memset(q, 0, sizeof(*q));
	rcu_read_lock();
	p = xa_load(&dom->guest->events->ports, port);
	if (p) {
		raw_spin_lock_irqsave(&p->lock, flags);
		*q = p->quality;
		raw_spin_unlock_irqrestore(&p->lock, flags);
	}
	rcu_read_unlock();
}

/* --- Ports ---------------------------------------------------------------------------------------------------- */

int guest_event_alloc(struct xpv_domain *dom, domid_t remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };
	int err = evtchn_op(dom->guest->events, EVTCHNOP_alloc_unbound, &op);

	if (!err)
		*port = op.port;
	return err;
}

int guest_event_bind(struct xpv_domain *dom, domid_t remote, evtchn_port_t rport, evtchn_port_t *port)
{
	struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = rport };
	int err = evtchn_op(dom->guest->events, EVTCHNOP_bind_interdomain, &op);

	if (!err)
		*port = op.local_port;
	return err;
}

void guest_event_close(struct xpv_domain *dom, evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	evtchn_op(dom->guest->events, EVTCHNOP_close, &op);
}

void guest_event_notify(struct xpv_domain *dom, evtchn_port_t port)
{
	struct evtchn_send op = { .port = port };

	evtchn_op(dom->guest->events, EVTCHNOP_send, &op);
}

int guest_event_priority(struct xpv_domain *dom, evtchn_port_t port, unsigned int priority)
{
	struct guest_events *e = dom->guest->events;
	struct evtchn_set_priority op = { .port = port, .priority = priority };

	return e->abi->priorities ? evtchn_op(e, EVTCHNOP_set_priority, &op) : -EOPNOTSUPP;
}

void guest_yield(struct xpv_domain *dom)
{
	if (dom->hc->yield)
		dom->hc->yield(dom->hv);
}

static struct guest_port *port_alloc(struct guest_events *e, evtchn_port_t port)
{
	struct guest_port *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;

	p->events = e;
	p->port = port;
	p->held = HELD_IRQ;
	raw_spin_lock_init(&p->lock);
	timer_setup(&p->timer, port_timer, 0);
	e->abi->mask(e, port);
	return p;
}

static int port_place(struct guest_port *p)
{
	int err, cpu = cpu_pick(p->events, cpu_online_mask);

	if (cpu < 0)
		return cpu;
	err = port_bind_cpu(p, cpu);
	if (!err)
		atomic_inc(per_cpu_ptr(&channels, cpu));
	return err;
}

/* No event of the port is seen any more. */
static void port_free(struct guest_port *p)
{
	raw_spin_lock_irq(&p->lock);
	port_hold(p, HELD_DEAD);
	raw_spin_unlock_irq(&p->lock);
	timer_shutdown_sync(&p->timer);
	atomic_dec(per_cpu_ptr(&channels, p->cpu));
	kfree_rcu(p, rcu);
}

int guest_event_irq(struct xpv_domain *dom, struct xpv_event_binding *b)
{
	struct guest_events *e = dom->guest->events;
	struct guest_port *p;
	int err;

	if (b->port >= e->abi->nr_ports)
		return -EINVAL;
	err = e->abi->add_port ? e->abi->add_port(e, b->port) : 0;
	if (err)
		return err;
	p = port_alloc(e, b->port);
	if (!p)
		return -ENOMEM;

	err = port_place(p);
	if (err)
		goto err_port;
	err = xa_insert(&e->ports, b->port, p, GFP_KERNEL);
	if (err)
		goto err_place;

	p->irq = irq_create_mapping(e->irqs, b->port);
	if (!p->irq) {
		err = -ENOMEM;
		goto err_insert;
	}
	b->irq = p->irq;
	return 0;

err_insert:
	xa_erase(&e->ports, b->port);
err_place:
	port_free(p);
	return err;
err_port:
	kfree(p);
	return err;
}

void guest_event_irq_free(struct xpv_domain *dom, struct xpv_event_binding *b)
{
	struct guest_events *e = dom->guest->events;
	struct guest_port *p = xa_erase(&e->ports, b->port);

	if (!p)
		return;
	irq_dispose_mapping(p->irq);
	port_free(p);
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

/* Those beyond what any guest has are not listened to. */
static unsigned int vcpus_count(struct xpv_domain *dom)
{
	unsigned int cpu, n = 1;

	for_each_possible_cpu(cpu)
		n = max(n, dom->hc->vcpu_id(dom->hv, cpu) + 1);
	return min(n, GUEST_VCPUS);
}

static int irqs_create(struct guest_events *e)
{
	e->fwnode = irq_domain_alloc_named_id_fwnode("xpv-event", e->dom->domid);
	if (!e->fwnode)
		return -ENOMEM;

	e->irqs = irq_domain_create_tree(e->fwnode, &irqs_ops, e);
	if (!e->irqs) {
		irq_domain_free_fwnode(e->fwnode);
		return -ENOMEM;
	}
	return 0;
}

int guest_events_start(struct xpv_domain *dom)
{
	unsigned int nr_vcpus = vcpus_count(dom);
	struct guest_events *e;
	void *va;
	int err;

	e = kzalloc(struct_size(e, vcpus, nr_vcpus), GFP_KERNEL);
	if (!e)
		return -ENOMEM;

	e->dom = dom;
	e->nr_vcpus = nr_vcpus;
	xa_init(&e->ports);
	err = irqs_create(e);
	if (err)
		goto err_events;
	err = dom->hc->map_frame(dom->hv, XPV_FRAME_SHARED_INFO, 0, &va);
	if (err)
		goto err_irqs;

	e->shared = va;
	guest_vcpus_init(e);
	err = guest_abi_start(e);
	if (err)
		goto err_shared;
	dom->guest->events = e;
	dom->hc->set_upcall(dom->hv, dom);
	return 0;

err_shared:
	dom->hc->unmap_frame(dom->hv, XPV_FRAME_SHARED_INFO, 0, e->shared);
err_irqs:
	irq_domain_remove(e->irqs);
	irq_domain_free_fwnode(e->fwnode);
err_events:
	kfree(e);
	return err;
}

/* Whoever had a port has given it back: what is left is our own bug, and must not outlive the memory it points to. */
static void ports_drain(struct xpv_domain *dom)
{
	struct guest_events *e = dom->guest->events;
	struct xpv_event_binding b;
	struct guest_port *p;
	unsigned long port;

	WARN_ON_ONCE(!xa_empty(&e->ports));
	xa_for_each(&e->ports, port, p) {
		b.port = port;
		guest_event_irq_free(dom, &b);
	}
	xa_destroy(&e->ports);
}

void guest_events_stop(struct xpv_domain *dom)
{
	struct guest_events *e = dom->guest->events;

	dom->hc->set_upcall(dom->hv, NULL);
	guest_vcpus_stop(e);
	ports_drain(dom);
	guest_abi_stop(e);
	irq_domain_remove(e->irqs);
	irq_domain_free_fwnode(e->fwnode);
	dom->hc->unmap_frame(dom->hv, XPV_FRAME_SHARED_INFO, 0, e->shared);
	dom->guest->events = NULL;
	kfree(e);
}
