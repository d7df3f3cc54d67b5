/* SPDX-License-Identifier: GPL-2.0 */
/*
 * FIFO event channels of a domain. guest-fifo.c works on the words and queues and is pure;
 * guest-fifo-setup.c brings the memory and talks to the hypervisor.
 */
#ifndef XPV_GUEST_FIFO_H
#define XPV_GUEST_FIFO_H

#include "guest.h"

#define GUEST_FIFO_WORDS	((unsigned int)(PAGE_SIZE / sizeof(event_word_t)))
#define GUEST_FIFO_PAGES	(EVTCHN_FIFO_NR_CHANNELS / GUEST_FIFO_WORDS)

/**
 * struct guest_fifo_vcpu - the queues of a virtual CPU; all but @block is its scan's alone
 * @block: shared with the hypervisor, which has been told of it; NULL: not yet
 * @ready: queues that have something, one bit a priority
 * @head:  their first ports; 0: to be found in @block
 */
struct guest_fifo_vcpu {
	struct evtchn_fifo_control_block *block;
	u32 ready;
	evtchn_port_t head[EVTCHN_FIFO_MAX_QUEUES];
};

/**
 * struct guest_fifo - a domain's event words and queues
 * @nr_pages: of @pages; read with acquire, written with release under @lock
 * @pages:    event words, shared with the hypervisor; kept until FIFO is left
 * @broken:   queues that were found not to be such
 * @lock:     mutex, for telling the hypervisor of more memory
 * @max:      bound of port numbers, by the hypervisor's width of links
 * @control:  control blocks, one for each virtual CPU
 * @node:     among those that are told of CPUs that come and go
 * @events:   whose they are
 * @vcpus:    by number
 */
struct guest_fifo {
	unsigned int nr_pages;
	event_word_t *pages[GUEST_FIFO_PAGES];
	unsigned int broken;

	struct mutex lock;	/* for telling the hypervisor of more memory */
	unsigned int max;
	void *control;
	struct hlist_node node;
	struct guest_events *events;
	struct guest_fifo_vcpu vcpus[];
};

/* guest-fifo.c */
void guest_fifo_mask(struct guest_events *e, evtchn_port_t port);
bool guest_fifo_unmask(struct guest_events *e, evtchn_port_t port);
void guest_fifo_clear_pending(struct guest_events *e, evtchn_port_t port);
void guest_fifo_set_pending(struct guest_events *e, evtchn_port_t port);
bool guest_fifo_scan(struct guest_vcpu *v, unsigned int budget);

/*
 * guest_fifo_drain() - a virtual CPU whose CPU is offline: its queues are emptied, and what was on
 * them is raised again, on the virtual CPUs that the ports have moved to.
 */
void guest_fifo_drain(struct guest_vcpu *v);

#endif /* XPV_GUEST_FIFO_H */
