// SPDX-License-Identifier: GPL-2.0
/*
 * Ended bios to responses: a batch is unmapped, or copied to the frontend, at once, then answered
 * with one notification.
 */
#include <linux/blkdev.h>
#include <xpv/trace.h>
#include "blkback.h"

/**
 * blkback_req_done() - a request has come to its end; its thread will answer it
 * @req:    the request, not the caller's any more
 * @status: BLKIF_RSP_*
 *
 * Any context. Whoever adds to an empty list wakes the thread: if it is not empty, it is about to
 * be emptied. The thread may answer and even end before it is woken; the queue stays until after
 * the read-side section.
 */
void blkback_req_done(struct blkback_req *req, s16 status)
{
	struct blkback_queue *q = req->q;

	req->status = status;
	rcu_read_lock();
	if (llist_add(&req->done, &q->done))
		wake_up(&q->wait);
	rcu_read_unlock();
}

/**
 * blkback_end_io() - the bio of a request has ended
 * @bio: the bio
 */
void blkback_end_io(struct bio *bio)
{
	struct blkback_req *req = bio->bi_private;
	s16 status = BLKIF_RSP_OKAY;

	if (bio->bi_status == BLK_STS_NOTSUPP)
		status = BLKIF_RSP_EOPNOTSUPP;
	else if (bio->bi_status)
		status = BLKIF_RSP_ERROR;
	blkback_req_done(req, status);
}

static void unmap_all(struct blkback_queue *q, struct llist_node *list)
{
	struct blkback_req *req;
	unsigned int i, n = 0;

	llist_for_each_entry(req, list, done) {
		if (req->has_bio)
			bio_uninit(&req->bio);
		if (req->copied)
			continue;
		for (i = 0; i < req->op.nr; i++)
			if (req->maps[i].status == GNTST_okay && !test_bit(i, &req->kept))
				q->scratch[n++] = req->maps[i];
	}
	if (n)
		xpv_grant_unmap(q->bd->xdev, q->scratch, n);
}

/* What the frontend is to get: what was read, and is not in its pages already. */
static bool to_copy(const struct blkback_req *req)
{
	return req->copied && req->op.op == BLKIF_OP_READ && req->status == BLKIF_RSP_OKAY;
}

static void copy_all(struct blkback_queue *q, struct llist_node *list)
{
	const struct xpv_grant_copy *failed, *of = q->copies;
	struct blkback_req *req;
	unsigned int n = 0;

	llist_for_each_entry(req, list, done)
		if (to_copy(req))
			blkback_copy_add(q, req, &n);
	if (!n || !xpv_grant_copy(q->bd->xdev, q->copies, n))
		return;
	llist_for_each_entry(req, list, done) {
		if (!to_copy(req))
			continue;
		failed = blkback_copy_failed(req, of);
		of += req->op.nr;
		if (!failed)
			continue;
		blkback_bad_grant(q, req, failed->gref, failed->status);
		req->status = BLKIF_RSP_ERROR;
	}
}

/* A slot's response, padding and all, so that nothing of this kernel's memory is in it. */
static void put_response(struct blkback_queue *q, const struct blkback_req *req)
{
	RING_IDX prod = q->ring.x64.rsp_prod_pvt++;

	if (q->abi == BLKBACK_ABI_X64) {
		struct blkif_response rsp;

		memset(&rsp, 0, sizeof(rsp));
		rsp.id = req->op.id;
		rsp.operation = req->op.op;
		rsp.status = req->status;
		memcpy(RING_GET_RESPONSE(&q->ring.x64, prod), &rsp, sizeof(rsp));
	} else {
		struct blkback_x32_response rsp = {
			.id = req->op.id,
			.operation = req->op.op,
			.status = req->status,
		};

		memcpy(RING_GET_RESPONSE(&q->ring.x32, prod), &rsp, sizeof(rsp));
	}
}

static void push(struct blkback_queue *q)
{
	bool notify;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&q->ring.x64, notify);
	trace_xpv_ring_put(q->bd->xdev, q->index, q->ring.x64.rsp_prod_pvt, notify);
	if (!notify)
		return;
	q->stats.notifies++;
	xpv_event_notify(&q->event);
}

/**
 * blkback_complete_batch() - answer what has ended
 * @q: the queue; called by its thread
 *
 * The pages are unmapped before: a frontend that has its answer takes them back.
 */
void blkback_complete_batch(struct blkback_queue *q)
{
	struct llist_node *list = llist_del_all(&q->done);
	struct blkback_req *req, *next;

	if (!list)
		return;
	list = llist_reverse_order(list);
	unmap_all(q, list);
	copy_all(q, list);
	llist_for_each_entry_safe(req, next, list, done) {
		if (req->status != BLKIF_RSP_OKAY)
			q->stats.errors++;
		trace_xpv_complete(q->bd->xdev, q->index, req->op.id, req->op.op, req->status);
		if (!q->broken)
			put_response(q, req);
		q->inflight--;
		req->next = q->free;
		q->free = req;
	}
	if (!q->broken)
		push(q);
}
