// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes between a ring page and memory of our own. The domain can write the whole page at any time:
 * its two indices are read once per call and checked, bytes are copied once, and the server's two
 * indices are kept here and only told.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/barrier.h>
#include "store.h"

/**
 * store_ring_init() - begin with a page
 * @r: the ring
 * @intf: the page, whose indices may stand anywhere
 *
 * Says in it that errors will be shown there.
 */
void store_ring_init(struct store_ring *r, struct xenstore_domain_interface *intf)
{
	r->intf = intf;
	r->req_cons = READ_ONCE(intf->req_cons);
	r->rsp_prod = READ_ONCE(intf->rsp_prod);
	WRITE_ONCE(intf->error, XENSTORE_ERROR_NONE);
	WRITE_ONCE(intf->server_features, XENSTORE_SERVER_FEATURE_ERROR);
}

/** store_ring_fail() - nothing more will be read or written; @error: XENSTORE_ERROR_* */
void store_ring_fail(struct store_ring *r, u32 error)
{
	WRITE_ONCE(r->intf->error, error);
}

/**
 * store_ring_read() - take up to @want bytes of requests
 * @r: the ring
 * @buf: where to
 * @want: at most so many bytes
 *
 * Return: how many there were; -EPROTO when the domain's index is impossible.
 */
int store_ring_read(struct store_ring *r, void *buf, size_t want)
{
	u32 prod = READ_ONCE(r->intf->req_prod);
	u32 at = MASK_XENSTORE_IDX(r->req_cons), n = prod - r->req_cons;
	size_t first;

	if (n > XENSTORE_RING_SIZE)
		return -EPROTO;
	n = min_t(size_t, n, want);
	if (!n)
		return 0;
	virt_rmb();	/* the index before the bytes it covers */
	first = min_t(size_t, n, XENSTORE_RING_SIZE - at);
	memcpy(buf, r->intf->req + at, first);
	memcpy(buf + first, r->intf->req, n - first);
	virt_mb();	/* the bytes are read before the domain may write over them */
	r->req_cons += n;
	WRITE_ONCE(r->intf->req_cons, r->req_cons);
	/* Tell before looking for more: else the domain's next bytes may come without an event. */
	virt_mb();
	return n;
}

/**
 * store_ring_write() - mirror of store_ring_read(). Return: how many bytes there was room for, or
 * @r: the ring
 * @buf: where to
 * @len: bytes
 * -EPROTO.
 */
int store_ring_write(struct store_ring *r, const void *buf, size_t len)
{
	u32 cons = READ_ONCE(r->intf->rsp_cons);
	u32 at = MASK_XENSTORE_IDX(r->rsp_prod), used = r->rsp_prod - cons;
	size_t n, first;

	if (used > XENSTORE_RING_SIZE)
		return -EPROTO;
	n = min_t(size_t, len, XENSTORE_RING_SIZE - used);
	if (!n)
		return 0;
	virt_mb();	/* the domain has read what we write over */
	first = min_t(size_t, n, XENSTORE_RING_SIZE - at);
	memcpy(r->intf->rsp + at, buf, first);
	memcpy(r->intf->rsp, buf + first, n - first);
	virt_wmb();	/* the bytes before the index that covers them */
	r->rsp_prod += n;
	WRITE_ONCE(r->intf->rsp_prod, r->rsp_prod);
	/* Tell before looking for room: else what the domain reads next may come without an event. */
	virt_mb();
	return n;
}
