// SPDX-License-Identifier: GPL-2.0
/*
 * The store's ring: one page, two rings of bytes.
 *
 * Our indices are kept in private memory as well and only ever copied out; the store's are checked on each read. What
 * contradicts the ring's size, or a message that is too long, ends the connection: there is no way to find the next
 * message then. All requests fail from then on.
 *
 * Sending: one at a time (sender), a message is staged in @out and moved to the ring as room appears. If there is none
 * for XPV_STORE_SEND_MS, a message that has not begun is dropped; the rest of one that has begun stays staged and goes
 * first next time, so that the stream stays whole.
 *
 * Receiving: the interrupt queues @rx, which reads a bounded number of messages per run; a header or body that is
 * incomplete waits in @hdr and @body for more. The EOI follows when the ring is empty.
 *
 * An event that got lost would hang the client, so @poll looks at the ring at intervals while replies are due.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "guest.h"

#define RX_BATCH	64
#define RX_RETRY	msecs_to_jiffies(20)	/* without memory */
#define POLL_INTERVAL	msecs_to_jiffies(500)
#define SEND_TIMEOUT	msecs_to_jiffies(XPV_STORE_SEND_MS)
#define SETTLE_TIMEOUT	msecs_to_jiffies(1000)

/**
 * struct guest_store - the connection to the store
 * @dom:      domain
 * @intf:     the page
 * @binding:  port and interrupt
 * @name:     of the interrupt
 * @broken:   the store broke the protocol
 * @stopping: no sending any more
 * @room:     woken when the store may have taken something
 * @sender:   held to send; protects @req_prod, @out, @out_len and @out_pos
 * @req_prod: our index
 * @out:      the message being sent: header and body
 * @out_len:  its length, 0: none
 * @out_pos:  what is on the ring already
 * @due:      replies that have not come
 * @rx:       reads; protects the rest
 * @rsp_cons: our index
 * @req_cons: the store's index when last looked at
 * @hdr:      header of the message being read
 * @hdr_len:  how much of it is there
 * @body:     its body, NULL before the header is complete
 * @body_len: how much of it is there
 * @poll:     see above
 */
struct guest_store {
	struct xpv_domain *dom;
	struct xenstore_domain_interface *intf;
	struct xpv_event_binding binding;
	char name[24];
	bool broken;
	bool stopping;

	wait_queue_head_t room;
	struct semaphore sender;
	XENSTORE_RING_IDX req_prod;
	char out[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	unsigned int out_len;
	unsigned int out_pos;
	atomic_t due;

	struct delayed_work rx;
	XENSTORE_RING_IDX rsp_cons;
	XENSTORE_RING_IDX req_cons;
	struct xsd_sockmsg hdr;
	unsigned int hdr_len;
	char *body;
	unsigned int body_len;

	struct delayed_work poll;
};

/* The client hears of it from @rx: the sender may have called with the client's locks held. */
static void store_break(struct guest_store *s, const char *what)
{
	if (xchg(&s->broken, true))
		return;

	pr_err("domain %u: the store broke the protocol (%s), it is not used any more\n", s->dom->domid, what);
	wake_up_all(&s->room);
	mod_delayed_work(system_unbound_wq, &s->rx, 0);
}

static void store_notify(struct guest_store *s)
{
	guest_event_notify(s->dom, s->binding.port);
}

/* --- Sending -------------------------------------------------------------------------------------------------- */

/* Bytes that can be put on the ring now, or -EIO. */
static int ring_room(struct guest_store *s)
{
	u32 used = s->req_prod - READ_ONCE(s->intf->req_cons);

	return used <= XENSTORE_RING_SIZE ? XENSTORE_RING_SIZE - used : -EIO;
}

/* Something changed for a sender that waits. */
static bool sender_wakes(struct guest_store *s)
{
	return READ_ONCE(s->stopping) || READ_ONCE(s->broken) || ring_room(s);
}

/* Move up to @room bytes of the staged message. */
static void out_push(struct guest_store *s, unsigned int room)
{
	unsigned int pos = s->req_prod % XENSTORE_RING_SIZE;
	unsigned int n = min3(room, s->out_len - s->out_pos, XENSTORE_RING_SIZE - pos);

	virt_mb();	/* the store's index was read before what it has given free is written */
	memcpy(s->intf->req + pos, s->out + s->out_pos, n);
	virt_wmb();	/* the bytes before the index */
	s->req_prod += n;
	s->out_pos += n;
	WRITE_ONCE(s->intf->req_prod, s->req_prod);
}

static int out_flush(struct guest_store *s, unsigned long deadline)
{
	int room;

	while (s->out_pos < s->out_len) {
		if (READ_ONCE(s->stopping) || READ_ONCE(s->broken))
			return -ESHUTDOWN;
		room = ring_room(s);
		if (room < 0) {
			store_break(s, "request index");
			return -ESHUTDOWN;
		}
		if (room) {
			out_push(s, room);
			continue;
		}
		store_notify(s);
		if (time_after_eq(jiffies, deadline))
			return -ETIMEDOUT;
		/* In slices: the event may get lost. */
		wait_event_timeout(s->room, sender_wakes(s), clamp_t(long, deadline - jiffies, 1, POLL_INTERVAL));
	}

	s->out_len = 0;
	s->out_pos = 0;
	store_notify(s);
	return 0;
}

static void out_stage(struct guest_store *s, const struct xsd_sockmsg *msg, const void *body)
{
	memcpy(s->out, msg, sizeof(*msg));
	memcpy(s->out + sizeof(*msg), body, msg->len);
	s->out_len = sizeof(*msg) + msg->len;
	s->out_pos = 0;
}

static int out_send(struct guest_store *s, const struct xsd_sockmsg *msg, const void *body, unsigned long deadline)
{
	int err;

	/* First what is left of the one before. */
	err = out_flush(s, deadline);
	if (err)
		return err;

	out_stage(s, msg, body);
	atomic_inc(&s->due);
	err = out_flush(s, deadline);
	if (err && !s->out_pos) {
		s->out_len = 0;
		atomic_dec(&s->due);
	}
	return err;
}

int guest_store_send(struct xpv_domain *dom, const struct xsd_sockmsg *msg, const void *body)
{
	struct guest_store *s = dom->guest->store;
	unsigned long deadline = jiffies + SEND_TIMEOUT;
	int err;

	if (msg->len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	if (down_timeout(&s->sender, SEND_TIMEOUT))
		return -ETIMEDOUT;

	err = out_send(s, msg, body, deadline);
	up(&s->sender);
	if (!err)
		queue_delayed_work(system_wq, &s->poll, POLL_INTERVAL);
	return err;
}

/* --- Receiving ------------------------------------------------------------------------------------------------ */

/* Bytes on the ring, or -EIO. */
static int ring_fill(struct guest_store *s)
{
	u32 fill = READ_ONCE(s->intf->rsp_prod) - s->rsp_cons;

	return fill <= XENSTORE_RING_SIZE ? fill : -EIO;
}

/* Read up to @len bytes. Returns how many, 0 when the ring is empty, -EIO. */
static int ring_read(struct guest_store *s, void *to, unsigned int len)
{
	unsigned int pos = s->rsp_cons % XENSTORE_RING_SIZE;
	int fill = ring_fill(s), n;

	if (fill <= 0)
		return fill;

	n = min3((unsigned int)fill, len, XENSTORE_RING_SIZE - pos);
	virt_rmb();	/* the index before the bytes */
	memcpy(to, s->intf->rsp + pos, n);
	virt_mb();	/* the bytes before their room is given back */
	s->rsp_cons += n;
	WRITE_ONCE(s->intf->rsp_cons, s->rsp_cons);

	/* The store waits for room only if it has filled the ring. */
	virt_mb();
	if (READ_ONCE(s->intf->rsp_prod) - (s->rsp_cons - n) >= XENSTORE_RING_SIZE)
		store_notify(s);
	return n;
}

/* Fill @to, of which @have of @want bytes are there. Returns 0 when complete, -EAGAIN when the ring is empty, -EIO. */
static int rx_fill(struct guest_store *s, void *to, unsigned int *have, unsigned int want)
{
	int n;

	while (*have < want) {
		n = ring_read(s, to + *have, want - *have);
		if (n <= 0)
			return n ?: -EAGAIN;
		*have += n;
	}
	return 0;
}

static int rx_header(struct guest_store *s)
{
	int err = rx_fill(s, &s->hdr, &s->hdr_len, sizeof(s->hdr));

	if (err)
		return err;
	if (s->hdr.len > XENSTORE_PAYLOAD_MAX)
		return -EIO;

	s->body = kmalloc(s->hdr.len + 1, GFP_KERNEL | __GFP_NOWARN);
	return s->body ? 0 : -ENOMEM;
}

/* Read the rest of one message and deliver it. */
static int rx_message(struct guest_store *s)
{
	char *body;
	int err;

	err = s->body ? 0 : rx_header(s);
	if (!err)
		err = rx_fill(s, s->body, &s->body_len, s->hdr.len);
	if (err)
		return err;

	body = s->body;
	body[s->hdr.len] = '\0';
	s->body = NULL;
	s->body_len = 0;
	s->hdr_len = 0;
	if (s->hdr.type != XS_WATCH_EVENT)
		atomic_dec_if_positive(&s->due);
	xpv_store_deliver(s->dom, &s->hdr, body);
	return 0;
}

/* Whether the store has taken some of our requests since the last time. */
static bool tx_moved(struct guest_store *s)
{
	XENSTORE_RING_IDX cons = READ_ONCE(s->intf->req_cons);
	bool moved = cons != s->req_cons;

	s->req_cons = cons;
	return moved;
}

static void rx_work(struct work_struct *work)
{
	struct guest_store *s = container_of(to_delayed_work(work), struct guest_store, rx);
	XENSTORE_RING_IDX before = s->rsp_cons;
	unsigned int i;
	int err = 0;

	if (READ_ONCE(s->broken)) {
		/* No client yet: it will learn from the first send. */
		if (smp_load_acquire(&s->dom->store))
			xpv_store_shutdown(s->dom);
		return;
	}

	for (i = 0; !err && i < RX_BATCH; i++)
		err = rx_message(s);

	if (err == -EAGAIN)
		guest_event_eoi(s->dom, s->binding.port, !tx_moved(s) && s->rsp_cons == before);
	else if (err == -EIO)
		store_break(s, "reply");
	else if (!READ_ONCE(s->stopping))
		queue_delayed_work(system_unbound_wq, &s->rx, err ? RX_RETRY : 0);
}

static irqreturn_t store_irq(int irq, void *arg)
{
	struct guest_store *s = arg;

	wake_up_all(&s->room);
	mod_delayed_work(system_unbound_wq, &s->rx, 0);
	return IRQ_HANDLED;
}

static void poll_work(struct work_struct *work)
{
	struct guest_store *s = container_of(to_delayed_work(work), struct guest_store, poll);

	if (READ_ONCE(s->stopping) || READ_ONCE(s->broken) || !atomic_read(&s->due))
		return;
	if (ring_fill(s))
		mod_delayed_work(system_unbound_wq, &s->rx, 0);
	queue_delayed_work(system_wq, &s->poll, POLL_INTERVAL);
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

static struct guest_store *store_alloc(struct xpv_domain *dom)
{
	struct guest_store *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;

	s->dom = dom;
	s->binding.port = dom->hc->store_port(dom->hv);
	snprintf(s->name, sizeof(s->name), "xpv-store-%u", dom->domid);
	init_waitqueue_head(&s->room);
	sema_init(&s->sender, 1);
	INIT_DELAYED_WORK(&s->rx, rx_work);
	INIT_DELAYED_WORK(&s->poll, poll_work);
	return s;
}

/* The indices need not be 0: the kernel before this one may have used the ring. */
static void store_attach(struct guest_store *s, void *page)
{
	s->intf = page;
	s->req_prod = READ_ONCE(s->intf->req_prod);
	s->req_cons = READ_ONCE(s->intf->req_cons);
	s->rsp_cons = READ_ONCE(s->intf->rsp_cons);
}

int guest_store_start(struct xpv_domain *dom)
{
	struct guest_store *s = store_alloc(dom);
	void *page;
	int err;

	if (!s)
		return -ENOMEM;

	err = dom->hc->map_frame(dom->hv, XPV_FRAME_STORE, 0, &page);
	if (err)
		goto err_store;
	store_attach(s, page);
	dom->guest->store = s;

	err = guest_event_irq(dom, &s->binding);
	if (err)
		goto err_frame;
	err = request_irq(s->binding.irq, store_irq, 0, s->name, s);
	if (err)
		goto err_irq;
	guest_event_priority(dom, s->binding.port, EVTCHN_FIFO_PRIORITY_DEFAULT - 1);	/* before data; a wish */
	return 0;

err_irq:
	guest_event_irq_free(dom, &s->binding);
err_frame:
	dom->guest->store = NULL;
	dom->hc->unmap_frame(dom->hv, XPV_FRAME_STORE, 0, page);
err_store:
	kfree(s);
	return err;
}

/*
 * The domain is going to be suspended, and nobody sends any more. If that is cancelled the ring stays as it is, and is
 * attached to anew: so no message must be left half sent or half read. The store finishes what it has begun at once.
 */
void guest_store_settle(struct xpv_domain *dom)
{
	struct guest_store *s = dom->guest->store;
	unsigned long deadline = jiffies + SETTLE_TIMEOUT;
	int err = 0;

	disable_irq(s->binding.irq);
	cancel_delayed_work_sync(&s->poll);
	cancel_delayed_work_sync(&s->rx);
	if (!READ_ONCE(s->broken))
		out_flush(s, deadline);
	while (s->hdr_len && (!err || err == -EAGAIN || err == -ENOMEM) && time_before(jiffies, deadline)) {
		err = rx_message(s);
		if (err)
			usleep_range(500, 1000);
	}
}

/*
 * The port is the hypervisor's and stays open. No request is under way any more: the store client is gone. The works
 * look at @stopping before they queue themselves again, and nothing else queues them.
 */
void guest_store_stop(struct xpv_domain *dom)
{
	struct guest_store *s = dom->guest->store;

	WRITE_ONCE(s->stopping, true);
	wake_up_all(&s->room);
	free_irq(s->binding.irq, s);
	cancel_delayed_work_sync(&s->poll);
	cancel_delayed_work_sync(&s->rx);
	guest_event_irq_free(dom, &s->binding);
	dom->hc->unmap_frame(dom->hv, XPV_FRAME_STORE, 0, s->intf);
	dom->guest->store = NULL;
	kfree(s->body);
	kfree(s);
}
