/* SPDX-License-Identifier: GPL-2.0 */
/*
 * FIFO event channels, the hypervisor's half of words and queues: pure. evtchn-fifo.c brings memory
 * and locks.
 */
#ifndef STUB_FIFO_QUEUE_H
#define STUB_FIFO_QUEUE_H

#include <linux/types.h>
#include <xpv/hypervisor.h>

#define STUB_FIFO_WORDS		((unsigned int)(PAGE_SIZE / sizeof(event_word_t)))
#define STUB_FIFO_PAGES		(EVTCHN_FIFO_NR_CHANNELS / STUB_FIFO_WORDS)

/**
 * struct stub_fifo_array - a domain's event words, in pages of its own
 * @nr_pages: read with acquire, written with release
 * @pages:    by port
 */
struct stub_fifo_array {
	unsigned int nr_pages;
	event_word_t *pages[STUB_FIFO_PAGES];
};

/**
 * struct stub_fifo_vcpu - the queues of a virtual CPU
 * @block: in a page of the domain's own; NULL as long as it has named none
 * @tail:  the last port of each queue, 0: none. It may have been taken off since.
 */
struct stub_fifo_vcpu {
	struct evtchn_fifo_control_block *block;
	evtchn_port_t tail[EVTCHN_FIFO_MAX_QUEUES];
};

/**
 * struct stub_fifo_port - what FIFO mode knows of a port
 * @priority:  for its next event
 * @last_vcpu, @last_priority: the queue that it was last on, and may be the tail of
 * @saved:     there was an event before there was a word for it
 */
struct stub_fifo_port {
	u8 priority;
	u8 last_vcpu;
	u8 last_priority;
	bool saved;
};

/* stub_fifo_has() - is there a word for @port? The functions below want one. */
bool stub_fifo_has(const struct stub_fifo_array *a, evtchn_port_t port);

/*
 * stub_fifo_mark() - make @port pending. Returns whether it has to be linked. Any number of callers
 * at a time.
 */
bool stub_fifo_mark(const struct stub_fifo_array *a, evtchn_port_t port);

/* stub_fifo_unmask() - unmask @port. Returns whether it has to be linked. */
bool stub_fifo_unmask(const struct stub_fifo_array *a, evtchn_port_t port);

/* stub_fifo_clear() - make @port not pending. Where it is queued the domain ignores it. */
void stub_fifo_clear(const struct stub_fifo_array *a, evtchn_port_t port);

/*
 * stub_fifo_link() - put @port on the queue of @vcpu and its priority, if it is not masked nor on
 * one already. Returns whether the virtual CPU has to be told. One caller a domain at a time.
 */
bool stub_fifo_link(const struct stub_fifo_array *a, struct stub_fifo_vcpu *vcpus, unsigned int vcpu,
		    struct stub_fifo_port *fp, evtchn_port_t port);

#endif /* STUB_FIFO_QUEUE_H */
