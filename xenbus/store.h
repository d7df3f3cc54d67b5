/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store client inside xenbus: by domain, not yet by device. Which file implements what is said
 * at each block; store.c describes the objects.
 */
#ifndef XPV_STORE_H
#define XPV_STORE_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/interface/io/xs_wire.h>
#include <xpv/xenbus.h>
#include "store-msg.h"

struct xpv_domain;

/**
 * struct xpv_store - the client of one domain
 * @ref:        the domain holds one, each open file of xs-dev.c another
 * @send_sem:   read: a message is being sent; write: for once, to wait until none is
 * @dom:        only valid under @send_sem while not @dead
 * @dead:       everything fails with -ESHUTDOWN from now on
 * @suspended:  nothing is sent
 * @running:    woken when that is over
 * @reqs:       pending requests by req_id. Who erases one completes it or gives it up.
 * @next_req:   where the next search for a free req_id starts
 * @txs:        the store's numbers of open transactions, by ours
 * @next_tx:    as @next_req
 * @watch_sem:  read: a watch is erased and the store told; write: they are being set again
 * @watch_lock: held while a watch callback runs; protects @watches against erasure under one
 * @watches:    struct xpv_watch by the number that is its token
 * @next_watch: as @next_req
 */
struct xpv_store {
	struct kref ref;
	struct rw_semaphore send_sem;
	struct xpv_domain *dom;
	bool dead;
	bool suspended;
	wait_queue_head_t running;
	struct xarray reqs;
	u32 next_req;
	struct xarray txs;
	u32 next_tx;
	struct rw_semaphore watch_sem;
	spinlock_t watch_lock;
	struct xarray watches;
	u32 next_watch;
};

/**
 * struct xpv_store_req - a request under way
 * @ref:    the array of pending requests holds one, who waits another
 * @store:  where it was sent
 * @type:   XS_*
 * @id:     its req_id
 * @tx:     of one that starts a transaction: our number of that
 * @orphan: nobody waits: if it started a transaction, the reply ends that
 * @err:    0 when @reply and @body are valid; else why there is none
 * @reply:  header of the reply, possibly XS_ERROR
 * @body:   its @reply.len bytes with a NUL after them; owned by the request
 * @done:   NULL, or called instead of waking a waiter; process context, must not block
 * @free:   called for the last reference; NULL: kfree()
 * @wait:   completed when the reply is there
 * @work:   ends an orphaned transaction
 */
struct xpv_store_req {
	struct kref ref;
	struct xpv_store *store;
	u32 type;
	u32 id;
	u32 tx;
	bool orphan;
	int err;
	struct xsd_sockmsg reply;
	char *body;
	void (*done)(struct xpv_store_req *req);
	void (*free)(struct xpv_store_req *req);
	struct completion wait;
	struct work_struct work;
};

/* store.c: requests and replies. A transaction's number is xpv_store_req.tx of the request that started it. */
void xpv_st_put(struct xpv_store *st);
bool xpv_st_is_dead(const struct xpv_store *st);
int xpv_st_talk(struct xpv_store *st, u32 type, u32 tx, const void *body, size_t len,
		char **reply, size_t *reply_len);
int xpv_st_start(struct xpv_store *st, u32 *tx);
int xpv_st_submit(struct xpv_store_req *req, u32 tx, const void *body, size_t len);
void xpv_st_post(struct xpv_store *st, u32 type, u32 tx, const void *body, size_t len);
void xpv_st_req_init(struct xpv_store_req *req, struct xpv_store *st, u32 type);
void xpv_st_req_put(struct xpv_store_req *req);
void xpv_st_end_later(struct xpv_store_req *req);
void xpv_st_sweep(struct xpv_store *st, int err);

/**
 * struct xpv_watch - a watch
 * @store: of whom, while active
 * @token: its number, sent as decimal text
 * @len:   of @msg
 * @msg:   body of the WATCH and UNWATCH messages, the path first; NULL while not registered
 * @fn:    an event came; called under a spinlock, must only queue work. @path: what changed, as
 *         the store gives it.
 *
 * watch.c.
 */
struct xpv_watch {
	struct xpv_store *store;
	u32 token;
	size_t len;
	char *msg;
	void (*fn)(struct xpv_watch *w, const char *path);
};

int xpv_watch_register(struct xpv_store *st, struct xpv_watch *w, const char *path,
		       void (*fn)(struct xpv_watch *w, const char *path));
void xpv_watch_unregister(struct xpv_watch *w);
void xpv_watch_event(struct xpv_store *st, const char *body, size_t len);
void xpv_watch_event_lost(struct xpv_store *st);
int xpv_watches_replay(struct xpv_store *st);

static inline bool xpv_watch_active(const struct xpv_watch *w)
{
	return w->msg;
}

/* store-api.c: operations by path */
char *xpv_st_read(struct xpv_store *st, u32 tx, const char *path, size_t *len);
int xpv_st_read_u64(struct xpv_store *st, u32 tx, const char *path, u64 max, u64 *value);
int xpv_st_write(struct xpv_store *st, u32 tx, const char *path, const char *value);
int xpv_st_rm(struct xpv_store *st, u32 tx, const char *path);
int xpv_st_transact(struct xpv_store *st, int (*body)(struct xpv_store *st, u32 tx, void *arg), void *arg);

/**
 * struct xpv_st_dir - names of a directory's children
 * @buf: names with their NULs one after the other, from kvmalloc(); NULL without any
 * @len: bytes
 */
struct xpv_st_dir {
	char *buf;
	size_t len;
};

int xpv_st_directory(struct xpv_store *st, u32 tx, const char *path, struct xpv_st_dir *dir);

#define xpv_st_for_each(name, dir) \
	for ((name) = (dir)->buf; (name) && (name) < (dir)->buf + (dir)->len; (name) += strlen(name) + 1)

#endif /* XPV_STORE_H */
