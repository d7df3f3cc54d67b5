// SPDX-License-Identifier: GPL-2.0
/*
 * The store client: requests and replies.
 *
 * Requests are pipelined: each has a number of its own, and replies may come in any order. A
 * pending request is in an array by its number; whoever takes it out of there - the reply, a waiter
 * that gives up, or the shutdown - is the only one to act on it, so none of them has to know about
 * the others. A request is reference-counted because the waiter may leave at any moment, on a
 * signal or after XPV_STORE_REPLY_MS, while the reply is being put in.
 *
 * Giving up leaves nothing behind in the store: a transaction whose number comes too late is ended
 * by the reply's arrival, and a watch is taken back. Messages of which no reply is wanted carry the
 * number 0, which no request has.
 *
 * Transactions have numbers of ours, which are not used again soon: so one from before a suspend
 * cannot be taken for another that the store has given the same number since. Requests of one that
 * is not known fail with -EAGAIN, as at a conflict. The number is reserved before the request is
 * sent: the store must not have a transaction that cannot be ended for want of memory.
 *
 * Death: xpv_store_shutdown() marks the client dead and completes what is pending; xpv_store_exit()
 * waits for those who are inside the provider's store_send, which is bounded. Afterwards the domain
 * is not touched any more, although files and devices may still hold the client.
 *
 * Locks: send_sem > (provider's). The array's own lock and watch_lock are leaves, but for what
 * watch callbacks take.
 */
#include <linux/slab.h>
#include <xpv/hypervisor.h>
#include "domain.h"
#include "store.h"

/* --- Birth and references --------------------------------------------------------------------- */

int xpv_store_init(struct xpv_domain *dom)
{
	struct xpv_store *st = kzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return -ENOMEM;
	kref_init(&st->ref);
	init_rwsem(&st->send_sem);
	st->dom = dom;
	init_waitqueue_head(&st->running);
	xa_init_flags(&st->reqs, XA_FLAGS_ALLOC1);
	xa_init_flags(&st->txs, XA_FLAGS_ALLOC1);
	init_rwsem(&st->watch_sem);
	spin_lock_init(&st->watch_lock);
	xa_init_flags(&st->watches, XA_FLAGS_ALLOC1);
	/* The ring is running already: pairs with xpv_store_deliver(). */
	smp_store_release(&dom->store, st);
	return 0;
}

static void store_free(struct kref *ref)
{
	struct xpv_store *st = container_of(ref, struct xpv_store, ref);

	xa_destroy(&st->reqs);
	xa_destroy(&st->txs);
	xa_destroy(&st->watches);
	kfree(st);
}

void xpv_st_put(struct xpv_store *st)
{
	kref_put(&st->ref, store_free);
}

/* From the last put of the domain, after the ring has stopped. */
void xpv_store_release(struct xpv_domain *dom)
{
	if (dom->store)
		xpv_st_put(dom->store);
	dom->store = NULL;
}

bool xpv_st_is_dead(const struct xpv_store *st)
{
	return READ_ONCE(st->dead);
}

/* --- Requests --------------------------------------------------------------------------------- */

static void req_free(struct kref *ref)
{
	struct xpv_store_req *req = container_of(ref, struct xpv_store_req, ref);

	kfree(req->body);
	xpv_st_put(req->store);
	if (req->free)
		req->free(req);
	else
		kfree(req);
}

void xpv_st_req_put(struct xpv_store_req *req)
{
	kref_put(&req->ref, req_free);
}

static void end_transaction(struct work_struct *work)
{
	struct xpv_store_req *req = container_of(work, struct xpv_store_req, work);

	xpv_st_post(req->store, XS_TRANSACTION_END, req->tx, "F", 2);
	xpv_st_req_put(req);
}

/** xpv_st_req_init() - prepare a request that is kzalloc()ed by the caller, or part of something that is */
void xpv_st_req_init(struct xpv_store_req *req, struct xpv_store *st, u32 type)
{
	kref_init(&req->ref);
	kref_get(&st->ref);
	req->store = st;
	req->type = type;
	init_completion(&req->wait);
	INIT_WORK(&req->work, end_transaction);
}

/** xpv_st_end_later() - a transaction was started that nobody wants. Process context, does not block. */
void xpv_st_end_later(struct xpv_store_req *req)
{
	if (req->err || req->reply.type != XS_TRANSACTION_START)
		return;
	kref_get(&req->ref);
	schedule_work(&req->work);
}

static bool starts_tx(const struct xpv_store_req *req)
{
	return req->type == XS_TRANSACTION_START;
}

static int tx_reserve(struct xpv_store_req *req)
{
	struct xpv_store *st = req->store;
	int err;

	if (!starts_tx(req))
		return 0;
	err = xa_alloc_cyclic(&st->txs, &req->tx, NULL, xa_limit_32b, &st->next_tx, GFP_KERNEL);
	return err < 0 ? err : 0;
}

static void tx_release(struct xpv_store_req *req)
{
	if (starts_tx(req))
		xa_erase(&req->store->txs, req->tx);
}

/* The transaction has started. Return: 0 or -EIO. */
static int tx_begin(struct xpv_store_req *req)
{
	u64 number;

	if (xpv_msg_number(req->body, strnlen(req->body, req->reply.len), U32_MAX, &number) || !number)
		return -EIO;
	/* It has a place there: needs no memory. */
	xa_store(&req->store->txs, req->tx, xa_mk_value(number), GFP_KERNEL);
	return 0;
}

/* The store's number of a transaction. Return: 0 or -EAGAIN. */
static int tx_find(struct xpv_store *st, u32 tx, u32 *number)
{
	void *entry = tx ? xa_load(&st->txs, tx) : xa_mk_value(0);

	if (!entry)
		return -EAGAIN;
	*number = xa_to_value(entry);
	return 0;
}

/* The request was taken out of the array by the caller, and its reference with it. */
static void req_complete(struct xpv_store_req *req)
{
	if (req->err || req->reply.type != req->type)
		tx_release(req);
	if (req->orphan)
		xpv_st_end_later(req);
	else if (req->done)
		req->done(req);
	else
		complete(&req->wait);
	xpv_st_req_put(req);
}

/* Return: as xpv_st_submit(), or -ECANCELED when the domain is suspended. */
static int store_send(struct xpv_store *st, struct xsd_sockmsg *msg, const void *body)
{
	u32 tx = msg->tx_id;
	int err;

	lockdep_assert_held_read(&st->send_sem);
	smp_mb();	/* the request is in the array before dead is read: pairs with xpv_store_shutdown() */
	if (READ_ONCE(st->dead))
		return -ESHUTDOWN;
	if (READ_ONCE(st->suspended))
		return -ECANCELED;
	err = tx_find(st, tx, &msg->tx_id);
	if (!err)
		err = st->dom->ops->store_send(st->dom, msg, body);
	if (!err && msg->type == XS_TRANSACTION_END)
		xa_erase(&st->txs, tx);
	return err;
}

/*
 * xpv_st_post() - send a message of which no reply is wanted; needs no memory. May block as
 * store_send does. While the domain is suspended the store has nothing of ours to be taken back.
 */
void xpv_st_post(struct xpv_store *st, u32 type, u32 tx, const void *body, size_t len)
{
	struct xsd_sockmsg msg = { .type = type, .tx_id = tx, .len = len };

	if (len > XENSTORE_PAYLOAD_MAX)
		return;
	down_read(&st->send_sem);
	store_send(st, &msg, body);
	up_read(&st->send_sem);
}

static int req_send(struct xpv_store_req *req, u32 tx, const void *body, size_t len)
{
	struct xsd_sockmsg msg = { .type = req->type, .tx_id = tx, .len = len };
	struct xpv_store *st = req->store;
	int err;

	lockdep_assert_held_read(&st->send_sem);
	err = tx_reserve(req);
	if (err)
		return err;
	kref_get(&req->ref);
	err = xa_alloc_cyclic(&st->reqs, &req->id, req, xa_limit_32b, &st->next_req, GFP_KERNEL);
	if (err < 0)
		goto err_put;
	msg.req_id = req->id;
	err = store_send(st, &msg, body);
	if (!err || xa_erase(&st->reqs, msg.req_id) != req)
		return 0;

err_put:
	tx_release(req);
	xpv_st_req_put(req);
	return err;
}

/* The domain is not suspended, or the client dead. */
static int wait_running(struct xpv_store *st)
{
	long left = wait_event_killable_timeout(st->running, !READ_ONCE(st->suspended) || READ_ONCE(st->dead),
						msecs_to_jiffies(XPV_STORE_REPLY_MS));

	if (left > 0)
		return 0;
	return left ? -EINTR : -ETIMEDOUT;
}

/*
 * xpv_st_submit() - send a request, whose reply will be given to req->done or completes req->wait
 *
 * Waits while the domain is suspended, up to XPV_STORE_REPLY_MS.
 *
 * Return: 0; or a negative errno, then neither happens. A client that dies meanwhile is no error
 * here, but in the reply; so is a suspend, as -ECANCELED.
 */
int xpv_st_submit(struct xpv_store_req *req, u32 tx, const void *body, size_t len)
{
	struct xpv_store *st = req->store;
	int err;

	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	/* Each turn waits for the end of a suspend. */
	do {
		err = wait_running(st);
		if (err)
			break;
		down_read(&st->send_sem);
		err = req_send(req, tx, body, len);
		up_read(&st->send_sem);
	} while (err == -ECANCELED);
	return err;
}

/* Nobody waits any more. Return: false if the reply came at the last moment. */
static bool req_give_up(struct xpv_store_req *req)
{
	struct xarray *reqs = &req->store->reqs;
	bool pending;

	xa_lock(reqs);
	pending = xa_load(reqs, req->id) == req;
	if (pending && req->type == XS_TRANSACTION_START)
		req->orphan = true;
	else if (pending)
		__xa_erase(reqs, req->id);
	xa_unlock(reqs);
	if (pending && !req->orphan)
		xpv_st_req_put(req);
	return pending;
}

static int req_wait(struct xpv_store_req *req)
{
	long left = wait_for_completion_killable_timeout(&req->wait, msecs_to_jiffies(XPV_STORE_REPLY_MS));

	if (left > 0)
		return 0;
	if (req_give_up(req))
		return left ? -EINTR : -ETIMEDOUT;
	/* Whoever took it is about to complete it. */
	wait_for_completion(&req->wait);
	return 0;
}

static int reply_error(const struct xpv_store_req *req)
{
	if (req->err)
		return req->err;
	if (req->reply.type == XS_ERROR)
		return xpv_msg_errno(req->body, req->reply.len);
	return req->reply.type == req->type ? 0 : -EIO;
}

static int talk(struct xpv_store_req *req, u32 tx, const void *body, size_t len)
{
	int err = xpv_st_submit(req, tx, body, len);

	if (!err)
		err = req_wait(req);
	return err ?: reply_error(req);
}

static struct xpv_store_req *req_new(struct xpv_store *st, u32 type)
{
	struct xpv_store_req *req = kzalloc(sizeof(*req), GFP_KERNEL);

	if (req)
		xpv_st_req_init(req, st, type);
	return req;
}

/*
 * xpv_st_talk() - send a request and wait for its reply
 * @reply: NULL, or where to put the reply's body, from kmalloc() and with a NUL after its end
 *
 * May sleep, at most XPV_STORE_REPLY_MS and what sending takes, and while the domain is suspended.
 * One that a suspend has left without a reply is sent again: whether the store had seen it makes no
 * difference to any request but those of a transaction. Return: 0 or a negative errno, that of the
 * store among them.
 */
int xpv_st_talk(struct xpv_store *st, u32 type, u32 tx, const void *body, size_t len,
		char **reply, size_t *reply_len)
{
	struct xpv_store_req *req;
	int err;

	do {
		req = req_new(st, type);
		if (!req)
			return -ENOMEM;
		err = talk(req, tx, body, len);
		if (!err && reply) {
			*reply = req->body;
			*reply_len = req->reply.len;
			req->body = NULL;
		}
		xpv_st_req_put(req);
	} while (err == -ECANCELED && !tx);
	return err == -ECANCELED ? -EAGAIN : err;
}

/** xpv_st_start() - start a transaction. Return: 0 and its number in *@tx, or as xpv_st_talk(). */
int xpv_st_start(struct xpv_store *st, u32 *tx)
{
	struct xpv_store_req *req;
	int err;

	do {
		req = req_new(st, XS_TRANSACTION_START);
		if (!req)
			return -ENOMEM;
		err = talk(req, 0, "", 1);
		*tx = req->tx;
		xpv_st_req_put(req);
	} while (err == -ECANCELED);
	return err;
}

/* --- The other direction ---------------------------------------------------------------------- */

/* A copy with a NUL after it: what comes from the provider has none. Consumes @body. */
static char *terminate(char *body, size_t len)
{
	char *copy = krealloc(body, len + 1, GFP_KERNEL);

	if (!copy)
		kfree(body);
	else
		copy[len] = 0;
	return copy;
}

static void deliver_reply(struct xpv_store *st, const struct xsd_sockmsg *msg, char *body)
{
	struct xpv_store_req *req = xa_erase(&st->reqs, msg->req_id);

	if (!req) {
		kfree(body);
		return;
	}
	req->reply = *msg;
	req->body = body;
	if (!body)
		req->err = -ENOMEM;
	else if (starts_tx(req) && msg->type == XS_TRANSACTION_START)
		req->err = tx_begin(req);
	req_complete(req);
}

void xpv_store_deliver(struct xpv_domain *dom, const struct xsd_sockmsg *msg, char *body)
{
	struct xpv_store *st = smp_load_acquire(&dom->store);	/* pairs with xpv_store_init() */

	if (!st || msg->len > XENSTORE_PAYLOAD_MAX) {
		kfree(body);
		return;
	}
	body = terminate(body, msg->len);
	if (msg->type != XS_WATCH_EVENT) {
		deliver_reply(st, msg, body);
		return;
	}
	if (body)
		xpv_watch_event(st, body, msg->len);
	else
		xpv_watch_event_lost(st);
	kfree(body);
}
EXPORT_SYMBOL_GPL(xpv_store_deliver);

/* --- Death ------------------------------------------------------------------------------------ */

/** xpv_st_sweep() - complete all requests that are pending with an error */
void xpv_st_sweep(struct xpv_store *st, int err)
{
	struct xpv_store_req *req;
	unsigned long id;

	xa_for_each(&st->reqs, id, req) {
		if (xa_erase(&st->reqs, id) != req)
			continue;
		req->err = err;
		req_complete(req);
	}
}

void xpv_store_shutdown(struct xpv_domain *dom)
{
	struct xpv_store *st = dom->store;

	WRITE_ONCE(st->dead, true);
	/* What comes into the array after the sweep finds dead set when sent: pairs with store_send(). */
	smp_mb();
	xpv_st_sweep(st, -ESHUTDOWN);
	wake_up_all(&st->running);
}

void xpv_store_exit(struct xpv_domain *dom)
{
	down_write(&dom->store->send_sem);
	up_write(&dom->store->send_sem);
}
