// SPDX-License-Identifier: GPL-2.0
/*
 * The store's connections: one for each domain, served by one worker.
 *
 * A connection is allocated by the domain's half of the stub, known to the store between attach and
 * detach, and served by its work item on one ordered queue. A run takes a bounded number of
 * messages and goes to the end of the queue if there is more, so that no domain keeps others
 * waiting for long. Work is queued by the domain's event and by events that a change queued for it;
 * never by time.
 *
 * What a connection can make the server hold: one request and one reply in its own buffers, its
 * watches and transactions by quota, its pending events by the bounds in store.h. A domain that
 * does not read stops only itself.
 *
 * A domain that breaks the protocol - an index no ring can have, a body longer than messages are -
 * has lost its store for as long as it lives: there is no telling where its next message would
 * begin.
 *
 * Who may use a connection, and why it ends (stub_store_detach(), stub_store_leave()):
 *  1. the domain's event: its port is closed before;
 *  2. changes that queue an event for it: it is unlinked under the lock;
 *  3. its work: cancelled after 1 and 2, so nobody queues it again.
 *
 * Lock: store_lock, over the store and all of each connection but the buffers and the ring, which
 * are the work's. Taken in process context; taken under it: nothing but the locks of the allocator,
 * of the workqueue and of event channels.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "store.h"

#define BUDGET	32	/* messages that a connection may have handled before it is another's turn */

/**
 * struct stub_conn - the connection of a stub domain
 * @c:      what the store knows of it
 * @d:      the domain
 * @port:   its end of the event channel
 * @ring:   its page
 * @work:   serves it
 */
struct stub_conn {
	struct store_conn c;
	struct stub_domain *d;
	evtchn_port_t port;
	struct store_ring ring;
	struct work_struct work;
};

static struct store store;
static DEFINE_MUTEX(store_lock);
static struct workqueue_struct *store_wq;

/* --- Service ---------------------------------------------------------------------------------- */

static void conn_break(struct stub_conn *conn, u32 error)
{
	struct store_conn *c = &conn->c;

	mutex_lock(&store_lock);
	c->broken = true;
	store.broken++;
	store_watch_del_all(c);
	store_txn_end_all(&store, c);
	mutex_unlock(&store_lock);
	store_ring_fail(&conn->ring, error);
	pr_warn_ratelimited("xpv-hv-stub: domain %u (%s) broke the store's protocol (%s), its store is gone\n",
			    c->id, stub_domain_name(conn->d),
			    error == XENSTORE_ERROR_RINGIDX ? "ring index" : "message length");
}

/* Take what there is of a request. Return: bytes taken, or negative when the connection broke. */
static int conn_receive(struct stub_conn *conn)
{
	struct store_conn *c = &conn->c;
	size_t want;
	void *to;
	int n;

	want = store_in_want(c, &to);
	if (!want)
		return 0;
	n = store_ring_read(&conn->ring, to, want);
	if (n < 0) {
		conn_break(conn, XENSTORE_ERROR_RINGIDX);
		return n;
	}
	if (n && store_in_add(c, n)) {
		conn_break(conn, XENSTORE_ERROR_PROTO);
		return -EPROTO;
	}
	return n;
}

/* Send what fits. Return: bytes sent, or negative when the connection broke. */
static int conn_send(struct stub_conn *conn)
{
	struct store_conn *c = &conn->c;
	const void *from;
	size_t left;
	int n;

	left = store_out_left(c, &from);
	if (!left)
		return 0;
	n = store_ring_write(&conn->ring, from, left);
	if (n < 0) {
		conn_break(conn, XENSTORE_ERROR_RINGIDX);
		return n;
	}
	if (n)
		store_out_done(c, n);
	return n;
}

/* Return: whether there is more to do now; *@moved: whether the domain should hear of it. */
static bool conn_round(struct stub_conn *conn, bool *moved)
{
	int in, out, more;
	bool stepped;

	in = conn_receive(conn);
	if (in < 0)
		return false;
	mutex_lock(&store_lock);
	stepped = store_step(&store, &conn->c);
	mutex_unlock(&store_lock);
	out = conn_send(conn);
	if (out < 0)
		return false;
	more = in + out + stepped;
	*moved |= in || out;
	return more;
}

static void conn_work(struct work_struct *work)
{
	struct stub_conn *conn = container_of(work, struct stub_conn, work);
	bool more = true, moved = false;
	unsigned int budget = BUDGET;

	while (more && budget-- && !conn->c.broken)
		more = conn_round(conn, &moved);
	if (moved)
		stub_evtchn_raise(conn->d, conn->port);
	if (more && !conn->c.broken)
		queue_work(store_wq, &conn->work);
}

/* Events are pending; with the lock held. */
static void conn_wake(struct store_conn *c)
{
	struct stub_conn *conn = container_of(c, struct stub_conn, c);

	lockdep_assert_held(&store_lock);
	queue_work(store_wq, &conn->work);
}

/** stub_store_notify() - the domain's event. Any context. */
void stub_store_notify(void *arg)
{
	struct stub_conn *conn = arg;

	queue_work(store_wq, &conn->work);
}

/* --- A domain's nodes ------------------------------------------------------------------------- */

/*
 * What a domain finds in its home, as the toolstack and other software expect. Those with a value
 * are domain 0's and the domain may read them; the others are the domain's own.
 */
static const struct home_node {
	const char *key;
	const char *value;
} home_nodes[] = {
	{ "control", "" },
	{ "control/platform-feature-xs_reset_watches", "1" },
	{ "control/platform-feature-multiprocessor-suspend", "1" },
	{ "control/shutdown" },
	{ "control/feature-poweroff" },
	{ "control/feature-reboot" },
	{ "control/feature-suspend" },
	{ "device" },
	{ "data" },
	{ "drivers" },
	{ "error" },
	{ "attr" },
	{ "feature" },
};

struct home {
	struct store_txn t;
	struct store_perms *own;	/* n<domid> */
	struct store_perms *read;	/* n0,r<domid>; for domain 0 just n0 */
	domid_t id;
};

static int home_add(struct home *h, const char *key, const char *value)
{
	char path[96];

	scnprintf(path, sizeof(path), "/local/domain/%u%s%s", h->id, *key ? "/" : "", key);
	return store_make_node(&store, &h->t, path, value ?: "", value ? h->read : h->own);
}

static int home_fill(struct home *h, const char *name)
{
	char id[8];
	int err, i;

	scnprintf(id, sizeof(id), "%u", h->id);
	err = home_add(h, "", NULL) ?: home_add(h, "name", name) ?: home_add(h, "domid", id);
	for (i = 0; !err && i < ARRAY_SIZE(home_nodes); i++)
		err = home_add(h, home_nodes[i].key, home_nodes[i].value);
	return err ?: store_txn_commit(&store, &h->t);
}

/* A connection for what the server does by itself. It is never linked. */
static struct store_conn *self_new(void)
{
	struct store_conn *self = kvzalloc(sizeof(*self), GFP_KERNEL | __GFP_NOWARN);

	if (self)
		store_conn_init(self, 0, NULL);
	return self;
}

static int home_make(struct store_conn *self, domid_t id, const char *name)
{
	struct home h = { .id = id };
	int err = -ENOMEM;

	lockdep_assert_held(&store_lock);
	if (store_txn_open(self, &h.t))
		return -ENOMEM;
	h.own = store_perms_new(1, store.gen);
	h.read = store_perms_new(id ? 2 : 1, store.gen);
	if (h.own && h.read) {
		h.own->p[0].id = id;
		if (id)
			h.read->p[1] = (struct store_perm){ .id = id, .bits = STORE_READ };
		err = home_fill(&h, name);
	}
	store_perms_put(h.own);
	store_perms_put(h.read);
	store_txn_close(&store, &h.t);
	return err;
}

/* --- Birth and death -------------------------------------------------------------------------- */

/**
 * stub_store_conn_alloc() - a connection that does nothing yet. Return: it, or ERR_PTR(-ENOMEM).
 * @d: the domain
 */
struct stub_conn *stub_store_conn_alloc(struct stub_domain *d)
{
	struct stub_conn *conn = kvzalloc(sizeof(*conn), GFP_KERNEL | __GFP_NOWARN);

	if (!conn)
		return ERR_PTR(-ENOMEM);
	conn->d = d;
	INIT_WORK(&conn->work, conn_work);
	store_conn_init(&conn->c, stub_domain_id(d), conn_wake);
	mutex_lock(&store_lock);
	conn->c.born = ++store.gen;
	mutex_unlock(&store_lock);
	return conn;
}

/* Nothing of what was before is left but the quotas. */
static void conn_renew(struct store_conn *c, domid_t id)
{
	const struct stub_store_quota quota = c->quota;

	lockdep_assert_held(&store_lock);
	memset(c, 0, sizeof(*c));
	store_conn_init(c, id, conn_wake);
	c->quota = quota;
	c->born = ++store.gen;
}

int stub_store_attach(struct stub_conn *conn, evtchn_port_t port)
{
	struct store_conn *self = self_new();
	int err;

	if (!self)
		return -ENOMEM;
	conn->port = port;
	store_ring_init(&conn->ring, stub_domain_store_ring(conn->d));
	mutex_lock(&store_lock);
	if (conn->c.gone)
		conn_renew(&conn->c, stub_domain_id(conn->d));
	err = home_make(self, conn->c.id, stub_domain_name(conn->d));
	if (!err) {
		store_conn_link(&store, &conn->c);
		store_fire_special(&store, STORE_INTRODUCE);
	}
	mutex_unlock(&store_lock);
	kvfree(self);
	if (!err)
		queue_work(store_wq, &conn->work);
	return err;
}

void stub_store_leave(struct stub_conn *conn)
{
	mutex_lock(&store_lock);
	if (conn->c.linked)
		store_conn_gone(&store, &conn->c);
	conn->c.gone = true;
	mutex_unlock(&store_lock);
	cancel_work_sync(&conn->work);
}

void stub_store_detach(struct stub_conn *conn)
{
	stub_store_leave(conn);
	kvfree(conn);
}

/* --- Figures and quotas ----------------------------------------------------------------------- */

void stub_store_usage(struct stub_conn *conn, struct stub_store_usage *u)
{
	mutex_lock(&store_lock);
	u->nodes = conn->c.nodes;
	u->watches = conn->c.nr_watches;
	u->transactions = conn->c.nr_txns;
	u->pending = conn->c.nr_events;
	mutex_unlock(&store_lock);
}

void stub_store_set_quota(struct stub_conn *conn, const struct stub_store_quota *q)
{
	mutex_lock(&store_lock);
	conn->c.quota = *q;
	mutex_unlock(&store_lock);
}

void stub_store_get_quota(struct stub_conn *conn, struct stub_store_quota *q)
{
	mutex_lock(&store_lock);
	*q = conn->c.quota;
	mutex_unlock(&store_lock);
}

/* --- The store as a whole --------------------------------------------------------------------- */

static int make_first_nodes(void)
{
	static const char *const paths[] = {
		"/tool", "/tool/xenstored", "/vm", "/local", "/local/domain", "/libxl"
	};
	struct store_conn *self = self_new();
	struct store_txn t;
	int err, i;

	if (!self)
		return -ENOMEM;
	err = store_txn_open(self, &t);
	for (i = 0; !err && i < ARRAY_SIZE(paths); i++)
		err = store_mkdir(&store, &t, paths[i]);
	err = err ?: store_txn_commit(&store, &t);
	store_txn_close(&store, &t);
	kvfree(self);
	return err;
}

/** stub_store_init() - an empty store, ready for connections. Return: 0 or -ENOMEM. */
int stub_store_init(void)
{
	int err;

	store_wq = alloc_ordered_workqueue("xpv-store", 0);
	if (!store_wq)
		return -ENOMEM;
	err = store_init(&store);
	if (err)
		goto err_wq;
	mutex_lock(&store_lock);
	err = make_first_nodes();
	mutex_unlock(&store_lock);
	if (err)
		goto err_store;
	return 0;

err_store:
	store_destroy(&store);
err_wq:
	destroy_workqueue(store_wq);
	return err;
}

/** stub_store_exit() - mirror of stub_store_init(); every connection is detached */
void stub_store_exit(void)
{
	destroy_workqueue(store_wq);
	mutex_lock(&store_lock);
	store_destroy(&store);
	mutex_unlock(&store_lock);
}
