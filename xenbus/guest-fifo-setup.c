// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO event channels: the memory, and the hypervisor's knowledge of it.
 *
 * Control blocks lie together, for all virtual CPUs, made before the hypervisor hears of the
 * first one: from then on the domain is in FIFO mode and an upcall may come on any of them. A
 * virtual CPU whose control block the hypervisor does not take gets no events (guest_vcpu.deaf),
 * and is tried again when its CPU comes online. Pages of words come as ports do.
 *
 * A CPU that goes offline leaves ports on its queues that were moved away by then. Once it is dead
 * nobody else scans them, so they are emptied from here, and again before it comes back.
 *
 * FIFO mode ends with EVTCHNOP_reset alone. Until it has succeeded the hypervisor writes to all
 * these pages.
 *
 * Locks: guest_fifo.lock, a mutex, around init_control and expand_array; the CPU hotplug lock is
 * outside it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "guest-fifo.h"

#define CONTROL_SIZE	128U	/* none crosses a page */

static int cpu_state;

static int evtchn_op(struct guest_fifo *f, int cmd, void *arg)
{
	struct xpv_domain *dom = f->events->dom;

	return dom->hc->event_channel_op(dom->hv, cmd, arg);
}

static u64 gfn_of(void *va)
{
	return page_to_pfn(virt_to_page(va));
}

/* --- Control blocks ------------------------------------------------------------------------------------------- */

static int control_set(struct guest_fifo *f, unsigned int vcpu)
{
	struct evtchn_fifo_control_block *block = f->control + vcpu * CONTROL_SIZE;
	struct evtchn_init_control op = {
		.control_gfn = gfn_of(block),
		.offset = offset_in_page(block),
		.vcpu = vcpu,
	};
	int err;

	lockdep_assert_held(&f->lock);
	if (!f->events->vcpus[vcpu].info)
		return -ENXIO;
	err = evtchn_op(f, EVTCHNOP_init_control, &op);
	WRITE_ONCE(f->events->vcpus[vcpu].deaf, !!err);
	if (err)
		return err;

	f->max = 1U << min_t(unsigned int, op.link_bits, EVTCHN_FIFO_LINK_BITS);
	smp_store_release(&f->vcpus[vcpu].block, block);	/* pairs with guest_fifo_scan() */
	return 0;
}

/* All of them; only the first one has to succeed, because new ports are the first virtual CPU's. */
static int controls_set(struct guest_fifo *f)
{
	unsigned int n, deaf = 0;
	int err;

	mutex_lock(&f->lock);
	err = control_set(f, 0);
	for (n = 1; !err && n < f->events->nr_vcpus; n++)
		deaf += !!control_set(f, n);
	mutex_unlock(&f->lock);
	if (deaf)
		pr_info("domain %u: %u virtual CPUs get no events for now\n", f->events->dom->domid, deaf);
	return err;
}

/* --- Words ---------------------------------------------------------------------------------------------------- */

static int page_add(struct guest_fifo *f)
{
	struct evtchn_expand_array op;
	event_word_t *page;
	unsigned int n;
	int err;

	lockdep_assert_held(&f->lock);
	page = (event_word_t *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (n = 0; n < GUEST_FIFO_WORDS; n++)
		page[n] = BIT(EVTCHN_FIFO_MASKED);

	op.array_gfn = gfn_of(page);
	err = evtchn_op(f, EVTCHNOP_expand_array, &op);
	if (err) {
		free_page((unsigned long)page);
		return err;
	}
	f->pages[f->nr_pages] = page;
	smp_store_release(&f->nr_pages, f->nr_pages + 1);	/* pairs with page_of() */
	return 0;
}

static int fifo_add_port(struct guest_events *e, evtchn_port_t port)
{
	struct guest_fifo *f = e->fifo;
	int err = 0;

	if (port >= f->max)
		return -EINVAL;
	mutex_lock(&f->lock);
	while (!err && port >= f->nr_pages * GUEST_FIFO_WORDS)
		err = page_add(f);
	mutex_unlock(&f->lock);
	return err;
}

/* --- CPUs ----------------------------------------------------------------------------------------------------- */

/* Its CPU is offline. A provider knows the number of a virtual CPU that is. */
static struct guest_vcpu *vcpu_offline(unsigned int cpu, struct hlist_node *node)
{
	struct guest_fifo *f = hlist_entry(node, struct guest_fifo, node);
	struct guest_events *e = f->events;
	unsigned int nr = e->dom->hc->vcpu_id(e->dom->hv, cpu);

	if (nr >= e->nr_vcpus)
		return NULL;
	guest_vcpu_offline(&e->vcpus[nr]);
	guest_fifo_drain(&e->vcpus[nr]);
	return &e->vcpus[nr];
}

static int cpu_prepare(unsigned int cpu, struct hlist_node *node)
{
	struct guest_vcpu *v = vcpu_offline(cpu, node);
	struct guest_fifo *f;

	if (!v || !v->deaf)
		return 0;

	f = v->events->fifo;
	mutex_lock(&f->lock);
	if (control_set(f, v->nr))
		pr_info_ratelimited("domain %u: CPU %u gets no events\n", v->events->dom->domid, cpu);
	mutex_unlock(&f->lock);
	return 0;
}

static int cpu_dead(unsigned int cpu, struct hlist_node *node)
{
	vcpu_offline(cpu, node);
	return 0;
}

int guest_fifo_init(void)
{
	cpu_state = cpuhp_setup_state_multi(CPUHP_BP_PREPARE_DYN, "xpv/events:prepare",
					    cpu_prepare, cpu_dead);
	return cpu_state < 0 ? cpu_state : 0;
}

void guest_fifo_exit(void)
{
	cpuhp_remove_multi_state(cpu_state);
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

static void fifo_free(struct guest_fifo *f)
{
	unsigned int n;

	for (n = 0; n < f->nr_pages; n++)
		free_page((unsigned long)f->pages[n]);
	if (f->control)
		free_pages_exact(f->control, f->events->nr_vcpus * CONTROL_SIZE);
	kfree(f);
}

static int fifo_start(struct guest_events *e)
{
	struct guest_fifo *f;
	int err = -ENOMEM;

	BUILD_BUG_ON(CONTROL_SIZE < sizeof(struct evtchn_fifo_control_block));
	f = kzalloc(struct_size(f, vcpus, e->nr_vcpus), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->events = e;
	mutex_init(&f->lock);
	f->control = alloc_pages_exact(e->nr_vcpus * CONTROL_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!f->control)
		goto err_fifo;

	e->fifo = f;
	err = controls_set(f);
	if (err)
		goto err_fifo;
	/* Nothing is called for it: cannot fail. */
	cpuhp_state_add_instance_nocalls(cpu_state, &f->node);
	return 0;

err_fifo:
	e->fifo = NULL;
	e->vcpus[0].deaf = false;
	fifo_free(f);
	return err;
}

static void fifo_stop(struct guest_events *e)
{
	struct evtchn_reset op = { .dom = DOMID_SELF };
	struct guest_fifo *f = e->fifo;

	cpuhp_state_remove_instance_nocalls(cpu_state, &f->node);
	e->fifo = NULL;
	if (evtchn_op(f, EVTCHNOP_reset, &op)) {
		/* Better lost than written to when they are somebody else's. */
		pr_err("domain %u: the hypervisor keeps %u pages of event words\n",
		       e->dom->domid, f->nr_pages + 1);
		return;
	}
	fifo_free(f);
}

const struct guest_evtchn_abi guest_evtchn_fifo = {
	.name = "fifo",
	.nr_ports = EVTCHN_FIFO_NR_CHANNELS,
	.priorities = true,
	.start = fifo_start,
	.stop = fifo_stop,
	.add_port = fifo_add_port,
	.mask = guest_fifo_mask,
	.unmask = guest_fifo_unmask,
	.clear_pending = guest_fifo_clear_pending,
	.set_pending = guest_fifo_set_pending,
	.scan = guest_fifo_scan,
};
