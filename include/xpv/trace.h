/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the suite, group "xpv". They are defined in xenbus/trace.c and exported to the drivers.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xpv

#if !defined(XPV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XPV_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>
#include <xpv/xenbus.h>

/* A request or response was put on a ring: slots up to @prod are the peer's now. */
TRACE_EVENT(xpv_ring_put,
	TP_PROTO(const struct xpv_device *dev, unsigned int queue, u32 prod, bool notify),
	TP_ARGS(dev, queue, prod, notify),
	TP_STRUCT__entry(
		__string(name, dev_name(&dev->dev))
		__field(unsigned int, queue)
		__field(u32, prod)
		__field(bool, notify)
	),
	TP_fast_assign(
		xpv_assign_str(name, dev_name(&dev->dev));
		__entry->queue = queue;
		__entry->prod = prod;
		__entry->notify = notify;
	),
	TP_printk("%s queue %u prod %u%s", __get_str(name), __entry->queue, __entry->prod,
		  __entry->notify ? " notify" : "")
);

/* A request is complete: frontend: its response was taken; backend: the work behind it is done. */
TRACE_EVENT(xpv_complete,
	TP_PROTO(const struct xpv_device *dev, unsigned int queue, u64 id, unsigned int op, int status),
	TP_ARGS(dev, queue, id, op, status),
	TP_STRUCT__entry(
		__string(name, dev_name(&dev->dev))
		__field(unsigned int, queue)
		__field(u64, id)
		__field(unsigned int, op)
		__field(int, status)
	),
	TP_fast_assign(
		xpv_assign_str(name, dev_name(&dev->dev));
		__entry->queue = queue;
		__entry->id = id;
		__entry->op = op;
		__entry->status = status;
	),
	TP_printk("%s queue %u id %llu op %u status %d", __get_str(name), __entry->queue, __entry->id,
		  __entry->op, __entry->status)
);

/* The state machine acted. */
TRACE_EVENT(xpv_state,
	TP_PROTO(const struct xpv_device *dev, int own, int peer, int next),
	TP_ARGS(dev, own, peer, next),
	TP_STRUCT__entry(
		__string(name, dev_name(&dev->dev))
		__field(int, own)
		__field(int, peer)
		__field(int, next)
	),
	TP_fast_assign(
		xpv_assign_str(name, dev_name(&dev->dev));
		__entry->own = own;
		__entry->peer = peer;
		__entry->next = next;
	),
	TP_printk("%s own %d peer %d next %d", __get_str(name), __entry->own, __entry->peer, __entry->next)
);

/* The peer broke the protocol. */
TRACE_EVENT(xpv_peer_bad,
	TP_PROTO(const struct xpv_device *dev, const char *text),
	TP_ARGS(dev, text),
	TP_STRUCT__entry(
		__string(name, dev_name(&dev->dev))
		__string(text, text)
	),
	TP_fast_assign(
		xpv_assign_str(name, dev_name(&dev->dev));
		xpv_assign_str(text, text);
	),
	TP_printk("%s: %s", __get_str(name), __get_str(text))
);

#endif /* XPV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH xpv
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
