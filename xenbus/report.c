// SPDX-License-Identifier: GPL-2.0
/*
 * What a device says of itself: what it waits for, its errors, and the error nodes in the store.
 *
 * The error node of a device is error/<nodename>/error in its domain's home, "<errno> <text>". It
 * is removed, with the empty directories above it, when the device connects or goes.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <xpv/trace.h>
#include "bus.h"
#include "domain.h"
#include "state.h"

void xpv_device_set_peer(struct xpv_device_core *core, enum xenbus_state peer)
{
	spin_lock_irq(&core->text_lock);
	if (core->peer != peer)
		core->since = ktime_get();
	core->peer = peer;
	spin_unlock_irq(&core->text_lock);
}

void xpv_device_set_own(struct xpv_device_core *core, enum xenbus_state own)
{
	spin_lock_irq(&core->text_lock);
	if (core->dev.state != own)
		core->since = ktime_get();
	WRITE_ONCE(core->dev.state, own);
	spin_unlock_irq(&core->text_lock);
}

void xpv_device_waits(struct xpv_device *dev, const char *fmt, ...)
{
	struct xpv_device_core *core = dev->core;
	unsigned long flags;
	va_list args;

	va_start(args, fmt);
	spin_lock_irqsave(&core->text_lock, flags);
	vsnprintf(core->waits, sizeof(core->waits), fmt, args);
	spin_unlock_irqrestore(&core->text_lock, flags);
	va_end(args);
}
EXPORT_SYMBOL_GPL(xpv_device_waits);

/* --- Error nodes ------------------------------------------------------------------------------ */

static char *error_path(const char *nodename)
{
	return kasprintf(GFP_KERNEL, "error/%s/error", nodename);
}

/** xpv_error_write() - set the error node of a directory. Failing is of no interest: there is nobody to tell. */
void xpv_error_write(struct xpv_store *st, const char *nodename, const char *text)
{
	char *path = error_path(nodename);

	if (path)
		xpv_st_write(st, 0, path, text);
	kfree(path);
}

/*
 * The node's directory, then what is above and has become empty, up to "error" itself. A tool may have removed some of
 * it when the device went, which is seen before this is done: then the rest.
 */
static int remove_body(struct xpv_store *st, u32 tx, void *arg)
{
	char *path = kasprintf(GFP_KERNEL, "error/%s", (char *)arg);
	struct xpv_st_dir dir = {};
	int err = path ? 0 : -ENOMEM;

	while (!err && !dir.len && strchr(path, '/')) {
		err = xpv_st_rm(st, tx, path);
		*strrchr(path, '/') = 0;
		if (!err || err == -ENOENT)
			err = xpv_st_directory(st, tx, path, &dir);
		kvfree(dir.buf);
		if (err == -ENOENT)
			err = 0;
	}
	kfree(path);
	return err;
}

/** xpv_error_remove() - mirror; directories above that are empty then go as well */
void xpv_error_remove(struct xpv_store *st, const char *nodename)
{
	unsigned int tries = XPV_NOMEM_TRIES;

	while (!xpv_st_is_dead(st) && xpv_st_transact(st, remove_body, (void *)nodename) == -ENOMEM && --tries)
		msleep(XPV_NOMEM_MS);
}

/* --- Errors ----------------------------------------------------------------------------------- */

static void tell(struct xpv_device_core *core, const char *text)
{
	if (xpv_device_vanished(&core->dev))
		return;
	set_bit(XPV_CORE_TOLD, &core->flags);
	xpv_error_write(core->dev.domain->store, core->dev.nodename, text);
}

static __printf(3, 0) void report(struct xpv_device_core *core, int err, const char *fmt, va_list args)
{
	char text[sizeof(core->error)];
	int n = scnprintf(text, sizeof(text), "%d ", -err);

	vsnprintf(text + n, sizeof(text) - n, fmt, args);
	spin_lock_irq(&core->text_lock);
	strscpy(core->error, text, sizeof(core->error));
	spin_unlock_irq(&core->text_lock);
	if (__ratelimit(&core->limit))
		dev_err(&core->dev.dev, "error %s\n", text);
	tell(core, text);
}

void xpv_device_error(struct xpv_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(dev->core, err, fmt, args);
	va_end(args);
}
EXPORT_SYMBOL_GPL(xpv_device_error);

void xpv_device_fatal(struct xpv_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(dev->core, err, fmt, args);
	va_end(args);
	set_bit(XPV_CORE_FATAL, &dev->core->flags);
	xpv_device_kick(dev);
}
EXPORT_SYMBOL_GPL(xpv_device_fatal);

/* Only the first violation is kept until the work has written it down: the rest follows from it. */
int xpv_device_bad(struct xpv_device *dev, const char *fmt, ...)
{
	struct xpv_device_core *core = dev->core;
	char text[sizeof(core->bad)];
	unsigned long flags;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	atomic_inc(&core->acc->bad);
	trace_xpv_peer_bad(dev, text);
	spin_lock_irqsave(&core->text_lock, flags);
	if (!test_bit(XPV_CORE_BAD, &core->flags))
		strscpy(core->bad, text, sizeof(core->bad));
	set_bit(XPV_CORE_BAD, &core->flags);
	spin_unlock_irqrestore(&core->text_lock, flags);
	if (__ratelimit(&core->limit))
		dev_err(&dev->dev, "peer %u broke the protocol: %s\n", dev->otherend_id, text);
	xpv_device_kick(dev);
	return -EPROTO;
}
EXPORT_SYMBOL_GPL(xpv_device_bad);

/** xpv_device_report_bad() - the rest of xpv_device_bad(), from the work */
void xpv_device_report_bad(struct xpv_device_core *core)
{
	char text[sizeof(core->error)];

	spin_lock_irq(&core->text_lock);
	snprintf(core->error, sizeof(core->error), "%d peer broke the protocol: %s", EPROTO, core->bad);
	strscpy(text, core->error, sizeof(text));
	spin_unlock_irq(&core->text_lock);
	tell(core, text);
	set_bit(XPV_CORE_FATAL, &core->flags);
}

/** xpv_device_clear_error() - all is well */
void xpv_device_clear_error(struct xpv_device_core *core)
{
	spin_lock_irq(&core->text_lock);
	core->error[0] = 0;
	spin_unlock_irq(&core->text_lock);
	if (test_and_clear_bit(XPV_CORE_TOLD, &core->flags))
		xpv_error_remove(core->dev.domain->store, core->dev.nodename);
}

/** xpv_device_report_leaks() - the driver is gone: it should hold nothing any more */
void xpv_device_report_leaks(struct xpv_device_core *core)
{
	struct xpv_account *acc = core->acc;
	int grants = atomic_read(&acc->grants) - atomic_read(&acc->deferred);

	if (grants || atomic_read(&acc->mapped) || READ_ONCE(acc->nr_events))
		dev_err(&core->dev.dev, "the driver has left %d grants, %d mappings and %u event channels behind\n",
			grants, atomic_read(&acc->mapped), READ_ONCE(acc->nr_events));
}
