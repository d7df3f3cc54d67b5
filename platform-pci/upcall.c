// SPDX-License-Identifier: GPL-2.0
/*
 * Upcalls: from the hypervisor's event to xpv_domain_upcall() on the CPU that is the virtual CPU.
 *
 * There are three ways, best first; each has its file. The hypervisor does not say which of them work. A vector,
 * once set, cannot be taken back, and while there is one the PCI interrupt is dead. So each is tried first:
 * an event is sent to each virtual CPU that it should serve, and must arrive, or else the next way has its turn.
 *
 * Upcalls may come at any time between a way's start and stop. Until xenbus wants them (set_upcall), and when it does
 * not any more, all ports but the one of the trial are masked, and what is pending is only wiped away.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <asm/sync_bitops.h>
#include <xen/interface/hvm/params.h>
#include "platform.h"

#define TRIAL_TIME	(2 * HZ)

/*
 * The toolstack asks a domain to suspend itself if there is an interrupt of the kind that a kernel had before there
 * were vectors. This one, an ISA interrupt without a device, is not used.
 */
#define TOKEN_INTERRUPT	5

static char *upcall = "vector";
module_param(upcall, charp, 0444);
MODULE_PARM_DESC(upcall, "how events come: vector, intx (the device's interrupt) or poll; if it does not work, the best that does");

static const struct plat_upcall_way *const ways[] = {
	&plat_upcall_vector, &plat_upcall_intx, &plat_upcall_poll,
};

/* --- One upcall ----------------------------------------------------------------------------------------------- */

/* Nobody wants events: wipe away, so that it is not suppressed later, and look for the trial's. */
static void upcall_unwanted(struct platform *p, struct vcpu_info *vi)
{
	evtchn_port_t port = READ_ONCE(p->test_port);
	unsigned long sel;

	WRITE_ONCE(vi->evtchn_upcall_pending, 0);
	virt_mb();
	sel = xchg(&vi->evtchn_pending_sel, 0);
	if (port && sel & BIT(port / BITS_PER_LONG) && sync_test_and_clear_bit(port, p->shared->evtchn_pending))
		complete(&p->tested);
}

void plat_upcall(struct platform *p)
{
	unsigned int vcpu = plat_vcpu(smp_processor_id());
	struct vcpu_info *vi = plat_vcpu_info(p, vcpu);
	struct xpv_domain *dom;

	if (!vi)
		return;
	rcu_read_lock();
	dom = rcu_dereference(p->dom);
	if (dom)
		xpv_domain_upcall(dom, vcpu);
	else
		upcall_unwanted(p, vi);
	rcu_read_unlock();
}

/* --- One virtual CPU ------------------------------------------------------------------------------------------ */

static void first_work(struct irq_work *work)
{
	plat_upcall(container_of(work, struct platform, work));
}

static void first_call(void *info)
{
	struct platform *p = info;

	clear_bit(0, &p->forwarding);
	smp_mb__after_atomic();	/* pairs with test_and_set_bit() below */

	/* An idle CPU that polls runs the call outside of any interrupt. */
	if (in_hardirq())
		plat_upcall(p);
	else
		irq_work_queue(&p->work);
}

bool plat_upcall_first(struct platform *p)
{
	struct vcpu_info *vi = plat_vcpu_info(p, plat_vcpu(p->cpu));

	if (!READ_ONCE(vi->evtchn_upcall_pending))
		return false;
	if (smp_processor_id() == p->cpu) {
		plat_upcall(p);
		return true;
	}

	/* Its scan looks at the selector; this only keeps the interrupt's line up. */
	WRITE_ONCE(vi->evtchn_upcall_pending, 0);
	virt_mb();
	if (!test_and_set_bit(0, &p->forwarding) && smp_call_function_single_async(p->cpu, &p->forward))
		clear_bit(0, &p->forwarding);
	return true;
}

/* --- Trial ---------------------------------------------------------------------------------------------------- */

static int try_event(struct platform *p, unsigned int vcpu)
{
	struct evtchn_bind_ipi bind = { .vcpu = vcpu };
	struct evtchn_close close;
	struct evtchn_send send;
	int err = plat_event_channel_op(p, EVTCHNOP_bind_ipi, &bind);

	if (err)
		return err;
	reinit_completion(&p->tested);
	sync_clear_bit(bind.port, p->shared->evtchn_pending);
	WRITE_ONCE(p->test_port, bind.port);
	sync_clear_bit(bind.port, p->shared->evtchn_mask);

	send.port = bind.port;
	err = plat_event_channel_op(p, EVTCHNOP_send, &send);
	if (!err && !wait_for_completion_timeout(&p->tested, TRIAL_TIME))
		err = -ETIMEDOUT;

	sync_set_bit(bind.port, p->shared->evtchn_mask);
	WRITE_ONCE(p->test_port, 0);
	close.port = bind.port;
	plat_event_channel_op(p, EVTCHNOP_close, &close);
	sync_clear_bit(bind.port, p->shared->evtchn_pending);
	return err;
}

static int try_cpus(struct platform *p, const struct plat_upcall_way *way)
{
	unsigned int cpu;
	int err = 0;

	if (!way->all_vcpus)
		return try_event(p, plat_vcpu(p->cpu));

	for_each_online_cpu(cpu) {
		if (!err && plat_vcpu_info(p, plat_vcpu(cpu)))
			err = try_event(p, plat_vcpu(cpu));
	}
	return err;
}

/* CPUs stay as they are meanwhile. */
static int way_start(struct platform *p, const struct plat_upcall_way *way)
{
	int err;

	if (!way->all_vcpus && !plat_vcpu_info(p, plat_vcpu(p->cpu)))
		return -ENXIO;
	err = way->start(p);
	if (err)
		return err;
	err = try_cpus(p, way);
	if (err)
		way->stop(p);
	return err;
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

static const struct plat_upcall_way *way_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (sysfs_streq(name, ways[i]->name))
			return ways[i];
	pr_warn("upcall=%s: vector, intx or poll\n", name);
	return ways[0];
}

static int ways_try(struct platform *p)
{
	const struct plat_upcall_way *way = way_by_name(upcall);
	unsigned int next = 0;
	int err;

	for (;;) {
		err = way_start(p, way);
		if (!err)
			break;
		dev_notice(&p->pdev->dev, "no events by %s (%d)\n", way->name, err);
		do {
			if (next == ARRAY_SIZE(ways))
				return err;
			way = ways[next++];
		} while (sysfs_streq(upcall, way->name));
	}
	p->way = way;
	return 0;
}

static void note_vcpu(void *unused)
{
	plat_vcpu_note();
}

int plat_upcall_start(struct platform *p)
{
	int err, cpu;

	init_completion(&p->tested);
	p->work = IRQ_WORK_INIT_HARD(first_work);
	INIT_CSD(&p->forward, first_call, p);

	cpus_read_lock();
	on_each_cpu(note_vcpu, NULL, 1);
	cpu = plat_vcpu_cpu(0);
	p->cpu = cpu < 0 ? cpumask_first(cpu_online_mask) : cpu;
	plat_vcpus_start(p);
	err = ways_try(p);
	if (err)
		plat_vcpus_stop(p);
	cpus_read_unlock();
	if (!err && p->way != &plat_upcall_intx && plat_param_set(HVM_PARAM_CALLBACK_IRQ, TOKEN_INTERRUPT))
		dev_notice(&p->pdev->dev, "the toolstack will not ask this domain before it suspends it\n");
	return err;
}

void plat_upcall_stop(struct platform *p)
{
	if (p->way != &plat_upcall_intx)
		plat_param_set(HVM_PARAM_CALLBACK_IRQ, 0);
	p->way->stop(p);
	/* Bounded: a call is run in the target's next interrupt. */
	while (test_bit(0, &p->forwarding))
		usleep_range(50, 200);
	synchronize_rcu();
	irq_work_sync(&p->work);
	plat_vcpus_stop(p);
	p->way = NULL;
}

void plat_set_upcall(void *hv, struct xpv_domain *dom)
{
	struct platform *p = hv;

	rcu_assign_pointer(p->dom, dom);
	/* Upcalls run with interrupts off. */
	if (!dom)
		synchronize_rcu();
}

unsigned int plat_vcpu_id(void *hv, unsigned int cpu)
{
	struct platform *p = hv;
	unsigned int vcpu = plat_vcpu(cpu);

	if (!plat_vcpu_info(p, vcpu))
		return XPV_VCPU_NONE;
	return p->way->all_vcpus || cpu == p->cpu ? vcpu : XPV_VCPU_NONE;
}
