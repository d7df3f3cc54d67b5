// SPDX-License-Identifier: GPL-2.0
/*
 * Responses of the ring to requests of the block layer.
 *
 * A response is copied once and must name a request in flight and its operation. The backend's
 * access to the request's pages ends before the request does: a page that it still holds then is a
 * violation of the protocol, and is kept from being used again until the backend lets go of it.
 */
#include <xpv/trace.h>
#include "blkfront.h"

/**
 * blkfront_req_end() - end the backend's access to a request's pages
 * @q:   its queue
 * @req: the request
 *
 * Any context. Return: false if the backend still holds one of them. That page's grant is left to
 * the core, with a reference to the page. Pages that are kept stay the backend's too.
 */
bool blkfront_req_end(struct blkfront_queue *q, struct blkfront_req *req)
{
	struct xpv_device *xdev = q->fd->xdev;
	unsigned int i, ended = 0;

	if (req->kept)
		return true;
	for (i = 0; i < req->nr; i++) {
		if (!xpv_grant_revoke(xdev, req->refs[i])) {
			req->refs[ended++] = req->refs[i];
			continue;
		}
		if (!req->bounced)
			get_page(req->pages[i]);
		xpv_grant_end(xdev, req->refs[i], req->pages[i]);
		/*
		 * A bounce page is given away, reference and all: it must not go back to the pool.
		 */
		req->pages[i] = NULL;
	}
	if (ended)
		xpv_grant_free(xdev, ended, req->refs);
	return ended == req->nr;
}

static blk_status_t rsp_status(struct blkfront_queue *q, enum blkfront_verdict verdict, u8 op)
{
	if (verdict == BLKFRONT_RSP_OK)
		return BLK_STS_OK;

	q->stats.errors++;
	if (verdict == BLKFRONT_RSP_FAILED)
		return BLK_STS_IOERR;
	/*
	 * This flush has failed, and says so; that later ones are not sent is the limits' affair.
	 */
	if (op == BLKIF_OP_FLUSH_DISKCACHE && !q->fd->no_flush) {
		WRITE_ONCE(q->fd->no_flush, true);
		schedule_work(&q->fd->limits_work);
	}
	return BLK_STS_NOTSUPP;
}

static int bad(struct blkfront_queue *q, const struct blkif_response *rsp, const char *what)
{
	lockdep_assert_held(&q->lock);
	q->broken = true;
	return xpv_device_bad(q->fd->xdev,
			      "queue %u: response to request %llu, op %u, status %d: %s",
			      q->index, rsp->id, rsp->operation, rsp->status, what);
}

/*
 * One response, copied. On success, and when only the grants were wrong, *done is one request
 * longer.
 */
static int take(struct blkfront_queue *q, const struct blkif_response *rsp, struct request **done)
{
	enum blkfront_verdict verdict;
	struct blkfront_req *req;
	struct request *rq;
	int err = 0;

	verdict = blkfront_parse_rsp(rsp->id, rsp->operation, rsp->status,
				     q->ops, ARRAY_SIZE(q->ops));
	if (verdict > BLKFRONT_RSP_UNKNOWN)
		return bad(q, rsp, blkfront_verdict_text(verdict));

	rq = q->slots[rsp->id];
	q->slots[rsp->id] = NULL;
	q->ops[rsp->id] = BLKFRONT_IDLE;
	req = blk_mq_rq_to_pdu(rq);
	req->status = rsp_status(q, verdict, rsp->operation);
	if (!blkfront_req_end(q, req)) {
		req->status = BLK_STS_IOERR;
		err = bad(q, rsp, "a page of the request is still mapped");
	}
	q->stats.responses++;
	trace_xpv_complete(q->fd->xdev, q->index, rsp->id, rsp->operation, rsp->status);
	req->next = *done;
	*done = rq;
	return err;
}

/**
 * blkfront_reap() - take all responses that are there; an event announces the next one
 * @q:    the queue, locked
 * @done: the requests that they end are put before it, for blkfront_end()
 *
 * There cannot be more than requests in flight, and none is added while the lock is held: the loop
 * ends whatever the backend writes. Return: how many; none from a queue that is broken.
 */
unsigned int blkfront_reap(struct blkfront_queue *q, struct request **done)
{
	struct blkif_response rsp;
	unsigned int taken = 0;
	int more = 0;
	RING_IDX prod;
	u32 sent;

	lockdep_assert_held(&q->lock);
	if (q->broken)
		return 0;
	do {
		prod = READ_ONCE(q->ring.sring->rsp_prod);
		virt_rmb();	/* the index before the responses */
		sent = q->ring.req_prod_pvt - q->ring.rsp_cons;
		if (prod - q->ring.rsp_cons > sent) {
			q->broken = true;
			xpv_device_bad(q->fd->xdev, "queue %u: %u responses to %u requests",
				       q->index, prod - q->ring.rsp_cons, sent);
			return taken;
		}
		while (q->ring.rsp_cons != prod) {
			RING_COPY_RESPONSE(&q->ring, q->ring.rsp_cons, &rsp);
			q->ring.rsp_cons++;
			taken++;
			if (take(q, &rsp, done))
				return taken;
		}
		RING_FINAL_CHECK_FOR_RESPONSES(&q->ring, more);
	} while (more);
	return taken;
}

/* Those that were waited for too long are there. */
static void no_stall(struct blkfront_queue *q)
{
	if (likely(!READ_ONCE(q->fd->stalled)))
		return;
	WRITE_ONCE(q->fd->stalled, false);
	xpv_device_kick(q->fd->xdev);	/* a new status */
}

/* The end of requests, all together: their own memory has what was read, then they are the block layer's. */
static void end_chain(struct blkfront_queue *q, struct request *chain)
{
	DEFINE_IO_COMP_BATCH(batch);

	blkfront_unbounce(q, chain);
	while (chain) {
		struct blkfront_req *req = blk_mq_rq_to_pdu(chain);
		struct request *rq = chain;

		chain = req->next;
		if (!blk_mq_add_to_batch(rq, &batch, req->status != BLK_STS_OK,
					 blk_mq_end_request_batch))
			blk_mq_end_request(rq, req->status);
	}
	if (batch.complete)
		batch.complete(&batch);
}

/* A chain of requests in a row that were sent by the same processor is cut off the list. */
static struct request *cut_chain(struct request **list)
{
	struct request *first = *list;
	struct blkfront_req *req = blk_mq_rq_to_pdu(first);

	while (req->next && blk_mq_rq_cpu(req->next) == blk_mq_rq_cpu(first)) {
		blk_mq_set_request_complete(req->next);
		req = blk_mq_rq_to_pdu(req->next);
	}
	*list = req->next;
	req->next = NULL;
	return first;
}

/**
 * blkfront_end() - end requests that have been answered
 * @q:    their queue, not locked: the end of one may send the next
 * @done: from blkfront_reap()
 * @here: by the task that has sent some of them: what this processor has sent ends at once
 *
 * The others go where the block layer wants them to end, as chains: it is told of the first of each only, and
 * blkfront_complete_rq() ends them all. Context: hard interrupt; bottom halves off if @here.
 */
void blkfront_end(struct blkfront_queue *q, struct request *done, bool here)
{
	if (done)
		no_stall(q);
	while (done) {
		struct request *chain = cut_chain(&done);

		if (here && blk_mq_rq_cpu(chain) == smp_processor_id()) {
			blk_mq_set_request_complete(chain);
			end_chain(q, chain);
		} else {
			blk_mq_complete_request(chain);
		}
	}
}

/** blkfront_interrupt() - hard interrupt handler of a queue's event channel */
irqreturn_t blkfront_interrupt(int irq, void *arg)
{
	struct blkfront_queue *q = arg;
	struct request *done = NULL;
	bool broken, worked;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	worked = blkfront_reap(q, &done) || q->prompted;
	q->prompted = false;
	broken = q->broken;
	spin_unlock_irqrestore(&q->lock, flags);

	blkfront_end(q, done, false);
	/* A backend that broke the protocol is not listened to any more. */
	if (!broken)
		xpv_event_eoi(&q->event, worked ? XPV_EOI_WORK : XPV_EOI_SPURIOUS);
	return IRQ_HANDLED;
}

/** blkfront_complete_rq() - second half of a completion, of a chain's first, where the block layer wants it to run */
void blkfront_complete_rq(struct request *rq)
{
	end_chain(rq->mq_hctx->driver_data, rq);
}
