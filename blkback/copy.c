// SPDX-License-Identifier: GPL-2.0
/*
 * Small requests are copied, not mapped.
 *
 * To map a page and unmap it again are two calls of the hypervisor, and the second one makes other
 * processors forget their translations. To copy a page is one call. So a request of few segments
 * uses pages of its own: what is to be written is copied from the frontend's pages before, what was
 * read is copied to them after. How many segments are few is the provider's to say: where mapping
 * costs next to nothing, none are.
 *
 * The pages are the connection's, zeroed when it begins: what a device leaves unwritten in them can
 * only be the same frontend's. Pages that stay mapped (kept.c) cost nothing any more: nothing is copied then.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "blkback.h"

static int copy_segs = -1;
module_param(copy_segs, int, 0644);
MODULE_PARM_DESC(copy_segs, "requests of up to so many segments are copied, larger ones are mapped; -1 (default): what is best here; from the next connection on");

static unsigned int segs_wanted(struct blkback_dev *bd)
{
	int wanted = READ_ONCE(copy_segs);

	if (wanted < 0)
		wanted = xpv_grant_copy_pays(bd->xdev);
	return min_t(unsigned int, wanted, BLKBACK_MAX_SEGS);
}

static void pages_free(struct blkback_req *req, unsigned int nr)
{
	while (nr--) {
		if (req->own[nr])
			__free_page(req->own[nr]);
		req->own[nr] = NULL;
	}
}

/** blkback_copy_free() - mirror of blkback_copy_alloc(); no-op if that failed */
void blkback_copy_free(struct blkback_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_reqs; i++)
		pages_free(&q->reqs[i], q->copy_segs);
	kvfree(q->copies);
	q->copies = NULL;
	q->copy_segs = 0;
}

static int pages_alloc(struct blkback_req *req, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		req->own[i] = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
		if (!req->own[i])
			return -ENOMEM;
	}
	return 0;
}

/**
 * blkback_copy_alloc() - pages of its own for each request that may be copied
 * @q: the queue, its requests allocated
 *
 * Return: 0; or -ENOMEM with nothing left behind.
 */
int blkback_copy_alloc(struct blkback_queue *q)
{
	unsigned int i;
	int err = 0;

	if (!q->persistent)
		q->copy_segs = segs_wanted(q->bd);
	if (!q->copy_segs)
		return 0;
	q->copies = kvcalloc(q->nr_reqs * q->copy_segs, sizeof(*q->copies),
			     GFP_KERNEL | __GFP_NOWARN);
	if (!q->copies)
		err = -ENOMEM;
	for (i = 0; !err && i < q->nr_reqs; i++)
		err = pages_alloc(&q->reqs[i], q->copy_segs);
	if (err)
		blkback_copy_free(q);
	return err;
}

/**
 * blkback_copy_add() - note the copies of a request, to be made with others at once
 * @q:   its queue; called by its thread
 * @req: the request, which is copied
 * @n:   how many are noted, incremented
 */
void blkback_copy_add(struct blkback_queue *q, const struct blkback_req *req, unsigned int *n)
{
	unsigned int i;

	for (i = 0; i < req->op.nr; i++) {
		const struct blkback_seg *seg = &req->op.segs[i];
		unsigned int offset = blkback_seg_offset(seg);

		q->copies[(*n)++] = (struct xpv_grant_copy) {
			.gref = seg->gref,
			.offset = offset,
			.len = blkback_seg_len(seg),
			.to_peer = req->op.op == BLKIF_OP_READ,
			.local = page_address(req->own[i]) + offset,
		};
	}
}

/**
 * blkback_copy_failed() - the first copy of a request that failed, or NULL
 * @req:    the request
 * @copies: its copies, made
 */
const struct xpv_grant_copy *blkback_copy_failed(const struct blkback_req *req,
						 const struct xpv_grant_copy *copies)
{
	unsigned int i;

	for (i = 0; i < req->op.nr; i++)
		if (copies[i].status != GNTST_okay)
			return &copies[i];
	return NULL;
}
