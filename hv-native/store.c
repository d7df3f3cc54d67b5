// SPDX-License-Identifier: GPL-2.0
/*
 * The store: messages are taken apart and carried out with the kernel's own client.
 *
 * That client shares its connection with everybody else in the kernel and exports calls, not messages: the one call
 * that takes a message (xenbus_dev_request_and_reply) answers to a file of /dev/xen/xenbus alone. So what the suite's
 * client sends is translated: READ, WRITE, MKDIR, RM, DIRECTORY, TRANSACTION_START and _END, WATCH and UNWATCH.
 * Anything else is answered with ENOSYS; among it DIRECTORY_PART, so a directory is limited to what fits into one
 * message (names of about a thousand domains). Programs have the kernel's /dev/xen/xenbus, which knows them all.
 *
 * Calls block, and the client pipelines; hence each message is a work item, MESSAGES_MAX of them at most. Messages
 * that do not wait for each other's replies may be carried out in any order.
 *
 * The core relies on an event being delivered before a later reply. Events come in when the kernel's client reads
 * them off the ring (see watch.c), which is before it reads a later reply; both go through one queue, and the replies
 * get there after that.
 *
 * The kernel warns of the end of a transaction that is not there, and does not suspend while one is open; so those
 * that are open are kept here, and ended if nobody else does.
 *
 * Locks: none is held while the kernel's client is called.
 */
#include <linux/slab.h>
#include <xen/xenbus.h>
#include "native.h"

#define MESSAGES_MAX	64

/**
 * struct message - a request, later its reply
 * @item: the reply
 * @work: carries it out
 * @store: where
 * @t:    its transaction
 * @len:  bytes of @body
 * @body: of the request, and a NUL
 */
struct message {
	struct native_item item;
	struct work_struct work;
	struct native_store *store;
	struct xenbus_transaction t;
	size_t len;
	char body[];
};

/* --- Delivery ------------------------------------------------------------------------------------------------- */

void native_store_queue(struct native_store *s, struct native_item *item)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	list_add_tail(&item->list, &s->out);
	spin_unlock_irqrestore(&s->lock, flags);
	queue_work(system_unbound_wq, &s->deliver);
}

static struct native_item *next_item(struct native_store *s)
{
	struct native_item *item;

	spin_lock_irq(&s->lock);
	item = list_first_entry_or_null(&s->out, struct native_item, list);
	if (item)
		list_del_init(&item->list);
	spin_unlock_irq(&s->lock);
	return item;
}

static void deliver(struct work_struct *work)
{
	struct native_store *s = container_of(work, struct native_store, deliver);
	struct native_item *item;

	while ((item = next_item(s))) {
		if (item->keep)
			item->body = kmemdup(item->keep, item->hdr.len, GFP_KERNEL | __GFP_NOFAIL);
		xpv_store_deliver(s->dom, &item->hdr, item->body);
		item->body = NULL;
		item->free(s, item);
	}
}

/* --- Replies -------------------------------------------------------------------------------------------------- */

static int reply(struct message *m, const void *data, size_t len)
{
	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	m->item.body = kmemdup(data, len, GFP_KERNEL);
	if (!m->item.body && len)
		return -ENOMEM;
	m->item.hdr.len = len;
	return 0;
}

static int reply_ok(struct message *m, int err)
{
	return err ?: reply(m, "OK", 3);
}

/* As the store names errors; what it has no name for is EIO. Without memory the name is empty, which is EIO too. */
static void reply_error(struct message *m, int err)
{
	const char *name = "EIO";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == -err)
			name = xsd_errors[i].errstring;
	m->item.hdr.type = XS_ERROR;
	m->item.hdr.len = 0;
	reply(m, name, strlen(name) + 1);
}

/* --- Operations ----------------------------------------------------------------------------------------------- */

static int op_read(struct message *m)
{
	unsigned int len;
	void *value = xenbus_read(m->t, m->body, "", &len);
	int err;

	if (IS_ERR(value))
		return PTR_ERR(value);
	err = reply(m, value, len);
	kfree(value);
	return err;
}

/* The value follows the path's NUL and has none of its own. */
static int op_write(struct message *m)
{
	const char *value = m->body + strlen(m->body) + 1;

	if (strlen(value) != m->len - (value - m->body))
		return -EINVAL;
	return reply_ok(m, xenbus_write(m->t, m->body, "", value));
}

static int op_mkdir(struct message *m)
{
	return reply_ok(m, xenbus_mkdir(m->t, m->body, ""));
}

static int op_rm(struct message *m)
{
	return reply_ok(m, xenbus_rm(m->t, m->body, ""));
}

static size_t names_size(char **names, unsigned int n)
{
	size_t size = 0;

	while (n--)
		size += strlen(names[n]) + 1;
	return size;
}

static int reply_names(struct message *m, char **names, unsigned int n)
{
	size_t size = names_size(names, n), len;
	char *to = kmalloc(size, GFP_KERNEL);

	if (!to)
		return -ENOMEM;
	m->item.body = to;
	m->item.hdr.len = size;
	for (; n--; to += len) {
		len = strlen(*names) + 1;
		memcpy(to, *names++, len);
	}
	return 0;
}

static int op_directory(struct message *m)
{
	unsigned int n;
	char **names = xenbus_directory(m->t, m->body, "", &n);
	int err;

	if (IS_ERR(names))
		return PTR_ERR(names);
	err = reply_names(m, names, n);
	kfree(names);
	return err;
}

static int op_start(struct message *m)
{
	struct xenbus_transaction t;
	char text[16];
	int err;

	err = xenbus_transaction_start(&t);
	if (err)
		return err;
	err = reply(m, text, snprintf(text, sizeof(text), "%u", t.id) + 1);
	if (!err)
		err = xa_err(xa_store(&m->store->transactions, t.id, xa_mk_value(1), GFP_KERNEL));
	if (err)
		xenbus_transaction_end(t, 1);
	return err;
}

static int op_end(struct message *m)
{
	if (!xa_erase(&m->store->transactions, m->t.id))
		return -ENOENT;
	return reply_ok(m, xenbus_transaction_end(m->t, m->body[0] != 'T'));
}

static int op_watch(struct message *m)
{
	return reply_ok(m, native_watch_add(m->store, m->body, m->len));
}

static int op_unwatch(struct message *m)
{
	return reply_ok(m, native_watch_del(m->store, m->body, m->len));
}

static int (* const ops[])(struct message *m) = {
	[XS_READ] = op_read,
	[XS_WRITE] = op_write,
	[XS_MKDIR] = op_mkdir,
	[XS_RM] = op_rm,
	[XS_DIRECTORY] = op_directory,
	[XS_TRANSACTION_START] = op_start,
	[XS_TRANSACTION_END] = op_end,
	[XS_WATCH] = op_watch,
	[XS_UNWATCH] = op_unwatch,
};

static int carry_out(struct message *m)
{
	u32 type = m->item.hdr.type;

	if (type >= ARRAY_SIZE(ops) || !ops[type])
		return -ENOSYS;
	/* Each begins with a string. */
	if (strlen(m->body) >= m->len)
		return -EINVAL;
	return ops[type](m);
}

static void message_work(struct work_struct *work)
{
	struct message *m = container_of(work, struct message, work);
	int err = carry_out(m);

	if (err) {
		kfree(m->item.body);
		m->item.body = NULL;
		reply_error(m, err);
	}
	native_store_queue(m->store, &m->item);
}

/* --- Sending -------------------------------------------------------------------------------------------------- */

static void message_free(struct native_store *s, struct native_item *item)
{
	kfree(item->body);
	kfree(container_of(item, struct message, item));
	up(&s->room);
}

int native_store_send(struct xpv_domain *dom, const struct xsd_sockmsg *msg, const void *body)
{
	struct native_store *s = &to_native(dom)->store;
	struct message *m;

	if (down_timeout(&s->room, msecs_to_jiffies(XPV_STORE_SEND_MS)))
		return -ETIMEDOUT;
	m = kzalloc(struct_size(m, body, msg->len + 1), GFP_KERNEL);
	if (!m) {
		up(&s->room);
		return -ENOMEM;
	}
	m->item.hdr = *msg;
	m->item.free = message_free;
	INIT_WORK(&m->work, message_work);
	m->store = s;
	m->t.id = msg->tx_id;
	m->len = msg->len;
	memcpy(m->body, body, msg->len);
	queue_work(s->requests, &m->work);
	return 0;
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

int native_store_start(struct native_store *s, struct xpv_domain *dom)
{
	s->dom = dom;
	sema_init(&s->room, MESSAGES_MAX);
	sema_init(&s->unwatching, 1);
	s->held = false;
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->out);
	INIT_WORK(&s->deliver, deliver);
	mutex_init(&s->watch_lock);
	INIT_LIST_HEAD(&s->watches);
	xa_init(&s->transactions);
	s->requests = alloc_workqueue("xpv-store", WQ_UNBOUND | WQ_MEM_RECLAIM, MESSAGES_MAX);
	if (!s->requests)
		return -ENOMEM;
	s->unwatch = alloc_ordered_workqueue("xpv-unwatch", WQ_MEM_RECLAIM);
	if (!s->unwatch) {
		destroy_workqueue(s->requests);
		return -ENOMEM;
	}
	return 0;
}

static void transactions_end(struct native_store *s)
{
	struct xenbus_transaction t;
	unsigned long id;
	void *entry;

	xa_for_each(&s->transactions, id, entry) {
		t.id = id;
		xenbus_transaction_end(t, 1);
	}
	xa_destroy(&s->transactions);
}

/*
 * The client is gone: nothing is sent any more. What is being carried out has to end, and that takes as long as the
 * store's daemon takes; a daemon that does not answer stops all of the kernel's Xen code as well.
 */
void native_store_stop(struct native_store *s)
{
	destroy_workqueue(s->requests);
	native_watches_stop(s);
	destroy_workqueue(s->unwatch);
	transactions_end(s);
	flush_work(&s->deliver);
}

/* Nothing is sent. The kernel does not suspend while a transaction is open. */
void native_store_pause(struct native_store *s)
{
	flush_workqueue(s->requests);
	transactions_end(s);
	flush_work(&s->deliver);
}
