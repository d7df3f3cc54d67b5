// SPDX-License-Identifier: GPL-2.0
/*
 * 2-level event channels: a bitmap of pending and one of masked ports in shared_info, and for each virtual CPU a word
 * that says which words of the bitmap to look at.
 *
 * A sender sets pending, then looks at mask, then at the selector word; unmask clears mask, then
 * looks at pending. With a full barrier on both sides at least one of the two sees the event.
 */
#include <linux/bitops.h>
#include <asm/sync_bitops.h>
#include "guest.h"

#define WORD_BITS	((unsigned int)BITS_PER_LONG)
#define NR_PORTS	(WORD_BITS * WORD_BITS)

static int l2_start(struct guest_events *e)
{
	unsigned int w;

	for (w = 0; w < WORD_BITS; w++)
		WRITE_ONCE(e->shared->evtchn_mask[w], ~0UL);
	virt_mb();	/* before ports are opened */
	return 0;
}

static void l2_mask(struct guest_events *e, evtchn_port_t port)
{
	sync_set_bit(port, e->shared->evtchn_mask);
}

static bool l2_unmask(struct guest_events *e, evtchn_port_t port)
{
	sync_clear_bit(port, e->shared->evtchn_mask);
	virt_mb();	/* see above */
	if (!sync_test_bit(port, e->shared->evtchn_pending))
		return false;

	/* EVTCHNOP_unmask raises the upcall only if it finds the port masked. */
	sync_set_bit(port, e->shared->evtchn_mask);
	return true;
}

static void l2_clear_pending(struct guest_events *e, evtchn_port_t port)
{
	sync_clear_bit(port, e->shared->evtchn_pending);
}

static void l2_set_pending(struct guest_events *e, evtchn_port_t port)
{
	sync_set_bit(port, e->shared->evtchn_pending);
}

static unsigned long active(struct guest_events *e, unsigned int w)
{
	return READ_ONCE(e->shared->evtchn_pending[w]) & ~READ_ONCE(e->shared->evtchn_mask[w]);
}

/* Deliver those ports of word @w that are in @among. Returns false when the budget is used up. */
static bool scan_word(struct guest_vcpu *v, unsigned int w, unsigned long among, unsigned int *budget)
{
	unsigned long bits = active(v->events, w) & among;
	unsigned int b;

	for (; bits; bits &= bits - 1) {
		b = __ffs(bits);
		/* A handler may have masked or closed a port of the same word. */
		if (!(active(v->events, w) & BIT(b)))
			continue;
		if (!*budget)
			return false;
		if (guest_event_deliver(v, w * WORD_BITS + b)) {
			v->next = (w * WORD_BITS + b + 1) % NR_PORTS;
			--*budget;
		}
	}
	return true;
}

/*
 * Once around, from v->next on. The word in which the round begins is looked at in two parts, first
 * and last. What was not looked at stays selected.
 */
static bool l2_scan(struct guest_vcpu *v, unsigned int budget)
{
	struct vcpu_info *vi = v->info;
	unsigned int first = v->next / WORD_BITS, i, w;
	unsigned long upper = ~0UL << v->next % WORD_BITS;
	unsigned long sel = xchg(&vi->evtchn_pending_sel, 0);
	unsigned long among;

	for (i = 0; sel && i <= WORD_BITS; i++) {
		w = (first + i) % WORD_BITS;
		if (!(sel & BIT(w)))
			continue;
		among = i == 0 ? upper : i == WORD_BITS ? ~upper : ~0UL;
		if (!scan_word(v, w, among, &budget))
			break;
		if (i)
			sel &= ~BIT(w);
	}

	for (among = sel; among; among &= among - 1)
		sync_set_bit(__ffs(among), &vi->evtchn_pending_sel);
	return sel;
}

const struct guest_evtchn_abi guest_evtchn_2l = {
	.name = "2l",
	.nr_ports = NR_PORTS,
	.start = l2_start,
	.mask = l2_mask,
	.unmask = l2_unmask,
	.clear_pending = l2_clear_pending,
	.set_pending = l2_set_pending,
	.scan = l2_scan,
};
