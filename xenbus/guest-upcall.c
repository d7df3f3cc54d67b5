// SPDX-License-Identifier: GPL-2.0
/*
 * Upcalls: from the hypervisor's interrupt on a virtual CPU to its pending ports.
 *
 * Handlers that do all their work and EOI at once, on both sides of a busy connection, could keep a
 * CPU from everything else. So the time that a CPU spends in them, over all domains, fills a bucket
 * that leaks three quarters of real time; when it is full, virtual CPUs are held off until it is
 * empty. One that was not served at all comes first then.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include "guest.h"

#define SCAN_BUDGET	64	/* events between looks at the clock */
#define LOAD_FULL	(2 * NSEC_PER_MSEC)
/* A CPU that was not running for a while is no reason to wait for long. */
#define LOAD_MAX	(8 * NSEC_PER_MSEC)
#define SERVED_NS	(100 * NSEC_PER_USEC)

/**
 * struct cpu_load - what handlers cost a CPU, over all domains; touched by that CPU alone, with interrupts off
 * @level: nanoseconds in the bucket ...
 * @at:    ... at this time
 */
struct cpu_load {
	u64 level;
	u64 at;
};

static DEFINE_PER_CPU(struct cpu_load, cpu_load);

/* @spent more up to @now. A clock that went back empties the bucket. */
static void load_note(struct cpu_load *load, u64 spent, u64 now)
{
	u64 leaked = (now - load->at) / 4 * 3;
	u64 level = load->level + spent;

	load->level = level > leaked ? min_t(u64, level - leaked, LOAD_MAX) : 0;
	load->at = now;
}

static void vcpu_hold_off(struct guest_vcpu *v, const struct cpu_load *load, bool served)
{
	u64 ns = load->level / 3 * 4 + (served ? SERVED_NS : 0);

	v->holdoff = true;
	hrtimer_start(&v->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_PINNED_HARD);
}

static void vcpu_scan(struct guest_vcpu *v)
{
	struct cpu_load *load = this_cpu_ptr(&cpu_load);
	u64 now = local_clock(), then;
	bool left = true, served = false;

	load_note(load, 0, now);
	while (left) {
		if (load->level >= LOAD_FULL) {
			vcpu_hold_off(v, load, served);
			return;
		}

		left = v->events->abi->scan(v, SCAN_BUDGET);
		served = true;
		then = now;
		now = local_clock();
		load_note(load, now - then, now);
	}
}

static void vcpu_upcall(struct guest_vcpu *v)
{
	lockdep_assert_irqs_disabled();
	WRITE_ONCE(v->info->evtchn_upcall_pending, 0);
	virt_mb();	/* before the scan: an event that it misses raises another upcall */
	if (!v->holdoff)
		vcpu_scan(v);
}

static enum hrtimer_restart vcpu_resume(struct hrtimer *timer)
{
	struct guest_vcpu *v = container_of(timer, struct guest_vcpu, timer);

	v->holdoff = false;
	vcpu_upcall(v);
	return HRTIMER_NORESTART;
}

void xpv_domain_upcall(struct xpv_domain *dom, unsigned int vcpu)
{
	struct guest_events *e = dom->guest->events;

	if (vcpu < e->nr_vcpus && e->vcpus[vcpu].info)
		vcpu_upcall(&e->vcpus[vcpu]);
}
EXPORT_SYMBOL_GPL(xpv_domain_upcall);

/* shared_info is mapped. A virtual CPU that has no place for its events gets none. */
void guest_vcpus_init(struct guest_events *e)
{
	const struct xpv_hypercalls *hc = e->dom->hc;
	unsigned int i;

	for (i = 0; i < e->nr_vcpus; i++) {
		struct guest_vcpu *v = &e->vcpus[i];

		v->events = e;
		v->nr = i;
		if (hc->vcpu_info)
			v->info = hc->vcpu_info(e->dom->hv, i);
		else if (i < MAX_VIRT_CPUS)
			v->info = &e->shared->vcpu_info[i];
		v->deaf = !v->info;
		hrtimer_init(&v->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		v->timer.function = vcpu_resume;
	}
}

/* The hypervisor sends no upcalls any more. */
void guest_vcpus_stop(struct guest_events *e)
{
	unsigned int i;

	for (i = 0; i < e->nr_vcpus; i++)
		hrtimer_cancel(&e->vcpus[i].timer);
}

/*
 * Its CPU is offline. An upcall that came too late for it is not under way any more, and must not
 * stand in the way of the next one.
 */
void guest_vcpu_offline(struct guest_vcpu *v)
{
	hrtimer_cancel(&v->timer);
	v->holdoff = false;
	if (!v->info)
		return;
	WRITE_ONCE(v->info->evtchn_upcall_pending, 0);
	virt_mb();	/* before the queues are looked at */
}
