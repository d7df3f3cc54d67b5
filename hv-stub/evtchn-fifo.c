// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO mode of a domain's event channels: the memory that it names, and delivery through it. The
 * queues are fifo-queue.c's.
 *
 * A domain is in FIFO mode from its first EVTCHNOP_init_control to EVTCHNOP_reset. Control blocks
 * and event words are in pages of its own; each is held by a reference until FIFO mode ends or the
 * domain is freed, whatever the domain does with it meanwhile. It may name any page that it could
 * grant, but for those that are not to be written (Xen: not of a writable type).
 *
 * Limits: EVTCHN_FIFO_NR_CHANNELS ports fit into the pages that are accepted; STUB_MAX_PORTS is the
 * stub's own, lower one.
 *
 * stub_events.fifo is what makes the mode: published when whole, and freed a grace period after it
 * is unpublished. Those who raise events look at it with interrupts off.
 *
 * Locks:
 *
 *	stub_events.fifo_mutex		begin, expand, end
 *	    topology_lock (evtchn.c)	also held when the mode ends
 *	        stub_port.lock
 *	            stub_fifo.lock	the domain's queues, interrupts off; innermost
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "hv.h"

/**
 * struct stub_fifo - FIFO mode of a domain
 * @lock:  protects @vcpus, each port's last_* and saved, and the growth of @array
 * @array: event words
 * @vcpus: queues
 */
struct stub_fifo {
	spinlock_t lock;	/* protects the rest */
	struct stub_fifo_array array;
	struct stub_fifo_vcpu vcpus[];
};

static bool fifo = true;
module_param(fifo, bool, 0644);
MODULE_PARM_DESC(fifo, "know FIFO event channels; 0: be as a hypervisor that does not");

/* --- the domain's pages ----------------------------------------------------------------------- */

static void *page_hold(u64 gfn)
{
	struct page *page;

	if (gfn > ULONG_MAX >> PAGE_SHIFT || !stub_frame_ok(gfn) || is_zero_pfn(gfn))
		return NULL;
	page = pfn_to_page(gfn);
	/* A part of something greater has no count of its own. */
	if (PageSlab(page) || PageReserved(page) || !get_page_unless_zero(page))
		return NULL;
	atomic_inc(&stub_counters.fifo_pages);
	return page_address(page);
}

static void page_release(void *va)
{
	if (!va)
		return;
	put_page(virt_to_page(va));
	atomic_dec(&stub_counters.fifo_pages);
}

/* --- begin and end ---------------------------------------------------------------------------- */

static struct stub_fifo *fifo_of(struct stub_domain *d)
{
	return rcu_dereference_protected(d->events.fifo, lockdep_is_held(&d->events.fifo_mutex));
}

static int block_set(struct stub_fifo *f, const struct evtchn_init_control *op)
{
	struct stub_fifo_vcpu *v = &f->vcpus[op->vcpu];
	void *va;

	if (v->block)
		return -EINVAL;
	va = page_hold(op->control_gfn);
	if (!va)
		return -EINVAL;

	spin_lock_irq(&f->lock);
	v->block = va + op->offset;
	spin_unlock_irq(&f->lock);
	return 0;
}

/* With the first control block. */
static int fifo_begin(struct stub_domain *d, const struct evtchn_init_control *op)
{
	struct stub_events *ev = &d->events;
	struct stub_fifo *f;
	int err;

	f = kzalloc(struct_size(f, vcpus, ev->nr_vcpus), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	spin_lock_init(&f->lock);
	err = block_set(f, op);
	if (err) {
		kfree(f);
		return err;
	}

	rcu_assign_pointer(ev->fifo, f);
	synchronize_rcu();	/* nobody makes a bit of 2-level mode pending any more */
	stub_evtchn_save_pending(d);
	return 0;
}

int stub_fifo_init_control(struct stub_domain *d, struct evtchn_init_control *op)
{
	struct stub_fifo *f;
	int err;

	op->link_bits = EVTCHN_FIFO_LINK_BITS;
	if (op->vcpu >= d->events.nr_vcpus)
		return -ENOENT;
	if (op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || op->offset % 8)
		return -EINVAL;
	if (stub_domain_is_dying(d))
		return -ESHUTDOWN;

	mutex_lock(&d->events.fifo_mutex);
	f = fifo_of(d);
	if (f)
		err = block_set(f, op);
	else
		err = READ_ONCE(fifo) ? fifo_begin(d, op) : -ENOSYS;
	mutex_unlock(&d->events.fifo_mutex);
	return err;
}

static int array_grow(struct stub_domain *d, struct stub_fifo *f, u64 gfn)
{
	struct stub_fifo_array *a = &f->array;
	unsigned int n = a->nr_pages;
	void *va;

	if (n >= STUB_FIFO_PAGES)
		return -ENOSPC;
	va = page_hold(gfn);
	if (!va)
		return -EINVAL;

	spin_lock_irq(&f->lock);	/* see try_save() */
	a->pages[n] = va;
	smp_store_release(&a->nr_pages, n + 1);	/* pairs with page_of() */
	spin_unlock_irq(&f->lock);

	stub_evtchn_raise_saved(d, n * STUB_FIFO_WORDS, (n + 1) * STUB_FIFO_WORDS);
	return 0;
}

int stub_fifo_expand(struct stub_domain *d, const struct evtchn_expand_array *op)
{
	struct stub_fifo *f;
	int err;

	if (stub_domain_is_dying(d))
		return -ESHUTDOWN;

	mutex_lock(&d->events.fifo_mutex);
	f = fifo_of(d);
	err = f ? array_grow(d, f, op->array_gfn) : -EOPNOTSUPP;
	mutex_unlock(&d->events.fifo_mutex);
	return err;
}

void stub_fifo_free(struct stub_domain *d, struct stub_fifo *f)
{
	unsigned int n;

	if (!f)
		return;
	for (n = 0; n < f->array.nr_pages; n++)
		page_release(f->array.pages[n]);
	for (n = 0; n < d->events.nr_vcpus; n++)
		page_release(f->vcpus[n].block);
	kfree(f);
}

/* --- delivery --------------------------------------------------------------------------------- */

static void link(struct stub_domain *d, struct stub_fifo *f, evtchn_port_t port,
		 struct stub_fifo_port *fp, unsigned int vcpu)
{
	bool tell;

	spin_lock(&f->lock);
	tell = stub_fifo_link(&f->array, f->vcpus, vcpu, fp, port);
	spin_unlock(&f->lock);
	if (tell)
		stub_vcpu_tell(d, vcpu);
}

/* There is no word yet: raised when there is. Returns false if it has come meanwhile. */
static bool try_save(struct stub_fifo *f, evtchn_port_t port, struct stub_fifo_port *fp)
{
	bool has;

	spin_lock(&f->lock);
	has = stub_fifo_has(&f->array, port);
	if (!has)
		fp->saved = true;
	spin_unlock(&f->lock);
	return !has;
}

void stub_fifo_raise(struct stub_domain *d, struct stub_fifo *f, evtchn_port_t port,
		     struct stub_fifo_port *fp, unsigned int vcpu)
{
	lockdep_assert_irqs_disabled();
	if (!stub_fifo_has(&f->array, port) && try_save(f, port, fp))
		return;
	if (stub_fifo_mark(&f->array, port))
		link(d, f, port, fp, vcpu);
}

void stub_fifo_unmask_port(struct stub_domain *d, struct stub_fifo *f, evtchn_port_t port,
			   struct stub_fifo_port *fp, unsigned int vcpu)
{
	lockdep_assert_irqs_disabled();
	if (stub_fifo_has(&f->array, port) && stub_fifo_unmask(&f->array, port))
		link(d, f, port, fp, vcpu);
}

/* Nobody raises it any more. The queue that it may still be on stays noted. */
void stub_fifo_close(struct stub_fifo *f, evtchn_port_t port, struct stub_fifo_port *fp)
{
	unsigned long flags;

	spin_lock_irqsave(&f->lock, flags);
	fp->saved = false;
	if (stub_fifo_has(&f->array, port))
		stub_fifo_clear(&f->array, port);
	spin_unlock_irqrestore(&f->lock, flags);
}

void stub_fifo_save(struct stub_fifo *f, struct stub_fifo_port *fp)
{
	lockdep_assert_irqs_disabled();
	spin_lock(&f->lock);
	fp->saved = true;
	spin_unlock(&f->lock);
}

bool stub_fifo_take_saved(struct stub_fifo *f, struct stub_fifo_port *fp)
{
	bool saved;

	spin_lock(&f->lock);
	saved = fp->saved;
	fp->saved = false;
	spin_unlock(&f->lock);
	return saved;
}
