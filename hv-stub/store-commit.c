// SPDX-License-Identifier: GPL-2.0
/*
 * How a transaction takes effect.
 *
 * The commit compares the generations that the transaction noted with those of the real tree. If
 * all are the same, nothing that it saw has changed meanwhile and it can take effect as if it had
 * run just now; else it fails with EAGAIN. Taking effect needs no memory: new nodes move from one
 * tree to the other, values and permissions are references. So a request that runs out of memory
 * leaves the tree as it was.
 *
 * Watches fire here, once for each node that a request of the transaction named and changed, and
 * for each that went with a directory that was removed.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "store.h"

/* Find for each node of the transaction the real one at its path now. */
static void find_twins(struct store *s, struct store_txn *t)
{
	struct store_node *n, *up;

	t->root->twin = s->root;
	for (n = store_next(t->root, t->root); n; n = store_next(n, t->root)) {
		up = n->parent;
		n->twin = up->twin ? store_child(s, up->twin, n->name, n->len) : NULL;
		n->flags &= ~STORE_SHADOW;
		if (up->flags & (STORE_HIDES | STORE_SHADOW))
			n->flags |= STORE_SHADOW;
	}
}

static bool conflicts(const struct store_node *n)
{
	const struct store_node *now = n->twin;

	if ((n->flags & (STORE_KNOWN | STORE_LOCAL)) == STORE_KNOWN &&
	    n->gen != (now ? now->gen : 0))
		return true;
	if (n->flags & STORE_LISTED && n->child_gen != (now ? now->child_gen : 0))
		return true;
	return n->flags & STORE_SWEPT && n->tree_gen != (now ? now->tree_gen : 0);
}

/* How many nodes more the client will own after a commit. The twins have been found. */
static int quota_delta(struct store_txn *t)
{
	domid_t id = t->conn->id;
	struct store_node *n, *now;
	int delta = 0;

	for (n = t->root; n; n = store_next(n, t->root)) {
		now = n->flags & STORE_SHADOW ? NULL : n->twin;
		if (n->flags & STORE_HIDES && now) {
			delta -= store_count_owned(now, id);
			now = NULL;
		}
		if (!(n->flags & STORE_EXISTS) || !(n->flags & STORE_WRITTEN))
			continue;
		delta += n->perms->p[0].id == id;
		delta -= now && now->perms->p[0].id == id;
	}
	return delta;
}

/**
 * store_txn_over_quota() - whether the client would own too many nodes
 * @s: the store
 * @t: the transaction
 * @more: nodes that it is about to make
 */
bool store_txn_over_quota(struct store *s, struct store_txn *t, int more)
{
	struct store_conn *c = t->conn;

	if (!c->quota.nodes)
		return false;
	find_twins(s, t);
	return (int)c->nodes + quota_delta(t) + more > (int)c->quota.nodes;
}

static int check(struct store *s, struct store_txn *t)
{
	unsigned int quota = t->conn->quota.nodes;
	struct store_node *n;
	int delta;

	find_twins(s, t);
	for (n = t->root; n; n = store_next(n, t->root))
		if (conflicts(n))
			return -EAGAIN;
	if (!quota)
		return 0;
	delta = quota_delta(t);
	return delta > 0 && t->conn->nodes + delta > quota ? -ENOSPC : 0;
}

static void fire(struct store *s, const struct store_node *n, const struct store_perms *old,
		 bool exact)
{
	struct store_fire f = {
		.path = s->changed,
		.perms = n->perms,
		.old = old,
		.parent = n->parent ? n->parent->perms : NULL,
		.exact = exact,
	};

	store_node_path(n, s->changed, sizeof(s->changed));
	store_fire(s, &f);
}

/**
 * store_sweep() - remove a node of the real tree and all below it
 * @s: the store
 * @top: the node
 * @fire_top: fire the watches on @top and above; those on each node below always fire
 *
 * Needs no memory.
 */
void store_sweep(struct store *s, struct store_node *top, bool fire_top)
{
	struct store_node *n = top, *up;

	if (fire_top)
		fire(s, top, NULL, false);
	do {
		while (!list_empty(&n->children))
			n = list_first_entry(&n->children, struct store_node, sibling);
		up = n->parent;
		if (n != top)
			fire(s, n, NULL, true);
		else
			up = NULL;
		store_node_remove(s, n);
		n = up;
		cond_resched();
	} while (n);
}

/*
 * Carry one node of a transaction over. @now is the real one at its place, or NULL; @parent the
 * real directory. Return: the real one afterwards, which may be @n itself.
 */
static struct store_node *apply_one(struct store *s, struct store_node *n,
				    struct store_node *parent, struct store_node *now)
{
	bool stays = n->flags & STORE_EXISTS, event = n->flags & STORE_EVENT;
	struct store_perms *old;

	if (n->flags & STORE_HIDES && now) {
		store_sweep(s, now, event && !stays);
		now = NULL;
	}
	if (!stays || !(n->flags & STORE_WRITTEN))
		return now;
	if (now) {
		old = store_perms_get(now->perms);
		store_node_change(s, now, n->value, n->perms);
		if (event)
			fire(s, now, old, false);
		store_perms_put(old);
		return now;
	}
	store_node_insert(s, n, parent);
	if (event)
		fire(s, n, NULL, false);
	return n;
}

/*
 * Top down. A node that is done leaves its children on the list, with the real directory as their
 * parent.
 */
static void apply(struct store *s, struct store_txn *t)
{
	struct store_node *n = t->root, *now = s->root, *child, *next;
	LIST_HEAD(todo);
	LIST_HEAD(children);

	t->root = NULL;
	for (;;) {
		list_for_each_entry_safe(child, next, &n->children, sibling) {
			store_node_unhash(s, child);
			list_add_tail(&child->sibling, &children);
		}
		now = apply_one(s, n, n->parent, now);
		if (now != n)
			store_node_free(n);
		list_for_each_entry(child, &children, sibling)
			child->parent = now;
		list_splice_init(&children, &todo);
		if (list_empty(&todo))
			break;
		n = list_first_entry(&todo, struct store_node, sibling);
		list_del_init(&n->sibling);
		now = n->parent ? store_child(s, n->parent, n->name, n->len) : NULL;
	}
}

/**
 * store_txn_commit() - make what the transaction changed real, or nothing of it
 * @s: the store
 * @t: the transaction
 *
 * Return: 0; -EAGAIN when something that it saw has changed; -ENOSPC beyond the quota of nodes. The
 * caller closes the transaction in any case.
 */
int store_txn_commit(struct store *s, struct store_txn *t)
{
	int err = check(s, t);

	if (!err)
		apply(s, t);
	return err;
}
