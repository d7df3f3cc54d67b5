// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO event channels, the hypervisor's half of words and queues.
 *
 * A queue is a chain of words from the head in the control block, through LINK, to the tail, which
 * is known here alone. The domain takes ports off at the front, clearing LINKED and LINK at once.
 * So a tail that is not LINKED any more means that the queue is empty, and a new port becomes the
 * head; else it becomes the tail's LINK, which is set only if LINKED is found to be still there in
 * the same step.
 *
 * The domain can change its words at will. It may hurt itself, but not us: nothing that is read
 * here is used as an index, and a word that keeps changing is given up after some tries.
 *
 * Words are 32 bits wide, the bit operations are those of longs: a page of words is a bitmap to
 * them. This is right on a little endian machine, and keeps the operations within their cache line.
 */
#include <linux/bitops.h>
#include <asm/sync_bitops.h>
#include "fifo-queue.h"

#define LINKED		((event_word_t)BIT(EVTCHN_FIFO_LINKED))
#define BUSY		((event_word_t)BIT(EVTCHN_FIFO_BUSY))
#define LINK		((event_word_t)EVTCHN_FIFO_LINK_MASK)

/*
 * A word that is BUSY is not unmasked. What else a domain that keeps to the rules, and senders, can
 * do to it: set MASKED, clear PENDING, set it again, clear LINKED.
 */
#define LINK_TRIES	8

static event_word_t *page_of(const struct stub_fifo_array *a, evtchn_port_t port)
{
	unsigned int n = port / STUB_FIFO_WORDS;

	return n < smp_load_acquire(&a->nr_pages) ? a->pages[n] : NULL;	/* pairs with stub_fifo_expand() */
}

static event_word_t *word_of(const struct stub_fifo_array *a, evtchn_port_t port)
{
	return page_of(a, port) + port % STUB_FIFO_WORDS;
}

static unsigned long *bitmap_of(const struct stub_fifo_array *a, evtchn_port_t port)
{
	return (unsigned long *)page_of(a, port);
}

static unsigned int bit_of(evtchn_port_t port, unsigned int bit)
{
	return port % STUB_FIFO_WORDS * 32 + bit;
}

bool stub_fifo_has(const struct stub_fifo_array *a, evtchn_port_t port)
{
	return page_of(a, port);
}

static bool has_bit(const struct stub_fifo_array *a, evtchn_port_t port, unsigned int bit)
{
	return READ_ONCE(*word_of(a, port)) & BIT(bit);
}

bool stub_fifo_mark(const struct stub_fifo_array *a, evtchn_port_t port)
{
	sync_set_bit(bit_of(port, EVTCHN_FIFO_PENDING), bitmap_of(a, port));
	virt_mb();	/* who takes it off the queue, or unmasks it, looks at PENDING after that */
	return !has_bit(a, port, EVTCHN_FIFO_MASKED) && !has_bit(a, port, EVTCHN_FIFO_LINKED);
}

bool stub_fifo_unmask(const struct stub_fifo_array *a, evtchn_port_t port)
{
	sync_clear_bit(bit_of(port, EVTCHN_FIFO_MASKED), bitmap_of(a, port));
	virt_mb();	/* who makes it pending looks at MASKED after that */
	return has_bit(a, port, EVTCHN_FIFO_PENDING);
}

void stub_fifo_clear(const struct stub_fifo_array *a, evtchn_port_t port)
{
	sync_clear_bit(bit_of(port, EVTCHN_FIFO_PENDING), bitmap_of(a, port));
}

/* Append @port to @tail. False if @tail is not on a queue any more. */
static bool set_link(const struct stub_fifo_array *a, evtchn_port_t tail, evtchn_port_t port)
{
	event_word_t *word = word_of(a, tail);
	event_word_t seen, old = READ_ONCE(*word);
	unsigned int n;

	for (n = 0; n < LINK_TRIES && (old & LINKED); n++) {
		seen = sync_cmpxchg(word, old, (old & ~(BUSY | LINK)) | port);
		if (seen == old)
			return true;
		if (n == 0) {
			sync_set_bit(bit_of(tail, EVTCHN_FIFO_BUSY), bitmap_of(a, tail));
			seen = READ_ONCE(*word);
		}
		old = seen;
	}
	if (n)
		sync_clear_bit(bit_of(tail, EVTCHN_FIFO_BUSY), bitmap_of(a, tail));

	/* A domain that plays with the word loses the event, as in Xen. */
	return n == LINK_TRIES;
}

bool stub_fifo_link(const struct stub_fifo_array *a, struct stub_fifo_vcpu *vcpus, unsigned int vcpu,
		    struct stub_fifo_port *fp, evtchn_port_t port)
{
	struct stub_fifo_vcpu *v = &vcpus[vcpu];
	unsigned int priority = READ_ONCE(fp->priority);
	evtchn_port_t *old_tail = &vcpus[fp->last_vcpu].tail[fp->last_priority];
	evtchn_port_t *tail = &v->tail[priority];
	bool linked;

	if (!v->block)
		return false;	/* it stays pending */
	if (has_bit(a, port, EVTCHN_FIFO_MASKED) ||
	    sync_test_and_set_bit(bit_of(port, EVTCHN_FIFO_LINKED), bitmap_of(a, port)))
		return false;

	/* Its LINKED means this queue from now on. */
	if (*old_tail == port)
		*old_tail = 0;
	fp->last_vcpu = vcpu;
	fp->last_priority = priority;

	linked = *tail && set_link(a, *tail, port);
	*tail = port;
	if (linked)
		return false;

	WRITE_ONCE(v->block->head[priority], port);
	virt_wmb();	/* the head is there when the queue is ready */
	return !sync_test_and_set_bit(priority, (unsigned long *)&v->block->ready);
}
