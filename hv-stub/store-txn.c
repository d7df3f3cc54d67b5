// SPDX-License-Identifier: GPL-2.0
/*
 * Changes to the tree. Each is made in a transaction: the client's, or one around the single
 * request.
 *
 * A transaction is a tree of its own, over the real one, with a node for each path that was looked
 * at. Once a node is STORE_KNOWN, the transaction sees it as it was then, or as it changed it
 * since; other nodes in it are only on the way to those. Where it has no node, the real tree shows
 * through, unless a node above is known not to exist or was removed once (STORE_HIDES).
 *
 *	real tree	/ - a - b
 *			      \ c
 *	transaction	/ - a - b (known, gen 7, "new value")
 *			      \ d (known, gen 0: did not exist; "value")
 *
 * What it notes of a node, to find out about conflicts: the state of its value, permissions and
 * existence (@gen) when it was read or written; of the names of its children (@child_gen) when they
 * were listed; of all below (@tree_gen) when it was removed. Making a node reads the deepest
 * directory that exists: so two transactions that make different nodes in one directory do not
 * conflict. How a transaction takes effect: store-commit.c.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

/* --- Transactions as such --------------------------------------------------------------------- */

struct store_txn *store_txn_find(struct store_conn *c, u32 id)
{
	struct store_txn *t;

	list_for_each_entry(t, &c->txns, list)
		if (t->id == id)
			return t;
	return NULL;
}

/**
 * store_txn_open() - begin the transaction around a single request, in memory of the caller's. 0 or
 * @c: the connection
 * @t: the transaction
 * -ENOMEM.
 */
int store_txn_open(struct store_conn *c, struct store_txn *t)
{
	memset(t, 0, sizeof(*t));
	t->root = store_node_new("", 0);
	if (!t->root)
		return -ENOMEM;
	t->conn = c;
	t->nodes = 1;
	return 0;
}

/**
 * store_txn_close() - free what the transaction holds
 * @s: the store
 * @t: the transaction
 *
 * Nothing of it takes effect that is not committed.
 */
void store_txn_close(struct store *s, struct store_txn *t)
{
	store_nodes_free(s, t->root);
	t->root = NULL;
	t->conn->txn_bytes -= t->bytes;
	t->bytes = 0;
}

/**
 * store_txn_start() - a client begins a transaction. Return: 0; -ENOSPC beyond the quota; -ENOMEM.
 * @c: the connection
 * @txn: the transaction
 */
int store_txn_start(struct store_conn *c, struct store_txn **txn)
{
	struct store_txn *t;

	if (c->quota.transactions && c->nr_txns >= c->quota.transactions)
		return -ENOSPC;
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	if (store_txn_open(c, t)) {
		kfree(t);
		return -ENOMEM;
	}
	do {
		t->id = ++c->last_txn;
	} while (!t->id || store_txn_find(c, t->id));
	list_add_tail(&t->list, &c->txns);
	c->nr_txns++;
	*txn = t;
	return 0;
}

/** store_txn_end() - mirror of store_txn_start(), committed or not */
void store_txn_end(struct store *s, struct store_txn *t)
{
	store_txn_close(s, t);
	list_del(&t->list);
	t->conn->nr_txns--;
	kfree(t);
}

void store_txn_end_all(struct store *s, struct store_conn *c)
{
	struct store_txn *t, *next;

	list_for_each_entry_safe(t, next, &c->txns, list)
		store_txn_end(s, t);
}

/* Quotas are for what a client keeps; a single request is bounded by the size of its message. */
static bool is_bounded(const struct store_txn *t)
{
	return t->id && !t->conn->privileged;
}

static int charge(struct store_txn *t, size_t len)
{
	if (is_bounded(t) && t->conn->txn_bytes + len > STORE_TXN_BYTES)
		return -ENOSPC;
	t->conn->txn_bytes += len;
	t->bytes += len;
	return 0;
}

static void uncharge(struct store_txn *t, size_t len)
{
	t->conn->txn_bytes -= len;
	t->bytes -= len;
}

/* --- Looking ---------------------------------------------------------------------------------- */

/* Whether nothing of the real tree is seen below @n, whatever is there. */
static bool hides(const struct store_node *n)
{
	return n->flags & STORE_HIDES || (n->flags & (STORE_KNOWN | STORE_EXISTS)) == STORE_KNOWN;
}

static bool exists(const struct store_node *n, const struct store_node *base)
{
	return n->flags & STORE_KNOWN ? n->flags & STORE_EXISTS : !!base;
}

/* The transaction's node of one more component of a path. */
static struct store_node *step(struct store *s, struct store_txn *t, struct store_node *dir,
			       const char *name, size_t len)
{
	struct store_node *n = store_child(s, dir, name, len);

	if (n)
		return n;
	if (is_bounded(t) && t->nodes >= STORE_TXN_NODES)
		return ERR_PTR(-ENOSPC);
	n = store_node_new(name, len);
	if (!n)
		return ERR_PTR(-ENOMEM);
	store_node_hash(s, n, dir);
	t->nodes++;
	return n;
}

/**
 * struct look - a path as a transaction sees it
 * @n:      the transaction's node, known now
 * @near:   the deepest on the way that exists, known too; @n if it does
 * @base:   the node of the real tree that shows through, or NULL
 * @hidden: a node above was removed once, so none ever will
 */
struct look {
	struct store_node *n;
	struct store_node *near;
	struct store_node *base;
	bool hidden;
};

/* The transaction gets to know l->n, which is l->base in the real tree; NULL: does not exist. */
static int know(struct store_txn *t, const struct look *l)
{
	const struct store_node *base = l->base;
	struct store_node *n = l->n;
	int err;

	if (n->flags & STORE_KNOWN)
		return 0;
	if (base) {
		err = charge(t, base->value->len);
		if (err)
			return err;
		n->value = store_value_get(base->value);
		n->perms = store_perms_get(base->perms);
		n->gen = base->gen;
		n->flags |= STORE_EXISTS;
	}
	n->flags |= l->hidden ? STORE_KNOWN | STORE_LOCAL : STORE_KNOWN;
	return 0;
}

/* Missing nodes on the way become known as well: they would have to be made. */
static int look(struct store *s, struct store_txn *t, const char *path, struct look *l)
{
	struct store_node *next, *below;
	const char *name;
	size_t len;
	int err;

	*l = (struct look){ .n = t->root, .base = s->root };
	while (store_path_next(&path, &name, &len)) {
		below = l->base && !hides(l->n) ? store_child(s, l->base, name, len) : NULL;
		next = step(s, t, l->n, name, len);
		if (IS_ERR(next))
			return PTR_ERR(next);
		if (!l->near && !exists(next, below)) {
			l->near = l->n;
			err = know(t, l);
			if (err)
				return err;
		}
		l->hidden |= !!(l->n->flags & STORE_HIDES);
		l->n = next;
		l->base = below;
		if (l->near) {
			err = know(t, l);
			if (err)
				return err;
		}
	}
	if (!l->near)
		l->near = l->n;
	return know(t, l);
}

static int look_permitted(struct store *s, struct store_txn *t, struct store_conn *c,
			  const char *path, u8 need, struct look *l)
{
	int err = look(s, t, path, l);

	if (err)
		return err;
	if ((store_perms_of(c, l->near->perms) & need) != need)
		return -EACCES;
	return l->near == l->n ? 0 : -ENOENT;
}

/* The same outside any transaction, where looking leaves no trace. */
static int look_plain(struct store *s, struct store_conn *c, const char *path, u8 need,
		      struct look *l)
{
	l->n = store_lookup(s, path, &l->near);
	l->base = l->n;
	if ((store_perms_of(c, l->near->perms) & need) != need)
		return -EACCES;
	return l->n ? 0 : -ENOENT;
}

/**
 * store_get() - a node for reading its value and permissions
 * @s: the store
 * @t:    NULL outside any transaction
 * @c: the connection
 * @path: absolute path
 * @need: STORE_READ
 * @node: the node, or NULL with an error
 *
 * Return: 0; -EACCES if the node, or the deepest directory above one that does not exist, forbids
 * it; -ENOENT; -ENOMEM; -ENOSPC.
 */
int store_get(struct store *s, struct store_txn *t, struct store_conn *c, const char *path, u8 need,
	      struct store_node **node)
{
	struct look l;
	int err = t ? look_permitted(s, t, c, path, need, &l) : look_plain(s, c, path, need, &l);

	*node = err ? NULL : l.n;
	return err;
}

/* --- Listing ---------------------------------------------------------------------------------- */

/*
 * struct listing - names with their NULs: those from byte @skip on go into @buf as far as whole
 * ones fit
 */
struct listing {
	size_t skip;
	char *buf;
	size_t size;
	size_t len;
	bool full;
};

static bool list_one(struct listing *l, const struct store_node *n)
{
	size_t len = n->len + 1;

	if (l->skip >= len) {
		l->skip -= len;
		return true;
	}
	l->skip = 0;
	if (l->len + len > l->size) {
		l->full = true;
		return false;
	}
	memcpy(l->buf + l->len, n->name, len);
	l->len += len;
	return true;
}

/*
 * What a transaction sees in a directory: what is in the real one and not known otherwise, then
 * what else it knows.
 */
static void list_txn(struct store *s, struct store_node *dir, struct store_node *base,
		     struct listing *l)
{
	struct store_node *n, *over;

	if (base && !hides(dir)) {
		list_for_each_entry(n, &base->children, sibling) {
			over = store_child(s, dir, n->name, n->len);
			if ((!over || exists(over, n)) && !list_one(l, n))
				return;
		}
	} else {
		base = NULL;
	}
	list_for_each_entry(n, &dir->children, sibling)
		if (n->flags & STORE_EXISTS && !(base && store_child(s, base, n->name, n->len)) &&
		    !list_one(l, n))
			return;
}

static void list_plain(struct store_node *dir, struct listing *l)
{
	struct store_node *n;

	list_for_each_entry(n, &dir->children, sibling)
		if (!list_one(l, n))
			return;
}

/**
 * store_list() - the names of a node's children
 * @s: the store
 * @t: the transaction
 * @c: the connection
 * @path: absolute path
 * @from: start at this byte of the whole list
 * @buf:  names with their NULs, as many whole ones as fit @size
 * @size: bytes at @buf
 * @gen:  changes when the list does
 * @last: whether the list ends here
 *
 * Return: bytes in @buf, or an error as store_get().
 */
int store_list(struct store *s, struct store_txn *t, struct store_conn *c, const char *path,
	       size_t from, char *buf, size_t size, u64 *gen, bool *last)
{
	struct listing out = { .skip = from, .buf = buf, .size = size };
	struct look l;
	int err;

	if (t)
		err = look_permitted(s, t, c, path, STORE_READ, &l);
	else
		err = look_plain(s, c, path, STORE_READ, &l);
	if (err)
		return err;
	if (t) {
		if (!l.hidden && !(l.n->flags & (STORE_LISTED | STORE_HIDES))) {
			l.n->flags |= STORE_LISTED;
			l.n->child_gen = l.base ? l.base->child_gen : 0;
		}
		list_txn(s, l.n, l.base, &out);
		*gen = l.n->child_gen + t->edits;
	} else {
		list_plain(l.n, &out);
		*gen = l.n->child_gen;
	}
	*last = !out.full;
	return out.len;
}

/* --- Changing --------------------------------------------------------------------------------- */

static int set_value(struct store_txn *t, struct store_node *n, struct store_value *value)
{
	int err = charge(t, value->len);

	if (err)
		return err;
	if (n->value) {
		uncharge(t, n->value->len);
		store_value_put(n->value);
	}
	n->value = store_value_get(value);
	n->flags |= STORE_WRITTEN | STORE_EVENT;
	return 0;
}

/* @n is gone as the transaction sees it. What it had noted for conflicts stays. */
static void forget(struct store_txn *t, struct store_node *n)
{
	if (n->value)
		uncharge(t, n->value->len);
	store_value_put(n->value);
	store_perms_put(n->perms);
	n->value = NULL;
	n->perms = NULL;
	n->flags &= ~(STORE_EXISTS | STORE_WRITTEN | STORE_EVENT);
}

/* Make l->n and the directories that it lacks. Fails before it has changed anything. */
static int create(struct store *s, struct store_txn *t, struct look *l, struct store_value *value)
{
	struct store_perms *perms;
	struct store_node *n;
	int err, count = 0;

	for (n = l->n; n != l->near; n = n->parent)
		count++;
	if (store_txn_over_quota(s, t, count))
		return -ENOSPC;
	perms = store_perms_inherit(l->near->perms, t->conn);
	if (!perms)
		return -ENOMEM;
	err = set_value(t, l->n, value);
	for (n = l->n; !err && n != l->near; n = n->parent) {
		/*
		 * It may have been seen to exist, before something above it went that had not been
		 * looked at yet. The commit will find the conflict.
		 */
		if (n != l->n) {
			forget(t, n);
			n->value = store_value_get(s->empty);
		}
		store_perms_put(n->perms);
		n->perms = store_perms_get(perms);
		n->flags |= STORE_EXISTS | STORE_WRITTEN;
	}
	t->edits += count;
	store_perms_put(perms);
	return err;
}

static int put_value(struct store *s, struct store_txn *t, const char *path,
		     struct store_value *value)
{
	struct look l;
	int err = look_permitted(s, t, t->conn, path, STORE_WRITE, &l);

	if (err == -ENOENT)
		return create(s, t, &l, value);
	return err ?: set_value(t, l.n, value);
}

/** store_write() - set a node's value; make it and its directories if need be */
int store_write(struct store *s, struct store_txn *t, const char *path, const void *data,
		size_t len)
{
	struct store_value *value;
	int err;

	if (t->conn->quota.node_size && len > t->conn->quota.node_size)
		return -ENOSPC;
	value = store_value_new(data, len);
	if (!value)
		return -ENOMEM;
	err = put_value(s, t, path, value);
	store_value_put(value);
	return err;
}

/** store_mkdir() - make a node, if there is none, and its directories */
int store_mkdir(struct store *s, struct store_txn *t, const char *path)
{
	struct look l;
	int err = look_permitted(s, t, t->conn, path, STORE_WRITE, &l);

	return err == -ENOENT ? create(s, t, &l, s->empty) : err;
}

/** store_set_perms() - @perms is borrowed. Only the privileged may give a node to another owner. */
int store_set_perms(struct store *s, struct store_txn *t, const char *path,
		    struct store_perms *perms)
{
	struct look l;
	int err = look_permitted(s, t, t->conn, path, STORE_WRITE | STORE_OWNER, &l);

	if (err)
		return err;
	if (!t->conn->privileged && perms->p[0].id != l.n->perms->p[0].id)
		return -EACCES;
	store_perms_put(l.n->perms);
	l.n->perms = store_perms_get(perms);
	l.n->flags |= STORE_WRITTEN | STORE_EVENT;
	return 0;
}

/**
 * store_rm() - remove a node and all below it
 * @s: the store
 * @t: the transaction
 * @path: absolute path
 *
 * Return: 0, also for a node that does not exist in a directory that does; or an errno.
 */
int store_rm(struct store *s, struct store_txn *t, const char *path)
{
	struct store_node *n;
	struct look l;
	int err;

	if (!path[1])
		return -EINVAL;
	err = look_permitted(s, t, t->conn, path, STORE_WRITE, &l);
	if (err == -ENOENT && l.near == l.n->parent)
		return 0;
	if (err)
		return err;
	if (l.base && !(l.n->flags & (STORE_SWEPT | STORE_HIDES))) {
		l.n->flags |= STORE_SWEPT;
		l.n->tree_gen = l.base->tree_gen;
	}
	for (n = l.n; n; n = store_next(n, l.n))
		forget(t, n);
	if (l.n->gen)
		l.n->flags |= STORE_HIDES | STORE_WRITTEN | STORE_EVENT;
	t->edits++;
	return 0;
}
