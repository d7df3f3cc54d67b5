// SPDX-License-Identifier: GPL-2.0
/*
 * Watches, translated: each of the client's tokens is a watch of the kernel's.
 *
 * Events are taken when the kernel's client sees them first, in will_handle, so that they keep their order with replies
 * and do not depend on the thread that runs the kernel's own callbacks, which may be busy with a driver. will_handle is
 * called under a spinlock of the kernel's and says no: the kernel does not queue them then.
 *
 * At most EVENTS_MAX events of a watch wait to be delivered. What comes beyond, or when there is no memory, is made up
 * for by one event for the watch's own path, which means that anything below may have changed.
 *
 * unregister_xenbus_watch() waits for that thread, which may wait for a driver of ours that is being removed, which
 * needs the store. So watches are taken back on a queue of their own, and nobody waits for it but the end.
 *
 * None is taken back from the beginning of a suspend to its end: unregister_xenbus_watch() holds a lock while it sends,
 * sending waits for the end of a suspend that has begun, and the suspend waits for the lock (xs_suspend() in the
 * kernel's drivers/xen/xenbus/xenbus_xs.c). One that was under way by then is given time to be past that place; after
 * it, what it waits for is the thread, which the suspend runs in.
 *
 * Life: the list has a reference from WATCH to UNWATCH or the end, the kernel's registration another, each event that
 * waits to be delivered a third.
 */
#include <linux/slab.h>
#include <xen/xenbus.h>
#include "native.h"

#define EVENTS_MAX	16
#define UNDER_WAY	msecs_to_jiffies(1000)

/**
 * struct native_watch - a watch
 * @ref:     see above
 * @list:    in store->watches; empty after UNWATCH
 * @watch:   the kernel's
 * @store:   whose
 * @work:    unregisters it
 * @registered: @watch is
 * @pending: events that wait to be delivered
 * @lost:    one that stands for those for which there was no room; its list is empty while it is not queued
 * @token:   the client's, in @text
 * @len:     of @text
 * @text:    path and token with their NULs
 */
struct native_watch {
	struct kref ref;
	struct list_head list;
	struct xenbus_watch watch;
	struct native_store *store;
	struct work_struct work;
	bool registered;
	atomic_t pending;
	struct native_item lost;
	const char *token;
	size_t len;
	char text[];
};

/**
 * struct event - an event to be delivered
 * @item:  for the client
 * @watch: held
 */
struct event {
	struct native_item item;
	struct native_watch *watch;
};

static void watch_free(struct kref *ref)
{
	kfree(container_of(ref, struct native_watch, ref));
}

static void watch_put(struct native_watch *w)
{
	kref_put(&w->ref, watch_free);
}

/* --- Events --------------------------------------------------------------------------------------------------- */

static void event_free(struct native_store *s, struct native_item *item)
{
	struct event *ev = container_of(item, struct event, item);

	atomic_dec(&ev->watch->pending);
	watch_put(ev->watch);
	kfree(item->body);
	kfree(ev);
}

static struct event *event_alloc(struct native_watch *w, const char *path)
{
	size_t path_len = strlen(path) + 1, token_len = strlen(w->token) + 1;
	struct event *ev;

	if (path_len + token_len > XENSTORE_PAYLOAD_MAX)
		return NULL;
	ev = kzalloc(sizeof(*ev), GFP_ATOMIC | __GFP_NOWARN);
	if (!ev)
		return NULL;
	ev->item.body = kmalloc(path_len + token_len, GFP_ATOMIC | __GFP_NOWARN);
	if (!ev->item.body) {
		kfree(ev);
		return NULL;
	}
	memcpy(ev->item.body, path, path_len);
	memcpy(ev->item.body + path_len, w->token, token_len);
	ev->item.hdr.type = XS_WATCH_EVENT;
	ev->item.hdr.len = path_len + token_len;
	ev->item.free = event_free;
	ev->watch = w;
	return ev;
}

static void lost_free(struct native_store *s, struct native_item *item)
{
	watch_put(container_of(item, struct native_watch, lost));
}

/* Only queue it if it is not: what it says will be said later than now anyway. */
static void event_lost(struct native_watch *w)
{
	struct native_store *s = w->store;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	if (list_empty(&w->lost.list)) {
		kref_get(&w->ref);
		list_add_tail(&w->lost.list, &s->out);
	}
	spin_unlock_irqrestore(&s->lock, flags);
	queue_work(system_unbound_wq, &s->deliver);
}

static bool will_handle(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct native_watch *w = container_of(watch, struct native_watch, watch);
	struct event *ev = NULL;

	if (atomic_read(&w->pending) < EVENTS_MAX)
		ev = event_alloc(w, path);
	if (ev) {
		kref_get(&w->ref);
		atomic_inc(&w->pending);
		native_store_queue(w->store, &ev->item);
	} else {
		event_lost(w);
	}
	return false;
}

/* The kernel insists on one. */
static void callback(struct xenbus_watch *watch, const char *path, const char *token)
{
}

/* --- Coming and going ----------------------------------------------------------------------------------------- */

static void unregister(struct work_struct *work)
{
	struct native_watch *w = container_of(work, struct native_watch, work);
	struct native_store *s = w->store;

	down(&s->unwatching);
	unregister_xenbus_watch(&w->watch);
	up(&s->unwatching);
	watch_put(w);
}

static struct native_watch *watch_alloc(struct native_store *s, const char *body, size_t len)
{
	struct native_watch *w = kzalloc(struct_size(w, text, len), GFP_KERNEL);

	if (!w)
		return NULL;
	kref_init(&w->ref);
	w->store = s;
	INIT_WORK(&w->work, unregister);
	memcpy(w->text, body, len);
	w->len = len;
	w->token = w->text + strlen(w->text) + 1;
	w->watch.node = w->text;
	w->watch.will_handle = will_handle;
	w->watch.callback = callback;
	INIT_LIST_HEAD(&w->lost.list);
	w->lost.hdr.type = XS_WATCH_EVENT;
	w->lost.hdr.len = len;
	w->lost.keep = w->text;
	w->lost.free = lost_free;
	return w;
}

static struct native_watch *find(struct native_store *s, const char *body, size_t len)
{
	struct native_watch *w;

	lockdep_assert_held(&s->watch_lock);
	list_for_each_entry(w, &s->watches, list)
		if (w->len == len && !memcmp(w->text, body, len))
			return w;
	return NULL;
}

/* Two strings, each with its NUL. */
static bool well_formed(const char *body, size_t len)
{
	size_t path_len = strnlen(body, len) + 1;

	return path_len < len && path_len + strnlen(body + path_len, len - path_len) + 1 == len;
}

/* Off the list, and so not to be found any more. */
static void forget(struct native_watch *w)
{
	lockdep_assert_held(&w->store->watch_lock);
	list_del_init(&w->list);
	if (w->registered)
		queue_work(w->store->unwatch, &w->work);
	watch_put(w);
}

static int list_watch(struct native_watch *w)
{
	struct native_store *s = w->store;
	int err = 0;

	mutex_lock(&s->watch_lock);
	if (find(s, w->text, w->len)) {
		err = -EEXIST;
	} else {
		kref_get(&w->ref);
		list_add(&w->list, &s->watches);
	}
	mutex_unlock(&s->watch_lock);
	return err;
}

/* An UNWATCH may have overtaken us. Return: whether the watch is to stay registered. */
static bool settle(struct native_watch *w, int err)
{
	bool wanted;

	mutex_lock(&w->store->watch_lock);
	wanted = !list_empty(&w->list);
	if (wanted && err)
		forget(w);
	w->registered = wanted && !err;
	mutex_unlock(&w->store->watch_lock);
	return wanted;
}

/** native_watch_add() - a WATCH; @body holds @len bytes */
int native_watch_add(struct native_store *s, const char *body, size_t len)
{
	struct native_watch *w;
	int err;

	if (!well_formed(body, len))
		return -EINVAL;
	w = watch_alloc(s, body, len);
	if (!w)
		return -ENOMEM;
	err = list_watch(w);
	if (err) {
		watch_put(w);
		return err;
	}
	err = register_xenbus_watch(&w->watch);
	if (!settle(w, err) && !err)
		queue_work(s->unwatch, &w->work);
	else if (err)
		watch_put(w);
	return err;
}

/** native_watch_del() - an UNWATCH */
int native_watch_del(struct native_store *s, const char *body, size_t len)
{
	struct native_watch *w;

	mutex_lock(&s->watch_lock);
	w = find(s, body, len);
	if (w)
		forget(w);
	mutex_unlock(&s->watch_lock);
	return w ? 0 : -ENOENT;
}

/** native_watches_stop() - those of which the client took no leave. No message is being carried out any more. */
void native_watches_stop(struct native_store *s)
{
	struct native_watch *w, *next;

	mutex_lock(&s->watch_lock);
	list_for_each_entry_safe(w, next, &s->watches, list)
		forget(w);
	mutex_unlock(&s->watch_lock);
}

/* Where this fails one is under way still, and the rest of the queue waits for that. */
void native_watches_hold(struct native_store *s)
{
	s->held = !down_timeout(&s->unwatching, UNDER_WAY);
}

void native_watches_let_go(struct native_store *s)
{
	if (s->held)
		up(&s->unwatching);
	s->held = false;
}
