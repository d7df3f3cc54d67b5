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
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <xpv/trace.h>
#include "blkfront.h"

/*
 * See lone(): so many requests one at a time are a habit; to have the answer in this time is a help; for so many
 * requests more it is not tried if it was none.
 */
#define LONE_SURE	8
#define LONE_TIME	(4 * NSEC_PER_MSEC)
#define LONE_PAUSE	4
#define LONE_PAUSE_MAX	256

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

	req->next = NULL;
	req->status = BLK_STS_RESOURCE;
	req->bounced = false;
	req->kept = false;
	req->nr = 0;
	if (!blk_rq_bytes(rq))
		return 0;

	if (q->persistent)
		return blkfront_bounce(q, rq);
	sg_init_table(req->sg, BLKFRONT_MAX_SEGS);
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

/*
 * Show the backend the requests. On one processor with it, or where it is quick, it has answered by the time that the
 * notification is done. So until answered() has looked no event is asked for, which it would have to send and this
 * kernel to take. Return: whether there is something to look for.
 */
static bool push(struct blkfront_queue *q)
{
	bool notify;

	lockdep_assert_held(&q->lock);
	if (!q->unpushed || q->broken)
		return false;
	q->unpushed = false;
	WRITE_ONCE(q->ring.sring->rsp_event, q->ring.rsp_cons);	/* has passed already */
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&q->ring, notify);
	trace_xpv_ring_put(q->fd->xdev, q->index, q->ring.req_prod_pvt, notify);
	if (notify) {
		q->stats.notifies++;
		xpv_event_notify(&q->event);
	}
	return true;
}

/*
 * Take what is there, and have an event announce the rest. One that was under way all the same comes for responses
 * that have been taken here.
 */
static unsigned int answered(struct blkfront_queue *q, struct request **done)
{
	unsigned int taken = blkfront_reap(q, done);

	q->stats.prompt += taken;
	if (taken)
		q->prompted = true;
	return taken;
}

/*
 * Whoever has had one request in flight at a time for a while waits for this one too. If that is the only task here,
 * the processor has nothing to do; and if the backend waits for just this processor, it is better to let it have it now
 * than to go idle, and be woken by an event.
 */
static bool lone(struct blkfront_queue *q)
{
	lockdep_assert_held(&q->lock);
	if (q->ring.req_prod_pvt - q->ring.rsp_cons != 1)
		q->lone = min(q->lone, 0);
	else if (q->lone < LONE_SURE)
		q->lone++;
	return q->lone == LONE_SURE && single_task_running();
}

/*
 * Without the lock, for which others spin; but no other task, which might take its time before events are asked for
 * again. It is no help where the backend has a processor of its own, or where third parties want this one: there it is
 * tried more and more rarely.
 */
static void hand_over(struct blkfront_queue *q, struct request **done)
	__must_hold(&q->lock)
{
	u64 before = local_clock();

	preempt_disable();
	spin_unlock_irq(&q->lock);
	xpv_event_yield(&q->event);
	spin_lock_irq(&q->lock);
	preempt_enable();
	if (answered(q, done) && local_clock() - before < LONE_TIME) {
		q->lone_pause = 0;
	} else {
		q->lone_pause = min(2 * q->lone_pause + LONE_PAUSE, LONE_PAUSE_MAX);
		q->lone = LONE_SURE - q->lone_pause;
	}
}

/* Those that the backend has answered at once. Bottom halves are run here, where they need not wake a thread. */
static void end_prompt(struct blkfront_queue *q, struct request *done)
{
	if (!done)
		return;
	local_bh_disable();
	blkfront_end(q, done, true);
	local_bh_enable();
}

/* The end of a batch, and of what is done under the lock. Interrupts were on before, as they are for blk-mq's calls. */
static void push_unlock(struct blkfront_queue *q)
	__releases(&q->lock)
{
	struct request *done = NULL;

	if (push(q)) {
		if (lone(q))
			hand_over(q, &done);
		else
			answered(q, &done);
	}
	spin_unlock_irq(&q->lock);
	end_prompt(q, done);
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
		blkfront_unbounce(q, rq);
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
	blk_status_t status;

	if (unlikely(READ_ONCE(q->fd->state) == BLKFRONT_DEAD))
		return BLK_STS_OFFLINE;
	if (op == BLKFRONT_IDLE)
		return BLK_STS_NOTSUPP;
	if (op == BLKIF_OP_FLUSH_DISKCACHE && (!q->fd->geo.flush || READ_ONCE(q->fd->no_flush)))
		return no_flush(q->fd, bd->rq);

	spin_lock_irq(&q->lock);
	status = put(q, bd->rq, op);
	if (bd->last || status)
		push_unlock(q);
	else
		spin_unlock_irq(&q->lock);
	return status;
}

/*
 * The requests of a plug, under one lock and with one notification. From one that cannot be sent just so, they are left
 * to the block layer, which gives them to queue_rq().
 */
static void queue_rqs(XPV_QUEUE_RQS_ARGS)
{
	struct request *rq = rq_list_peek(list);
	struct blkfront_queue *q = rq->mq_hctx->driver_data;

	if (unlikely(READ_ONCE(q->fd->state) == BLKFRONT_DEAD))
		return;
	spin_lock_irq(&q->lock);
	for (; rq && rq->mq_hctx->driver_data == q; rq = rq_list_peek(list)) {
		u8 op = ring_op(rq);

		if ((op != BLKIF_OP_READ && op != BLKIF_OP_WRITE) || put(q, rq, op))
			break;
		rq_list_pop(list);
	}
	push_unlock(q);
}

static void commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct blkfront_queue *q = hctx->driver_data;

	spin_lock_irq(&q->lock);
	push_unlock(q);
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
	.queue_rqs = queue_rqs,
	.commit_rqs = commit_rqs,
	.complete = blkfront_complete_rq,
	.init_hctx = init_hctx,
	.timeout = timed_out,
};
