/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels on behalf of a device, as Linux interrupts with late EOI.
 *
 * A port stays masked from the delivery of its interrupt until the driver calls xpv_event_eoi(). A
 * handler that found no work says so (XPV_EOI_SPURIOUS): from the second such event in a row on,
 * unmasking is put off, for longer each time, up to a second, so that a peer that storms costs only
 * itself.
 */
#ifndef XPV_EVENT_H
#define XPV_EVENT_H

#include <linux/interrupt.h>
#include <xpv/types.h>

struct xpv_device;

/**
 * struct xpv_event - one event channel of a device
 * @dev:  device, NULL while unbound
 * @port: the local port
 * @irq:  the Linux interrupt, named in /proc/interrupts after the device and @name
 * @name: owned by the core
 * @arg:  the handlers' argument
 * @list: the core's, for the device's account
 */
struct xpv_event {
	struct xpv_device *dev;
	evtchn_port_t port;
	unsigned int irq;
	char *name;
	void *arg;
	struct list_head list;
};

/**
 * xpv_event_alloc() - a new port that the peer may bind to, with an interrupt
 * @ev:      zeroed by the caller or unbound before
 * @what:    short name of the purpose, e.g. "queue-0"
 * @handler: hard interrupt handler, called at least once per batch of events
 * @thread:  NULL, or the threaded part
 * @arg:     argument of both
 *
 * Process context. Return: 0 or a negative errno, nothing is left behind then.
 */
int xpv_event_alloc(struct xpv_device *dev, struct xpv_event *ev, const char *what,
		    irq_handler_t handler, irq_handler_t thread, void *arg);

/** xpv_event_bind() - as xpv_event_alloc(), connected to the peer's @rport. The first event may come at once. */
int xpv_event_bind(struct xpv_device *dev, struct xpv_event *ev, evtchn_port_t rport, const char *what,
		   irq_handler_t handler, irq_handler_t thread, void *arg);

/** xpv_event_unbind() - no handler runs or will run; the port is closed. No-op when unbound. May sleep. */
void xpv_event_unbind(struct xpv_event *ev);

/** xpv_event_notify() - tell the peer. Any context. */
void xpv_event_notify(const struct xpv_event *ev);

/**
 * xpv_event_yield() - the peer has been notified, and there is nothing to do here until it has answered
 *
 * Lets the hypervisor run others on this processor, the peer's domain among them, if they wait for it. When it returns
 * the peer may have answered, or not yet. No-op where there is no such thing. Context: any with interrupts on; the
 * caller holds nothing that others spin for.
 */
void xpv_event_yield(const struct xpv_event *ev);

#define XPV_EOI_WORK		false
#define XPV_EOI_SPURIOUS	true

/**
 * xpv_event_eoi() - the handler's work is done; once per interrupt, except when the device is broken. Any
 * context.
 */
void xpv_event_eoi(const struct xpv_event *ev, bool spurious);

#define XPV_PRIORITY_FIRST	0U
#define XPV_PRIORITY_DEFAULT	7U
#define XPV_PRIORITY_LAST	15U

/**
 * xpv_event_set_priority() - which of a virtual CPU's pending events are handled first
 * @ev:       bound
 * @priority: %XPV_PRIORITY_FIRST to %XPV_PRIORITY_LAST. Strict: as long as one of a lower number is
 *            pending, this one waits.
 *
 * From the next event on, until the event is unbound. Any context, not concurrently with
 * xpv_event_unbind(). A wish: without FIFO event channels all are equal, and a driver works all the
 * same.
 *
 * Return: 0, -EINVAL, or -EOPNOTSUPP where there are no priorities.
 */
int xpv_event_set_priority(const struct xpv_event *ev, unsigned int priority);

/** xpv_event_ipis_cost() - does it pay to go on with an event on the CPU where it came? Any context. */
bool xpv_event_ipis_cost(const struct xpv_device *dev);

#endif /* XPV_EVENT_H */
