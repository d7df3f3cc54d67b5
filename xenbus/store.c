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
	xa_init_flags(&st->reqs, XA_FLAGS_ALLOC1);
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
	u64 tx;

	if (!xpv_msg_number(req->body, strnlen(req->body, req->reply.len), U32_MAX, &tx) && tx)
		xpv_st_post(req->store, XS_TRANSACTION_END, tx, "F", 2);
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

/* The request was taken out of the array by the caller, and its reference with it. */
static void req_complete(struct xpv_store_req *req)
{
	if (req->orphan)
		xpv_st_end_later(req);
	else if (req->done)
		req->done(req);
	else
		complete(&req->wait);
	xpv_st_req_put(req);
}

static int store_send(struct xpv_store *st, const struct xsd_sockmsg *msg, const void *body)
{
	int err = -ESHUTDOWN;

	if (msg->len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	down_read(&st->send_sem);
	smp_mb();	/* the request is in the array before dead is read: pairs with xpv_store_shutdown() */
	if (!READ_ONCE(st->dead))
		err = st->dom->ops->store_send(st->dom, msg, body);
	up_read(&st->send_sem);
	return err;
}

/** xpv_st_post() - send a message of which no reply is wanted; needs no memory. May block as store_send does. */
void xpv_st_post(struct xpv_store *st, u32 type, u32 tx, const void *body, size_t len)
{
	struct xsd_sockmsg msg = { .type = type, .tx_id = tx, .len = len };

	store_send(st, &msg, body);
}

/*
 * xpv_st_submit() - send a request, whose reply will be given to req->done or completes req->wait
 *
 * Return: 0; or a negative errno, then neither happens. A client that dies meanwhile is no error
 * here, but in the reply.
 */
int xpv_st_submit(struct xpv_store_req *req, u32 tx, const void *body, size_t len)
{
	struct xsd_sockmsg msg = { .type = req->type, .tx_id = tx, .len = len };
	struct xpv_store *st = req->store;
	int err;

	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	kref_get(&req->ref);
	err = xa_alloc_cyclic(&st->reqs, &req->id, req, xa_limit_32b, &st->next_req, GFP_KERNEL);
	if (err < 0) {
		xpv_st_req_put(req);
		return err;
	}
	msg.req_id = req->id;
	err = store_send(st, &msg, body);
	if (err && xa_erase(&st->reqs, msg.req_id) == req) {
		xpv_st_req_put(req);
		return err;
	}
	return 0;
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

/*
 * xpv_st_talk() - send a request and wait for its reply
 * @reply: NULL, or where to put the reply's body, from kmalloc() and with a NUL after its end
 *
 * May sleep, at most XPV_STORE_REPLY_MS and what sending takes. Return: 0 or a negative errno, that
 * of the store among them.
 */
int xpv_st_talk(struct xpv_store *st, u32 type, u32 tx, const void *body, size_t len,
		char **reply, size_t *reply_len)
{
	struct xpv_store_req *req = kzalloc(sizeof(*req), GFP_KERNEL);
	int err;

	if (!req)
		return -ENOMEM;
	xpv_st_req_init(req, st, type);
	err = xpv_st_submit(req, tx, body, len);
	if (!err)
		err = req_wait(req);
	if (!err)
		err = reply_error(req);
	if (!err && reply) {
		*reply = req->body;
		*reply_len = req->reply.len;
		req->body = NULL;
	}
	xpv_st_req_put(req);
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

void xpv_store_shutdown(struct xpv_domain *dom)
{
	struct xpv_store *st = dom->store;
	struct xpv_store_req *req;
	unsigned long id;

	WRITE_ONCE(st->dead, true);
	/* What comes into the array after the sweep finds dead set when sent: pairs with store_send(). */
	smp_mb();
	xa_for_each(&st->reqs, id, req) {
		if (xa_erase(&st->reqs, id) != req)
			continue;
		req->err = -ESHUTDOWN;
		req_complete(req);
	}
}

void xpv_store_exit(struct xpv_domain *dom)
{
	down_write(&dom->store->send_sem);
	up_write(&dom->store->send_sem);
}
