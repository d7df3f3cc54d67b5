// SPDX-License-Identifier: GPL-2.0
/*
 * One step of a device's state machine: read the peer's state, ask the table, do what it says.
 *
 * States are announced in a transaction that has looked whether the directory is still this
 * device's and has a `state`, so one that was removed stays removed. A backend's Connected has one
 * more condition. Between its look at the frontend's state and the announcement the frontend may
 * have closed, given the rings up and published new ones, and look just the same; the backend would
 * then go live on dead rings. Each of those changes makes an event, and the store delivers events
 * before later replies; so if none has come and the state, read in the same transaction, is
 * unchanged, then the rings are those that connect() mapped.
 */
#include <linux/slab.h>
#include <xpv/trace.h>
#include "bus.h"
#include "domain.h"
#include "state.h"

/* Of the transaction that announces. */
struct announcement {
	struct xpv_device_core *core;
	enum xenbus_state next;
	int events;		/* of the peer's state when it was read, or -1 */
};

/* --- Is it still ours? ------------------------------------------------------------------------ */

static void suspect(struct xpv_device_core *core)
{
	set_bit(XPV_CORE_CHECK, &core->flags);
	xpv_device_kick(&core->dev);
}

/** xpv_device_check_owner() - as part of a transaction: -ENODEV if the directory is not this device's any more */
int xpv_device_check_owner(struct xpv_device *dev, struct xpv_store_tx *tx)
{
	char *otherend = xpv_store_read(dev, tx, XPV_OWN, dev->side == XPV_BACKEND ? "frontend" : "backend");
	int err = 0;

	if (IS_ERR(otherend)) {
		err = PTR_ERR(otherend);
		otherend = NULL;
	} else if (strcmp(otherend, dev->otherend)) {
		err = -ENOENT;
	}
	kfree(otherend);
	if (err != -ENOENT)
		return err;
	suspect(dev->core);
	return -ENODEV;
}

/* A toolstack that makes a directory anew writes Initialising there; nobody else takes a device back to that. */
static bool is_successors(const struct xpv_device *dev, u64 stored)
{
	return stored == XenbusStateInitialising && dev->state != XenbusStateUnknown &&
	       dev->state != XenbusStateInitialising;
}

/* The other end of a domain that was suspended. Consumes @otherend. */
static void adopt(struct xpv_device *dev, const char *otherend, domid_t id)
{
	struct xpv_device_core *core = dev->core;
	const char *old = dev->otherend;

	lockdep_assert_held(&core->lock);
	spin_lock_irq(&core->text_lock);
	dev->otherend = otherend;
	dev->otherend_id = id;
	spin_unlock_irq(&core->text_lock);
	clear_bit(XPV_CORE_ADOPT, &core->flags);
	kfree(old);
}

static int compare(struct xpv_device *dev, const char *otherend, domid_t id)
{
	int err = strcmp(otherend, dev->otherend) || id != dev->otherend_id ? -ENODEV : 0;

	kfree(otherend);
	return err;
}

/* Return: 0 if it is still there and the same, -ENODEV if not, or an error of the store. */
static int check_identity(struct xpv_device_core *core)
{
	struct xpv_device *dev = &core->dev;
	char *otherend = NULL;
	const char *why;
	domid_t id;
	u64 state;
	int err;

	err = xpv_identity_read(dev->domain->store, dev->nodename, dev->side == XPV_BACKEND, &otherend, &id, &why);
	if (!err && test_bit(XPV_CORE_ADOPT, &core->flags))
		adopt(dev, otherend, id);
	else if (!err)
		err = compare(dev, otherend, id);
	if (!err)
		err = xpv_store_read_u64(dev, NULL, XPV_OWN, "state", XenbusStateReconfigured, &state);
	if (!err && is_successors(dev, state))
		err = -ENODEV;
	return err == -ENOENT || err == -EINVAL || err == -ERANGE || err == -EACCES ? -ENODEV : err;
}

/* --- Announcing ------------------------------------------------------------------------------- */

static int check_peer_same(struct xpv_device *dev, struct xpv_store_tx *tx, int events)
{
	u64 state;
	int err;

	err = xpv_store_read_u64(dev, tx, XPV_PEER, "state", XenbusStateReconfigured, &state);
	if (err == -ENOENT || err == -EINVAL || err == -ERANGE)
		return -ESTALE;
	if (!err && (atomic_read(&dev->core->peer_events) & INT_MAX) != events)
		return -ESTALE;
	return err;
}

static int announce_body(struct xpv_device *dev, struct xpv_store_tx *tx, void *arg)
{
	struct announcement *a = arg;
	u64 stored;
	int err;

	err = xpv_store_read_u64(dev, tx, XPV_OWN, "state", XenbusStateReconfigured, &stored);
	if (err == -ENOENT || (!err && is_successors(dev, stored))) {
		suspect(a->core);
		return -ENODEV;
	}
	if (err && err != -EINVAL && err != -ERANGE)
		return err;
	if (a->events >= 0) {
		err = check_peer_same(dev, tx, a->events);
		if (err)
			return err;
	}
	return xpv_store_printf(dev, tx, "state", "%d", a->next);
}

/*
 * xpv_device_announce() - write the device's state
 * @events: -1, or the number of the peer's events above which the announcement is void
 *
 * Return: 0; -ENODEV without a directory; -ESTALE when the peer has moved; errors of the store.
 */
int xpv_device_announce(struct xpv_device_core *core, enum xenbus_state next, int events)
{
	struct announcement a = { .core = core, .next = next, .events = events };
	int err;

	lockdep_assert_held(&core->lock);
	err = xpv_store_transact(&core->dev, announce_body, &a);
	if (err)
		return err;
	trace_xpv_state(&core->dev, core->dev.state, core->peer, next);
	xpv_device_set_own(core, next);
	if (next == XenbusStateConnected)
		xpv_device_clear_error(core);
	return 0;
}

static enum xpv_work store_failed(struct xpv_device_core *core, int err)
{
	xpv_device_waits(&core->dev, "the store, which fails with error %d", err);
	return err == -ESHUTDOWN ? XPV_WORK_IDLE : XPV_WORK_LATER;
}

static enum xpv_work announced(struct xpv_device_core *core, int err)
{
	if (!err)
		return XPV_WORK_AGAIN;
	/* suspect() has asked for a check. */
	return err == -ENODEV ? XPV_WORK_IDLE : store_failed(core, err);
}

/* --- Actions ---------------------------------------------------------------------------------- */

static void disconnect(struct xpv_device_core *core)
{
	core->live = false;
	if (core->drv->disconnect)
		core->drv->disconnect(&core->dev, false);
}

/* As if newly bound: what the directory says of our state does not hold any more. */
static enum xpv_work start_over(struct xpv_device_core *core)
{
	disconnect(core);
	core->fresh = true;
	xpv_device_set_own(core, XenbusStateUnknown);
	return XPV_WORK_AGAIN;
}

/*
 * xpv_device_suspend() - the domain is going to be suspended: nothing is done or kept of the peer
 *
 * May sleep: an action that is running ends first.
 */
void xpv_device_suspend(struct xpv_device_core *core)
{
	mutex_lock(&core->lock);
	set_bit(XPV_CORE_ADOPT, &core->flags);
	set_bit(XPV_CORE_SUSPENDED, &core->flags);
	if (core->drv)
		start_over(core);
	xpv_device_set_own(core, XenbusStateUnknown);
	core->fatal = false;
	clear_bit(XPV_CORE_FATAL, &core->flags);
	clear_bit(XPV_CORE_BAD, &core->flags);
	xpv_device_unwatch_peer(core);
	xpv_device_set_peer(core, XenbusStateUnknown);
	xpv_device_waits(&core->dev, "the domain, which is suspended");
	mutex_unlock(&core->lock);
}

/** xpv_device_resume() - mirror. Does not sleep. */
void xpv_device_resume(struct xpv_device_core *core)
{
	set_bit(XPV_CORE_CHECK, &core->flags);
	clear_bit(XPV_CORE_SUSPENDED, &core->flags);
	xpv_device_kick(&core->dev);
}

/* An action failed. */
static enum xpv_work failed(struct xpv_device_core *core, int err, const char *what)
{
	if (err == -EAGAIN)
		return XPV_WORK_IDLE;
	if (!test_bit(XPV_CORE_FATAL, &core->flags) && !test_bit(XPV_CORE_BAD, &core->flags))
		xpv_device_fatal(&core->dev, err, "%s failed", what);
	return XPV_WORK_AGAIN;
}

/* What an action has set up is taken down again when the peer cannot be told. */
static enum xpv_work announce_action(struct xpv_device_core *core, enum xenbus_state next, int events)
{
	int err = core->dev.state == next ? 0 : xpv_device_announce(core, next, events);

	if (!err)
		return XPV_WORK_AGAIN;
	start_over(core);
	return err == -ESTALE ? XPV_WORK_AGAIN : announced(core, err);
}

static enum xpv_work publish(struct xpv_device_core *core)
{
	int err = 0;

	xpv_device_waits(&core->dev, "the driver");
	if (core->drv->publish)
		err = core->drv->publish(&core->dev);
	if (err)
		return failed(core, err, "publishing");
	core->fresh = false;
	return announce_action(core, core->drv->published, -1);
}

static enum xpv_work connect(struct xpv_device_core *core, enum xenbus_state next, int events)
{
	int err = 0;

	xpv_device_waits(&core->dev, "the driver");
	if (core->drv->connect)
		err = core->drv->connect(&core->dev);
	if (err)
		return failed(core, err, "connecting");
	core->live = true;
	return announce_action(core, next, core->dev.side == XPV_BACKEND ? events : -1);
}

static enum xpv_work changed(struct xpv_device_core *core)
{
	xpv_device_waits(&core->dev, "nothing");
	if (core->drv->changed)
		core->drv->changed(&core->dev);
	return XPV_WORK_IDLE;
}

static enum xpv_work close(struct xpv_device_core *core, const struct xpv_step *step)
{
	int err = 0;

	if (step->act == XPV_ACT_ASK_CLOSE && core->drv->closing) {
		xpv_device_waits(&core->dev, "the device to be unused");
		err = core->drv->closing(&core->dev);
	}
	if (err)
		return XPV_WORK_IDLE;
	disconnect(core);
	core->fresh = step->act == XPV_ACT_RESTART;
	return announced(core, xpv_device_announce(core, step->next, -1));
}

static enum xpv_work refuse(struct xpv_device_core *core, enum xenbus_state peer, const char *waits)
{
	xpv_device_waits(&core->dev, "%s", waits);
	if (__ratelimit(&core->limit))
		dev_info(&core->dev.dev, "the peer is %s while this side is %s: refused\n", xpv_state_name(peer),
			 xpv_state_name(core->dev.state));
	return XPV_WORK_IDLE;
}

static enum xpv_work act(struct xpv_device_core *core, const struct xpv_step *step,
			 enum xenbus_state peer, int events)
{
	switch (step->act) {
	case XPV_ACT_REFUSE:
		return refuse(core, peer, step->waits);
	case XPV_ACT_WAIT:
		xpv_device_waits(&core->dev, "%s", step->waits);
		return XPV_WORK_IDLE;
	case XPV_ACT_ANNOUNCE:
		return announced(core, xpv_device_announce(core, step->next, -1));
	case XPV_ACT_PUBLISH:
		return publish(core);
	case XPV_ACT_REPUBLISH:
		return start_over(core);
	case XPV_ACT_CONNECT:
		return connect(core, step->next, events);
	case XPV_ACT_CHANGED:
		return changed(core);
	case XPV_ACT_ASK_CLOSE:
	case XPV_ACT_CLOSE:
	case XPV_ACT_RESTART:
		return close(core, step);
	}
	return XPV_WORK_IDLE;
}

/* --- The step --------------------------------------------------------------------------------- */

static enum xpv_work break_connection(struct xpv_device_core *core)
{
	disconnect(core);
	core->fresh = false;
	core->fatal = true;
	if (core->dev.state == XenbusStateClosing || core->dev.state == XenbusStateClosed)
		return XPV_WORK_AGAIN;
	return announced(core, xpv_device_announce(core, XenbusStateClosing, -1));
}

/*
 * Nonsense in the peer's state node counts as none. So does one that may not be read, which is also
 * what the store says of a node that is gone when its parent may not be read.
 */
static int read_peer(struct xpv_device *dev, enum xenbus_state *peer)
{
	u64 state = XenbusStateUnknown;
	int err;

	err = xpv_store_read_u64(dev, NULL, XPV_PEER, "state", XenbusStateReconfigured, &state);
	assign_bit(XPV_CORE_DENIED, &dev->core->flags, err == -EACCES);
	if (err == -EINVAL || err == -ERANGE)
		xpv_device_error(dev, err, "%s/state is not a state", dev->otherend);
	else if (err && err != -ENOENT && err != -EACCES)
		return err;
	*peer = state;
	return 0;
}

enum xenbus_state xpv_device_peer_state(struct xpv_device *dev)
{
	enum xenbus_state peer;

	return read_peer(dev, &peer) ? XenbusStateUnknown : peer;
}
EXPORT_SYMBOL_GPL(xpv_device_peer_state);

/* A backend without `online` was not made by a toolstack that would set it to 0. */
static int read_flags(struct xpv_device_core *core, unsigned int *flags)
{
	u64 online = 1;
	int err;

	*flags = (core->live ? XPV_SF_LIVE : 0) | (core->fresh ? XPV_SF_FRESH : 0) |
		 (core->fatal ? XPV_SF_FATAL : 0);
	if (core->dev.side == XPV_FRONTEND)
		return 0;
	err = xpv_store_read_u64(&core->dev, NULL, XPV_OWN, "online", U64_MAX, &online);
	if (err && err != -ENOENT && err != -EINVAL && err != -ERANGE)
		return err;
	*flags |= XPV_SF_BACKEND | (online ? XPV_SF_ONLINE : 0);
	return 0;
}

static enum xpv_work look(struct xpv_device_core *core)
{
	enum xenbus_state peer;
	unsigned int flags;
	struct xpv_step step;
	int err, events;

	err = xpv_device_watch_state(core);
	events = atomic_read(&core->peer_events) & INT_MAX;
	if (!err)
		err = read_peer(&core->dev, &peer);
	if (err)
		return store_failed(core, err);
	xpv_device_set_peer(core, peer);
	if (core->fatal && xpv_state_forgives(core->dev.side == XPV_BACKEND, peer))
		core->fatal = false;
	err = read_flags(core, &flags);
	if (err)
		return store_failed(core, err);
	step = xpv_state_next(flags, core->dev.state, peer);
	return act(core, &step, peer, events);
}

/** xpv_device_step() - do one thing. Return: whether there may be more, now or after a pause. */
enum xpv_work xpv_device_step(struct xpv_device_core *core)
{
	int err = 0;

	lockdep_assert_held(&core->lock);
	if (xpv_device_vanished(&core->dev) || test_bit(XPV_CORE_SUSPENDED, &core->flags))
		return XPV_WORK_IDLE;
	if (test_and_clear_bit(XPV_CORE_CHECK, &core->flags))
		err = check_identity(core);
	if (err == -ENODEV) {
		xpv_device_vanish(core);
		return XPV_WORK_IDLE;
	}
	if (err) {
		set_bit(XPV_CORE_CHECK, &core->flags);
		return store_failed(core, err);
	}
	if (!core->drv && test_and_clear_bit(XPV_CORE_UNSAID, &core->flags))
		return announced(core, xpv_device_announce(core, XenbusStateClosed, -1));
	if (!core->drv)
		return XPV_WORK_IDLE;
	if (test_and_clear_bit(XPV_CORE_BAD, &core->flags))
		xpv_device_report_bad(core);
	if (test_and_clear_bit(XPV_CORE_FATAL, &core->flags))
		return break_connection(core);
	return look(core);
}
