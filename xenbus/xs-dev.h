/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An open /dev/xen/xenbus, see xs-dev.c. Its requests, replies, watches and transactions:
 * xs-file.c.
 */
#ifndef XPV_XS_DEV_H
#define XPV_XS_DEV_H

#include <linux/mutex.h>
#include <linux/wait.h>
#include "store.h"

#define XS_ITEMS_MAX		64
#define XS_EVENTS_MAX		1024
#define XS_WATCHES_MAX		1024
#define XS_TRANSACTIONS_MAX	64

/**
 * struct xs_file - an open file
 * @ref:   see xs-dev.c
 * @node:  in xs_files
 * @store: the client, held
 *
 * @write_lock: one writer at a time; protects what follows
 * @have:       bytes of a message taken so far
 * @hdr:        its header
 * @body:       its body
 * @watches:    struct xs_watch
 * @nr_watches: how many
 *
 * @read_lock: one reader at a time; only it takes from @replies
 *
 * @lock:         protects what follows
 * @wait:         readers and writers
 * @replies:      struct xs_item to be read
 * @nr_items:     requests under way and replies
 * @nr_events:    watch events among @replies
 * @missed:       some watch has fired while there was no room
 * @transactions: struct xs_tx
 * @nr_tx:        how many, and how many are being started
 * @closed:       nobody reads any more
 */
struct xs_file {
	struct kref ref;
	struct list_head node;
	struct xpv_store *store;

	struct mutex write_lock;
	size_t have;
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX + 1];
	struct list_head watches;
	unsigned int nr_watches;

	struct mutex read_lock;

	spinlock_t lock;
	wait_queue_head_t wait;
	struct list_head replies;
	unsigned int nr_items;
	unsigned int nr_events;
	bool missed;
	struct list_head transactions;
	unsigned int nr_tx;
	bool closed;
};

struct xs_tx {
	struct list_head list;
	u32 id;
};

/**
 * struct xs_item - a request, later its reply; or a watch event
 * @req:   the request; its body is the reply's
 * @list:  in file->replies
 * @file:  held
 * @hdr:   as the program wrote it, later as it will read it
 * @body:  what it will read after @hdr: the reply's, or @small
 * @small: a reply of our own
 * @pos:   bytes read so far
 * @event: a watch event
 * @tx:    for a request that starts a transaction
 */
struct xs_item {
	struct xpv_store_req req;
	struct list_head list;
	struct xs_file *file;
	struct xsd_sockmsg hdr;
	const char *body;
	char small[16];
	size_t pos;
	bool event;
	struct xs_tx *tx;
};

/* xs-file.c */
bool xs_has_room(struct xs_file *f);
struct xs_item *xs_first_reply(struct xs_file *f);
void xs_reply_done(struct xs_file *f, struct xs_item *item);
int xs_forward(struct xs_file *f);
void xs_report_missed(struct xs_file *f);
void xs_file_close(struct xs_file *f);

#endif /* XPV_XS_DEV_H */
