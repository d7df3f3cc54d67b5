/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state machine's table, see state.c. Pure: also built in user space.
 */
#ifndef XPV_STATE_H
#define XPV_STATE_H

#include <linux/types.h>
#include <xen/interface/io/xenbus.h>

/**
 * enum xpv_act - what the core does about a pair of states
 * @XPV_ACT_REFUSE:    the pair is illegal: it is logged, nothing is done
 * @XPV_ACT_WAIT:      nothing to do until the peer moves
 * @XPV_ACT_ANNOUNCE:  write the next state
 * @XPV_ACT_PUBLISH:   call publish(), then announce the driver's published state
 * @XPV_ACT_REPUBLISH: the frontend started over: disconnect(), then as PUBLISH
 * @XPV_ACT_CONNECT:   call connect(), then announce the next state
 * @XPV_ACT_CHANGED:   both are connected: call changed()
 * @XPV_ACT_ASK_CLOSE: call closing(), which may refuse for now; then as CLOSE
 * @XPV_ACT_CLOSE:     disconnect(), announce the next state; the peer wanted it
 * @XPV_ACT_RESTART:   disconnect(), announce the next state, and start over from Initialising then
 */
enum xpv_act {
	XPV_ACT_REFUSE,
	XPV_ACT_WAIT,
	XPV_ACT_ANNOUNCE,
	XPV_ACT_PUBLISH,
	XPV_ACT_REPUBLISH,
	XPV_ACT_CONNECT,
	XPV_ACT_CHANGED,
	XPV_ACT_ASK_CLOSE,
	XPV_ACT_CLOSE,
	XPV_ACT_RESTART,
};

/* What else the decision depends on. */
#define XPV_SF_BACKEND	0x01	/* this side is the backend */
#define XPV_SF_LIVE	0x02	/* connect() has succeeded and disconnect() has not been called since */
#define XPV_SF_FRESH	0x04	/* this side wants a connection: newly bound or starting over */
#define XPV_SF_FATAL	0x08	/* the last attempt failed and the peer has not moved since */
#define XPV_SF_ONLINE	0x10	/* backend: the toolstack wants the device */
#define XPV_SF_ALL	0x1f

/**
 * struct xpv_step - a decision
 * @act:   what to do
 * @next:  the state to announce afterwards; XenbusStateUnknown when @act announces none or the driver's
 * @waits: what the device waits for after it, for its status; NULL: for nothing
 */
struct xpv_step {
	enum xpv_act act;
	enum xenbus_state next;
	const char *waits;
};

struct xpv_step xpv_state_next(unsigned int flags, enum xenbus_state own, enum xenbus_state peer);
bool xpv_state_forgives(bool backend, enum xenbus_state peer);
const char *xpv_state_name(enum xenbus_state state);

#endif /* XPV_STATE_H */
