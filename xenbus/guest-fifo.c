// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO event channels: the words and the queues. Pure.
 *
 * Each port has a word. The hypervisor sets PENDING and, unless the port is MASKED or LINKED
 * already, sets LINKED and appends it to the queue of the port's virtual CPU and priority: to the
 * LINK of the queue's last word while that one is LINKED, else to the queue's head in the virtual
 * CPU's control block, where it also sets the priority's bit in ready. The scan takes the first
 * port off by clearing LINKED and LINK at once, then looks at PENDING and MASKED; so an event that
 * comes later links the port again.
 *
 * Unmasking is for the guest to do only where nothing is pending (the hypervisor appends then) and
 * while the word is not BUSY, for as long as the hypervisor sets its LINK. Else EVTCHNOP_unmask
 * does it.
 *
 * A port that was bound to another virtual CPU while it was on a queue stays there: it is taken off
 * and raised again.
 *
 * The hypervisor's words are looked at as a peer's: a link out of bounds or to a port that is not
 * on a queue ends the queue, each step takes a LINKED away, and steps count against the budget,
 * whether they deliver or not.
 *
 * Words are 32 bits wide, the bit operations are those of longs: a page of words is a bitmap to
 * them. This is right on a little endian machine, and keeps the operations within their cache line.
 */
#include <linux/bitops.h>
#include <linux/printk.h>
#include <asm/sync_bitops.h>
#include "guest-fifo.h"

#define PENDING		((event_word_t)BIT(EVTCHN_FIFO_PENDING))
#define MASKED		((event_word_t)BIT(EVTCHN_FIFO_MASKED))
#define LINKED		((event_word_t)BIT(EVTCHN_FIFO_LINKED))
#define BUSY		((event_word_t)BIT(EVTCHN_FIFO_BUSY))
#define LINK		((event_word_t)EVTCHN_FIFO_LINK_MASK)
#define ALL_QUEUES	((u32)BIT(EVTCHN_FIFO_MAX_QUEUES) - 1)

/* How often a word may change under our hands until the hypervisor is asked, or not believed. */
#define UNMASK_TRIES	16
#define UNLINK_TRIES	4096

/* --- Words ---------------------------------------------------------------------------------------------------- */

static event_word_t *page_of(struct guest_fifo *f, evtchn_port_t port)
{
	unsigned int n = port / GUEST_FIFO_WORDS;

	return n < smp_load_acquire(&f->nr_pages) ? f->pages[n] : NULL;	/* pairs with page_add() */
}

static event_word_t *word_of(struct guest_fifo *f, evtchn_port_t port)
{
	event_word_t *page = page_of(f, port);

	return page ? page + port % GUEST_FIFO_WORDS : NULL;
}

static unsigned int bit_of(evtchn_port_t port, unsigned int bit)
{
	return port % GUEST_FIFO_WORDS * 32 + bit;
}

static void word_set(struct guest_fifo *f, evtchn_port_t port, unsigned int bit)
{
	event_word_t *page = page_of(f, port);

	if (page)
		sync_set_bit(bit_of(port, bit), (unsigned long *)page);
}

static void word_clear(struct guest_fifo *f, evtchn_port_t port, unsigned int bit)
{
	event_word_t *page = page_of(f, port);

	if (page)
		sync_clear_bit(bit_of(port, bit), (unsigned long *)page);
}

void guest_fifo_mask(struct guest_events *e, evtchn_port_t port)
{
	word_set(e->fifo, port, EVTCHN_FIFO_MASKED);
}

void guest_fifo_clear_pending(struct guest_events *e, evtchn_port_t port)
{
	word_clear(e->fifo, port, EVTCHN_FIFO_PENDING);
}

void guest_fifo_set_pending(struct guest_events *e, evtchn_port_t port)
{
	word_set(e->fifo, port, EVTCHN_FIFO_PENDING);
}

bool guest_fifo_unmask(struct guest_events *e, evtchn_port_t port)
{
	event_word_t *word = word_of(e->fifo, port);
	event_word_t old;
	unsigned int n;

	if (!word)
		return false;

	for (n = 0; n < UNMASK_TRIES; n++) {
		old = READ_ONCE(*word);
		if (old & PENDING)
			break;
		old &= ~BUSY;
		if (sync_cmpxchg(word, old, old & ~MASKED) == old)
			return false;
	}

	/* EVTCHNOP_unmask appends the port if it is on no queue; before that it is not delivered. */
	word_set(e->fifo, port, EVTCHN_FIFO_MASKED);
	return true;
}

/* --- Queues --------------------------------------------------------------------------------------------------- */

/* Take a port off its queue: the next one is in @next, 0 at the end. False if it was on none. */
static bool word_unlink(event_word_t *word, evtchn_port_t *next)
{
	event_word_t seen, old = READ_ONCE(*word);
	unsigned int n;

	for (n = 0; n < UNLINK_TRIES && (old & LINKED); n++) {
		seen = sync_cmpxchg(word, old, old & ~(LINKED | LINK));
		if (seen == old) {
			*next = old & LINK;
			return true;
		}
		old = seen;
	}
	return false;
}

static void queue_broken(struct guest_vcpu *v, unsigned int q, evtchn_port_t port)
{
	struct guest_fifo *f = v->events->fifo;

	WRITE_ONCE(f->broken, f->broken + 1);
	pr_warn_ratelimited("xpv: event queue %u of virtual CPU %u is broken at port %u\n", q, v->nr, port);
}

/* Take the first port off queue @q. Returns its number, 0 if the queue is none. */
static evtchn_port_t queue_pop(struct guest_vcpu *v, unsigned int q)
{
	struct guest_fifo *f = v->events->fifo;
	struct guest_fifo_vcpu *fv = &f->vcpus[v->nr];
	evtchn_port_t port = fv->head[q], next = 0;
	event_word_t *word;

	if (!port) {
		virt_rmb();	/* the head is written before the queue gets ready */
		port = READ_ONCE(fv->block->head[q]);
	}
	word = port ? word_of(f, port) : NULL;
	if (!word || !word_unlink(word, &next)) {
		queue_broken(v, q, port);
		port = 0;
	}

	/* The last one gone: the hypervisor begins a new queue, and says so. */
	fv->head[q] = next;
	if (!next)
		fv->ready &= ~BIT(q);
	return port;
}

static void look_at(struct guest_fifo_vcpu *fv)
{
	if (READ_ONCE(fv->block->ready))
		fv->ready |= xchg(&fv->block->ready, 0) & ALL_QUEUES;
}

static bool is_active(struct guest_fifo *f, evtchn_port_t port)
{
	return (READ_ONCE(*word_of(f, port)) & (PENDING | MASKED)) == PENDING;
}

/* Priorities are strict: the queues are looked at anew after each event. */
bool guest_fifo_scan(struct guest_vcpu *v, unsigned int budget)
{
	struct guest_events *e = v->events;
	struct guest_fifo_vcpu *fv = &e->fifo->vcpus[v->nr];
	evtchn_port_t port;

	if (!smp_load_acquire(&fv->block))	/* pairs with control_set() */
		return false;

	for (;; budget--) {
		look_at(fv);
		if (!fv->ready)
			return false;
		if (!budget)
			return true;
		port = queue_pop(v, __ffs(fv->ready));
		if (port && is_active(e->fifo, port) && !guest_event_deliver(v, port))
			guest_event_reraise(e, port);
	}
}

void guest_fifo_drain(struct guest_vcpu *v)
{
	struct guest_events *e = v->events;
	struct guest_fifo_vcpu *fv = &e->fifo->vcpus[v->nr];
	unsigned int left = e->fifo->nr_pages * GUEST_FIFO_WORDS;
	evtchn_port_t port;

	if (!smp_load_acquire(&fv->block))
		return;

	look_at(fv);
	for (; fv->ready && left; left--) {
		port = queue_pop(v, __ffs(fv->ready));
		if (port)
			guest_event_reraise(e, port);
	}
}
