// SPDX-License-Identifier: GPL-2.0
/*
 * What the toolstack asks of a domain: control/shutdown.
 *
 * The toolstack writes a word there; the domain takes it by writing the empty string in the same
 * transaction in which it has read it, and obeys. What can be obeyed is advertised in
 * control/feature-<word>. A word that cannot is left where it is: the toolstack gives up by itself.
 *
 * One work does it all: it is queued by the watch, and does not queue itself but when the store has
 * failed. A suspend takes place in it. After that the watch is set again, as all are, and the new
 * home is told as well what can be obeyed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include "bus.h"
#include "domain.h"

#define RETRY	msecs_to_jiffies(1000)

/**
 * struct xpv_control - a domain's ear
 * @dom:   domain
 * @watch: on control/shutdown
 * @work:  looks there
 * @told:  the features are advertised
 * @stop:  the work does not queue itself any more
 */
struct xpv_control {
	struct xpv_domain *dom;
	struct xpv_watch watch;
	struct delayed_work work;
	bool told;
	bool stop;
};

struct request {
	unsigned int mask;
	int what;
};

static const char *const words[] = {
	[XPV_SHUTDOWN_POWEROFF] = "poweroff",
	[XPV_SHUTDOWN_REBOOT] = "reboot",
	[XPV_SHUTDOWN_HALT] = "halt",
	[XPV_SHUTDOWN_SUSPEND] = "suspend",
};

#define NODE "control/shutdown"

static void event(struct xpv_watch *w, const char *path)
{
	struct xpv_control *c = container_of(w, struct xpv_control, watch);

	mod_delayed_work(system_unbound_wq, &c->work, 0);
}

static int take_body(struct xpv_store *st, u32 tx, void *arg)
{
	char *word = xpv_st_read(st, tx, NODE, NULL);
	struct request *r = arg;

	r->what = -1;
	if (IS_ERR(word))
		return PTR_ERR(word) == -ENOENT ? 0 : PTR_ERR(word);
	r->what = match_string(words, ARRAY_SIZE(words), word);
	kfree(word);
	if (r->what >= 0 && !(r->mask & BIT(r->what)))
		r->what = -1;
	return r->what < 0 ? 0 : xpv_st_write(st, tx, NODE, "");
}

/* The ABI has no node for halt. */
static int advertise(struct xpv_domain *dom)
{
	char path[32];
	int err = 0;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(words) && !err; n++) {
		if (!(dom->shutdowns & BIT(n)) || n == XPV_SHUTDOWN_HALT)
			continue;
		snprintf(path, sizeof(path), "control/feature-%s", words[n]);
		err = xpv_st_write(dom->store, 0, path, "1");
	}
	return err;
}

static int start(struct xpv_control *c)
{
	struct xpv_domain *dom = c->dom;
	int err = 0;

	if (!xpv_watch_active(&c->watch))
		err = xpv_watch_register(dom->store, &c->watch, NODE, event);
	if (err || xchg(&c->told, true))
		return err;
	err = advertise(dom);
	/* A toolstack that does not let it is none that would ask. */
	if (!err || err == -EACCES || err == -EPERM)
		return 0;
	WRITE_ONCE(c->told, false);
	return err;
}

static void look(struct work_struct *work)
{
	struct xpv_control *c = container_of(to_delayed_work(work), struct xpv_control, work);
	struct xpv_domain *dom = c->dom;
	struct request r = { .mask = dom->shutdowns };
	int err;

	err = start(c);
	if (!err)
		err = xpv_st_transact(dom->store, take_body, &r);
	if (!err && r.what >= 0) {
		pr_info("domain %u: the toolstack asks for %s\n", xpv_domain_id(dom), words[r.what]);
		dom->shutdown(dom, r.what);
	}
	if (err && err != -EACCES && !READ_ONCE(c->stop) && !xpv_st_is_dead(dom->store))
		queue_delayed_work(system_unbound_wq, &c->work, RETRY);
}

void xpv_control_resume(struct xpv_domain *dom)
{
	struct xpv_control *c = dom->control;

	if (!c)
		return;
	WRITE_ONCE(c->told, false);
	mod_delayed_work(system_unbound_wq, &c->work, 0);
}

int xpv_control_init(struct xpv_domain *dom)
{
	struct xpv_control *c;

	if (!dom->shutdowns)
		return 0;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->dom = dom;
	INIT_DELAYED_WORK(&c->work, look);
	dom->control = c;
	queue_delayed_work(system_unbound_wq, &c->work, 0);
	return 0;
}

void xpv_control_exit(struct xpv_domain *dom)
{
	struct xpv_control *c = dom->control;

	if (!c)
		return;
	WRITE_ONCE(c->stop, true);
	cancel_delayed_work_sync(&c->work);
	xpv_watch_unregister(&c->watch);	/* it queues the work no more */
	cancel_delayed_work_sync(&c->work);
	dom->control = NULL;
	kfree(c);
}
