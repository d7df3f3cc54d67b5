// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of the ring to bios: a batch is taken, judged, mapped at once, and submitted under one
 * plug.
 */
#include <linux/blkdev.h>
#include "blkback.h"

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

/*
 * One request; on success its pages are appended to the batch's. Return: whether it goes on, else
 * it has been answered.
 */
static bool admit(struct blkback_queue *q, struct blkback_req *req, unsigned int *nr_maps)
{
	const char *wrong;
	unsigned int i;
	s16 status;

	wrong = blkback_parse_check(&req->op, &q->bd->lim, &status);
	if (wrong) {
		complain(q, req, wrong);
		req->op.nr = 0;	/* nothing is mapped */
		blkback_req_done(req, status);
		return false;
	}
	count(q, &req->op);
	for (i = 0; i < req->op.nr; i++) {
		struct xpv_grant_map *map = &q->scratch[(*nr_maps)++];

		map->gref = req->op.segs[i].gref;
		map->flags = req->op.op == BLKIF_OP_READ ? XPV_GRANT_RW : XPV_GRANT_READONLY;
	}
	return true;
}

/*
 * The mappings of one request, out of the batch's. Return: the first grant that could not be
 * mapped, or NULL.
 */
static const struct xpv_grant_map *take_maps(struct blkback_req *req,
					     const struct xpv_grant_map *maps)
{
	const struct xpv_grant_map *failed = NULL;
	unsigned int i;

	for (i = 0; i < req->op.nr; i++) {
		req->maps[i] = maps[i];
		if (maps[i].status != GNTST_okay && !failed)
			failed = &maps[i];
	}
	return failed;
}

static void bad_grant(struct blkback_queue *q, struct blkback_req *req,
		      const struct xpv_grant_map *failed)
{
	if (__ratelimit(&q->bd->complain))
		xpv_device_error(q->bd->xdev, xpv_gntst_errno(failed->status),
				 "queue %u: request %llu: grant reference %u: %s", q->index,
				 req->op.id, failed->gref, xpv_gntst_text(failed->status));
	blkback_req_done(req, BLKIF_RSP_ERROR);
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
		unsigned int len = blkback_seg_len(seg);

		/* Cannot be too short: there are as many vectors as segments. */
		if (bio_add_page(bio, req->maps[i].page, len, blkback_seg_offset(seg)) != len)
			WARN_ON_ONCE(1);
	}
}

static void submit(struct blkback_queue *q, struct blkback_req *req,
		   const struct xpv_grant_map *maps)
{
	const struct xpv_grant_map *failed = take_maps(req, maps);

	if (failed) {
		bad_grant(q, req, failed);
		return;
	}
	make_bio(q, req);
	submit_bio(&req->bio);
}

/*
 * Takes what is on the ring into a list, bounded by the free requests. The peer's index is looked
 * at once; what it says beyond the size of the ring breaks the connection.
 */
static struct blkback_req *take_all(struct blkback_queue *q, unsigned int *nr_maps)
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
		if (!admit(q, req, nr_maps))
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
	unsigned int nr_maps = 0, at = 0;
	RING_IDX before = q->ring.x64.req_cons;
	struct blkback_req *req, *next;
	struct blk_plug plug;

	req = take_all(q, &nr_maps);
	if (nr_maps)
		xpv_grant_map(q->bd->xdev, q->scratch, nr_maps);

	blk_start_plug(&plug);
	for (; req; req = next) {
		unsigned int maps = at;

		next = req->next;
		at += req->op.nr;
		submit(q, req, &q->scratch[maps]);
	}
	blk_finish_plug(&plug);
	return q->ring.x64.req_cons != before;
}
