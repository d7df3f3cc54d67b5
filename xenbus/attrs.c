// SPDX-License-Identifier: GPL-2.0
/*
 * A device's attributes in sysfs. None of them waits for the device's work.
 *
 *	devtype nodename modalias state		as the in-tree buses have them
 *	status		what it is doing and waits for, one "name: value" a line
 *	resources	what it holds
 */
#include <linux/device.h>
#include <linux/sysfs.h>
#include <xpv/event.h>
#include "bus.h"
#include "domain.h"
#include "state.h"

static ssize_t devtype_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_xpv_device(dev)->type);
}
static DEVICE_ATTR_RO(devtype);

static ssize_t nodename_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_xpv_device(dev)->nodename);
}
static DEVICE_ATTR_RO(nodename);

static ssize_t modalias_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s:%s\n", dev->bus->name, to_xpv_device(dev)->type);
}
static DEVICE_ATTR_RO(modalias);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", xpv_state_name(READ_ONCE(to_xpv_device(dev)->state)));
}
static DEVICE_ATTR_RO(state);

static ssize_t status_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xpv_device_core *core = to_xpv_device(dev)->core;
	char waits[sizeof(core->waits)], error[sizeof(core->error)];
	s64 ms;
	int at;

	spin_lock_irq(&core->text_lock);
	ms = ktime_ms_delta(ktime_get(), core->since);
	strscpy(waits, core->waits, sizeof(waits));
	strscpy(error, core->error, sizeof(error));
	at = sysfs_emit(buf, "own: %s\npeer: %s (domain %u, %s%s)\n", xpv_state_name(core->dev.state),
			xpv_state_name(core->peer), core->dev.otherend_id, core->dev.otherend,
			test_bit(XPV_CORE_DENIED, &core->flags) ? ", which may not be read" : "");
	spin_unlock_irq(&core->text_lock);
	return at + sysfs_emit_at(buf, at, "since: %lld.%03lld s\nwaits for: %s\nerror: %s\n",
				  ms / 1000, ms % 1000, waits, error[0] ? error : "none");
}
static DEVICE_ATTR_RO(status);

static int emit_events(struct xpv_device_core *core, char *buf, int at)
{
	struct xpv_domain *dom = core->dev.domain;
	struct xpv_event *ev;

	spin_lock(&core->acc->lock);
	list_for_each_entry(ev, &core->acc->events, list) {
		struct xpv_event_quality q = {};

		dom->ops->event_quality(dom, ev->port, &q);
		at += sysfs_emit_at(buf, at, "port %u: irq %u, %llu events, %llu spurious, %llu ms delayed\n",
				    ev->port, ev->irq, q.events, q.spurious, q.delayed);
	}
	spin_unlock(&core->acc->lock);
	return at;
}

static ssize_t resources_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xpv_device_core *core = to_xpv_device(dev)->core;
	const struct xpv_account *acc = core->acc;
	int at;

	at = sysfs_emit(buf, "grants: %d\ndeferred: %d\nmapped: %d\nviolations: %d\nports: %u\nwatches: %u\n",
			atomic_read(&acc->grants), atomic_read(&acc->deferred), atomic_read(&acc->mapped),
			atomic_read(&acc->bad), READ_ONCE(acc->nr_events),
			READ_ONCE(core->nr_keys) + xpv_watch_active(&core->peer_watch));
	return emit_events(core, buf, at);
}
static DEVICE_ATTR_RO(resources);

static struct attribute *device_attrs[] = {
	&dev_attr_devtype.attr,
	&dev_attr_nodename.attr,
	&dev_attr_modalias.attr,
	&dev_attr_state.attr,
	&dev_attr_status.attr,
	&dev_attr_resources.attr,
	NULL
};

static const struct attribute_group device_group = { .attrs = device_attrs };

const struct attribute_group *xpv_device_groups[] = { &device_group, NULL };
