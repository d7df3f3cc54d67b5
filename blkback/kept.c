// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent grants: pages of the frontend's that stay mapped from one request to the next.
 *
 * A frontend that says "feature-persistent", as this side does (xen/interface/io/blkif.h), copies its data to and from
 * pages that it grants once, for writing. What has been mapped for one of its requests is noted under its grant
 * reference, and the next request that names it needs no hypercall.
 *
 * The frontend cannot end a grant whose page is mapped, so what a reference means does not change while it is noted. If
 * it breaks its own rules it meets its own pages only. A page may serve several requests at once; nothing is counted,
 * for nothing is unmapped before the connection ends and with it all requests. There are as many notes as all slots of
 * the ring have segments, which is as many as a frontend can use at once; what else it names is mapped for one
 * request, as without persistent grants.
 *
 *	find   page of the table -> request	the queue's thread, for each segment
 *	keep   mapped for a request -> table	the queue's thread, after the batch was mapped
 *	drop   table -> unmapped		the connection ends; no request is left
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "blkback.h"

static int persistent = -1;
module_param(persistent, int, 0644);
MODULE_PARM_DESC(persistent, "offer frontends to keep their pages mapped; -1 (default): what is best here; from the next connection on");

/**
 * blkback_kept_wanted() - are persistent grants to be offered?
 * @bd: the device
 */
bool blkback_kept_wanted(const struct blkback_dev *bd)
{
	int wanted = READ_ONCE(persistent);

	return wanted < 0 ? xpv_grant_copy_pays(bd->xdev) : wanted;
}

/**
 * blkback_kept_alloc() - room for the notes
 * @q: the queue, whose nr_reqs is known; no-op if this connection has no persistent grants
 *
 * Return: 0; or -ENOMEM.
 */
int blkback_kept_alloc(struct blkback_queue *q)
{
	if (!q->persistent)
		return 0;
	hash_init(q->kept_by_gref);
	q->kept = kvcalloc(q->nr_reqs * BLKBACK_MAX_SEGS, sizeof(*q->kept),
			   GFP_KERNEL | __GFP_NOWARN);
	return q->kept ? 0 : -ENOMEM;
}

/** blkback_kept_free() - mirror; nothing is noted. No-op if that failed or was not called */
void blkback_kept_free(struct blkback_queue *q)
{
	kvfree(q->kept);
	q->kept = NULL;
}

static const struct blkback_kept *look_up(struct blkback_queue *q, grant_ref_t gref)
{
	const struct blkback_kept *k;

	hash_for_each_possible(q->kept_by_gref, k, node, gref)
		if (k->map.gref == gref)
			return k;
	return NULL;
}

/**
 * blkback_kept_find() - is the page of a segment mapped already?
 * @q:   its queue; called by its thread
 * @req: the request
 * @seg: index of the segment
 *
 * Return: whether it is, and then it is the request's to use, not to unmap.
 */
bool blkback_kept_find(struct blkback_queue *q, struct blkback_req *req, unsigned int seg)
{
	const struct blkback_kept *k;

	if (!q->persistent)
		return false;
	k = look_up(q, req->op.segs[seg].gref);
	if (!k)
		return false;
	req->maps[seg] = k->map;
	__set_bit(seg, &req->kept);
	return true;
}

/**
 * blkback_kept_keep() - what was mapped for a segment stays mapped, if there is room
 * @q:   its queue; called by its thread
 * @req: the request
 * @seg: index of the segment, which is mapped
 *
 * A reference that is named twice in a batch was mapped twice: the second one is not kept.
 */
void blkback_kept_keep(struct blkback_queue *q, struct blkback_req *req, unsigned int seg)
{
	struct blkback_kept *k;

	if (!q->persistent || q->nr_kept == q->nr_reqs * BLKBACK_MAX_SEGS ||
	    look_up(q, req->op.segs[seg].gref))
		return;
	k = &q->kept[q->nr_kept];
	k->map = req->maps[seg];
	hash_add(q->kept_by_gref, &k->node, k->map.gref);
	q->nr_kept++;
	__set_bit(seg, &req->kept);
}

/**
 * blkback_kept_drop() - unmap them all
 * @q: the queue; its thread has ended. May sleep.
 */
void blkback_kept_drop(struct blkback_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_kept; i++)
		q->scratch[i] = q->kept[i].map;
	if (q->nr_kept)
		xpv_grant_unmap(q->bd->xdev, q->scratch, q->nr_kept);
	q->nr_kept = 0;
}
