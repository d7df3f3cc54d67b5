/* sources: xenbus/state.c */
// SPDX-License-Identifier: GPL-2.0
/* The state table: every combination by itself, then both sides against each other. */
#include "ktap.h"
#include "../../xenbus/state.h"

#define STATES 9

static bool announces(enum xpv_act act)
{
	return act == XPV_ACT_ANNOUNCE || act == XPV_ACT_CONNECT || act == XPV_ACT_ASK_CLOSE || act == XPV_ACT_CLOSE ||
	       act == XPV_ACT_RESTART;
}

/* Each decision is well-formed, and none is made of states that do not exist. */
static void all_combinations(void)
{
	unsigned int flags, own, peer;

	for (flags = 0; flags <= XPV_SF_ALL; flags++)
		for (own = 0; own < STATES; own++)
			for (peer = 0; peer < STATES; peer++) {
				struct xpv_step s = xpv_state_next(flags, own, peer);

				CHECK(s.act <= XPV_ACT_RESTART);
				CHECK_EQ(announces(s.act), s.next != XenbusStateUnknown);
				CHECK_EQ(!!s.waits, s.act == XPV_ACT_WAIT || s.act == XPV_ACT_REFUSE);
				/* An announcement changes something, save that a driver may publish Connected. */
				CHECK(!announces(s.act) || s.next != own || s.act == XPV_ACT_CONNECT);
			}
	CHECK_EQ(xpv_state_next(0, 9, 0).act, XPV_ACT_REFUSE);
	CHECK_EQ(xpv_state_next(0, 0, 9).act, XPV_ACT_REFUSE);
	CHECK_EQ(xpv_state_next(0, -1, 0).act, XPV_ACT_REFUSE);
}

/* What a side never announces is refused, whatever the peer does. */
static void illegal_is_refused(void)
{
	static const enum xenbus_state front_never[] = {
		XenbusStateInitWait, XenbusStateReconfiguring, XenbusStateReconfigured,
	};
	static const enum xenbus_state back_never[] = {
		XenbusStateInitialising, XenbusStateInitialised, XenbusStateReconfiguring, XenbusStateReconfigured,
	};
	unsigned int peer, i;

	for (peer = 0; peer < STATES; peer++) {
		for (i = 0; i < ARRAY_SIZE(front_never); i++)
			CHECK_EQ(xpv_state_next(0, front_never[i], peer).act, XPV_ACT_REFUSE);
		for (i = 0; i < ARRAY_SIZE(back_never); i++)
			CHECK_EQ(xpv_state_next(XPV_SF_BACKEND | XPV_SF_ONLINE, back_never[i], peer).act,
				 XPV_ACT_REFUSE);
	}
	for (i = 0; i < STATES; i++)
		CHECK_EQ(xpv_state_next(XPV_SF_BACKEND | XPV_SF_ONLINE, i, XenbusStateInitWait).act, XPV_ACT_REFUSE);
}

/* connect() only of what is not live, changed() and closing() only of what is. */
static void live_decides(void)
{
	unsigned int flags, own, peer;

	for (flags = 0; flags <= XPV_SF_ALL; flags++)
		for (own = 0; own < STATES; own++)
			for (peer = 0; peer < STATES; peer++) {
				struct xpv_step s = xpv_state_next(flags, own, peer);

				/* A backend is only live when Connected or Closing, so the table need not ask. */
				if (flags & XPV_SF_BACKEND)
					CHECK(s.act != XPV_ACT_CONNECT || own == XenbusStateInitWait);
				else if (own == XenbusStateConnected && (flags & XPV_SF_LIVE))
					CHECK(s.act != XPV_ACT_CONNECT);
				if (s.act == XPV_ACT_ASK_CLOSE)
					CHECK((flags & XPV_SF_LIVE) && peer == XenbusStateClosing);
				if (s.act == XPV_ACT_CHANGED && !(flags & XPV_SF_BACKEND))
					CHECK(flags & XPV_SF_LIVE);
			}
}

/* --- Two sides, run against each other ------------------------------------------------------------------------ */

struct side {
	unsigned int flags;
	enum xenbus_state own;
	enum xenbus_state published;
	unsigned int connects;
	bool present;
	bool broken;		/* publish() fails */
	bool unable;		/* connect() fails */
	bool busy;		/* closing() refuses */
};

static void disconnect(struct side *s)
{
	s->flags &= ~XPV_SF_LIVE;
}

static void fatal(struct side *s)
{
	disconnect(s);
	s->flags = (s->flags & ~XPV_SF_FRESH) | XPV_SF_FATAL;
	if (s->own != XenbusStateClosed)
		s->own = XenbusStateClosing;
}

static void publish(struct side *s)
{
	if (s->broken) {
		fatal(s);
		return;
	}
	s->flags &= ~XPV_SF_FRESH;
	s->own = s->published;
}

static void step(struct side *s, enum xenbus_state peer)
{
	struct xpv_step d;

	if (xpv_state_forgives(s->flags & XPV_SF_BACKEND, peer))
		s->flags &= ~XPV_SF_FATAL;
	d = xpv_state_next(s->flags, s->own, peer);
	switch (d.act) {
	case XPV_ACT_REPUBLISH:
		disconnect(s);
		s->own = XenbusStateUnknown;
		s->flags |= XPV_SF_FRESH;
		break;
	case XPV_ACT_PUBLISH:
		publish(s);
		break;
	case XPV_ACT_CONNECT:
		if (s->unable) {
			fatal(s);
			break;
		}
		s->flags |= XPV_SF_LIVE;
		s->connects++;
		s->own = d.next;
		break;
	case XPV_ACT_ASK_CLOSE:
		if (s->busy)
			break;
		fallthrough;
	case XPV_ACT_CLOSE:
	case XPV_ACT_RESTART:
		disconnect(s);
		s->flags = d.act == XPV_ACT_RESTART ? s->flags | XPV_SF_FRESH : s->flags & ~XPV_SF_FRESH;
		fallthrough;
	case XPV_ACT_ANNOUNCE:
		s->own = d.next;
		break;
	default:
		break;
	}
}

static struct side frontend(enum xenbus_state published)
{
	return (struct side) { .flags = XPV_SF_FRESH, .published = published, .present = true };
}

static struct side backend(void)
{
	return (struct side) { .flags = XPV_SF_BACKEND | XPV_SF_FRESH | XPV_SF_ONLINE, .published = XenbusStateInitWait,
			       .present = true };
}

static bool rests(const struct side *s, enum xenbus_state peer)
{
	struct side was = *s, now = *s;

	step(&now, peer);
	return now.own == was.own && now.flags == was.flags;
}

/* In any order, one side or the other a number of times at once. Return: whether it came to rest. */
static bool run(struct side *f, struct side *b, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < 500; i++) {
		if (rests(f, b->own) && rests(b, f->own))
			return true;
		seed = seed * 1103515245 + 12345;
		if ((seed >> 16) & 1)
			step(f, b->own);
		else
			step(b, f->own);
	}
	return false;
}

static bool connected(const struct side *f, const struct side *b)
{
	return f->own == XenbusStateConnected && b->own == XenbusStateConnected && (f->flags & XPV_SF_LIVE) &&
	       (b->flags & XPV_SF_LIVE);
}

static const enum xenbus_state ways[] = { XenbusStateInitialised, XenbusStateConnected };

static void they_connect(void)
{
	unsigned int seed, w;

	for (w = 0; w < 2; w++)
		for (seed = 0; seed < 200; seed++) {
			struct side f = frontend(ways[w]), b = backend();

			CHECK(run(&f, &b, seed));
			CHECK(connected(&f, &b));
			CHECK_EQ(f.connects, 1);
			CHECK_EQ(b.connects, 1);
		}
}

static void detach(void)
{
	unsigned int seed, w;

	for (w = 0; w < 2; w++)
		for (seed = 0; seed < 200; seed++) {
			struct side f = frontend(ways[w]), b = backend();

			run(&f, &b, seed);
			f.busy = true;
			b.flags &= ~XPV_SF_ONLINE;
			run(&f, &b, seed + 1);
			CHECK_EQ(f.own, XenbusStateConnected);
			CHECK_EQ(b.own, XenbusStateClosing);
			CHECK(b.flags & XPV_SF_LIVE);
			f.busy = false;
			run(&f, &b, seed + 2);
			CHECK_EQ(f.own, XenbusStateClosed);
			CHECK_EQ(b.own, XenbusStateClosed);
			CHECK(!((f.flags | b.flags) & XPV_SF_LIVE));
		}
}

/* Either driver goes and comes back, with the other noticing in between or not. */
static void rebind(void)
{
	unsigned int seed, w, who, notice;

	for (who = 0; who < 2; who++)
		for (notice = 0; notice < 2; notice++)
			for (w = 0; w < 2; w++)
				for (seed = 0; seed < 100; seed++) {
					struct side f = frontend(ways[w]), b = backend(), *s = who ? &f : &b;

					run(&f, &b, seed);
					s->own = XenbusStateClosed;
					s->flags = (s->flags & ~XPV_SF_LIVE) | XPV_SF_FRESH;
					if (notice)
						step(who ? &b : &f, XenbusStateClosed);
					if (notice && seed & 1)
						step(who ? &b : &f, XenbusStateClosed);
					s->own = XenbusStateUnknown;
					CHECK(run(&f, &b, seed + 7));
					CHECK(connected(&f, &b));
				}
}

/* A side whose publish() fails comes to rest, does not drag the other along, and recovers when started over. */
static void failure_rests(void)
{
	unsigned int seed, who;

	for (who = 0; who < 4; who++)
		for (seed = 0; seed < 200; seed++) {
			struct side f = frontend(XenbusStateInitialised), b = backend(), *s = who & 1 ? &f : &b;

			s->broken = who < 2;
			s->unable = who >= 2;
			CHECK(run(&f, &b, seed));
			CHECK_EQ(s->own, XenbusStateClosed);
			CHECK(!connected(&f, &b));
			s->broken = false;
			s->unable = false;
			s->flags = (s->flags & ~XPV_SF_FATAL) | XPV_SF_FRESH;
			s->own = XenbusStateUnknown;
			CHECK(run(&f, &b, seed + 3));
			CHECK(connected(&f, &b));
		}
}

/* A frontend that first runs a whole cycle of closing, as Windows' does, is answered. */
static void windows_cycle(void)
{
	struct side b = backend();

	step(&b, XenbusStateInitialising);
	CHECK_EQ(b.own, XenbusStateInitWait);
	step(&b, XenbusStateClosing);
	CHECK_EQ(b.own, XenbusStateClosing);
	step(&b, XenbusStateClosed);
	CHECK_EQ(b.own, XenbusStateClosed);
	step(&b, XenbusStateInitialising);
	CHECK_EQ(b.own, XenbusStateInitWait);
	step(&b, XenbusStateConnected);
	CHECK_EQ(b.own, XenbusStateConnected);
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(all_combinations), KTAP(illegal_is_refused), KTAP(live_decides), KTAP(they_connect), KTAP(detach),
		KTAP(rebind), KTAP(failure_rests), KTAP(windows_cycle), {}
	});
}
