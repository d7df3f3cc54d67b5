// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of both sides, as one table.
 *
 * A row says: in one of these own states, when the peer is in one of those, and these flags are set
 * and those clear, do this. The first row that fits counts; a pair without a row is illegal and
 * refused. The peer's state is the one that was read just now: it may have skipped or repeated
 * states, so each row has to make sense without the ones before.
 *
 *      frontend                            backend
 *      Initialising  --- waits for --->    InitWait        publish(): features
 *      publish(): rings
 *      Initialised   <-- waits for ----                    connect(): maps the rings
 *                    --- waits for --->    Connected
 *      connect()
 *      Connected                           changed() on either side
 *
 * To be closed, the backend announces Closing (because the toolstack set `online` to 0), the
 * frontend announces Closing and Closed when it has let go, and the backend disconnects and
 * announces Closed. A frontend may begin as well. After Closed the frontend starts over by
 * Initialising, upon which a backend that is still online goes back to InitWait.
 *
 * A backend that is Closed without having asked has lost its driver: the frontend closes too and
 * starts over at once, so that it is there, Initialising, when the driver comes back.
 *
 * A frontend that has to start over while the backend looks connected (newly bound after a crash or
 * a kexec, or the backend was replaced) always passes Closed and waits there until the backend is
 * no longer connected. A backend must never believe in a ring that was given up behind its back.
 */
#include <linux/kernel.h>
#include "state.h"

#define S(x)	(1U << XenbusState##x)
#define RECONF	(S(Reconfiguring) | S(Reconfigured))
#define ANY	((S(Reconfigured) << 1) - 1)

struct row {
	u16 own;
	u16 peer;
	u8 set;
	u8 clear;
	u8 act;
	u8 next;
	const char *waits;
};

#define ROW(own, peer, set, clear, act, next, waits) \
	{ own, peer, set, clear, XPV_ACT_##act, XenbusState##next, waits }

static const struct row frontend[] = {
	/* Newly bound. The peer may be connected to a predecessor of ours. */
	ROW(S(Unknown), S(Initialised) | S(Connected) | S(Closing) | RECONF, 0, 0, ANNOUNCE, Closing, NULL),
	ROW(S(Unknown), ANY, 0, 0, ANNOUNCE, Initialising, NULL),

	ROW(S(Initialising), S(InitWait) | S(Initialised), 0, 0, PUBLISH, Unknown, NULL),
	ROW(S(Initialising), S(Connected) | RECONF, 0, 0, RESTART, Closing, NULL),
	ROW(S(Initialising), S(Closing), 0, 0, CLOSE, Closing, NULL),
	ROW(S(Initialising), ANY, 0, 0, WAIT, Unknown, "the backend to announce InitWait"),

	ROW(S(Initialised), S(Connected) | RECONF, 0, 0, CONNECT, Connected, NULL),
	ROW(S(Initialised), S(Closing), 0, 0, CLOSE, Closing, NULL),
	ROW(S(Initialised), S(Closed), 0, 0, RESTART, Closing, NULL),
	ROW(S(Initialised), ANY, 0, 0, WAIT, Unknown, "the backend to announce Connected"),

	/* Drivers that publish with Connected are not live yet then. */
	ROW(S(Connected), S(Connected) | RECONF, 0, XPV_SF_LIVE, CONNECT, Connected, NULL),
	ROW(S(Connected), S(Closing), 0, XPV_SF_LIVE, CLOSE, Closing, NULL),
	ROW(S(Connected), S(Closed), 0, XPV_SF_LIVE, RESTART, Closing, NULL),
	ROW(S(Connected), ANY, 0, XPV_SF_LIVE, WAIT, Unknown, "the backend to announce Connected"),
	ROW(S(Connected), S(Connected) | RECONF, XPV_SF_LIVE, 0, CHANGED, Unknown, NULL),
	ROW(S(Connected), S(Initialised), XPV_SF_LIVE, 0, WAIT, Unknown, "the backend to announce Connected"),
	ROW(S(Connected), S(Closing), XPV_SF_LIVE, 0, ASK_CLOSE, Closing, NULL),
	/* Closed as well: without having asked, that is a backend whose driver went. */
	ROW(S(Connected), ANY, XPV_SF_LIVE, 0, RESTART, Closing, NULL),

	ROW(S(Closing), ANY, 0, 0, ANNOUNCE, Closed, NULL),

	ROW(S(Closed), S(InitWait) | S(Initialised), XPV_SF_FATAL, 0, WAIT, Unknown, "the backend to start over"),
	ROW(S(Closed), S(Initialising) | S(InitWait), 0, 0, ANNOUNCE, Initialising, NULL),
	ROW(S(Closed), S(Unknown) | S(Closed), XPV_SF_FRESH, 0, ANNOUNCE, Initialising, NULL),
	ROW(S(Closed), S(Unknown) | S(Closed), 0, 0, WAIT, Unknown, "the backend to start over"),
	ROW(S(Closed), ANY, 0, 0, WAIT, Unknown, "the backend to announce Closed"),
};

static const struct row backend[] = {
	/* No frontend ever announces this one. */
	ROW(ANY, S(InitWait), XPV_SF_ONLINE, 0, REFUSE, Unknown, "the frontend to announce a legal state"),

	ROW(S(Unknown), ANY, 0, XPV_SF_ONLINE, ANNOUNCE, Closed, NULL),
	ROW(S(Unknown), ANY, 0, 0, PUBLISH, Unknown, NULL),

	ROW(S(InitWait), ANY, 0, XPV_SF_ONLINE, CLOSE, Closed, NULL),
	ROW(S(InitWait), S(Initialised) | S(Connected), 0, 0, CONNECT, Connected, NULL),
	ROW(S(InitWait), S(Closing), 0, 0, ANNOUNCE, Closing, NULL),
	/* Closed as well: it is about to see our InitWait, and nothing of it is mapped. */
	ROW(S(InitWait), ANY, 0, 0, WAIT, Unknown, "the frontend to publish its rings"),

	ROW(S(Connected), S(Unknown) | S(Closed), 0, 0, CLOSE, Closed, NULL),
	ROW(S(Connected), S(Initialising), 0, XPV_SF_ONLINE, CLOSE, Closed, NULL),
	ROW(S(Connected), S(Initialising), 0, 0, REPUBLISH, Unknown, NULL),
	/* The rings are served until the frontend is Closed. */
	ROW(S(Connected), S(Closing), 0, 0, ANNOUNCE, Closing, NULL),
	ROW(S(Connected), ANY, 0, XPV_SF_ONLINE, ANNOUNCE, Closing, NULL),
	ROW(S(Connected), S(Initialised), 0, 0, WAIT, Unknown, "the frontend to announce Connected"),
	ROW(S(Connected), S(Connected) | RECONF, 0, 0, CHANGED, Unknown, NULL),

	ROW(S(Closing), S(Unknown) | S(Initialising) | S(Closed), 0, 0, CLOSE, Closed, NULL),
	ROW(S(Closing), S(Closing), 0, 0, WAIT, Unknown, "the frontend to announce Closed"),
	ROW(S(Closing), ANY, XPV_SF_LIVE, 0, WAIT, Unknown, "the frontend to let go of the device"),
	/* It has to see this state, lest it take us for one to start over with. */
	ROW(S(Closing), ANY, XPV_SF_FATAL, 0, WAIT, Unknown, "the frontend to let go of the device"),
	ROW(S(Closing), ANY, 0, 0, ANNOUNCE, Closed, NULL),

	ROW(S(Closed), ANY, 0, XPV_SF_ONLINE, WAIT, Unknown, "the toolstack to remove the device"),
	ROW(S(Closed), S(Initialising), XPV_SF_FATAL, 0, WAIT, Unknown, "the frontend to start over"),
	ROW(S(Closed), S(Initialising), 0, 0, PUBLISH, Unknown, NULL),
	ROW(S(Closed), S(Unknown) | S(Closed), 0, 0, WAIT, Unknown, "the frontend to start over"),
	ROW(S(Closed), ANY, 0, 0, WAIT, Unknown, "the frontend to announce Closed"),
};

static bool fits(const struct row *row, unsigned int flags, unsigned int own, unsigned int peer)
{
	return (row->own & own) && (row->peer & peer) && (flags & row->set) == row->set && !(flags & row->clear);
}

/*
 * xpv_state_next() - the decision about a pair of states
 * @flags: XPV_SF_*
 * @own:   the state this side announced last; XenbusStateUnknown before the first time
 * @peer:  the peer's state as just read; XenbusStateUnknown if it has none
 */
struct xpv_step xpv_state_next(unsigned int flags, enum xenbus_state own, enum xenbus_state peer)
{
	bool back = flags & XPV_SF_BACKEND;
	const struct row *row = back ? backend : frontend;
	const struct row *end = row + (back ? ARRAY_SIZE(backend) : ARRAY_SIZE(frontend));

	if ((unsigned int)own <= XenbusStateReconfigured && (unsigned int)peer <= XenbusStateReconfigured)
		for (; row < end; row++)
			if (fits(row, flags, 1U << own, 1U << peer))
				return (struct xpv_step) { row->act, row->next, row->waits };
	return (struct xpv_step) { XPV_ACT_REFUSE, XenbusStateUnknown, "the peer to announce a legal state" };
}

/*
 * xpv_state_forgives() - whether the peer is past the attempt that failed
 *
 * After a fatal error the very state that invites to connect would do so again and again. Any other
 * state of the peer means that it has noticed; its next invitation is a new attempt.
 */
bool xpv_state_forgives(bool back, enum xenbus_state peer)
{
	if (back)
		return peer == XenbusStateClosing || peer == XenbusStateClosed || peer == XenbusStateUnknown;
	return peer != XenbusStateInitWait && peer != XenbusStateInitialised;
}

const char *xpv_state_name(enum xenbus_state state)
{
	static const char * const names[] = {
		[XenbusStateUnknown] = "Unknown",
		[XenbusStateInitialising] = "Initialising",
		[XenbusStateInitWait] = "InitWait",
		[XenbusStateInitialised] = "Initialised",
		[XenbusStateConnected] = "Connected",
		[XenbusStateClosing] = "Closing",
		[XenbusStateClosed] = "Closed",
		[XenbusStateReconfiguring] = "Reconfiguring",
		[XenbusStateReconfigured] = "Reconfigured",
	};

	return (unsigned int)state < ARRAY_SIZE(names) ? names[state] : "invalid";
}
