// SPDX-License-Identifier: GPL-2.0
/*
 * Watches.
 *
 * A watch's token is a number out of an array, so a token that comes back is looked up and never
 * believed: events for numbers that are not there are ignored. Callbacks run under watch_lock and
 * only queue work, hence one that is erased under that lock will not be called any more, and a slow
 * consumer holds nobody up. Events are hints: who gets one reads the store afresh, so repeated ones
 * are coalesced by whatever they queue.
 */
#include <linux/slab.h>
#include "store.h"

static int watch_message(struct xpv_watch *w, const char *path)
{
	size_t path_len = strlen(path);

	if (path_len > XENSTORE_ABS_PATH_MAX)
		return -ENAMETOOLONG;
	w->msg = kasprintf(GFP_KERNEL, "%s %u", path, w->token);
	if (!w->msg)
		return -ENOMEM;
	w->len = strlen(w->msg) + 1;
	w->msg[path_len] = 0;
	return 0;
}

static void watch_erase(struct xpv_watch *w)
{
	spin_lock(&w->store->watch_lock);
	xa_erase(&w->store->watches, w->token);
	spin_unlock(&w->store->watch_lock);
}

/*
 * xpv_watch_register() - watch @path
 * @w:    belongs to the caller, must stay until xpv_watch_unregister()
 * @path: absolute or relative to the domain's home
 * @fn:   see struct xpv_watch. Called at once for the first time, possibly before this returns.
 *
 * May sleep. A watch that the store has already, left over from a crashed predecessor, is as good
 * as a new one. Return: 0 or a negative errno, then @w is not registered.
 */
int xpv_watch_register(struct xpv_store *st, struct xpv_watch *w, const char *path,
		       void (*fn)(struct xpv_watch *w, const char *path))
{
	int err;

	w->store = st;
	w->fn = fn;
	/* Reserve a number first: events must find a watch that is complete. */
	err = xa_alloc_cyclic(&st->watches, &w->token, NULL, xa_limit_32b, &st->next_watch, GFP_KERNEL);
	if (err < 0)
		return err;
	err = watch_message(w, path);
	if (err) {
		xa_erase(&st->watches, w->token);
		return err;
	}
	xa_store(&st->watches, w->token, w, GFP_KERNEL);
	err = xpv_st_talk(st, XS_WATCH, 0, w->msg, w->len, NULL, NULL);
	if (!err || err == -EEXIST)
		return 0;
	watch_erase(w);
	if (err == -ETIMEDOUT || err == -EINTR)
		xpv_st_post(st, XS_UNWATCH, 0, w->msg, w->len);
	kfree(w->msg);
	w->msg = NULL;
	return err;
}

/** xpv_watch_unregister() - the callback does not and will not run. No-op if not registered. May sleep. */
void xpv_watch_unregister(struct xpv_watch *w)
{
	if (!w->msg)
		return;
	watch_erase(w);
	xpv_st_post(w->store, XS_UNWATCH, 0, w->msg, w->len);
	kfree(w->msg);
	w->msg = NULL;
}

/** xpv_watch_event() - the body of a WATCH_EVENT arrived. Process context. */
void xpv_watch_event(struct xpv_store *st, const char *body, size_t len)
{
	const char *path, *token;
	struct xpv_watch *w;
	u64 number;

	if (xpv_msg_pair(body, len, &path, &token) || xpv_msg_number(token, strlen(token), U32_MAX, &number))
		return;
	spin_lock(&st->watch_lock);
	w = xa_load(&st->watches, number);
	if (w)
		w->fn(w, path);
	spin_unlock(&st->watch_lock);
}

/** xpv_watch_event_lost() - there was no memory for an event: tell every watch that something may have changed */
void xpv_watch_event_lost(struct xpv_store *st)
{
	struct xpv_watch *w;
	unsigned long token;

	spin_lock(&st->watch_lock);
	xa_for_each(&st->watches, token, w)
		w->fn(w, w->msg);
	spin_unlock(&st->watch_lock);
}
