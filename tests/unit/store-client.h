/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients of a store for the unit tests: requests as text, replies as text, events collected in a
 * log. NULs in replies are shown as '|'.
 */
#ifndef STORE_CLIENT_H
#define STORE_CLIENT_H

#include <linux/err.h>
#include <linux/slab.h>
#include "hv-stub/store.h"
#include "ktap.h"

struct client {
	struct store_conn c;
	char reply[2 * XENSTORE_PAYLOAD_MAX];
	size_t reply_len;
	u32 reply_type;
	char log[65536];	/* "path|token " for each event since the last look */
	unsigned int events;
	u32 tx;			/* of the requests that follow */
};

static struct store S;

static inline void client_take_event(struct client *k)
{
	size_t at = strlen(k->log), len = k->c.out.hdr.len, i;

	k->events++;
	if (at + len >= sizeof(k->log))
		return;
	for (i = 0; i < len; i++)
		k->log[at + i] = k->c.out.body[i] ?: i == len - 1 ? ' ' : '|';
	k->log[at + len] = '\0';
}

/* Take the message in out as a client would. */
static inline void client_take(struct client *k)
{
	struct store_msg *m = &k->c.out;
	size_t i;

	if (m->hdr.type == XS_WATCH_EVENT) {
		client_take_event(k);
	} else {
		k->reply_type = m->hdr.type;
		k->reply_len = m->hdr.len;
		for (i = 0; i < m->hdr.len; i++)
			k->reply[i] = m->body[i] ?: '|';
		k->reply[i] = '\0';
	}
	store_out_done(&k->c, k->c.out_len - k->c.sent);
}

static inline void client_pump(struct client *k)
{
	while (store_step(&S, &k->c))
		client_take(k);
}

/* One request; the reply, or the error's name. Events that come meanwhile go to the log. */
static inline const char *req_raw(struct client *k, u32 type, const void *body, size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = 77, .tx_id = k->tx, .len = len };

	memcpy(&k->c.in.hdr, &hdr, sizeof(hdr));
	k->c.got = 0;
	if (store_in_add(&k->c, sizeof(hdr)))
		return "EPROTO";
	if (len) {
		memcpy(k->c.in.body, body, len);
		store_in_add(&k->c, len);
	}
	k->reply_type = XS_INVALID;
	while (k->reply_type == XS_INVALID && store_step(&S, &k->c))
		client_take(k);
	return k->reply;
}

/* The body as a string literal in which '|' stands for NUL. */
static inline const char *req(struct client *k, u32 type, const char *text)
{
	static char body[XENSTORE_PAYLOAD_MAX + 1];
	size_t len = strlen(text), i;

	for (i = 0; i < len; i++)
		body[i] = text[i] == '|' ? 0 : text[i];
	return req_raw(k, type, body, len);
}

/* What has been fired at @k since the last call. */
static inline const char *events(struct client *k)
{
	static char log[sizeof(k->log)];

	client_pump(k);
	strcpy(log, k->log);
	k->log[0] = '\0';
	return log;
}

static inline struct client *client_new(domid_t id)
{
	struct client *k = kzalloc(sizeof(*k), GFP_KERNEL);

	store_conn_init(&k->c, id, NULL);
	k->c.born = ++S.gen;
	store_conn_link(&S, &k->c);
	return k;
}

static inline void client_free(struct client *k)
{
	store_conn_gone(&S, &k->c);
	kfree(k);
}

static inline void store_begin(void)
{
	memset(&S, 0, sizeof(S));
	CHECK_EQ(store_init(&S), 0);
}

/* The end of each test: nothing is left behind. */
static inline void store_end(void)
{
	store_destroy(&S);
	CHECK_EQ(S.hashed, 0);
	CHECK_EQ(shim_alive(), 0);
}

/* Every node is counted for the one who owns it, found by its path, and in the table. */
static inline void store_verify(void)
{
	struct store_node *n;
	struct store_conn *c;
	unsigned int nodes = 0, i;
	char path[XENSTORE_ABS_PATH_MAX + 1];

	for (n = S.root; n; n = store_next(n, S.root)) {
		nodes++;
		store_node_path(n, path, sizeof(path));
		CHECK(store_lookup(&S, path, NULL) == n);
		CHECK(n->value && n->perms && !n->flags && n->gen && n->tree_gen >= n->gen);
		CHECK(!n->parent || n->parent->tree_gen >= n->tree_gen);
	}
	CHECK_EQ(nodes, S.nodes);
	hash_for_each(S.conns, i, c, hash) {
		CHECK_EQ(c->nodes, store_count_owned(S.root, c->id));
		CHECK_EQ(list_count_nodes(&c->owned), c->nodes);
	}
}

#endif /* STORE_CLIENT_H */
