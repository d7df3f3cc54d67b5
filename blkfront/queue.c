// SPDX-License-Identifier: GPL-2.0
/*
 * Queues and their rings: made at publication, taken down at disconnection, requests in flight
 * taken back.
 */
#include <linux/slab.h>
#include "blkfront.h"

static void grants_are_back(struct xpv_grant_waiter *w)
{
	struct blkfront_queue *q = container_of(w, struct blkfront_queue, waiter);

	blk_mq_run_hw_queues(q->fd->disk->queue, true);
}

static int queue_init(struct blkfront_dev *fd, struct blkfront_queue *q, unsigned int index)
{
	q->fd = fd;
	q->index = index;
	spin_lock_init(&q->lock);
	memset(q->ops, BLKFRONT_IDLE, sizeof(q->ops));
	xpv_grant_waiter_init(&q->waiter, grants_are_back);
	q->bounce = mempool_create_page_pool(BLKFRONT_MAX_SEGS, 0);
	return q->bounce ? 0 : -ENOMEM;
}

/** blkfront_queues_alloc() - the queues, without rings */
int blkfront_queues_alloc(struct blkfront_dev *fd)
{
	unsigned int i;
	int err;

	fd->nr_queues = 1;
	fd->queues = kcalloc(fd->nr_queues, sizeof(*fd->queues), GFP_KERNEL);
	if (!fd->queues)
		return -ENOMEM;
	for (i = 0; i < fd->nr_queues; i++) {
		err = queue_init(fd, &fd->queues[i], i);
		if (err) {
			blkfront_queues_free(fd);
			return err;
		}
	}
	return 0;
}

/** blkfront_queues_free() - mirror; rings are closed, no request exists any more */
void blkfront_queues_free(struct blkfront_dev *fd)
{
	unsigned int i;

	for (i = 0; i < fd->nr_queues; i++)
		mempool_destroy(fd->queues[i].bounce);
	kfree(fd->queues);
	fd->queues = NULL;
	fd->nr_queues = 0;
}

static int queue_open(struct blkfront_queue *q)
{
	struct xpv_device *xdev = q->fd->xdev;
	char what[16];
	int err;

	err = xpv_ring_alloc(xdev, 0, &q->mem);
	if (err)
		return err;
	XEN_FRONT_RING_INIT(&q->ring, (struct blkif_sring *)q->mem.sring,
			    q->mem.nr_pages * PAGE_SIZE);
	q->unpushed = false;
	q->prompted = false;
	q->lone = 0;
	q->lone_pause = 0;
	q->broken = false;

	snprintf(what, sizeof(what), "queue-%u", q->index);
	err = xpv_event_alloc(xdev, &q->event, what, blkfront_interrupt, NULL, q);
	if (err)
		xpv_ring_free(xdev, &q->mem);
	return err;
}

/* What is still in flight when nobody answers any more: to be sent again, or failed. */
static void take_back(struct blkfront_queue *q, struct request *rq, bool gone)
{
	struct blkfront_req *req = blk_mq_rq_to_pdu(rq);

	blkfront_req_end(q, req);
	if (gone) {
		req->status = BLK_STS_OFFLINE;
		blk_mq_complete_request(rq);
		return;
	}
	blkfront_unbounce(q, rq);
	q->stats.requeued++;
	blk_mq_requeue_request(rq, false);
}

/*
 * Nobody else looks at the slots now: the block layer's queue is quiesced, no interrupt comes. A
 * request that has been answered has left its slot already; its completion, perhaps on another CPU, is waited for,
 * because it gives kept pages back. It depends on nothing but that CPU.
 */
static void queue_close(struct blkfront_queue *q, bool gone)
{
	struct xpv_device *xdev = q->fd->xdev;
	unsigned int i;

	if (!q->mem.sring)
		return;
	xpv_event_unbind(&q->event);
	xpv_grant_wait_cancel(xdev, &q->waiter);
	for (i = 0; i < ARRAY_SIZE(q->slots); i++) {
		struct request *rq = q->slots[i];

		if (!rq)
			continue;
		q->slots[i] = NULL;
		q->ops[i] = BLKFRONT_IDLE;
		take_back(q, rq, gone);
	}
	if (q->fd->disk)
		blk_mq_tagset_wait_completed_request(&q->fd->tags);
	blkfront_kept_drain(q);
	xpv_ring_free(xdev, &q->mem);
}

/**
 * blkfront_queues_open() - a ring and an event channel for each queue
 * @fd: the device
 *
 * Return: 0, or an errno with nothing left behind.
 */
int blkfront_queues_open(struct blkfront_dev *fd)
{
	unsigned int i;
	int err;

	for (i = 0; i < fd->nr_queues; i++) {
		err = queue_open(&fd->queues[i]);
		if (err) {
			blkfront_queues_close(fd, false);
			return err;
		}
	}
	return 0;
}

/**
 * blkfront_queues_close() - mirror; the block layer's queue is quiesced
 * @fd:   the device
 * @gone: requests in flight fail; otherwise they go to the requeue list, to be sent on the next
 *        connection
 */
void blkfront_queues_close(struct blkfront_dev *fd, bool gone)
{
	unsigned int i;

	for (i = 0; i < fd->nr_queues; i++)
		queue_close(&fd->queues[i], gone);
}
