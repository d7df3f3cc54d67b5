// SPDX-License-Identifier: GPL-2.0
/* Pages that stand in for a request's own memory, where that cannot be granted, or is not: kept.c. */
#include <linux/highmem.h>
#include "blkfront.h"

/* Between the request's memory and the pages that stand in for it: @in is from the pages. */
static void copy(struct request *rq, struct blkfront_req *req, bool in)
{
	struct req_iterator iter;
	unsigned int done = 0;
	struct bio_vec bv;

	rq_for_each_segment(bv, rq, iter) {
		unsigned int off = 0;

		while (off < bv.bv_len) {
			struct page *page = req->pages[done / PAGE_SIZE];
			unsigned int at = done % PAGE_SIZE;
			unsigned int n = min_t(unsigned int, bv.bv_len - off, PAGE_SIZE - at);

			if (in)
				memcpy_page(bv.bv_page, bv.bv_offset + off, page, at, n);
			else
				memcpy_page(page, at, bv.bv_page, bv.bv_offset + off, n);
			off += n;
			done += n;
		}
	}
}

static void pages_give(struct blkfront_queue *q, struct blkfront_req *req, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (req->pages[i])
			mempool_free(req->pages[i], q->bounce);
}

/* Zeroed, as they are granted as a whole. */
static int pages_take(struct blkfront_queue *q, struct blkfront_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr; i++) {
		req->pages[i] = mempool_alloc(q->bounce, GFP_ATOMIC | __GFP_NOWARN);
		if (!req->pages[i]) {
			pages_give(q, req, i);
			return -ENOMEM;
		}
		clear_page(page_address(req->pages[i]));
	}
	return 0;
}

/**
 * blkfront_bounce() - full pages instead of the request's own memory
 * @q:  its queue
 * @rq: the request
 *
 * Holds q->lock. Return: 0; -ENOMEM or -EAGAIN (no references): later.
 */
int blkfront_bounce(struct blkfront_queue *q, struct request *rq)
{
	struct blkfront_req *req = blk_mq_rq_to_pdu(rq);
	unsigned int bytes = blk_rq_bytes(rq), i;
	int err;

	req->nr = DIV_ROUND_UP(bytes, PAGE_SIZE);
	err = q->persistent ? blkfront_kept_take(q, req) : pages_take(q, req);
	if (err)
		return err;
	req->kept = q->persistent;
	sg_init_table(req->sg, req->nr);
	for (i = 0; i < req->nr; i++) {
		sg_set_page(&req->sg[i], req->pages[i], min_t(unsigned int, bytes, PAGE_SIZE), 0);
		bytes -= req->sg[i].length;
	}
	req->bounced = true;
	if (rq_data_dir(rq) == WRITE)
		copy(rq, req, false);
	return 0;
}

/**
 * blkfront_unbounce() - requests' own memory again, with what was read
 * @q:    their queue
 * @list: the requests, by their next
 *
 * Any context; without q->lock if pages are kept. No-op for a request that was not bounced.
 */
void blkfront_unbounce(struct blkfront_queue *q, struct request *list)
{
	struct blkfront_req *req;
	struct request *rq;
	bool kept = false;

	for (rq = list; rq; rq = req->next) {
		req = blk_mq_rq_to_pdu(rq);
		if (!req->bounced)
			continue;
		if (req->status == BLK_STS_OK && rq_data_dir(rq) == READ)
			copy(rq, req, true);
		if (!req->kept)
			pages_give(q, req, req->nr);
		kept |= req->kept;
		req->bounced = false;
	}
	if (kept)
		blkfront_kept_give(q, list);
}
