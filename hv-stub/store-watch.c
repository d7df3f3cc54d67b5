// SPDX-License-Identifier: GPL-2.0
/*
 * Watches, and the events pending for them.
 *
 * Watches are found by path. A change at /a/b/c looks for those on "/", "/a", "/a/b" and "/a/b/c";
 * the hash of a path is made component by component, so that one pass over the path gives the
 * hashes of all of these.
 *
 * Events are made into messages when there is room to send them. Until then they wait on the
 * connection's list, in order. An event equal to one that waits is dropped: the client will look
 * after it has seen the first. A client that does not read its events gets, beyond a bound, one
 * event for the watched path itself in place of many: that one is part of the watch, so it cannot
 * fail for want of memory either, and no change goes unnoticed.
 */
#include <linux/errno.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

static const char *const special_paths[] = {
	[STORE_INTRODUCE] = "@introduceDomain",
	[STORE_RELEASE] = "@releaseDomain",
};

/** store_special_find() - which special path this is, or -EINVAL */
int store_special_find(const char *path)
{
	return match_string(special_paths, ARRAY_SIZE(special_paths), path);
}

static u32 path_hash(struct store *s, const char *path)
{
	u32 h = s->seed;
	const char *name;
	size_t len;

	while (store_path_next(&path, &name, &len))
		h = jhash(name, len, h);
	return h;
}

static struct list_head *bucket(struct store *s, u32 hash)
{
	return &s->watches[hash & (ARRAY_SIZE(s->watches) - 1)];
}

/* --- Events ----------------------------------------------------------------------------------- */

static void wake(struct store_conn *c)
{
	if (c->wake)
		c->wake(c);
}

static bool event_is_pending(const struct store_watch *w, u32 hash, const char *path)
{
	unsigned int left = STORE_EVENT_LOOK_BACK;
	const struct store_event *e;

	list_for_each_entry_reverse(e, &w->pending, of) {
		if (e->hash == hash && !strcmp(e->path, path))
			return true;
		if (!--left)
			break;
	}
	return false;
}

static bool events_full(const struct store_conn *c, size_t len)
{
	unsigned int events = c->privileged ? STORE_EVENTS_DOM0 : STORE_EVENTS;
	size_t bytes = c->privileged ? STORE_EVENT_BYTES_DOM0 : STORE_EVENT_BYTES;

	return c->nr_events >= events || c->event_bytes + len > bytes;
}

static void event_add_coarse(struct store_watch *w)
{
	if (!list_empty(&w->coarse.list))
		return;
	list_add_tail(&w->coarse.list, &w->conn->events);
	list_add_tail(&w->coarse.of, &w->pending);
	w->conn->nr_events++;
}

static bool event_add(struct store_watch *w, u32 hash, const char *path)
{
	size_t len = strlen(path);
	struct store_event *e;

	if (events_full(w->conn, len))
		return false;
	e = kmalloc(sizeof(*e) + len + 1, GFP_KERNEL | __GFP_NOWARN);
	if (!e)
		return false;
	e->watch = w;
	e->hash = hash;
	e->path = memcpy(e + 1, path, len + 1);
	list_add_tail(&e->list, &w->conn->events);
	list_add_tail(&e->of, &w->pending);
	w->conn->nr_events++;
	w->conn->event_bytes += len;
	return true;
}

static void event_queue(struct store *s, struct store_watch *w, u32 hash, const char *path)
{
	if (w->conn->broken || w->merged || event_is_pending(w, hash, path))
		return;
	if (!event_add(w, hash, path)) {
		s->dropped++;
		w->merged = true;
		event_add_coarse(w);
	}
	wake(w->conn);
}

static void event_free(struct store_event *e)
{
	struct store_watch *w = e->watch;

	list_del_init(&e->list);
	list_del_init(&e->of);
	w->conn->nr_events--;
	if (e == &w->coarse) {
		w->merged = false;
		return;
	}
	w->conn->event_bytes -= strlen(e->path);
	kfree(e);
}

/*
 * The body of an event: the path as the client would write it, and its token. Longer ones than a
 * message holds are lost.
 */
static size_t event_body(const struct store_event *e, char *buf)
{
	const char *path = e->path + e->watch->strip;
	size_t plen = strlen(path) + 1, tlen = strlen(e->watch->token) + 1;

	if (plen + tlen > XENSTORE_PAYLOAD_MAX)
		return 0;
	memcpy(buf, path, plen);
	memcpy(buf + plen, e->watch->token, tlen);
	return plen + tlen;
}

/**
 * store_event_next() - make the first pending event the message in @out
 * @c: the connection
 *
 * Return: false if there is none.
 */
bool store_event_next(struct store_conn *c)
{
	struct store_event *e;
	size_t len;

	while (!list_empty(&c->events)) {
		e = list_first_entry(&c->events, struct store_event, list);
		len = event_body(e, c->out.body);
		event_free(e);
		if (!len)
			continue;
		c->out.hdr.req_id = 0;
		c->out.hdr.tx_id = 0;
		store_out(c, XS_WATCH_EVENT, len);
		return true;
	}
	return false;
}

/* --- Watches ---------------------------------------------------------------------------------- */

static struct store_watch *find(struct store_conn *c, const char *path, const char *token)
{
	struct store_watch *w;

	list_for_each_entry(w, &c->watches, list)
		if (!strcmp(w->path, path) && !strcmp(w->token, token))
			return w;
	return NULL;
}

/**
 * store_watch_add() - a watch, which fires at once
 * @s: the store
 * @c: the connection
 * @path:  absolute, or special
 * @token: the client's
 * @strip: what to leave out in front of an event's path
 *
 * Return: 0; -EEXIST; -E2BIG beyond the quota; -EACCES for a special path that the client may not
 * watch; -ENOMEM.
 */
int store_watch_add(struct store *s, struct store_conn *c, const char *path, const char *token,
		    unsigned int strip)
{
	size_t plen = strlen(path), tlen = strlen(token);
	int special = store_special_find(path);
	struct store_watch *w;

	if (special >= 0 && !(store_perms_of(c, s->special[special]) & STORE_READ))
		return -EACCES;
	if (find(c, path, token))
		return -EEXIST;
	if (c->quota.watches && c->nr_watches >= c->quota.watches)
		return -E2BIG;
	w = kzalloc(sizeof(*w) + plen + tlen + 2, GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	w->conn = c;
	w->len = plen;
	w->strip = strip;
	w->hash = path_hash(s, path);
	memcpy(w->path, path, plen);
	w->token = memcpy(w->path + plen + 1, token, tlen);
	INIT_LIST_HEAD(&w->pending);
	INIT_LIST_HEAD(&w->coarse.list);
	INIT_LIST_HEAD(&w->coarse.of);
	w->coarse.watch = w;
	w->coarse.hash = w->hash;
	w->coarse.path = w->path;
	list_add_tail(&w->list, &c->watches);
	list_add_tail(&w->bucket, bucket(s, w->hash));
	c->nr_watches++;
	event_add_coarse(w);
	wake(c);
	return 0;
}

static void watch_free(struct store_watch *w)
{
	struct store_event *e, *next;

	list_for_each_entry_safe(e, next, &w->pending, of)
		event_free(e);
	list_del(&w->list);
	list_del(&w->bucket);
	w->conn->nr_watches--;
	kfree(w);
}

/** store_watch_del() - end a watch; its pending events are dropped. Return: 0 or -ENOENT. */
int store_watch_del(struct store_conn *c, const char *path, const char *token)
{
	struct store_watch *w = find(c, path, token);

	if (!w)
		return -ENOENT;
	watch_free(w);
	return 0;
}

void store_watch_del_all(struct store_conn *c)
{
	struct store_watch *w, *next;

	list_for_each_entry_safe(w, next, &c->watches, list)
		watch_free(w);
}

/* --- Firing ----------------------------------------------------------------------------------- */

static bool may_see(const struct store_conn *c, const struct store_fire *f)
{
	u8 bits = store_perms_of(c, f->perms);

	if (f->old)
		bits |= store_perms_of(c, f->old);
	if (f->parent)
		bits |= store_perms_of(c, f->parent);
	return bits & STORE_READ;
}

/* Watches on the first @len bytes of the path, whose hash is @hash; the event carries all of it. */
static void fire_at(struct store *s, const struct store_fire *f, size_t len, u32 hash, u32 full)
{
	struct store_watch *w;

	list_for_each_entry(w, bucket(s, hash), bucket)
		if (w->hash == hash && w->len == len && !memcmp(w->path, f->path, len) &&
		    may_see(w->conn, f))
			event_queue(s, w, full, f->path);
}

/**
 * store_fire() - something changed at f->path
 * @s: the store
 * @f: the change
 *
 * Queues an event for each watch on that path and, unless f->exact, on those above it, provided
 * that the watcher may read the node now, could before, or may read the directory that it is in.
 */
void store_fire(struct store *s, const struct store_fire *f)
{
	u32 hash = s->seed, full = path_hash(s, f->path);
	const char *rest = f->path, *name;
	size_t len;

	if (f->exact) {
		fire_at(s, f, strlen(f->path), full, full);
		return;
	}
	fire_at(s, f, 1, hash, full);
	while (store_path_next(&rest, &name, &len)) {
		hash = jhash(name, len, hash);
		fire_at(s, f, rest - f->path, hash, full);
	}
}

/** store_fire_special() - a domain came or went */
void store_fire_special(struct store *s, enum store_special what)
{
	struct store_fire f = {
		.path = special_paths[what],
		.perms = s->special[what],
		.exact = true,
	};

	store_fire(s, &f);
}
