// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual CPUs: from a pending event to xpv_domain_upcall() on the right Linux CPU.
 *
 * Virtual CPU n is Linux CPU n. An event makes its selector bit pending in vcpu_info and, if that
 * is new, raises evtchn_upcall_pending; on its 0 -> 1 transition a hard interrupt is sent to CPU n:
 * an irq_work on the own CPU, a function call to another one. (As for an HVM domain with an upcall
 * vector, evtchn_upcall_mask is not looked at.) The domain clears evtchn_upcall_pending before it
 * scans, so an event that comes later sends again.
 *
 * The function call's descriptor can be queued once at a time: STUB_VCPU_CSD says that it is, and
 * is cleared before the upcall. Who finds it set need not send, because the upcall that is yet to
 * begin will see the event.
 *
 * A CPU that is not online gets no events: those of its ports go to the sender's CPU. Both the
 * choice and the sending happen with interrupts off, which no CPU can go offline under. In FIFO
 * mode (evtchn-fifo.c, which has queues in place of selector bits) they stay on the queue of the
 * CPU that is not online, as in Xen: the domain looks there when the CPU has died.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <asm/sync_bitops.h>
#include "hv.h"

static void upcall(struct stub_vcpu *v)
{
	struct xpv_domain *dom;

	rcu_read_lock();
	dom = rcu_dereference(v->dom->events.upcall);
	if (dom)
		xpv_domain_upcall(dom, v->id);
	rcu_read_unlock();
}

static void upcall_work(struct irq_work *work)
{
	upcall(container_of(work, struct stub_vcpu, work));
}

static void upcall_csd(void *info)
{
	struct stub_vcpu *v = info;

	clear_bit(STUB_VCPU_CSD, &v->flags);
	smp_mb__after_atomic();	/* pairs with test_and_set_bit() in vcpu_kick() */

	/* An idle CPU that polls runs the call outside of any interrupt. */
	if (in_hardirq())
		upcall(v);
	else
		irq_work_queue(&v->work);
}

static void vcpu_kick(struct stub_vcpu *v)
{
	lockdep_assert_irqs_disabled();

	if (v->id == smp_processor_id()) {
		irq_work_queue(&v->work);
		return;
	}
	if (test_and_set_bit(STUB_VCPU_CSD, &v->flags))
		return;
	if (WARN_ON_ONCE(smp_call_function_single_async(v->id, &v->csd)))
		clear_bit(STUB_VCPU_CSD, &v->flags);
}

void stub_vcpu_tell(struct stub_domain *d, unsigned int vcpu)
{
	struct vcpu_info *info = &d->events.shared->vcpu_info[vcpu];

	lockdep_assert_irqs_disabled();
	if (sync_test_and_set_bit(0, (unsigned long *)&info->evtchn_upcall_pending))
		return;
	if (likely(cpu_online(vcpu)))
		vcpu_kick(&d->events.vcpus[vcpu]);
}

void stub_vcpu_notify(struct stub_domain *d, unsigned int vcpu, evtchn_port_t port)
{
	struct stub_events *ev = &d->events;
	struct vcpu_info *info;

	lockdep_assert_irqs_disabled();
	if (unlikely(!cpu_online(vcpu)))
		vcpu = smp_processor_id() < ev->nr_vcpus ? smp_processor_id() : 0;

	info = &ev->shared->vcpu_info[vcpu];
	if (!sync_test_and_set_bit(port / BITS_PER_LONG, &info->evtchn_pending_sel))
		stub_vcpu_tell(d, vcpu);
}

/*
 * Events that came before the domain could take upcalls have set evtchn_upcall_pending to no
 * effect: once more.
 */
static void kick_pending(struct stub_domain *d)
{
	struct stub_events *ev = &d->events;
	unsigned long flags;
	unsigned int n;

	local_irq_save(flags);
	for (n = 0; n < ev->nr_vcpus; n++)
		if (cpu_online(n) && READ_ONCE(ev->shared->vcpu_info[n].evtchn_upcall_pending))
			vcpu_kick(&ev->vcpus[n]);
	local_irq_restore(flags);
}

void stub_vcpu_set_upcall(void *hv, struct xpv_domain *dom)
{
	struct stub_domain *d = hv;

	rcu_assign_pointer(d->events.upcall, dom);
	if (dom) {
		kick_pending(d);
	} else {
		/* Upcalls run with interrupts off. */
		synchronize_rcu();
	}
}

unsigned int stub_vcpu_id(void *hv, unsigned int cpu)
{
	return cpu;
}

void stub_vcpus_drain(struct stub_domain *d)
{
	struct stub_events *ev = &d->events;
	unsigned int n;

	for (n = 0; n < ev->nr_vcpus; n++) {
		/*
		 * Bounded: a call is run in the target's next interrupt, and before a CPU goes
		 * offline.
		 */
		while (test_bit(STUB_VCPU_CSD, &ev->vcpus[n].flags))
			usleep_range(50, 200);
	}
	synchronize_rcu();
	for (n = 0; n < ev->nr_vcpus; n++)
		irq_work_sync(&ev->vcpus[n].work);
}

int stub_vcpus_init(struct stub_domain *d)
{
	struct stub_events *ev = &d->events;
	unsigned int n;

	ev->nr_vcpus = min_t(unsigned int, nr_cpu_ids, STUB_MAX_VCPUS);
	ev->vcpus = kcalloc(ev->nr_vcpus, sizeof(*ev->vcpus), GFP_KERNEL);
	if (!ev->vcpus)
		return -ENOMEM;

	for (n = 0; n < ev->nr_vcpus; n++) {
		struct stub_vcpu *v = &ev->vcpus[n];

		v->dom = d;
		v->id = n;
		v->work = IRQ_WORK_INIT_HARD(upcall_work);
		INIT_CSD(&v->csd, upcall_csd, v);
	}
	return 0;
}

void stub_vcpus_exit(struct stub_domain *d)
{
	kfree(d->events.vcpus);
}
