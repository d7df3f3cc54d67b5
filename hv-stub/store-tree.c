// SPDX-License-Identifier: GPL-2.0
/*
 * The tree: nodes, their lookup, and who owns how many of them.
 *
 * Nodes of the real tree and of transactions are found in one table by (parent, name). Nodes of the
 * real tree are on the list of their owner's connection and counted there. A change stamps the
 * node, and all nodes above it, with a new generation: this is what transactions compare.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

#define BITS_MIN	8
#define BITS_MAX	20

/* --- Values ----------------------------------------------------------------------------------- */

struct store_value *store_value_new(const void *data, size_t len)
{
	struct store_value *v = kmalloc(struct_size(v, data, len), GFP_KERNEL);

	if (!v)
		return NULL;
	v->refs = 1;
	v->len = len;
	memcpy(v->data, data, len);
	return v;
}

struct store_value *store_value_get(struct store_value *v)
{
	v->refs++;
	return v;
}

void store_value_put(struct store_value *v)
{
	if (v && !--v->refs)
		kfree(v);
}

/* --- The table -------------------------------------------------------------------------------- */

static struct hlist_head *bucket(struct store *s, struct store_node *parent, const char *name,
				 size_t len)
{
	u32 h = jhash(name, len, s->seed ^ hash_ptr(parent, 32));

	return &s->table[hash_32(h, s->bits)];
}

/* Twice the heads. When there is no memory for them the chains get longer, and that is all. */
static void grow(struct store *s)
{
	unsigned int old_size = 1U << s->bits, i;
	struct hlist_head *old = s->table, *table;
	struct store_node *n;
	struct hlist_node *next;

	table = kvcalloc(2 * old_size, sizeof(*table), GFP_KERNEL | __GFP_NOWARN);
	if (!table)
		return;
	s->table = table;
	s->bits++;
	for (i = 0; i < old_size; i++) {
		hlist_for_each_entry_safe(n, next, &old[i], hash) {
			hlist_del(&n->hash);
			hlist_add_head(&n->hash, bucket(s, n->parent, n->name, n->len));
		}
	}
	kvfree(old);
}

/** store_node_hash() - put @n below @parent, into the table and the list of children */
void store_node_hash(struct store *s, struct store_node *n, struct store_node *parent)
{
	if (s->hashed >= 2U << s->bits && s->bits < BITS_MAX)
		grow(s);
	n->parent = parent;
	hlist_add_head(&n->hash, bucket(s, parent, n->name, n->len));
	list_add_tail(&n->sibling, &parent->children);
	s->hashed++;
}

/** store_node_unhash() - mirror of store_node_hash(); @n keeps its pointer to the parent */
void store_node_unhash(struct store *s, struct store_node *n)
{
	hlist_del_init(&n->hash);
	list_del_init(&n->sibling);
	s->hashed--;
}

struct store_node *store_child(struct store *s, struct store_node *parent, const char *name,
			       size_t len)
{
	struct store_node *n;

	hlist_for_each_entry(n, bucket(s, parent, name, len), hash)
		if (n->parent == parent && n->len == len && !memcmp(n->name, name, len))
			return n;
	return NULL;
}

/** store_path_next() - step over one component of a path. Return: false at the end. */
bool store_path_next(const char **path, const char **name, size_t *len)
{
	const char *p = *path;

	if (*p == '/')
		p++;
	*name = p;
	*len = strcspn(p, "/");
	*path = p + *len;
	return *len;
}

/**
 * store_lookup() - find a node of the real tree
 * @s: the store
 * @path: absolute path
 * @near: unless NULL, the deepest node on the way that exists, the node itself if it does
 */
struct store_node *store_lookup(struct store *s, const char *path, struct store_node **near)
{
	struct store_node *n = s->root, *next;
	const char *name;
	size_t len;

	while (n && store_path_next(&path, &name, &len)) {
		next = store_child(s, n, name, len);
		if (!next && near)
			*near = n;
		n = next;
	}
	if (n && near)
		*near = n;
	return n;
}

/* --- Nodes ------------------------------------------------------------------------------------ */

struct store_node *store_node_new(const char *name, size_t len)
{
	struct store_node *n = kzalloc(struct_size(n, name, len + 1), GFP_KERNEL);

	if (!n)
		return NULL;
	memcpy(n->name, name, len);
	n->len = len;
	INIT_HLIST_NODE(&n->hash);
	INIT_LIST_HEAD(&n->sibling);
	INIT_LIST_HEAD(&n->children);
	INIT_LIST_HEAD(&n->owned);
	return n;
}

/** store_node_free() - @n is in no table and on no list, and has no children */
void store_node_free(struct store_node *n)
{
	store_value_put(n->value);
	store_perms_put(n->perms);
	kfree(n);
}

/**
 * store_node_path() - write the node's absolute path
 * @n: the node
 * @buf: where to
 * @size: bytes at @buf
 *
 * Return: its length; a path too long for @size is cut in front.
 */
size_t store_node_path(const struct store_node *n, char *buf, size_t size)
{
	size_t at = size - 1;

	buf[at] = '\0';
	for (; n->parent && at > n->len; n = n->parent) {
		at -= n->len;
		memcpy(buf + at, n->name, n->len);
		buf[--at] = '/';
	}
	if (at == size - 1)
		buf[--at] = '/';
	memmove(buf, buf + at, size - at);
	return size - at - 1;
}

/** store_next() - the node after @n in pre-order below @top, or NULL */
struct store_node *store_next(struct store_node *n, struct store_node *top)
{
	if (!list_empty(&n->children))
		return list_first_entry(&n->children, struct store_node, sibling);
	while (n != top) {
		if (!list_is_last(&n->sibling, &n->parent->children))
			return list_next_entry(n, sibling);
		n = n->parent;
	}
	return NULL;
}

unsigned int store_count_owned(struct store_node *top, domid_t id)
{
	struct store_node *n;
	unsigned int count = 0;

	for (n = top; n; n = store_next(n, top))
		count += n->perms->p[0].id == id;
	return count;
}

/* --- Accounts --------------------------------------------------------------------------------- */

static void account(struct store *s, struct store_node *n)
{
	struct store_conn *c = store_conn_find(s, n->perms->p[0].id);

	if (c)
		c->nodes++;
	list_add_tail(&n->owned, c ? &c->owned : &s->orphans);
}

static void unaccount(struct store *s, struct store_node *n)
{
	struct store_conn *c = store_conn_find(s, n->perms->p[0].id);

	if (c)
		c->nodes--;
	list_del_init(&n->owned);
}

static void stamp(struct store *s, struct store_node *n)
{
	for (; n; n = n->parent)
		n->tree_gen = s->gen;
}

/** store_node_insert() - @n, which has a value and permissions, becomes a node of the real tree */
void store_node_insert(struct store *s, struct store_node *n, struct store_node *parent)
{
	store_node_hash(s, n, parent);
	account(s, n);
	s->nodes++;
	n->flags = 0;
	n->gen = ++s->gen;
	n->child_gen = s->gen;
	parent->child_gen = s->gen;
	stamp(s, n);
}

/** store_node_remove() - take a node without children out of the real tree and free it */
void store_node_remove(struct store *s, struct store_node *n)
{
	s->gen++;
	n->parent->child_gen = s->gen;
	stamp(s, n->parent);
	unaccount(s, n);
	s->nodes--;
	store_node_unhash(s, n);
	store_node_free(n);
}

/** store_node_change() - a new value and permissions; references are taken */
void store_node_change(struct store *s, struct store_node *n, struct store_value *value,
		       struct store_perms *perms)
{
	store_value_get(value);
	store_perms_get(perms);
	unaccount(s, n);
	store_value_put(n->value);
	store_perms_put(n->perms);
	n->value = value;
	n->perms = perms;
	account(s, n);
	n->gen = ++s->gen;
	stamp(s, n);
}

/* --- Connections ------------------------------------------------------------------------------ */

struct store_conn *store_conn_find(struct store *s, domid_t id)
{
	struct store_conn *c;

	hash_for_each_possible(s->conns, c, hash, id)
		if (c->id == id)
			return c;
	return NULL;
}

/** store_conn_init() - a connection that the store does not know yet. @c is zeroed. */
void store_conn_init(struct store_conn *c, domid_t id, void (*wake)(struct store_conn *c))
{
	c->id = id;
	c->privileged = !id;
	c->wake = wake;
	INIT_HLIST_NODE(&c->hash);
	INIT_LIST_HEAD(&c->owned);
	INIT_LIST_HEAD(&c->watches);
	INIT_LIST_HEAD(&c->txns);
	INIT_LIST_HEAD(&c->events);
	if (c->privileged)
		return;
	c->quota.nodes = STORE_QUOTA_NODES;
	c->quota.watches = STORE_QUOTA_WATCHES;
	c->quota.transactions = STORE_QUOTA_TRANSACTIONS;
	c->quota.node_size = STORE_QUOTA_NODE_SIZE;
	c->quota.perms = STORE_QUOTA_PERMS;
}

/**
 * store_conn_link() - the store gets to know a connection
 * @s: the store
 * @c: the connection; it owns from now on what was made in its domain's name before
 */
void store_conn_link(struct store *s, struct store_conn *c)
{
	struct store_node *n, *next;

	hash_add(s->conns, &c->hash, c->id);
	c->linked = true;
	list_for_each_entry_safe(n, next, &s->orphans, owned) {
		if (n->perms->p[0].id != c->id)
			continue;
		list_move_tail(&n->owned, &c->owned);
		c->nodes++;
	}
}

/** store_conn_unlink() - mirror of store_conn_link() */
void store_conn_unlink(struct store *s, struct store_conn *c)
{
	hash_del(&c->hash);
	c->linked = false;
	list_splice_tail_init(&c->owned, &s->orphans);
	c->nodes = 0;
}

/* --- Beginning and end ------------------------------------------------------------------------ */

/** store_init() - a tree with a root and nothing else. @s is zeroed. Return: 0 or -ENOMEM. */
int store_init(struct store *s)
{
	unsigned int i;

	hash_init(s->conns);
	for (i = 0; i < ARRAY_SIZE(s->watches); i++)
		INIT_LIST_HEAD(&s->watches[i]);
	INIT_LIST_HEAD(&s->orphans);
	s->seed = get_random_u32();
	s->bits = BITS_MIN;
	s->gen = 1;
	s->nodes = 1;
	s->table = kvcalloc(1U << s->bits, sizeof(*s->table), GFP_KERNEL | __GFP_NOWARN);
	s->owner0 = store_perms_new(1, s->gen);
	s->empty = store_value_new("", 0);
	s->root = store_node_new("", 0);
	if (!s->table || !s->owner0 || !s->empty || !s->root) {
		store_destroy(s);
		return -ENOMEM;
	}
	for (i = 0; i < STORE_SPECIALS; i++)
		s->special[i] = store_perms_get(s->owner0);
	s->root->value = store_value_get(s->empty);
	s->root->perms = store_perms_get(s->owner0);
	s->root->gen = s->gen;
	s->root->child_gen = s->gen;
	s->root->tree_gen = s->gen;
	list_add(&s->root->owned, &s->orphans);
	return 0;
}

/**
 * store_nodes_free() - free a tree of nodes, the store's or a transaction's
 * @s: the store
 * @root: its root, or NULL
 */
void store_nodes_free(struct store *s, struct store_node *root)
{
	struct store_node *n = root, *up;

	while (n) {
		while (!list_empty(&n->children))
			n = list_first_entry(&n->children, struct store_node, sibling);
		up = n->parent;
		if (up)
			store_node_unhash(s, n);
		store_node_free(n);
		n = up;
	}
}

/** store_destroy() - free the tree; also after store_init() failed. No connection is left. */
void store_destroy(struct store *s)
{
	unsigned int i;

	store_nodes_free(s, s->root);
	for (i = 0; i < STORE_SPECIALS; i++)
		store_perms_put(s->special[i]);
	store_perms_put(s->owner0);
	store_value_put(s->empty);
	kvfree(s->table);
	s->root = NULL;
	s->table = NULL;
}
