// SPDX-License-Identifier: GPL-2.0
/*
 * Domains: their life.
 *
 * A domain is born whole, in stub_domain_create(): pages and tables, a number, the store's
 * connection, and last xenbus, for which it has to work already. From then on drivers of this
 * kernel run in it.
 *
 * References are held by
 *  - the creation; ended by the death,
 *  - the configfs directory,
 *  - xenbus, until nothing that the domain granted is in use any more (xpv_domain_on_release()),
 *  - every handle by which somebody has one of its pages mapped (grant-map.c),
 *  - who found it by its number, for a moment.
 * With the last one the object goes, and only then may the number be used again.
 *
 * Death, in this order; each step makes something impossible that the next one relies on:
 *
 *  1. dying: what acquires fails, for the domain and for others that name it; what releases works
 *     until the end.
 *  2. All ports are closed: peers see theirs unbound, no event comes or goes. Upcalls under way
 *     have ended, so have calls into the store's half.
 *  3. The store lets go: its ring is not touched any more, watchers of @releaseDomain are told.
 *     VIRQ_DOM_EXC is raised.
 *  4. xenbus removes the domain's devices as after a crash, and fails requests to the store that
 *     are open.
 *  5. What the domain still has mapped of others is unmapped by force. Nothing should be left.
 *  6. The creation's reference is dropped. The object may stay as a zombie while others have pages
 *     of it mapped.
 *
 * rmdir does no more than step 1 and leaves the rest to a work item, so it returns at once whatever
 * the devices do.
 *
 * A dead guest, like one that lives, holds the module until its object is freed: rmmod is refused
 * then, and does not wait for a backing device that keeps a request of the guest's for ever. So
 * module exit finds Domain-0 alone. It does the same to that one, and as no guest is left that
 * could have a page of it mapped, the object goes as soon as xenbus has taken one more look at each
 * grant that it has deferred: a second or two, no more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include "hv.h"

struct stub_counters stub_counters;

static DEFINE_XARRAY_ALLOC(domains);	/* by number, the dying ones too; read under RCU */
static u32 next_id;			/* under the array's lock */
static DECLARE_WAIT_QUEUE_HEAD(all_gone);
static struct workqueue_struct *domains_wq;

static evtchn_port_t store_port(void *hv)
{
	struct stub_domain *d = hv;

	return d->store_port;
}

static const struct xpv_hypercalls hypercalls = {
	.owner = THIS_MODULE,
	.name = "hv-stub",
	.flags = XPV_HC_MAP_RETURNS_FRAME,
	.grant_table_op = stub_grant_table_op,
	.event_channel_op = stub_event_channel_op,
	.map_frame = stub_map_frame,
	.unmap_frame = stub_unmap_frame,
	.store_port = store_port,
	.vcpu_id = stub_vcpu_id,
	.set_upcall = stub_vcpu_set_upcall,
	.xen_version = stub_xen_version,
};

/* --- memory ----------------------------------------------------------------------------------- */

static void free_work(struct work_struct *work);
static void death_work(struct work_struct *work);

static void domain_free(struct stub_domain *d)
{
	stub_maptrack_exit(d);
	stub_grants_exit(d);
	stub_events_exit(d);
	stub_frames_exit(d);
	xa_destroy(&d->past);
	kfree(d->name);
	kfree(d);
}

static int domain_init(struct stub_domain *d)
{
	int err;

	err = stub_frames_init(d);
	if (err)
		return err;
	err = stub_events_init(d);
	if (err)
		goto err_frames;
	err = stub_grants_init(d);
	if (err)
		goto err_events;
	stub_maptrack_init(d);
	return 0;

err_events:
	stub_events_exit(d);
err_frames:
	stub_frames_exit(d);
	return err;
}

static struct stub_domain *domain_alloc(const char *name)
{
	struct stub_domain *d;
	int err;

	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return ERR_PTR(-ENOMEM);
	kref_init(&d->ref);
	xa_init(&d->past);
	mutex_init(&d->run_lock);
	d->asked = STUB_ASKED_NOTHING;
	INIT_WORK(&d->death, death_work);
	INIT_WORK(&d->free, free_work);

	err = -ENOMEM;
	d->name = kstrdup(name, GFP_KERNEL);
	if (!d->name)
		goto err_free;
	err = domain_init(d);
	if (err)
		goto err_name;
	return d;

err_name:
	kfree(d->name);
err_free:
	kfree(d);
	return ERR_PTR(err);
}

/* --- references ------------------------------------------------------------------------------- */

static void numbers_release(struct stub_domain *d)
{
	unsigned long id;
	void *entry;

	xa_for_each(&d->past, id, entry)
		if (id != d->id)
			xa_erase(&domains, id);
	xa_erase(&domains, d->id);
}

static void free_work(struct work_struct *work)
{
	struct stub_domain *d = container_of(work, struct stub_domain, free);
	bool guest = d->id;

	numbers_release(d);
	synchronize_rcu();	/* stub_domain_find() and stub_virq_raise() may be looking at it */
	domain_free(d);
	/* The module's exit destroys the queue: this function has returned before. No zombie counted is none held. */
	if (guest)
		module_put(THIS_MODULE);
	atomic_dec(&stub_counters.zombies);
	wake_up(&all_gone);
}

static void last_put(struct kref *ref)
{
	struct stub_domain *d = container_of(ref, struct stub_domain, ref);

	queue_work(domains_wq, &d->free);
}

void stub_domain_put(struct stub_domain *d)
{
	kref_put(&d->ref, last_put);
}

struct stub_domain *stub_domain_get(struct stub_domain *d)
{
	kref_get(&d->ref);
	return d;
}

struct stub_domain *stub_domain_find(domid_t id)
{
	struct stub_domain *d;

	rcu_read_lock();
	d = xa_load(&domains, id);
	if (d && (stub_domain_is_dying(d) || !kref_get_unless_zero(&d->ref)))
		d = NULL;
	rcu_read_unlock();
	return d;
}

struct stub_domain *stub_domain_zero(void)
{
	return xa_load(&domains, 0);
}

domid_t stub_domain_id(const struct stub_domain *d)
{
	return READ_ONCE(d->id);
}

const char *stub_domain_name(const struct stub_domain *d)
{
	return d->name;
}

struct xenstore_domain_interface *stub_domain_store_ring(const struct stub_domain *d)
{
	return d->ring;
}

/* --- death ------------------------------------------------------------------------------------ */

/*
 * Step 1. Only the one who holds the creation's reference gets here, once. A guest's caller is
 * configfs, which holds the module for as long as that takes.
 */
static void mark_dying(struct stub_domain *d)
{
	if (d->id)
		__module_get(THIS_MODULE);	/* until free_work() */
	WRITE_ONCE(d->dying, true);
	atomic_inc(&stub_counters.zombies);
	atomic_dec(&stub_counters.domains);
}

static void released(void *hv)
{
	stub_domain_put(hv);
}

/* Steps 2 to 6, of a domain of which any later part may not have been born. */
static void die(struct stub_domain *d)
{
	unsigned int left;

	stub_events_kill(d);
	if (d->conn)
		stub_store_detach(d->conn);
	stub_virq_raise(VIRQ_DOM_EXC);
	if (d->xpv) {
		xpv_domain_on_release(d->xpv, released, stub_domain_get(d));
		xpv_domain_unregister(d->xpv);
	}
	left = stub_unmap_all(d);
	if (left)
		pr_warn("domain %u (%s) left %u pages of others mapped\n", d->id, d->name, left);
	left = atomic_read(&d->grants.mapped);
	if (left)
		pr_info("domain %u (%s) is dead, but others have %u pages of it mapped: the module stays until they let go\n",
			d->id, d->name, left);
	stub_domain_put(d);
}

static void death_work(struct work_struct *work)
{
	die(container_of(work, struct stub_domain, death));
}

void stub_domain_kill(struct stub_domain *d)
{
	mark_dying(d);
	queue_work(domains_wq, &d->death);
}

/* --- birth ------------------------------------------------------------------------------------ */

/*
 * Reserve a number: numbers are given in turn, so that one that was just in use does not come back
 * at once.
 */
static int number_reserve(bool zero, domid_t *id)
{
	const struct xa_limit limit = XA_LIMIT(1, DOMID_FIRST_RESERVED - 1);
	u32 n = 0;
	int err;

	if (zero)
		err = xa_reserve(&domains, 0, GFP_KERNEL);
	else
		err = xa_alloc_cyclic(&domains, &n, NULL, limit, &next_id, GFP_KERNEL);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	*id = n;
	return 0;
}

int stub_domain_renumber(struct stub_domain *d)
{
	domid_t old = d->id, id;
	int err;

	err = xa_err(xa_store(&d->past, old, xa_mk_value(old), GFP_KERNEL));
	if (!err)
		err = number_reserve(false, &id);
	if (err)
		return err;
	xa_store(&domains, id, d, GFP_KERNEL);	/* reserved: cannot fail */
	WRITE_ONCE(d->id, id);
	xa_store(&domains, old, NULL, GFP_KERNEL);	/* stays reserved */
	return 0;
}

int stub_domain_connect(struct stub_domain *d)
{
	int err = stub_evtchn_alloc_server(d, stub_store_notify, d->conn, &d->store_port);

	return err ?: stub_store_attach(d->conn, d->store_port);
}

static int store_connect(struct stub_domain *d)
{
	struct stub_conn *conn;

	conn = stub_store_conn_alloc(d);
	if (IS_ERR(conn))
		return PTR_ERR(conn);
	d->conn = conn;
	return stub_domain_connect(d);
}

static int xenbus_connect(struct stub_domain *d)
{
	const struct xpv_domain_desc desc = {
		.ops = &xpv_guest_ops,
		.hypercalls = &hypercalls,
		.hv = d,
		.domid = d->id,
		.toolstack = d->id == 0,
		.shutdowns = d->id ? BIT(XPV_SHUTDOWN_POWEROFF) | BIT(XPV_SHUTDOWN_REBOOT) |
				     BIT(XPV_SHUTDOWN_HALT) | BIT(XPV_SHUTDOWN_SUSPEND) : 0,
		.shutdown = stub_domain_shutdown,
	};
	struct xpv_domain *xpv;

	xpv = xpv_domain_register(&desc);
	if (IS_ERR(xpv))
		return PTR_ERR(xpv);
	d->xpv = xpv;
	return 0;
}

static struct stub_domain *create(const char *name, bool zero)
{
	struct stub_domain *d;
	int err;

	d = domain_alloc(name);
	if (IS_ERR(d))
		return d;
	err = number_reserve(zero, &d->id);
	if (err) {
		domain_free(d);
		return ERR_PTR(err);
	}
	xa_store(&domains, d->id, d, GFP_KERNEL);	/* reserved: cannot fail */
	atomic_inc(&stub_counters.domains);

	err = store_connect(d);
	if (!err)
		err = xenbus_connect(d);
	if (err) {
		mark_dying(d);
		die(d);
		return ERR_PTR(err);
	}
	return d;
}

/* A name that is a word everywhere: in paths, in the store, in messages. */
static bool name_ok(const char *name)
{
	size_t n;

	for (n = 0; name[n]; n++)
		if (n == STUB_DOMAIN_NAME_MAX || !(isalnum(name[n]) || strchr("-_.+", name[n])))
			return false;
	return n > 0 && isalnum(name[0]);
}

struct stub_domain *stub_domain_create(const char *name)
{
	if (!name_ok(name)) {
		pr_info_ratelimited("a domain's name has up to %u letters, digits and any of -_.+\n",
				    STUB_DOMAIN_NAME_MAX);
		return ERR_PTR(-EINVAL);
	}
	return create(name, false);
}

/* --- the module's ----------------------------------------------------------------------------- */

int stub_zero_init(void)
{
	struct stub_domain *d = create("Domain-0", true);

	return PTR_ERR_OR_ZERO(d);
}

void stub_zero_exit(void)
{
	stub_domain_kill(stub_domain_zero());

	/* See the top. There is no way out of here while xenbus may yet call released(). */
	while (!wait_event_timeout(all_gone, xa_empty(&domains), 10 * HZ))
		pr_warn("Domain-0 has not ended: a device or a grant of its own is in use\n");
	xpv_domain_flush_released();	/* the last released() may be about to return */
}

int stub_domains_init(void)
{
	domains_wq = alloc_workqueue("xpv-hv-stub", WQ_UNBOUND, 0);
	return domains_wq ? 0 : -ENOMEM;
}

void stub_domains_exit(void)
{
	destroy_workqueue(domains_wq);
}
