// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels on behalf of a device.
 *
 * A bound event is on its device's account. Its interrupt is requested last and freed first, so that the handlers find
 * the struct xpv_event complete: the first event may come before xpv_event_bind() has returned.
 */
#include <linux/slab.h>
#include <xpv/event.h>
#include "device.h"
#include "domain.h"

static void account_add(struct xpv_event *ev)
{
	struct xpv_account *acc = xpv_device_account(ev->dev);

	spin_lock(&acc->lock);
	list_add_tail(&ev->list, &acc->events);
	acc->nr_events++;
	spin_unlock(&acc->lock);
}

static void account_del(struct xpv_event *ev)
{
	struct xpv_account *acc = xpv_device_account(ev->dev);

	spin_lock(&acc->lock);
	list_del(&ev->list);
	acc->nr_events--;
	spin_unlock(&acc->lock);
}

/* Make an interrupt of ev->port. */
static int event_request(struct xpv_event *ev, const char *what, irq_handler_t handler, irq_handler_t thread)
{
	const struct xpv_hv_ops *ops = ev->dev->domain->ops;
	struct xpv_event_binding b = { .port = ev->port };
	int err;

	ev->name = kasprintf(GFP_KERNEL, "%s %s", dev_name(&ev->dev->dev), what);
	if (!ev->name)
		return -ENOMEM;

	err = ops->event_irq(ev->dev->domain, &b);
	if (err)
		goto err_name;

	/* From delivery to xpv_event_eoi() the port is masked, so a threaded handler needs no IRQF_ONESHOT. */
	ev->irq = b.irq;
	err = request_threaded_irq(b.irq, handler, thread, 0, ev->name, ev->arg);
	if (err)
		goto err_irq;
	return 0;

err_irq:
	ops->event_irq_free(ev->dev->domain, &b);
err_name:
	kfree(ev->name);
	return err;
}

static int event_open(struct xpv_device *dev, struct xpv_event *ev, const char *what,
		      irq_handler_t handler, irq_handler_t thread, void *arg)
{
	int err;

	ev->arg = arg;
	ev->irq = 0;
	WRITE_ONCE(ev->dev, dev);
	err = event_request(ev, what, handler, thread);
	if (err) {
		WRITE_ONCE(ev->dev, NULL);
		dev->domain->ops->event_close(dev->domain, ev->port);
		return err;
	}

	account_add(ev);
	return 0;
}

int xpv_event_alloc(struct xpv_device *dev, struct xpv_event *ev, const char *what,
		    irq_handler_t handler, irq_handler_t thread, void *arg)
{
	int err;

	err = dev->domain->ops->event_alloc(dev->domain, dev->otherend_id, &ev->port);
	if (err)
		return err;
	return event_open(dev, ev, what, handler, thread, arg);
}
EXPORT_SYMBOL_GPL(xpv_event_alloc);

int xpv_event_bind(struct xpv_device *dev, struct xpv_event *ev, evtchn_port_t rport, const char *what,
		   irq_handler_t handler, irq_handler_t thread, void *arg)
{
	int err;

	err = dev->domain->ops->event_bind(dev->domain, dev->otherend_id, rport, &ev->port);
	if (err)
		return err;
	return event_open(dev, ev, what, handler, thread, arg);
}
EXPORT_SYMBOL_GPL(xpv_event_bind);

void xpv_event_unbind(struct xpv_event *ev)
{
	struct xpv_event_binding b = { .port = ev->port, .irq = ev->irq };
	struct xpv_domain *dom;

	if (!ev->dev)
		return;

	dom = ev->dev->domain;
	account_del(ev);
	free_irq(ev->irq, ev->arg);
	WRITE_ONCE(ev->dev, NULL);
	dom->ops->event_irq_free(dom, &b);
	dom->ops->event_close(dom, b.port);
	kfree(ev->name);
	ev->name = NULL;
}
EXPORT_SYMBOL_GPL(xpv_event_unbind);

void xpv_event_notify(const struct xpv_event *ev)
{
	struct xpv_device *dev = READ_ONCE(ev->dev);

	if (dev)
		dev->domain->ops->event_notify(dev->domain, ev->port);
}
EXPORT_SYMBOL_GPL(xpv_event_notify);

void xpv_event_eoi(const struct xpv_event *ev, bool spurious)
{
	struct xpv_device *dev = READ_ONCE(ev->dev);

	if (dev)
		dev->domain->ops->event_eoi(dev->domain, ev->port, spurious);
}
EXPORT_SYMBOL_GPL(xpv_event_eoi);

void xpv_event_yield(const struct xpv_event *ev)
{
	struct xpv_device *dev = READ_ONCE(ev->dev);

	if (dev && dev->domain->ops->yield)
		dev->domain->ops->yield(dev->domain);
}
EXPORT_SYMBOL_GPL(xpv_event_yield);

int xpv_event_set_priority(const struct xpv_event *ev, unsigned int priority)
{
	struct xpv_device *dev = READ_ONCE(ev->dev);
	const struct xpv_hv_ops *ops;

	if (!dev || priority > XPV_PRIORITY_LAST)
		return -EINVAL;
	ops = dev->domain->ops;
	return ops->event_priority ? ops->event_priority(dev->domain, ev->port, priority) : -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(xpv_event_set_priority);

bool xpv_event_ipis_cost(const struct xpv_device *dev)
{
	return dev->domain->ipis_cost;
}
EXPORT_SYMBOL_GPL(xpv_event_ipis_cost);
