/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block frontend: objects, lifetimes, lock order.
 *
 *   blkfront_dev --- gendisk, tag set
 *      +-- queues[] --- ring, event channel, slots[] --- request in flight, blkfront_req beside it
 *
 * A blkfront_dev lives from probe() until its disk's last reference is put (free_disk), or until
 * remove() if it never got a disk. The disk is made by the first connect() and survives every
 * reconnection; it goes in remove(). From remove() on fd->xdev is NULL: whoever still has the disk
 * open finds it dead.
 *
 * The queues live as long as the device, because the block layer's hardware contexts point to them.
 * Their rings come and go: publish() makes them, disconnect() takes the requests in flight back and
 * frees them.
 *
 * Who may run when:
 *   - queue_rq runs only while fd->state is LIVE or DEAD; while it is OFFLINE the block layer's
 *     queue is quiesced.
 *   - the interrupt handler runs from publish() until disconnect() has unbound the event channel.
 *   - the first scan for partitions reads from the backend, which may never answer: so add_disk is
 *     a work item of its own, never waited for but in the death of the device, where I/O fails at
 *     once.
 *
 * Locks, outer first: disk->open_mutex (only ever tried by the actions of the bus: it is held over
 * a scan for partitions), fd->lock (state and limits, process context), q->lock (ring and slots,
 * interrupts off). fd->life, a spinlock, guards fd->xdev against remove() for the one caller that
 * may come later, the disk's release.
 */
#ifndef BLKFRONT_H
#define BLKFRONT_H

#include <linux/blk-mq.h>
#include <linux/mempool.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <xen/interface/io/blkif.h>
#include <xpv/event.h>
#include <xpv/grant.h>
#include <xpv/ring.h>
#include <xpv/xenbus.h>
#include "../compat/blkdev.h"
#include "naming.h"
#include "parse.h"

#define BLKFRONT_SLOTS		__CONST_RING_SIZE(blkif, PAGE_SIZE)
#define BLKFRONT_MAX_SEGS	BLKIF_MAX_SEGMENTS_PER_REQUEST

struct blkfront_dev;

/**
 * struct blkfront_req - what the frontend remembers of a request, beside the struct request
 * @nr:      segments, each with its reference and page
 * @refs:    the references, taken all or none
 * @pages:   the pages granted: the request's own, or bounce pages
 * @bounced: they are bounce pages, in order, full but for the last
 * @kept:    and these, with the references, are the queue's (kept.c)
 * @status:  for the completion; %BLK_STS_RESOURCE while there is no answer
 * @next:    the next one of those answered together
 * @sg:      scratch of the submission
 */
struct blkfront_req {
	struct request *next;
	unsigned int nr;
	bool bounced;
	bool kept;
	blk_status_t status;
	xpv_gref_t refs[BLKFRONT_MAX_SEGS];
	struct page *pages[BLKFRONT_MAX_SEGS];
	struct scatterlist sg[BLKFRONT_MAX_SEGS];
};

/** struct blkfront_stats - counters of a queue, written under q->lock */
struct blkfront_stats {
	u64 requests;
	u64 notifies;
	u64 responses;
	u64 prompt;
	u64 errors;
	u64 bounced;
	u64 persistent;
	u64 grant_waits;
	u64 requeued;
};

/** struct blkfront_kept - a page that stays granted, with its reference */
struct blkfront_kept {
	struct page *page;
	xpv_gref_t ref;
};

/**
 * struct blkfront_queue - one ring with its requests
 * @fd:       the device
 * @index:    number of the queue
 * @mem:      the ring's pages
 * @event:    its event channel
 * @waiter:   called when grant references are free again
 * @bounce:   so many pages that one request can always be bounced
 * @persistent: this connection's requests go through pages that stay granted; set by connect(), while no I/O goes
 * @lock:     protects everything below
 * @ring:     the frontend's half
 * @unpushed: requests are in the ring that the backend has not been shown
 * @prompted: responses were taken without their event: it may be under way
 * @lone:     requests in a row that were alone, or less; see lone() in submit.c
 * @lone_pause: and how many of them are enough after it was no help
 * @broken:   the backend broke the protocol: the ring is not touched any more
 * @slots:    the request of each id in flight
 * @ops:      its operation, or %BLKFRONT_IDLE
 * @kept:     pages that stay granted and that no request uses
 * @nr_kept:  how many
 */
struct blkfront_queue {
	struct blkfront_dev *fd;
	unsigned int index;
	struct xpv_ring mem;
	struct xpv_event event;
	struct xpv_grant_waiter waiter;
	mempool_t *bounce;
	bool persistent;

	spinlock_t lock ____cacheline_aligned;
	struct blkif_front_ring ring;
	bool unpushed;
	bool prompted;
	int lone;
	int lone_pause;
	bool broken;
	struct request *slots[BLKFRONT_SLOTS];
	u8 ops[BLKFRONT_SLOTS];
	struct blkfront_kept kept[BLKFRONT_SLOTS * BLKFRONT_MAX_SEGS];
	unsigned int nr_kept;
	struct blkfront_stats stats;
};

/** enum blkfront_state - @BLKFRONT_OFFLINE: I/O waits for a connection; @BLKFRONT_DEAD: it fails */
enum blkfront_state { BLKFRONT_OFFLINE, BLKFRONT_LIVE, BLKFRONT_DEAD };

/**
 * struct blkfront_dev - one disk
 * @xdev:     the bus device; NULL from remove() on, see @life
 * @domid:    of the domain that it belongs to
 * @vdev:     the virtual device number, for the ring's handle
 * @name:     that number taken apart
 * @text:     the disk's name
 * @minors:   whether minor numbers of %BLKFRONT_MAJOR are claimed
 * @claim:    on the list of names in use (disk.c)
 * @life:     protects @xdev
 * @lock:     protects @state and what connect() changes
 * @geo:      what the backend said
 * @closing:  closed in good order: no new opens. Set under disk->open_mutex, cleared by the next
 *            connection.
 * @kick:     the close waits for the last user: kick the bus then. Under disk->open_mutex.
 * @adding:   add_work has been queued, once in the disk's life
 * @added:    the disk is visible; set by add_work, read by others after it has ended or when a
 *            moment late does not matter
 * @no_flush: the backend answered a flush with EOPNOTSUPP
 * @persistent: the backend has been told that grants may persist
 * @stalled:  the status says that the backend does not answer
 */
struct blkfront_dev {
	struct xpv_device *xdev;
	domid_t domid;
	unsigned long vdev;
	struct blkfront_name name;
	char text[BLKFRONT_NAME_LEN];
	bool minors;
	struct list_head claim;

	spinlock_t life;
	struct mutex lock;
	enum blkfront_state state;
	struct blkfront_geometry geo;
	bool closing;
	bool kick;
	bool adding;
	bool added;
	bool no_flush;
	bool persistent;
	bool stalled;

	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	struct work_struct add_work;
	struct work_struct limits_work;
	struct delayed_work kick_work;

	unsigned int nr_queues;
	struct blkfront_queue *queues;
};

/* connect.c: the actions of the bus */
extern struct xpv_driver blkfront_driver;

/* keys.c: what both sides write into the store */
int blkfront_read_name(struct blkfront_dev *fd);
int blkfront_read_geometry(struct blkfront_dev *fd, struct blkfront_geometry *geo);
int blkfront_write_keys(struct blkfront_dev *fd);

/* disk.c: the gendisk and its name */
int blkfront_disk_init(void);
void blkfront_disk_exit(void);
int blkfront_claim_name(struct blkfront_dev *fd);
int blkfront_disk_create(struct blkfront_dev *fd);
void blkfront_disk_live(struct blkfront_dev *fd);
void blkfront_disk_offline(struct blkfront_dev *fd);
void blkfront_disk_die(struct blkfront_dev *fd);
void blkfront_disk_destroy(struct blkfront_dev *fd);
int blkfront_disk_close(struct blkfront_dev *fd);

/* limits.c: the queue limits and the capacity */
void blkfront_limits(const struct blkfront_dev *fd, struct xpv_disk_limits *l);
int blkfront_limits_apply(struct blkfront_dev *fd);
void blkfront_capacity_apply(struct blkfront_dev *fd);
void blkfront_limits_work(struct work_struct *work);

/* queue.c: rings come and go */
int blkfront_queues_alloc(struct blkfront_dev *fd);
void blkfront_queues_free(struct blkfront_dev *fd);
int blkfront_queues_open(struct blkfront_dev *fd);
void blkfront_queues_close(struct blkfront_dev *fd, bool gone);

/* submit.c: requests to the ring */
extern const struct blk_mq_ops blkfront_mq_ops;

/* bounce.c: pages that stand in for a request's own */
int blkfront_bounce(struct blkfront_queue *q, struct request *rq);
void blkfront_unbounce(struct blkfront_queue *q, struct request *list);

/* kept.c: those of them that stay granted */
int blkfront_kept_take(struct blkfront_queue *q, struct blkfront_req *req);
void blkfront_kept_give(struct blkfront_queue *q, struct request *list);
void blkfront_kept_drain(struct blkfront_queue *q);

/* complete.c: responses to requests */
unsigned int blkfront_reap(struct blkfront_queue *q, struct request **done);
void blkfront_end(struct blkfront_queue *q, struct request *done, bool here);
irqreturn_t blkfront_interrupt(int irq, void *arg);
void blkfront_complete_rq(struct request *rq);
bool blkfront_req_end(struct blkfront_queue *q, struct blkfront_req *req);

/* stats.c */
extern const struct attribute_group *blkfront_groups[];

#endif /* BLKFRONT_H */
