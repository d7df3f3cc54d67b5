/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block backend: objects, lifetimes, lock order.
 *
 *   blkback_dev --- backing block device
 *      +-- queues[] --- ring, event channel, thread --- reqs[] (one for each slot of the ring)
 *
 * A blkback_dev lives from probe() to remove(). publish() or connect() opens the backing device;
 * connect() makes the queues and starts a thread for each; disconnect() undoes both.
 *
 * Everything about a ring is its queue's thread's: it takes requests, maps their pages, submits
 * bios, and when these have ended (which they do in any context, by putting the request on q->done)
 * unmaps the pages and answers. So the ring needs no lock, a page is never mapped any more when its
 * request is answered, and responses go out in batches with one notification. Two ways to spare the
 * mapping: pages of a frontend with persistent grants stay mapped (kept.c), small requests of others
 * are copied (copy.c). The thread is an ordinary one of its own: the time it takes is the
 * guest's to see in top.
 *
 * All memory that a frontend can make the backend use is allocated in connect(), by the size of the
 * ring.
 *
 * Death: kthread_stop() makes the thread take no more requests; it ends when the bios in flight
 * have ended, because their pages are the peer's and are mapped until then. That takes as long as
 * the backing device takes, not the peer; nothing else is waited for. Then the event channel is
 * unbound, the ring unmapped, the backing device closed.
 *
 * Locks: bd->lock (process context) protects the array of queues and the backing device against
 * readers of sysfs.
 */
#ifndef BLKBACK_H
#define BLKBACK_H

#include <linux/bio.h>
#include <linux/hashtable.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/wait.h>
#include <xpv/event.h>
#include <xpv/grant.h>
#include <xpv/ring.h>
#include <xpv/xenbus.h>
#include "../compat/blkdev.h"
#include "parse.h"

#define BLKBACK_MAX_SEGS	BLKIF_MAX_SEGMENTS_PER_REQUEST

struct blkback_queue;

/**
 * struct blkback_req - a request being carried out
 * @q:      its queue
 * @next:   on the free list, or
 * @done:   on q->done
 * @op:     what is asked for
 * @status: BLKIF_RSP_*
 * @maps:   the segments' pages; those with status GNTST_okay are mapped
 * @kept:   bitmap of segments whose page is the queue's to unmap, not the request's
 * @copied: there is no @maps, but @own
 * @own:    pages of its own, as many as q->copy_segs
 * @bio:    embedded: one bio carries all that fits into a request
 * @vecs:   its vector
 * @has_bio: it was initialised
 */
struct blkback_req {
	struct blkback_queue *q;
	union {
		struct blkback_req *next;
		struct llist_node done;
	};
	struct blkback_op op;
	s16 status;
	bool has_bio;
	bool copied;
	unsigned long kept;
	struct page *own[BLKBACK_MAX_SEGS];
	struct xpv_grant_map maps[BLKBACK_MAX_SEGS];
	struct bio_vec vecs[BLKBACK_MAX_SEGS];
	struct bio bio;
};

/**
 * struct blkback_kept - a page that stays mapped, see kept.c
 * @node: in the queue's table
 * @map:  the mapping
 */
struct blkback_kept {
	struct hlist_node node;
	struct xpv_grant_map map;
};

/**
 * struct blkback_stats - what the in-tree backend counts, by its names, and more
 *
 * Written by the queue's thread alone.
 */
struct blkback_stats {
	u64 oo_req;
	u64 rd_req;
	u64 wr_req;
	u64 f_req;
	u64 ds_req;
	u64 rd_sect;
	u64 wr_sect;
	u64 errors;
	u64 notifies;
	u64 copied;
	u64 persistent;
};

/**
 * struct blkback_queue - one ring, served by one thread
 * @bd:        the device
 * @index:     number of the queue
 * @abi:       layout of the ring's slots
 * @ring:      the backend's half
 * @mem:       the ring's pages
 * @event:     its event channel
 * @thread:    the thread
 * @wait:      where it waits
 * @events:    an event has come and was not acknowledged
 * @cpu:       where the last event came
 * @done:      requests whose bios have ended
 * @follows:   the processor that it is bound to
 * @broken:    the frontend broke the protocol: the ring is not touched any more
 * @worked:    requests were taken since the last event was acknowledged
 * @inflight:  requests taken and not answered
 * @nr_reqs:   as many as the ring has slots
 * @reqs:      them
 * @free:      those not in use
 * @scratch:   mappings of a whole batch, to be made or undone at once
 * @copies:    copies of a whole batch, likewise
 * @copy_segs: requests of up to so many segments are copied
 * @persistent: this connection has persistent grants
 * @nr_kept:   pages that stay mapped
 * @kept:      they
 * @kept_by_gref: the same
 * @stats:     counters
 */
struct blkback_queue {
	struct blkback_dev *bd;
	unsigned int index;
	enum blkback_abi abi;
	union blkback_ring ring;
	struct xpv_ring mem;
	struct xpv_event event;
	struct task_struct *thread;

	wait_queue_head_t wait;
	bool events;
	unsigned int cpu;
	struct llist_head done;

	/* the thread's own */
	unsigned int follows;
	bool broken;
	bool worked;
	unsigned int inflight;
	unsigned int nr_reqs;
	struct blkback_req *reqs;
	struct blkback_req *free;
	struct xpv_grant_map *scratch;
	struct xpv_grant_copy *copies;
	unsigned int copy_segs;
	bool persistent;
	unsigned int nr_kept;
	struct blkback_kept *kept;
	DECLARE_HASHTABLE(kept_by_gref, 8);
	struct blkback_stats stats;
};

/**
 * struct blkback_dev - one disk of one guest
 * @xdev:      the bus device
 * @writable:  attached with mode w
 * @persistent: persistent grants are offered
 * @lim:       what the backing device allows; @lim.sectors follows its size
 * @complain:  how often bad requests go to the store and the log
 * @lock:      protects @backing, @queues and @past against readers of sysfs
 * @backing:   the backing device
 * @devt:      its number, also when it could not be opened
 * @nr_queues: how many
 * @queues:    them, while connected
 * @past:      counters of former connections
 */
struct blkback_dev {
	struct xpv_device *xdev;
	bool writable;
	bool persistent;
	struct blkback_limits lim;
	struct ratelimit_state complain;

	struct mutex lock;
	struct xpv_bdev backing;
	dev_t devt;
	unsigned int nr_queues;
	struct blkback_queue *queues;
	struct blkback_stats past;
};

/* connect.c: the actions of the bus */
extern struct xpv_driver blkback_driver;

/* keys.c: what both sides write into the store */
struct blkback_peer_keys {
	u64 ring_ref;
	u64 event_channel;
	u64 persistent;
	enum blkback_abi abi;
};

int blkback_read_keys(struct blkback_dev *bd, struct blkback_peer_keys *keys);
int blkback_write_keys(struct blkback_dev *bd);
int blkback_write_size(struct blkback_dev *bd);

/* bdev.c: the backing device */
int blkback_bdev_open(struct blkback_dev *bd);
void blkback_bdev_close(struct blkback_dev *bd);
bool blkback_bdev_resized(const struct blkback_dev *bd);
void blkback_bdev_measure(struct blkback_dev *bd);

/* queue.c: queues come and go; their thread */
int blkback_queues_open(struct blkback_dev *bd, const struct blkback_peer_keys *keys);
void blkback_queues_close(struct blkback_dev *bd);

/* submit.c: requests of the ring to bios */
bool blkback_submit_batch(struct blkback_queue *q);
void blkback_bad_grant(struct blkback_queue *q, const struct blkback_req *req, grant_ref_t gref,
		       s16 status);

/* copy.c: small requests are copied */
int blkback_copy_alloc(struct blkback_queue *q);
void blkback_copy_free(struct blkback_queue *q);
void blkback_copy_add(struct blkback_queue *q, const struct blkback_req *req, unsigned int *n);
const struct xpv_grant_copy *blkback_copy_failed(const struct blkback_req *req,
						 const struct xpv_grant_copy *copies);

/* kept.c: pages that stay mapped */
bool blkback_kept_wanted(const struct blkback_dev *bd);
int blkback_kept_alloc(struct blkback_queue *q);
void blkback_kept_free(struct blkback_queue *q);
bool blkback_kept_find(struct blkback_queue *q, struct blkback_req *req, unsigned int seg);
void blkback_kept_keep(struct blkback_queue *q, struct blkback_req *req, unsigned int seg);
void blkback_kept_drop(struct blkback_queue *q);

/* complete.c: ended bios to responses */
void blkback_req_done(struct blkback_req *req, s16 status);
void blkback_end_io(struct bio *bio);
void blkback_complete_batch(struct blkback_queue *q);

/* stats.c */
extern const struct attribute_group *blkback_groups[];
void blkback_stats_add(struct blkback_stats *sum, const struct blkback_stats *s);

#endif /* BLKBACK_H */
