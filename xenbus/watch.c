// SPDX-License-Identifier: GPL-2.0
/*
 * Watches.
 *
 * A watch's token is a number out of an array, so a token that comes back is looked up and never
 * believed: events for numbers that are not there are ignored. Callbacks run under watch_lock and
 * only queue work, hence one that is erased under that lock will not be called any more, and a slow
 * consumer holds nobody up. Events are hints: who gets one reads the store afresh, so repeated ones
 * are coalesced by whatever they queue.
 *
 * After a suspend the store knows none of them: they are set again, one by one. Erasing one and
 * telling the store must not come between its turn and the message, hence watch_sem.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "store.h"

/* Without memory, in all. */
#define REPLAY_TRIES	100
#define REPLAY_PAUSE_MS	10

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

/* No event finds it any more. @tell: the store may have it. */
static void watch_erase(struct xpv_watch *w, bool tell)
{
	struct xpv_store *st = w->store;

	down_read(&st->watch_sem);
	spin_lock(&st->watch_lock);
	xa_erase(&st->watches, w->token);
	spin_unlock(&st->watch_lock);
	if (tell)
		xpv_st_post(st, XS_UNWATCH, 0, w->msg, w->len);
	up_read(&st->watch_sem);
	kfree(w->msg);
	w->msg = NULL;
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
	watch_erase(w, err == -ETIMEDOUT || err == -EINTR);
	return err;
}

/** xpv_watch_unregister() - the callback does not and will not run. No-op if not registered. May sleep. */
void xpv_watch_unregister(struct xpv_watch *w)
{
	if (w->msg)
		watch_erase(w, true);
}

/* --- After a suspend -------------------------------------------------------------------------- */

/* A copy of the message of the first watch from *@token on: its length, 0 without any, or -ENOMEM. */
static int copy_next(struct xpv_store *st, unsigned long *token, char **msg)
{
	struct xpv_watch *w;
	int len = 0;

	spin_lock(&st->watch_lock);
	w = xa_find(&st->watches, token, ULONG_MAX, XA_PRESENT);
	if (w) {
		*msg = kmemdup(w->msg, w->len, GFP_ATOMIC);
		len = *msg ? w->len : -ENOMEM;
	}
	spin_unlock(&st->watch_lock);
	return len;
}

/* Set the first watch from *@token on again. Return: whether there is one, and in *@err how it went. */
static bool replay_next(struct xpv_store *st, unsigned long *token, int *err)
{
	char *msg = NULL;
	int len;

	down_write(&st->watch_sem);
	len = copy_next(st, token, &msg);
	*err = len > 0 ? xpv_st_talk(st, XS_WATCH, 0, msg, len, NULL, NULL) : len;
	up_write(&st->watch_sem);
	kfree(msg);
	return len;
}

/*
 * xpv_watches_replay() - set all watches again; each fires. One that is registered meanwhile may be
 * there already.
 *
 * Return: 0, or the last error: some are not set.
 */
int xpv_watches_replay(struct xpv_store *st)
{
	unsigned int tries = REPLAY_TRIES;
	unsigned long token = 1;
	int err, last = 0;

	while (replay_next(st, &token, &err)) {
		if (err == -ENOMEM && --tries) {
			msleep(REPLAY_PAUSE_MS);
			continue;
		}
		if (err && err != -EEXIST)
			last = err;
		if (err == -ESHUTDOWN || err == -ETIMEDOUT || err == -EINTR)
			break;
		token++;
	}
	return last;
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
