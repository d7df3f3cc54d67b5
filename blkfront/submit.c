// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of the block layer to slots of the ring.
 *
 * The tag of a request is its id on the ring and its slot in the frontend's memory; there are as
 * many tags as slots, so the ring is never full. What could fail, references and bounce pages, is
 * taken before anything is filled in.
 */
#include <linux/bio.h>
#include <linux/net.h>
#include <xpv/trace.h>
#include "blkfront.h"

/*
 * Slab memory cannot be kept by a page reference when the backend does not let go, and its
 * neighbours would be seen.
 */
static bool seg_grantable(struct scatterlist *sg)
{
	return sendpage_ok(sg_page(sg)) && ((sg->offset | sg->length) & (SECTOR_SIZE - 1)) == 0;
}

static bool req_grantable(struct blkfront_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr; i++)
		if (!seg_grantable(&req->sg[i]))
			return false;
	return true;
}

/* The pages that the request's data is or will be in. Leaves nothing behind on failure. */
static int req_pages(struct blkfront_queue *q, struct request *rq, struct blkfront_req *req)
{
	unsigned int i;

	req->bounced = false;
	req->kept = false;
	req->nr = 0;
	if (!blk_rq_bytes(rq))
		return 0;

	sg_init_table(req->sg, BLKFRONT_MAX_SEGS);
	if (q->persistent)
		return blkfront_bounce(q, rq);
	req->nr = blk_rq_map_sg(rq->q, rq, req->sg);
	if (!req_grantable(req))
		return blkfront_bounce(q, rq);
	for (i = 0; i < req->nr; i++)
		req->pages[i] = sg_page(&req->sg[i]);
	return 0;
}

/* All references that the request needs; kept pages have theirs. */
static int req_refs(struct blkfront_queue *q, struct blkfront_req *req)
{
	return req->nr && !req->kept ? xpv_grant_alloc(q->fd->xdev, req->nr, req->refs) : 0;
}

/*
 * Pages or references cannot be had. On shortage the block layer tries again soon by itself; the waiter sees to it
 * that it does so as soon as there are references enough.
 */
static blk_status_t not_now(struct blkfront_queue *q, struct blkfront_req *req, int err)
{
	if (err == -ENOMEM)
		return BLK_STS_RESOURCE;
	if (err != -EAGAIN)
		return BLK_STS_IOERR;
	q->stats.grant_waits++;
	xpv_grant_wait(q->fd->xdev, &q->waiter, req->nr);
	return BLK_STS_RESOURCE;
}

static u8 ring_op(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		return BLKIF_OP_READ;
	case REQ_OP_WRITE:
		return BLKIF_OP_WRITE;
	case REQ_OP_FLUSH:
		return BLKIF_OP_FLUSH_DISKCACHE;
	default:
		return BLKFRONT_IDLE;
	}
}

/*
 * Built in private memory and then copied: the backend never sees a slot half filled, nor what was
 * in it before.
 */
static void fill_slot(struct blkfront_queue *q, struct request *rq,
		      const struct blkfront_req *req, u8 op)
{
	u32 flags = op == BLKIF_OP_READ ? XPV_GRANT_RW : XPV_GRANT_READONLY;
	struct blkif_request slot = { .operation = op };
	unsigned int i;

	slot.u.rw.nr_segments = req->nr;
	slot.u.rw.handle = q->fd->vdev;
	slot.u.rw.id = rq->tag;
	slot.u.rw.sector_number = blk_rq_pos(rq);
	for (i = 0; i < req->nr; i++) {
		const struct scatterlist *sg = &req->sg[i];

		if (!req->kept)
			xpv_grant_set(q->fd->xdev, req->refs[i], req->pages[i], flags);
		slot.u.rw.seg[i].gref = xpv_gref_wire(req->refs[i]);
		slot.u.rw.seg[i].first_sect = sg->offset >> SECTOR_SHIFT;
		slot.u.rw.seg[i].last_sect = ((sg->offset + sg->length - 1) >> SECTOR_SHIFT);
	}
	/* An empty flush has no place; all ones is what the block layer says then. */
	if (!req->nr)
		slot.u.rw.sector_number = 0;
	memcpy(RING_GET_REQUEST(&q->ring, q->ring.req_prod_pvt), &slot, sizeof(slot));
}

static void push(struct blkfront_queue *q)
{
	bool notify;

	lockdep_assert_held(&q->lock);
	if (!q->unpushed || q->broken)
		return;
	q->unpushed = false;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&q->ring, notify);
	trace_xpv_ring_put(q->fd->xdev, q->index, q->ring.req_prod_pvt, notify);
	if (notify) {
		q->stats.notifies++;
		xpv_event_notify(&q->event);
	}
}

static blk_status_t put(struct blkfront_queue *q, struct request *rq, u8 op)
{
	struct blkfront_req *req = blk_mq_rq_to_pdu(rq);
	int err;

	lockdep_assert_held(&q->lock);
	/*
	 * The connection is about to be taken down; what waits here is sent on the next one, or
	 * fails with the device.
	 */
	if (q->broken)
		return BLK_STS_RESOURCE;
	err = req_pages(q, rq, req);
	if (err)
		return not_now(q, req, err);
	err = req_refs(q, req);
	if (err) {
		blkfront_unbounce(q, rq, false);
		return not_now(q, req, err);
	}

	blk_mq_start_request(rq);
	fill_slot(q, rq, req, op);
	q->slots[rq->tag] = rq;
	q->ops[rq->tag] = op;
	q->ring.req_prod_pvt++;
	q->unpushed = true;
	q->stats.requests++;
	q->stats.bounced += req->bounced && !req->kept;
	q->stats.persistent += req->kept;
	return BLK_STS_OK;
}

/*
 * A flush that cannot be sent. One that met a new backend, which has no cache, is done: the block
 * layer sends none to such a disk. One to a backend that turned out not to flush has failed.
 */
static blk_status_t no_flush(struct blkfront_dev *fd, struct request *rq)
{
	if (READ_ONCE(fd->no_flush))
		return BLK_STS_NOTSUPP;
	blk_mq_start_request(rq);
	blk_mq_end_request(rq, BLK_STS_OK);
	return BLK_STS_OK;
}

static blk_status_t queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct blkfront_queue *q = hctx->driver_data;
	u8 op = ring_op(bd->rq);
	unsigned long flags;
	blk_status_t status;

	if (unlikely(READ_ONCE(q->fd->state) == BLKFRONT_DEAD))
		return BLK_STS_OFFLINE;
	if (op == BLKFRONT_IDLE)
		return BLK_STS_NOTSUPP;
	if (op == BLKIF_OP_FLUSH_DISKCACHE && (!q->fd->geo.flush || READ_ONCE(q->fd->no_flush)))
		return no_flush(q->fd, bd->rq);

	spin_lock_irqsave(&q->lock, flags);
	status = put(q, bd->rq, op);
	if (bd->last || status)
		push(q);
	spin_unlock_irqrestore(&q->lock, flags);
	return status;
}

static void commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct blkfront_queue *q = hctx->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	push(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

static int init_hctx(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index)
{
	struct blkfront_dev *fd = data;

	hctx->driver_data = &fd->queues[index];
	return 0;
}

/*
 * A backend that does not answer may be migrating or its storage may be slow: wait, and say so. A
 * backend that is gone is not waited for: the bus calls disconnect(), which fails or takes back
 * what is in flight.
 */
static enum blk_eh_timer_return timed_out(struct request *rq)
{
	struct blkfront_queue *q = rq->mq_hctx->driver_data;

	if (READ_ONCE(q->fd->state) == BLKFRONT_LIVE) {
		xpv_device_waits(q->fd->xdev,
				 "the backend has not answered request %d (op %u) for %u s",
				 rq->tag, READ_ONCE(q->ops[rq->tag]), rq->timeout / HZ);
		WRITE_ONCE(q->fd->stalled, true);
	}
	return BLK_EH_RESET_TIMER;
}

const struct blk_mq_ops blkfront_mq_ops = {
	.queue_rq = queue_rq,
	.commit_rqs = commit_rqs,
	.complete = blkfront_complete_rq,
	.init_hctx = init_hctx,
	.timeout = timed_out,
};
