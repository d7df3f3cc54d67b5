// SPDX-License-Identifier: GPL-2.0
/*
 * The requests, replies, watches and transactions of an open /dev/xen/xenbus; xs-dev.c describes
 * the objects.
 */
#include <linux/slab.h>
#include "store.h"
#include "xs-dev.h"

/**
 * struct xs_watch - a program's watch
 * @watch:  the one behind it
 * @file:   whose
 * @list:   in file->watches
 * @missed: it has fired while there was no room for the event
 * @path:   as the program gave it
 * @token:  the program's, in the same memory
 */
struct xs_watch {
	struct xpv_watch watch;
	struct xs_file *file;
	struct list_head list;
	bool missed;
	const char *token;
	char path[];
};

/* --- References ------------------------------------------------------------------------------- */

static void file_free(struct kref *ref)
{
	struct xs_file *f = container_of(ref, struct xs_file, ref);

	xpv_st_put(f->store);
	kfree(f);
}

static void item_free(struct xpv_store_req *req)
{
	struct xs_item *item = container_of(req, struct xs_item, req);

	kfree(item->tx);
	kref_put(&item->file->ref, file_free);
	kfree(item);
}

static struct xs_item *item_alloc(struct xs_file *f, const struct xsd_sockmsg *hdr, gfp_t gfp)
{
	struct xs_item *item = kzalloc(sizeof(*item), gfp);

	if (!item)
		return NULL;
	xpv_st_req_init(&item->req, f->store, hdr->type);
	item->req.free = item_free;
	kref_get(&f->ref);
	item->file = f;
	item->hdr = *hdr;
	return item;
}

/* --- Replies ---------------------------------------------------------------------------------- */

bool xs_has_room(struct xs_file *f)
{
	return READ_ONCE(f->nr_items) < XS_ITEMS_MAX;
}

static void queue_reply(struct xs_file *f, struct xs_item *item)
{
	bool closed;

	spin_lock(&f->lock);
	closed = f->closed;
	if (!closed)
		list_add_tail(&item->list, &f->replies);
	spin_unlock(&f->lock);
	if (closed)
		xpv_st_req_put(&item->req);
	wake_up_all(&f->wait);
}

/** xs_first_reply() - the reply to be read next; it stays until xs_reply_done(). Stable under read_lock. */
struct xs_item *xs_first_reply(struct xs_file *f)
{
	struct xs_item *item;

	spin_lock(&f->lock);
	item = list_first_entry_or_null(&f->replies, struct xs_item, list);
	spin_unlock(&f->lock);
	return item;
}

/* One that is too long fails here, and counts as missed: the watch's own path is what the program could send. */
static int fill_event(struct xs_item *item, const char *path, const char *token, gfp_t gfp)
{
	size_t path_len = strlen(path) + 1, token_len = strlen(token) + 1;

	if (path_len + token_len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	item->event = true;
	item->hdr.len = path_len + token_len;
	item->req.body = kmalloc(item->hdr.len, gfp);
	if (!item->req.body)
		return -ENOMEM;
	memcpy(item->req.body, path, path_len);
	memcpy(item->req.body + path_len, token, token_len);
	item->body = item->req.body;
	return 0;
}

/* Under watch_lock, as all watch callbacks. */
static void queue_event(struct xs_watch *w, const char *path)
{
	static const struct xsd_sockmsg hdr = { .type = XS_WATCH_EVENT };
	struct xs_file *f = w->file;
	struct xs_item *item = NULL;

	if (READ_ONCE(f->nr_events) < XS_EVENTS_MAX)
		item = item_alloc(f, &hdr, GFP_ATOMIC);
	if (item && fill_event(item, path, w->token, GFP_ATOMIC)) {
		xpv_st_req_put(&item->req);
		item = NULL;
	}
	spin_lock(&f->lock);
	if (item) {
		f->nr_events++;
	} else {
		w->missed = true;
		f->missed = true;
	}
	spin_unlock(&f->lock);
	if (item)
		queue_reply(f, item);
}

static void watch_event(struct xpv_watch *watch, const char *path)
{
	queue_event(container_of(watch, struct xs_watch, watch), path);
}

/*
 * xs_report_missed() - report the watches that fired while there was no room, if there is now
 *
 * Under write_lock, which keeps the watches; watch_lock makes this look like an event from the
 * store.
 */
void xs_report_missed(struct xs_file *f)
{
	struct xs_watch *w;
	bool missed;

	lockdep_assert_held(&f->write_lock);
	spin_lock(&f->lock);
	missed = f->missed && f->nr_events < XS_EVENTS_MAX / 2;
	if (missed)
		f->missed = false;
	spin_unlock(&f->lock);
	if (!missed)
		return;
	spin_lock(&f->store->watch_lock);
	list_for_each_entry(w, &f->watches, list) {
		spin_lock(&f->lock);
		missed = w->missed;
		w->missed = false;
		spin_unlock(&f->lock);
		if (missed)
			queue_event(w, w->path);
	}
	spin_unlock(&f->store->watch_lock);
}

/** xs_reply_done() - the first reply has been read. Under read_lock. */
void xs_reply_done(struct xs_file *f, struct xs_item *item)
{
	bool missed;

	spin_lock(&f->lock);
	list_del(&item->list);
	if (item->event)
		f->nr_events--;
	else
		f->nr_items--;
	missed = f->missed;
	spin_unlock(&f->lock);
	xpv_st_req_put(&item->req);
	wake_up_all(&f->wait);
	/* Who writes just now does the same at the end, and may wait for this reader until then. */
	if (missed && mutex_trylock(&f->write_lock)) {
		xs_report_missed(f);
		mutex_unlock(&f->write_lock);
	}
}

static void fill_answer(struct xs_item *item, u32 type, const char *text)
{
	item->hdr.type = type;
	item->hdr.len = strlen(text) + 1;
	strscpy(item->small, text, sizeof(item->small));
	item->body = item->small;
}

static void answer(struct xs_file *f, struct xs_item *item, int err)
{
	if (err)
		fill_answer(item, XS_ERROR, xpv_msg_errname(err));
	else
		fill_answer(item, item->hdr.type, "OK");
	queue_reply(f, item);
}

/* --- Transactions ----------------------------------------------------------------------------- */

static struct xs_tx *find_tx(struct xs_file *f, u32 id)
{
	struct xs_tx *tx;

	list_for_each_entry(tx, &f->transactions, list)
		if (tx->id == id)
			return tx;
	return NULL;
}

static bool owns_tx(struct xs_file *f, u32 id)
{
	bool found;

	spin_lock(&f->lock);
	found = find_tx(f, id);
	spin_unlock(&f->lock);
	return found;
}

static void forget_tx(struct xs_file *f, u32 id)
{
	struct xs_tx *tx;

	spin_lock(&f->lock);
	tx = find_tx(f, id);
	if (tx) {
		list_del(&tx->list);
		f->nr_tx--;
	}
	spin_unlock(&f->lock);
	kfree(tx);
}

/* A transaction starts. Return: false when the file is closed, and it has to be ended. */
static bool remember_tx(struct xs_file *f, struct xs_item *item)
{
	struct xpv_store_req *req = &item->req;
	bool keep = true;

	spin_lock(&f->lock);
	if (req->err || req->reply.type != XS_TRANSACTION_START) {
		f->nr_tx--;
	} else if (f->closed) {
		keep = false;
	} else {
		item->tx->id = req->tx;
		list_add(&item->tx->list, &f->transactions);
		item->tx = NULL;
	}
	spin_unlock(&f->lock);
	return keep;
}

static int prepare_tx(struct xs_file *f, struct xs_item *item)
{
	int err = 0;

	item->tx = kzalloc(sizeof(*item->tx), GFP_KERNEL);
	if (!item->tx)
		return -ENOMEM;
	spin_lock(&f->lock);
	if (f->nr_tx >= XS_TRANSACTIONS_MAX)
		err = -ENOSPC;
	else
		f->nr_tx++;
	spin_unlock(&f->lock);
	return err;
}

/* --- Requests --------------------------------------------------------------------------------- */

/* The program gets our number, under which it will be looked for. */
static void fill_tx(struct xs_item *item)
{
	char number[12];

	snprintf(number, sizeof(number), "%u", item->req.tx);
	fill_answer(item, XS_TRANSACTION_START, number);
}

/* The reply came, or the domain died or was suspended. */
static void request_done(struct xpv_store_req *req)
{
	struct xs_item *item = container_of(req, struct xs_item, req);
	struct xs_file *f = item->file;

	if (req->type == XS_TRANSACTION_START && !remember_tx(f, item))
		xpv_st_end_later(req);
	if (req->err) {
		fill_answer(item, XS_ERROR, xpv_msg_errname(req->err == -ECANCELED ? -EAGAIN : req->err));
	} else if (req->reply.type == XS_TRANSACTION_START) {
		fill_tx(item);
	} else {
		item->hdr.type = req->reply.type;
		item->hdr.len = req->reply.len;
		item->body = req->body;
	}
	kref_get(&req->ref);
	queue_reply(f, item);
}

static void forward(struct xs_file *f, struct xs_item *item)
{
	u32 tx = item->hdr.tx_id;
	int err = 0;

	if (item->hdr.type == XS_TRANSACTION_START)
		err = prepare_tx(f, item);
	if (!err) {
		item->req.done = request_done;
		err = xpv_st_submit(&item->req, tx, f->body, f->hdr.len);
		if (err && item->hdr.type == XS_TRANSACTION_START) {
			spin_lock(&f->lock);
			f->nr_tx--;
			spin_unlock(&f->lock);
		}
		/* Whatever the reply will be, the transaction is over; with EAGAIN it has been for a while. */
		if ((!err || err == -EAGAIN) && f->hdr.type == XS_TRANSACTION_END)
			forget_tx(f, tx);
	}
	if (err)
		answer(f, item, err);
	else
		xpv_st_req_put(&item->req);
}

/* --- Watches ---------------------------------------------------------------------------------- */

static struct xs_watch *find_watch(struct xs_file *f, const char *path, const char *token)
{
	struct xs_watch *w;

	list_for_each_entry(w, &f->watches, list)
		if (!strcmp(w->path, path) && !strcmp(w->token, token))
			return w;
	return NULL;
}

static struct xs_watch *watch_alloc(struct xs_file *f, const char *path, const char *token)
{
	size_t path_len = strlen(path) + 1, token_len = strlen(token) + 1;
	struct xs_watch *w = kzalloc(sizeof(*w) + path_len + token_len, GFP_KERNEL);

	if (!w)
		return NULL;
	w->file = f;
	memcpy(w->path, path, path_len);
	w->token = memcpy(w->path + path_len, token, token_len);
	return w;
}

static int add_watch(struct xs_file *f, const char *path, const char *token)
{
	struct xs_watch *w;
	int err;

	if (find_watch(f, path, token))
		return -EEXIST;
	if (f->nr_watches >= XS_WATCHES_MAX)
		return -E2BIG;
	w = watch_alloc(f, path, token);
	if (!w)
		return -ENOMEM;
	err = xpv_watch_register(f->store, &w->watch, path, watch_event);
	if (err) {
		kfree(w);
		return err;
	}
	list_add(&w->list, &f->watches);
	f->nr_watches++;
	return 0;
}

static void del_watch(struct xs_file *f, struct xs_watch *w)
{
	list_del(&w->list);
	f->nr_watches--;
	xpv_watch_unregister(&w->watch);
	kfree(w);
}

static void del_watches(struct xs_file *f)
{
	struct xs_watch *w, *next;

	list_for_each_entry_safe(w, next, &f->watches, list)
		del_watch(f, w);
}

static int change_watch(struct xs_file *f, u32 type)
{
	const char *path, *token;
	struct xs_watch *w;
	int err;

	err = xpv_msg_pair(f->body, f->hdr.len, &path, &token);
	if (err)
		return err;
	if (type == XS_WATCH)
		return add_watch(f, path, token);
	w = find_watch(f, path, token);
	if (!w)
		return -ENOENT;
	del_watch(f, w);
	return 0;
}

/* --- Messages --------------------------------------------------------------------------------- */

/*
 * xs_forward() - a message is complete in f->hdr and f->body
 *
 * Return: 0, there will be a reply; or -ENOMEM, nothing has happened. Under write_lock.
 */
int xs_forward(struct xs_file *f)
{
	struct xs_item *item = item_alloc(f, &f->hdr, GFP_KERNEL);

	lockdep_assert_held(&f->write_lock);
	if (!item)
		return -ENOMEM;
	spin_lock(&f->lock);
	f->nr_items++;
	spin_unlock(&f->lock);
	f->body[f->hdr.len] = 0;

	if (f->hdr.tx_id && !owns_tx(f, f->hdr.tx_id)) {
		answer(f, item, -ENOENT);
		return 0;
	}
	switch (f->hdr.type) {
	case XS_WATCH:
	case XS_UNWATCH:
		answer(f, item, change_watch(f, f->hdr.type));
		break;
	case XS_RESET_WATCHES:
		del_watches(f);
		answer(f, item, 0);
		break;
	case XS_WATCH_EVENT:
	case XS_ERROR:
		answer(f, item, -EINVAL);
		break;
	default:
		forward(f, item);
	}
	return 0;
}

/** xs_file_close() - the last close. Requests under way keep the file until their replies are there. */
void xs_file_close(struct xs_file *f)
{
	struct xs_item *item, *next_item;
	struct xs_tx *tx, *next_tx;

	mutex_lock(&f->write_lock);
	del_watches(f);
	mutex_unlock(&f->write_lock);

	spin_lock(&f->lock);
	f->closed = true;
	spin_unlock(&f->lock);
	list_for_each_entry_safe(tx, next_tx, &f->transactions, list) {
		xpv_st_post(f->store, XS_TRANSACTION_END, tx->id, "F", 2);
		kfree(tx);
	}
	list_for_each_entry_safe(item, next_item, &f->replies, list)
		xpv_st_req_put(&item->req);
	kref_put(&f->ref, file_free);
}
