// SPDX-License-Identifier: GPL-2.0
/* What the Coccinelle rules are to find; each line with a mark must be reported, and no other. */

static void good(struct thing *t, struct req *mine)
{
	struct req copy;

	RING_COPY_REQUEST(&t->ring, 1, &copy);
	*RING_GET_RESPONSE(&t->ring, 2) = copy;
	sync_set_bit(3, t->shared->evtchn_mask);
	set_bit(3, &t->flags);
	if (READ_ONCE(t->ring.sring->rsp_prod) == 4)
		WRITE_ONCE(t->ring.sring->rsp_event, 5);
	t->ring.sring = NULL;
}

static void bad(struct thing *t)
{
	struct req *r = RING_GET_REQUEST(&t->ring, 1);		/* bad */

	if (RING_GET_RESPONSE(&t->ring, 1)->status)		/* bad */
		return;
	BUG_ON(!r);						/* bad */
	set_bit(3, t->shared->evtchn_pending);			/* bad */
	clear_bit(0, (unsigned long *)&t->vi->evtchn_upcall_pending);	/* bad */
	if (t->ring.sring->req_prod == 7)			/* bad */
		panic("no");					/* bad */
	smp_wmb();						/* bad */
}
