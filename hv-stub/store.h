/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store: a xenstore server. Private to store*.c.
 *
 *	store-ring.c	bytes between a domain's ring page and the two message buffers of its connection
 *	store-wire.c	messages: framing, strings in them, paths, error names
 *	store-ops.c	what each message does
 *	store-txn.c	changes to the tree, each of them in a transaction
 *	store-commit.c	how a transaction takes effect: conflicts, quota of nodes, what watches fire
 *	store-tree.c	nodes, lookup, accounts of who owns how many
 *	store-watch.c	which watches a change concerns, and the events pending for them
 *	store-perm.c	permission lists
 *	store.c		connections of the stub's domains, the lock, the worker
 *
 * All but store.c also build in user space, for the unit tests.
 *
 * Locking: one lock, held by the callers of everything here that takes a struct store. The buffers
 * @in and @out of a connection and its ring indices are touched by the connection's worker alone.
 * Nothing here sleeps but for memory.
 *
 * A tree is made of nodes that know their parent; one hash table finds a child from (parent, name).
 * A transaction is a second tree in the same table, with a node for each path that was looked at in
 * it: see store-txn.c.
 */
#ifndef STORE_H
#define STORE_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/types.h>
#include <xen/interface/io/xs_wire.h>
#include "stub.h"

/* --- Limits ----------------------------------------------------------------------------------- */

#define STORE_QUOTA_NODES		1000
#define STORE_QUOTA_WATCHES		128
#define STORE_QUOTA_TRANSACTIONS	10
#define STORE_QUOTA_NODE_SIZE		2048
#define STORE_QUOTA_PERMS		5

/*
 * What the open transactions of one domain may hold: paths looked at in one of them, bytes in all
 * of them
 */
#define STORE_TXN_NODES			2048
#define STORE_TXN_BYTES			(1024 * 1024)

/* Events that wait for one connection: distinct ones, and bytes of their paths */
#define STORE_EVENTS			1024
#define STORE_EVENT_BYTES		(128 * 1024)
#define STORE_EVENTS_DOM0		65536
#define STORE_EVENT_BYTES_DOM0		(8 * 1024 * 1024)

/* How far back a new event looks for its like */
#define STORE_EVENT_LOOK_BACK		1024

/* --- The tree --------------------------------------------------------------------------------- */

/*
 * What a permission entry allows; STORE_OWNER is never in a list, it is what the first entry's
 * domain has
 */
#define STORE_READ	0x1
#define STORE_WRITE	0x2
#define STORE_OWNER	0x4

struct store_perm {
	domid_t id;
	u8 bits;
};

/**
 * struct store_perms - a permission list, shared by the nodes that inherited it and never changed
 * @refs: holders
 * @n:    entries, at least one
 * @gen:  when it was made: an entry for a domain that appeared later was meant for an earlier
 *        bearer of its number
 * @p:    p[0].id owns the node, p[0].bits is for everybody who has no entry of his own
 */
struct store_perms {
	unsigned int refs;
	unsigned int n;
	u64 gen;
	struct store_perm p[];
};

/*
 * struct store_value - the value of a node; shared with transactions that have read it, and never
 * changed
 */
struct store_value {
	unsigned int refs;
	u32 len;
	char data[];
};

/* store_node.flags, in the tree of a transaction */
#define STORE_KNOWN	0x01	/* was looked at: @gen is what the node had, 0 for no node */
#define STORE_EXISTS	0x02	/* there is such a node, as the transaction sees it */
#define STORE_WRITTEN	0x04	/* changed: to be carried over when the transaction commits */
#define STORE_HIDES	0x08	/* removed once: nothing of the real tree below shows through */
#define STORE_LISTED	0x10	/* the children were listed: @child_gen is what the node had */
#define STORE_SWEPT	0x20	/* removed with all below it: @tree_gen is what the node had */
#define STORE_EVENT	0x40	/* named in a request that changed it: watches fire */
#define STORE_SHADOW	0x80	/* below a node with STORE_HIDES */
#define STORE_LOCAL	0x100	/* became known when it was: says nothing about the real tree */

/**
 * struct store_node - a node of the real tree or of a transaction's
 * @hash:      in store->table
 * @sibling:   in parent->children, in the order of creation
 * @children:  its children
 * @owned:     real tree: in the owner's list, or in store->orphans while the owner has no
 *             connection
 * @parent:    NULL for a root
 * @twin:      a transaction's: the node of the real tree at this path, while committing
 * @value:     NULL only for a transaction's node without STORE_EXISTS; likewise @perms
 * @gen:       when it was made or its value or permissions changed last
 * @child_gen: when a child came or went
 * @tree_gen:  when anything changed here or below
 * @flags:     STORE_*, a transaction's only
 * @len:       of @name
 */
struct store_node {
	struct hlist_node hash;
	struct list_head sibling;
	struct list_head children;
	struct list_head owned;
	struct store_node *parent;
	struct store_node *twin;
	struct store_value *value;
	struct store_perms *perms;
	u64 gen;
	u64 child_gen;
	u64 tree_gen;
	u16 flags;
	u16 len;
	char name[];
};

#define STORE_CONN_BITS		8
#define STORE_WATCH_BITS	10

enum store_special { STORE_INTRODUCE, STORE_RELEASE, STORE_SPECIALS };

/**
 * struct store - everything
 * @root:    "/"
 * @orphans: nodes whose owner has no connection
 * @table:   all nodes by (parent, name), 1 << @bits heads
 * @hashed:  nodes in it
 * @nodes:   of them in the real tree
 * @seed:    of the hashes: clients choose the names
 * @gen:     counts changes
 * @conns:   connections by domid
 * @watches: watches by path
 * @special: permissions of @introduceDomain and @releaseDomain
 * @broken:  connections that broke the protocol
 * @dropped: events that were merged into a coarser one
 * @owner0:  the permissions of the first nodes: domain 0 owns, nobody else may do anything
 * @empty:   the value of a directory
 * @path:    scratch: the path that a request names
 * @changed: scratch: the path that an event names
 */
struct store {
	struct store_node *root;
	struct list_head orphans;
	struct hlist_head *table;
	unsigned int bits;
	unsigned int hashed;
	unsigned int nodes;
	u32 seed;
	u64 gen;
	DECLARE_HASHTABLE(conns, STORE_CONN_BITS);
	struct list_head watches[1 << STORE_WATCH_BITS];
	struct store_perms *special[STORE_SPECIALS];
	unsigned int broken;
	u64 dropped;
	struct store_perms *owner0;
	struct store_value *empty;
	char path[XENSTORE_ABS_PATH_MAX + 1];
	char changed[XENSTORE_ABS_PATH_MAX + 1];
};

/* --- Connections ------------------------------------------------------------------------------ */

/* struct store_msg - a message with room for the NUL that ends a body as a string */
struct store_msg {
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX + 1];
};

/**
 * struct store_conn - one client
 * @id:        its domain
 * @privileged: may do everything and has no quotas: domain 0, and the server itself
 * @linked:    known to the store: in store->conns
 * @broken:    sent what cannot be understood; nothing is read or sent any more
 * @gone:      its domain is dying: what it still sends is not heard any more
 * @hash:      in store->conns
 * @born:      store->gen when it appeared
 * @quota:     quotas, 0 = none
 * @owned:     nodes it owns, @nodes of them
 * @watches:   its watches, @nr_watches of them
 * @txns:      its transactions, @nr_txns of them; @txn_bytes in all of them; @last_txn the last
 *             identifier given
 * @events:    pending events in order, @nr_events of them with @event_bytes of paths
 * @wake:      called when events are pending, with the lock held
 *
 * The worker's alone, without the lock:
 * @in:        the request that is being received, @got bytes of it so far
 * @out:       the message that is being sent, @out_len bytes of which @sent are on the ring;
 *             @out_len 0: none
 * @out_reply: it is a reply, so it is an event's turn next
 */
struct store_conn {
	domid_t id;
	bool privileged;
	bool linked;
	bool broken;
	bool gone;
	struct hlist_node hash;
	u64 born;
	struct stub_store_quota quota;
	struct list_head owned;
	unsigned int nodes;
	struct list_head watches;
	unsigned int nr_watches;
	struct list_head txns;
	unsigned int nr_txns;
	size_t txn_bytes;
	u32 last_txn;
	struct list_head events;
	unsigned int nr_events;
	size_t event_bytes;
	void (*wake)(struct store_conn *c);

	unsigned int got;
	unsigned int sent;
	unsigned int out_len;
	bool out_reply;
	struct store_msg in;
	struct store_msg out;
};

/**
 * struct store_txn - a transaction
 * @list:   in conn->txns
 * @conn:   whose
 * @id:     as the client names it; 0 for the one around a single request
 * @root:   its tree
 * @nodes:  in its tree
 * @bytes:  of values in its tree
 * @edits:  nodes it created or removed so far
 */
struct store_txn {
	struct list_head list;
	struct store_conn *conn;
	u32 id;
	struct store_node *root;
	unsigned int nodes;
	size_t bytes;
	u64 edits;
};

/**
 * struct store_watch - a watch
 * @list:    in conn->watches
 * @bucket:  in store->watches
 * @conn:    whose
 * @hash:    of @path
 * @strip:   bytes of an event's path that the client did not write: its home, for a relative watch
 * @pending: its events
 * @coarse:  an event for @path itself, which needs no memory: sent first of all, and in place of
 *           events that could not be kept
 * @merged:  @coarse stands for such events, and for any that come before it is sent
 * @path:    absolute, @len bytes
 * @token:   the client's name for it
 */
struct store_event {
	struct list_head list;
	struct list_head of;
	struct store_watch *watch;
	u32 hash;
	const char *path;
};

struct store_watch {
	struct list_head list;
	struct list_head bucket;
	struct store_conn *conn;
	u32 hash;
	u16 strip;
	u16 len;
	struct list_head pending;
	struct store_event coarse;
	bool merged;
	const char *token;
	char path[];
};

/* struct store_args - the strings in a message's body, see store_args_get() */
#define STORE_ARGS_MAX	8

struct store_args {
	unsigned int n;
	const char *s[STORE_ARGS_MAX];
};

/* --- store-tree.c ----------------------------------------------------------------------------- */

int store_init(struct store *s);
void store_destroy(struct store *s);
struct store_node *store_node_new(const char *name, size_t len);
void store_node_free(struct store_node *n);
void store_nodes_free(struct store *s, struct store_node *root);
void store_node_hash(struct store *s, struct store_node *n, struct store_node *parent);
void store_node_unhash(struct store *s, struct store_node *n);
struct store_node *store_child(struct store *s, struct store_node *parent, const char *name,
			       size_t len);
struct store_node *store_lookup(struct store *s, const char *path, struct store_node **near);
bool store_path_next(const char **path, const char **name, size_t *len);
size_t store_node_path(const struct store_node *n, char *buf, size_t size);
struct store_node *store_next(struct store_node *n, struct store_node *top);
void store_node_insert(struct store *s, struct store_node *n, struct store_node *parent);
void store_node_remove(struct store *s, struct store_node *n);
void store_node_change(struct store *s, struct store_node *n, struct store_value *value,
		       struct store_perms *perms);
unsigned int store_count_owned(struct store_node *top, domid_t id);

struct store_value *store_value_new(const void *data, size_t len);
struct store_value *store_value_get(struct store_value *v);
void store_value_put(struct store_value *v);

struct store_conn *store_conn_find(struct store *s, domid_t id);
void store_conn_init(struct store_conn *c, domid_t id, void (*wake)(struct store_conn *c));
void store_conn_link(struct store *s, struct store_conn *c);
void store_conn_unlink(struct store *s, struct store_conn *c);

/* --- store-txn.c ------------------------------------------------------------------------------ */

struct store_txn *store_txn_find(struct store_conn *c, u32 id);
int store_txn_start(struct store_conn *c, struct store_txn **txn);
int store_txn_open(struct store_conn *c, struct store_txn *t);
void store_txn_close(struct store *s, struct store_txn *t);
void store_txn_end(struct store *s, struct store_txn *t);
void store_txn_end_all(struct store *s, struct store_conn *c);

int store_get(struct store *s, struct store_txn *t, struct store_conn *c, const char *path, u8 need,
	      struct store_node **node);
int store_list(struct store *s, struct store_txn *t, struct store_conn *c, const char *path,
	       size_t from, char *buf, size_t size, u64 *gen, bool *last);
int store_write(struct store *s, struct store_txn *t, const char *path, const void *data,
		size_t len);
int store_mkdir(struct store *s, struct store_txn *t, const char *path);
int store_rm(struct store *s, struct store_txn *t, const char *path);
int store_set_perms(struct store *s, struct store_txn *t, const char *path,
		    struct store_perms *perms);

/* --- store-commit.c --------------------------------------------------------------------------- */

int store_txn_commit(struct store *s, struct store_txn *t);
bool store_txn_over_quota(struct store *s, struct store_txn *t, int more);
void store_sweep(struct store *s, struct store_node *top, bool fire_top);

/* --- store-watch.c ---------------------------------------------------------------------------- */

/**
 * struct store_fire - a change
 * @path:   where
 * @perms:  the node's permissions now, or the last that it had
 * @old:    NULL, or those it had before
 * @parent: NULL, or those of the directory that it is in
 * @exact:  only watches on this very path
 */
struct store_fire {
	const char *path;
	const struct store_perms *perms;
	const struct store_perms *old;
	const struct store_perms *parent;
	bool exact;
};

int store_special_find(const char *path);
int store_watch_add(struct store *s, struct store_conn *c, const char *path, const char *token,
		    unsigned int strip);
int store_watch_del(struct store_conn *c, const char *path, const char *token);
void store_watch_del_all(struct store_conn *c);
void store_fire(struct store *s, const struct store_fire *f);
void store_fire_special(struct store *s, enum store_special what);
bool store_event_next(struct store_conn *c);

/* --- store-perm.c ----------------------------------------------------------------------------- */

struct store_perms *store_perms_new(unsigned int n, u64 gen);
struct store_perms *store_perms_get(struct store_perms *perms);
void store_perms_put(struct store_perms *perms);
struct store_perms *store_perms_inherit(struct store_perms *from, const struct store_conn *c);
struct store_perms *store_perms_parse(const char *text, size_t len, unsigned int max, u64 gen);
int store_perms_format(const struct store_perms *perms, char *buf, size_t size);
u8 store_perms_of(const struct store_conn *c, const struct store_perms *perms);

/* --- store-wire.c ----------------------------------------------------------------------------- */

bool store_in_complete(const struct store_conn *c);
size_t store_in_want(const struct store_conn *c, void **to);
int store_in_add(struct store_conn *c, size_t n);
size_t store_out_left(const struct store_conn *c, const void **from);
void store_out_done(struct store_conn *c, size_t n);
void store_out(struct store_conn *c, u32 type, size_t len);
void store_reply(struct store_conn *c, size_t len);
void store_reply_text(struct store_conn *c, const char *text);
void store_reply_error(struct store_conn *c, int err);
int store_args_get(struct store_conn *c, struct store_args *args, unsigned int min,
		   unsigned int max);
int store_path_check(const char *path, size_t max);
int store_path_abs(const struct store_conn *c, const char *path, char *buf);
int store_domid_parse(const char *text, domid_t *id);
const char *store_error_name(int err);

/* --- store-ops.c ------------------------------------------------------------------------------ */

void store_handle(struct store *s, struct store_conn *c);
bool store_step(struct store *s, struct store_conn *c);
void store_conn_gone(struct store *s, struct store_conn *c);
int store_make_node(struct store *s, struct store_txn *t, const char *path, const char *value,
		    struct store_perms *perms);

/* --- store-ring.c ----------------------------------------------------------------------------- */

/*
 * struct store_ring - the server's own indices: those in the page are told to the domain, not
 * believed
 */
struct store_ring {
	struct xenstore_domain_interface *intf;
	u32 req_cons;
	u32 rsp_prod;
};

void store_ring_init(struct store_ring *r, struct xenstore_domain_interface *intf);
int store_ring_read(struct store_ring *r, void *buf, size_t want);
int store_ring_write(struct store_ring *r, const void *buf, size_t len);
void store_ring_fail(struct store_ring *r, u32 error);

#endif /* STORE_H */
