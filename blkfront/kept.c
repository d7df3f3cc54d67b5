// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent grants: pages that stand in for the memory of requests, and stay granted from one request to the next.
 *
 * Where the backend keeps what it has mapped ("feature-persistent" of both sides, xen/interface/io/blkif.h), copying
 * the data costs less than to have each page mapped and unmapped. The backend may read and write the pages at any
 * time until the connection ends: they hold nothing but data of this disk, and are granted for writing whatever the
 * request is.
 *
 * A page that no request uses is on the queue's stack, so those that were used last are used next; one is made when
 * the stack is empty, so there are as many as were ever in use at once, at most what all slots can have. Its way:
 *
 *	take      stack or new -> request	queue_rq, under q->lock
 *	give      request -> stack		the end of the request, any context
 *	drain     stack -> gone			the connection has ended, and all requests have given
 */
#include "blkfront.h"

/* A new one, zeroed: it is the backend's to read from now on. */
static int make(struct blkfront_queue *q, struct blkfront_kept *k)
{
	int err;

	k->page = mempool_alloc(q->bounce, GFP_ATOMIC | __GFP_NOWARN);
	if (!k->page)
		return -ENOMEM;
	err = xpv_grant_alloc(q->fd->xdev, 1, &k->ref);
	if (err) {
		mempool_free(k->page, q->bounce);
		return err;
	}
	clear_page(page_address(k->page));
	xpv_grant_set(q->fd->xdev, k->ref, k->page, XPV_GRANT_RW);
	return 0;
}

static void push(struct blkfront_queue *q, const struct blkfront_req *req, unsigned int nr)
{
	lockdep_assert_held(&q->lock);
	while (nr--)
		q->kept[q->nr_kept++] = (struct blkfront_kept){ req->pages[nr], req->refs[nr] };
}

/**
 * blkfront_kept_take() - pages for all of a request
 * @q:   its queue
 * @req: the request; @req->nr are needed
 *
 * Holds q->lock. Return: 0; -ENOMEM or -EAGAIN (no references): later, and nothing is taken.
 */
int blkfront_kept_take(struct blkfront_queue *q, struct blkfront_req *req)
{
	struct blkfront_kept k;
	unsigned int i;
	int err;

	lockdep_assert_held(&q->lock);
	for (i = 0; i < req->nr; i++) {
		if (q->nr_kept) {
			k = q->kept[--q->nr_kept];
		} else {
			err = make(q, &k);
			if (err) {
				push(q, req, i);
				return err;
			}
		}
		req->pages[i] = k.page;
		req->refs[i] = k.ref;
	}
	return 0;
}

/**
 * blkfront_kept_give() - mirror, for all of a list
 * @q:    the queue
 * @list: requests, by their next; those without kept pages are left alone
 *
 * Any context, without q->lock.
 */
void blkfront_kept_give(struct blkfront_queue *q, struct request *list)
{
	struct blkfront_req *req;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	for (; list; list = req->next) {
		req = blk_mq_rq_to_pdu(list);
		if (!req->kept)
			continue;
		push(q, req, req->nr);
		req->kept = false;
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

/*
 * When memory was short, pages were taken from the reserve, which refills itself only from what is freed. Without
 * memory for that now it stays smaller until requests that bounce have filled it.
 */
static void refill(struct blkfront_queue *q)
{
	unsigned int i;

	for (i = 0; i < BLKFRONT_MAX_SEGS; i++) {
		struct page *page = alloc_page(GFP_NOIO | __GFP_NOWARN);

		if (!page)
			break;
		mempool_free(page, q->bounce);
	}
}

/**
 * blkfront_kept_drain() - the pages of a connection that has ended
 * @q: the queue; no request is in flight, none begins or ends
 *
 * May sleep. The backend usually has them mapped still: so they are the core's from now on.
 */
void blkfront_kept_drain(struct blkfront_queue *q)
{
	if (!q->nr_kept)
		return;
	while (q->nr_kept) {
		struct blkfront_kept *k = &q->kept[--q->nr_kept];

		xpv_grant_end(q->fd->xdev, k->ref, k->page);
	}
	refill(q);
}
