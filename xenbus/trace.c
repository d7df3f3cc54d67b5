// SPDX-License-Identifier: GPL-2.0
/* The tracepoints of <xpv/trace.h>, for the drivers as well. */
#define CREATE_TRACE_POINTS
#include <xpv/trace.h>

EXPORT_TRACEPOINT_SYMBOL_GPL(xpv_ring_put);
EXPORT_TRACEPOINT_SYMBOL_GPL(xpv_complete);
EXPORT_TRACEPOINT_SYMBOL_GPL(xpv_state);
EXPORT_TRACEPOINT_SYMBOL_GPL(xpv_peer_bad);
