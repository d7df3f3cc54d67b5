// SPDX-License-Identifier: GPL-2.0
/*
 * What each message does. A handler looks at the request in c->in and, when it succeeds, has put
 * its reply into c->out; an error that it returns is replied by its caller.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

static const char ok[] = "OK";

/*
 * The path of a request in absolute form, in s->path. Return: bytes put in front of it, or -EINVAL.
 */
static int get_path(struct store *s, struct store_conn *c, const char *path)
{
	return store_path_abs(c, path, s->path);
}

/* The only string of a request, as a path. */
static int get_only_path(struct store *s, struct store_conn *c)
{
	struct store_args args;
	int err = store_args_get(c, &args, 1, 1);

	return err ?: get_path(s, c, args.s[0]);
}

/*
 * The first string of a request as a path, whatever follows. Return: where that begins in the body.
 */
static int get_first_path(struct store *s, struct store_conn *c)
{
	size_t len = strnlen(c->in.body, c->in.hdr.len);
	int err;

	if (len == c->in.hdr.len)
		return -EINVAL;
	err = get_path(s, c, c->in.body);
	return err < 0 ? err : (int)len + 1;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static int op_read(struct store *s, struct store_conn *c, struct store_txn *t)
{
	struct store_node *n;
	int err = get_only_path(s, c);

	if (err < 0)
		return err;
	err = store_get(s, t, c, s->path, STORE_READ, &n);
	if (err)
		return err;
	memcpy(c->out.body, n->value->data, n->value->len);
	store_reply(c, n->value->len);
	return 0;
}

static int op_directory(struct store *s, struct store_conn *c, struct store_txn *t)
{
	int len = get_only_path(s, c);
	bool last;
	u64 gen;

	if (len < 0)
		return len;
	len = store_list(s, t, c, s->path, 0, c->out.body, XENSTORE_PAYLOAD_MAX, &gen, &last);
	if (len < 0)
		return len;
	if (!last)
		return -E2BIG;
	store_reply(c, len);
	return 0;
}

/* Reply: the generation, names from the offset on, and after the last an empty one. */
static int op_directory_part(struct store *s, struct store_conn *c, struct store_txn *t)
{
	enum { GEN_MAX = 24, ROOM = XENSTORE_PAYLOAD_MAX - GEN_MAX - 1 };
	struct store_args args;
	char *body = c->out.body;
	unsigned int from;
	int err, len, at;
	bool last;
	u64 gen;

	err = store_args_get(c, &args, 2, 2);
	if (err)
		return err;
	if (kstrtouint(args.s[1], 10, &from))
		return -EINVAL;
	err = get_path(s, c, args.s[0]);
	if (err < 0)
		return err;
	len = store_list(s, t, c, s->path, from, body + GEN_MAX, ROOM, &gen, &last);
	if (len < 0)
		return len;
	at = scnprintf(body, GEN_MAX, "%llu", (unsigned long long)gen) + 1;
	memmove(body + at, body + GEN_MAX, len);
	if (last)
		body[at + len++] = '\0';
	store_reply(c, at + len);
	return 0;
}

/* Whether the request is about a special path: which, or -EINVAL. */
static int get_special(struct store_conn *c)
{
	if (!memchr(c->in.body, 0, c->in.hdr.len))
		return -EINVAL;
	return store_special_find(c->in.body);
}

static int get_special_perms(struct store *s, struct store_conn *c, int special,
			     const struct store_perms **perms)
{
	*perms = s->special[special];
	return store_perms_of(c, *perms) & STORE_READ ? 0 : -EACCES;
}

static int get_node_perms(struct store *s, struct store_conn *c, struct store_txn *t,
			  const struct store_perms **perms)
{
	struct store_node *n;
	int err = get_only_path(s, c);

	if (err < 0)
		return err;
	err = store_get(s, t, c, s->path, STORE_READ, &n);
	if (!err)
		*perms = n->perms;
	return err;
}

static int op_get_perms(struct store *s, struct store_conn *c, struct store_txn *t)
{
	const struct store_perms *perms;
	int special = get_special(c);
	int len;

	if (special >= 0)
		len = get_special_perms(s, c, special, &perms);
	else
		len = get_node_perms(s, c, t, &perms);
	if (!len)
		len = store_perms_format(perms, c->out.body, XENSTORE_PAYLOAD_MAX);
	if (len < 0)
		return len;
	store_reply(c, len);
	return 0;
}

/* --- Changing, always with a transaction ------------------------------------------------------ */

static int op_write(struct store *s, struct store_conn *c, struct store_txn *t)
{
	int at = get_first_path(s, c);

	return at < 0 ? at : store_write(s, t, s->path, c->in.body + at, c->in.hdr.len - at);
}

static int op_mkdir(struct store *s, struct store_conn *c, struct store_txn *t)
{
	int err = get_only_path(s, c);

	return err < 0 ? err : store_mkdir(s, t, s->path);
}

static int op_rm(struct store *s, struct store_conn *c, struct store_txn *t)
{
	int err = get_only_path(s, c);

	return err < 0 ? err : store_rm(s, t, s->path);
}

static int set_special_perms(struct store *s, struct store_conn *c, int special,
			     struct store_perms *perms)
{
	if (!c->privileged)
		return -EACCES;
	store_perms_put(s->special[special]);
	s->special[special] = store_perms_get(perms);
	return 0;
}

static int op_set_perms(struct store *s, struct store_conn *c, struct store_txn *t)
{
	struct store_perms *perms;
	int special, at, err;

	special = get_special(c);
	at = special >= 0 ? (int)strlen(c->in.body) + 1 : get_first_path(s, c);
	if (at < 0)
		return at;
	perms = store_perms_parse(c->in.body + at, c->in.hdr.len - at, c->quota.perms, s->gen + 1);
	if (IS_ERR(perms))
		return PTR_ERR(perms);
	if (special >= 0)
		err = set_special_perms(s, c, special, perms);
	else
		err = store_set_perms(s, t, s->path, perms);
	store_perms_put(perms);
	return err;
}

/* --- Watches ---------------------------------------------------------------------------------- */

/*
 * The path and the token of a request. Return: how much of an event's path to leave out, or an
 * error.
 */
static int get_watch(struct store *s, struct store_conn *c, const char **path, const char **token)
{
	struct store_args args;
	int err = store_args_get(c, &args, 2, STORE_ARGS_MAX);

	if (err)
		return err;
	*token = args.s[1];
	*path = args.s[0];
	if (args.s[0][0] == '@')
		return store_special_find(args.s[0]) < 0 ? -EINVAL : 0;
	*path = s->path;
	return get_path(s, c, args.s[0]);
}

static int op_watch(struct store *s, struct store_conn *c, struct store_txn *t)
{
	const char *path, *token;
	int strip = get_watch(s, c, &path, &token);

	return strip < 0 ? strip : store_watch_add(s, c, path, token, strip);
}

static int op_unwatch(struct store *s, struct store_conn *c, struct store_txn *t)
{
	const char *path, *token;
	int strip = get_watch(s, c, &path, &token);

	return strip < 0 ? strip : store_watch_del(c, path, token);
}

static int op_reset_watches(struct store *s, struct store_conn *c, struct store_txn *t)
{
	store_watch_del_all(c);
	store_txn_end_all(s, c);
	return 0;
}

/* --- Transactions ----------------------------------------------------------------------------- */

static int op_transaction_start(struct store *s, struct store_conn *c, struct store_txn *t)
{
	int err;

	if (t)
		return -EBUSY;
	err = store_txn_start(c, &t);
	if (err)
		return err;
	store_reply(c, scnprintf(c->out.body, XENSTORE_PAYLOAD_MAX, "%u", t->id) + 1);
	return 0;
}

static int op_transaction_end(struct store *s, struct store_conn *c, struct store_txn *t)
{
	struct store_args args;
	int err = store_args_get(c, &args, 1, 1);

	if (err)
		return err;
	if (strcmp(args.s[0], "T") && strcmp(args.s[0], "F"))
		return -EINVAL;
	if (!t)
		return -ENOENT;
	if (args.s[0][0] == 'T')
		err = store_txn_commit(s, t);
	store_txn_end(s, t);
	return err;
}

/* --- Domains ---------------------------------------------------------------------------------- */

static int get_domid(struct store_conn *c, domid_t *id)
{
	struct store_args args;
	int err = store_args_get(c, &args, 1, 1) ?: store_domid_parse(args.s[0], id);

	if (!err && *id == DOMID_SELF)
		*id = c->id;
	return err;
}

static int op_get_domain_path(struct store *s, struct store_conn *c, struct store_txn *t)
{
	domid_t id;
	int err = get_domid(c, &id);

	if (err)
		return err;
	store_reply(c, scnprintf(c->out.body, XENSTORE_PAYLOAD_MAX, "/local/domain/%u", id) + 1);
	return 0;
}

static int op_is_domain_introduced(struct store *s, struct store_conn *c, struct store_txn *t)
{
	domid_t id;
	int err = get_domid(c, &id);

	if (!err)
		store_reply_text(c, store_conn_find(s, id) ? "T" : "F");
	return err;
}

/* INTRODUCE and its like: domains are made known by the stub, and only by it. */
static int op_not_here(struct store *s, struct store_conn *c, struct store_txn *t)
{
	return -ENOSYS;
}

static int op_control(struct store *s, struct store_conn *c, struct store_txn *t)
{
	struct store_args args;
	int err = store_args_get(c, &args, 1, STORE_ARGS_MAX);
	unsigned int conns = 0, i;
	struct store_conn *p;

	if (err)
		return err;
	if (!strcmp(args.s[0], "help")) {
		store_reply_text(c, "Commands:\nhelp\nstats\n");
		return 0;
	}
	if (strcmp(args.s[0], "stats"))
		return -EINVAL;
	hash_for_each(s->conns, i, p, hash)
		conns++;
	store_reply(c, scnprintf(c->out.body, XENSTORE_PAYLOAD_MAX,
				 "nodes %u\nconnections %u\nbroken %u\nmerged %llu\n",
				 s->nodes, conns, s->broken,
				 (unsigned long long)s->dropped) + 1);
	return 0;
}

/* --- Dispatch --------------------------------------------------------------------------------- */

#define PRIVILEGED	0x1	/* for domain 0 only */
#define CHANGES		0x2	/* needs a transaction: the client's, or one of its own */
#define NO_TXN		0x4	/* has nothing to do with transactions, whatever tx_id says */

static const struct {
	int (*fn)(struct store *s, struct store_conn *c, struct store_txn *t);
	unsigned int flags;
} ops[XS_TYPE_COUNT] = {
	[XS_CONTROL] =			{ op_control, PRIVILEGED | NO_TXN },
	[XS_DIRECTORY] =		{ op_directory },
	[XS_DIRECTORY_PART] =		{ op_directory_part },
	[XS_READ] =			{ op_read },
	[XS_GET_PERMS] =		{ op_get_perms },
	[XS_WATCH] =			{ op_watch, NO_TXN },
	[XS_UNWATCH] =			{ op_unwatch, NO_TXN },
	[XS_RESET_WATCHES] =		{ op_reset_watches, NO_TXN },
	[XS_TRANSACTION_START] =	{ op_transaction_start },
	[XS_TRANSACTION_END] =		{ op_transaction_end },
	[XS_INTRODUCE] =		{ op_not_here, PRIVILEGED | NO_TXN },
	[XS_RELEASE] =			{ op_not_here, PRIVILEGED | NO_TXN },
	[XS_RESUME] =			{ op_not_here, PRIVILEGED | NO_TXN },
	[XS_SET_TARGET] =		{ op_not_here, PRIVILEGED | NO_TXN },
	[XS_GET_DOMAIN_PATH] =		{ op_get_domain_path, NO_TXN },
	[XS_IS_DOMAIN_INTRODUCED] =	{ op_is_domain_introduced, NO_TXN },
	[XS_WRITE] =			{ op_write, CHANGES },
	[XS_MKDIR] =			{ op_mkdir, CHANGES },
	[XS_RM] =			{ op_rm, CHANGES },
	[XS_SET_PERMS] =		{ op_set_perms, CHANGES },
};

/* One change outside the client's transactions. */
static int change(struct store *s, struct store_conn *c, unsigned int type)
{
	struct store_txn t;
	int err = store_txn_open(c, &t);

	if (err)
		return err;
	err = ops[type].fn(s, c, &t) ?: store_txn_commit(s, &t);
	store_txn_close(s, &t);
	return err;
}

static int dispatch(struct store *s, struct store_conn *c)
{
	u32 type = c->in.hdr.type, tx_id = c->in.hdr.tx_id;
	struct store_txn *t = NULL;

	if (type >= ARRAY_SIZE(ops) || !ops[type].fn)
		return -ENOSYS;
	if (ops[type].flags & PRIVILEGED && !c->privileged)
		return -EACCES;
	if (tx_id && !(ops[type].flags & NO_TXN)) {
		t = store_txn_find(c, tx_id);
		if (!t)
			return -ENOENT;
	}
	if (ops[type].flags & CHANGES && !t)
		return change(s, c, type);
	return ops[type].fn(s, c, t);
}

/** store_handle() - answer the request in @in, with a reply or an error in @out, which was empty */
void store_handle(struct store *s, struct store_conn *c)
{
	int err = dispatch(s, c);

	if (err)
		store_reply_error(c, err);
	else if (!c->out_len)
		store_reply_text(c, ok);
}

/**
 * store_step() - make the next message to send
 * @s: the store
 * @c: the connection
 *
 * Only if there is something to say and nothing is being sent. Replies and events take turns, so
 * that neither a flood of events caused by others keeps the client from being served, nor its own
 * requests keep events from it. There is never more than one reply: the next request waits until it
 * is sent. Return: whether there is a message to send now that was not before.
 */
bool store_step(struct store *s, struct store_conn *c)
{
	bool request = store_in_complete(c);

	if (c->broken || c->gone || c->out_len)
		return false;
	if ((c->out_reply || !request) && store_event_next(c)) {
		c->out_reply = false;
		return true;
	}
	if (!request)
		return false;
	store_handle(s, c);
	c->got = 0;
	c->out_reply = true;
	return true;
}

/* --- The server's own changes ----------------------------------------------------------------- */

/**
 * store_make_node() - set a node's value and permissions. @perms is borrowed. Return: 0 or -ENOMEM.
 * @s: the store
 * @t: the transaction
 * @path: absolute path
 * @value: NUL-terminated
 * @perms: the permissions
 */
int store_make_node(struct store *s, struct store_txn *t, const char *path, const char *value,
		    struct store_perms *perms)
{
	return store_write(s, t, path, value, strlen(value)) ?: store_set_perms(s, t, path, perms);
}

/*
 * What the domain owned outside its home: removed, or, with nodes of others in it, given to domain
 * 0.
 */
static void disown(struct store *s, struct store_conn *c)
{
	struct store_node *n;

	while (!list_empty(&c->owned)) {
		n = list_last_entry(&c->owned, struct store_node, owned);
		if (list_empty(&n->children) && n->parent)
			store_sweep(s, n, true);
		else
			store_node_change(s, n, n->value, s->owner0);
	}
}

/**
 * store_conn_gone() - the client is no more
 * @s: the store
 * @c: the connection
 *
 * Forgets its watches, transactions and nodes, and tells others. Needs no memory. Domain 0 leaves
 * its nodes, but for its home.
 */
void store_conn_gone(struct store *s, struct store_conn *c)
{
	struct store_node *home;

	c->gone = true;
	store_watch_del_all(c);
	store_txn_end_all(s, c);
	scnprintf(s->path, sizeof(s->path), "/local/domain/%u", c->id);
	home = store_lookup(s, s->path, NULL);
	if (home)
		store_sweep(s, home, true);
	if (!c->privileged)
		disown(s, c);
	store_conn_unlink(s, c);
	store_fire_special(s, STORE_RELEASE);
}
