// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of the ring to bios: a batch is taken, judged, mapped or copied at once, and submitted
 * under one plug.
 */
#include <linux/blkdev.h>
#include "blkback.h"

/** struct batch - how many mappings and copies, of q->scratch and q->copies */
struct batch {
	unsigned int maps;
	unsigned int copies;
};

/* The slot is copied once; what is judged and what is done is the copy. */
static void copy_slot(struct blkback_queue *q, struct blkback_op *op)
{
	if (q->abi == BLKBACK_ABI_X64) {
		struct blkif_request slot;

		RING_COPY_REQUEST(&q->ring.x64, q->ring.x64.req_cons, &slot);
		blkback_parse_x64(&slot, op);
	} else {
		struct blkback_x32_request slot;

		RING_COPY_REQUEST(&q->ring.x32, q->ring.x32.req_cons, &slot);
		blkback_parse_x32(&slot, op);
	}
}

static void complain(struct blkback_queue *q, const struct blkback_req *req, const char *wrong)
{
	if (__ratelimit(&q->bd->complain))
		xpv_device_error(q->bd->xdev, -EINVAL,
				 "queue %u: request %llu, op %u, sector %llu, %u segments: %s",
				 q->index, req->op.id, req->op.op, req->op.sector, req->op.nr,
				 wrong);
}

static struct blkback_req *take(struct blkback_queue *q)
{
	struct blkback_req *req = q->free;

	q->free = req->next;
	q->inflight++;
	req->has_bio = false;
	req->copied = false;
	req->kept = 0;
	copy_slot(q, &req->op);
	q->ring.x64.req_cons++;
	return req;
}

static void count(struct blkback_queue *q, const struct blkback_op *op)
{
	switch (op->op) {
	case BLKIF_OP_READ:
		q->stats.rd_req++;
		q->stats.rd_sect += op->sectors;
		break;
	case BLKIF_OP_WRITE:
		q->stats.wr_req++;
		q->stats.wr_sect += op->sectors;
		break;
	case BLKIF_OP_FLUSH_DISKCACHE:
		q->stats.f_req++;
		q->stats.wr_sect += op->sectors;
		break;
	}
}

/* What is to stay mapped is mapped for writing, whoever asks first: the next request may be a read. */
static void add_maps(struct blkback_queue *q, struct blkback_req *req, unsigned int *n)
{
	bool rw = q->persistent || req->op.op == BLKIF_OP_READ;
	unsigned int i;

	for (i = 0; i < req->op.nr; i++) {
		struct xpv_grant_map *map;

		if (blkback_kept_find(q, req, i))
			continue;
		map = &q->scratch[(*n)++];
		map->gref = req->op.segs[i].gref;
		map->flags = rw ? XPV_GRANT_RW : XPV_GRANT_READONLY;
	}
}

/*
 * One request; on success its pages are appended to the batch's, or its copies if it is to be copied
 * and has something to write. Return: whether it goes on, else it has been answered.
 */
static bool admit(struct blkback_queue *q, struct blkback_req *req, struct batch *b)
{
	const char *wrong;
	s16 status;

	wrong = blkback_parse_check(&req->op, &q->bd->lim, &status);
	if (wrong) {
		complain(q, req, wrong);
		req->op.nr = 0;	/* nothing is mapped */
		blkback_req_done(req, status);
		return false;
	}
	count(q, &req->op);
	req->copied = req->op.nr && req->op.nr <= q->copy_segs;
	q->stats.copied += req->copied;
	q->stats.persistent += req->op.nr && q->persistent;
	if (!req->copied)
		add_maps(q, req, &b->maps);
	else if (req->op.op != BLKIF_OP_READ)
		blkback_copy_add(q, req, &b->copies);
	return true;
}

/*
 * The mappings of one request that has not all it needs, out of the batch's, from *@n on. Return: the
 * first grant that could not be mapped, or NULL.
 */
static const struct xpv_grant_map *take_maps(struct blkback_queue *q, struct blkback_req *req,
					     unsigned int *n)
{
	const struct xpv_grant_map *failed = NULL;
	unsigned int i;

	for (i = 0; i < req->op.nr; i++) {
		if (test_bit(i, &req->kept))
			continue;
		req->maps[i] = q->scratch[(*n)++];
		if (req->maps[i].status == GNTST_okay)
			blkback_kept_keep(q, req, i);
		else if (!failed)
			failed = &req->maps[i];
	}
	return failed;
}

/** blkback_bad_grant() - say of a request that one of its grants is no good */
void blkback_bad_grant(struct blkback_queue *q, const struct blkback_req *req, grant_ref_t gref,
		       s16 status)
{
	if (__ratelimit(&q->bd->complain))
		xpv_device_error(q->bd->xdev, xpv_gntst_errno(status),
				 "queue %u: request %llu: grant reference %u: %s", q->index,
				 req->op.id, gref, xpv_gntst_text(status));
}

static blk_opf_t bio_opf(u8 op)
{
	switch (op) {
	case BLKIF_OP_READ:
		return REQ_OP_READ;
	case BLKIF_OP_FLUSH_DISKCACHE:
		/* With data it is a flush of what was written before, then the write. */
		return REQ_OP_WRITE | REQ_SYNC | REQ_PREFLUSH;
	default:
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	}
}

/* Neighbouring segments whose pages are neighbours too become one entry of the vector. */
static void make_bio(struct blkback_queue *q, struct blkback_req *req)
{
	struct bio *bio = &req->bio;
	unsigned int i;

	bio_init(bio, q->bd->backing.bdev, req->vecs, ARRAY_SIZE(req->vecs), bio_opf(req->op.op));
	req->has_bio = true;
	bio->bi_private = req;
	bio->bi_end_io = blkback_end_io;
	if (req->op.nr)
		bio->bi_iter.bi_sector = req->op.sector;
	for (i = 0; i < req->op.nr; i++) {
		const struct blkback_seg *seg = &req->op.segs[i];
		struct page *page = req->copied ? req->own[i] : req->maps[i].page;
		unsigned int len = blkback_seg_len(seg);

		/* Cannot be too short: there are as many vectors as segments. */
		if (bio_add_page(bio, page, len, blkback_seg_offset(seg)) != len)
			WARN_ON_ONCE(1);
	}
}

/*
 * Are the request's pages there? @at says where in the batch its mappings and copies begin, and is
 * moved on behind them.
 */
static bool ready(struct blkback_queue *q, struct blkback_req *req, struct batch *at)
{
	const struct xpv_grant_copy *copy;
	const struct xpv_grant_map *map;

	if (!req->copied) {
		map = take_maps(q, req, &at->maps);
		if (map)
			blkback_bad_grant(q, req, map->gref, map->status);
		return !map;
	}
	if (req->op.op == BLKIF_OP_READ)
		return true;
	copy = blkback_copy_failed(req, &q->copies[at->copies]);
	at->copies += req->op.nr;
	if (copy)
		blkback_bad_grant(q, req, copy->gref, copy->status);
	return !copy;
}

static void submit(struct blkback_queue *q, struct blkback_req *req, struct batch *at)
{
	if (!ready(q, req, at)) {
		blkback_req_done(req, BLKIF_RSP_ERROR);
		return;
	}
	make_bio(q, req);
	submit_bio(&req->bio);
}

/*
 * Takes what is on the ring into a list, bounded by the free requests. The peer's index is looked
 * at once; what it says beyond the size of the ring breaks the connection.
 */
static struct blkback_req *take_all(struct blkback_queue *q, struct batch *b)
{
	RING_IDX prod = READ_ONCE(q->ring.x64.sring->req_prod);
	struct blkback_req *first = NULL, **tail = &first;

	virt_rmb();	/* the index before the requests */
	if (RING_REQUEST_PROD_OVERFLOW(&q->ring.x64, prod)) {
		q->broken = true;
		xpv_device_bad(q->bd->xdev, "queue %u: %u requests in a ring of %u", q->index,
			       prod - q->ring.x64.rsp_prod_pvt, RING_SIZE(&q->ring.x64));
		return NULL;
	}
	while (q->ring.x64.req_cons != prod && q->free) {
		struct blkback_req *req = take(q);

		q->worked = true;
		if (!admit(q, req, b))
			continue;
		req->next = NULL;
		*tail = req;
		tail = &req->next;
	}
	return first;
}

/**
 * blkback_submit_batch() - everything that is on the ring now
 * @q: the queue; called by its thread
 *
 * Return: whether there was anything.
 */
bool blkback_submit_batch(struct blkback_queue *q)
{
	struct batch b = {}, at = {};
	RING_IDX before = q->ring.x64.req_cons;
	struct blkback_req *req, *next;
	struct blk_plug plug;

	req = take_all(q, &b);
	if (b.maps)
		xpv_grant_map(q->bd->xdev, q->scratch, b.maps);
	if (b.copies)
		xpv_grant_copy(q->bd->xdev, q->copies, b.copies);

	blk_start_plug(&plug);
	for (; req; req = next) {
		next = req->next;
		submit(q, req, &at);
	}
	blk_finish_plug(&plug);
	return q->ring.x64.req_cons != before;
}
