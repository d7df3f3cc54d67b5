// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/xen/xenbus: the store for programs, as libxenstore expects it.
 *
 * Each domain has a node xenbus-<domid>, the toolstack's domain also plain xenbus. A program writes
 * requests and reads replies and watch events, struct xsd_sockmsg each with its body. They are
 * forwarded over the domain's own ring, so many programs share it with the kernel's own client;
 * hence req_ids and watch tokens are translated, and transactions belong to the file that started
 * them.
 *
 * Objects. struct xs_file is one open file, reference-counted: the file and each request under way
 * hold it. A request is struct xs_item from the moment it is written to the moment its reply has
 * been read; a watch event is one that is born as a reply. A file holds the store client, not the
 * domain: see domain.c.
 *
 * Limits, for each file: XS_ITEMS_MAX requests and replies; a writer waits, or gets -EAGAIN, until
 * replies are read. XS_WATCHES_MAX watches and XS_TRANSACTIONS_MAX transactions; beyond, the reply
 * is an error. XS_EVENTS_MAX events that wait to be read: a watch that fires beyond that is marked,
 * and its own path, which means "anything below", is reported when there is room again.
 *
 * A domain that is suspended: files stay open, and so do watches, which are set again by the client.
 * Transactions are over: a message of one gets EAGAIN, as if it had conflicted. So does a request
 * whose reply has not come by then. A writer waits for the resume.
 *
 * Locks: write_lock > lock (under watch_lock when an event comes); read_lock > lock. watches is
 * write_lock's.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "domain.h"
#include "store.h"
#include "xs-dev.h"

/* Minor numbers are domids; the one after the last is the toolstack's alias. */
#define XS_MINORS	(DOMID_FIRST_RESERVED + 1)

static LIST_HEAD(xs_files);
static DEFINE_MUTEX(xs_files_lock);

/* --- Files ------------------------------------------------------------------------------------ */

static struct xs_file *file_alloc(struct xpv_store *st)
{
	struct xs_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return NULL;
	kref_init(&f->ref);
	f->store = st;
	mutex_init(&f->write_lock);
	mutex_init(&f->read_lock);
	spin_lock_init(&f->lock);
	init_waitqueue_head(&f->wait);
	INIT_LIST_HEAD(&f->replies);
	INIT_LIST_HEAD(&f->transactions);
	INIT_LIST_HEAD(&f->watches);
	return f;
}

static int xs_open(struct inode *inode, struct file *file)
{
	unsigned int minor = iminor(inode);
	struct xpv_store *st = xpv_domain_store(minor < DOMID_FIRST_RESERVED ? minor : DOMID_SELF);
	struct xs_file *f;

	if (!st)
		return -ENODEV;
	f = file_alloc(st);
	if (!f) {
		xpv_st_put(st);
		return -ENOMEM;
	}
	mutex_lock(&xs_files_lock);
	list_add(&f->node, &xs_files);
	mutex_unlock(&xs_files_lock);
	file->private_data = f;
	return stream_open(inode, file);
}

static int xs_release(struct inode *inode, struct file *file)
{
	struct xs_file *f = file->private_data;

	mutex_lock(&xs_files_lock);
	list_del(&f->node);
	mutex_unlock(&xs_files_lock);
	xs_file_close(f);
	return 0;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Copy some of the first reply. Return: bytes, 0 without a reply, or -EFAULT. */
static ssize_t read_some(struct xs_file *f, char __user *to, size_t len)
{
	struct xs_item *item = xs_first_reply(f);
	const void *from;
	size_t n;

	if (!item)
		return 0;
	if (item->pos < sizeof(item->hdr)) {
		from = (const char *)&item->hdr + item->pos;
		n = sizeof(item->hdr) - item->pos;
	} else {
		from = item->body + item->pos - sizeof(item->hdr);
		n = sizeof(item->hdr) + item->hdr.len - item->pos;
	}
	n = min(n, len);
	if (copy_to_user(to, from, n))
		return -EFAULT;
	item->pos += n;
	if (item->pos == sizeof(item->hdr) + item->hdr.len)
		xs_reply_done(f, item);
	return n;
}

static bool readable(struct xs_file *f)
{
	return xs_first_reply(f) || xpv_st_is_dead(f->store);
}

static int wait_readable(struct xs_file *f, bool nonblock)
{
	if (nonblock)
		return readable(f) ? 0 : -EAGAIN;
	return wait_event_interruptible(f->wait, readable(f));
}

static ssize_t xs_read(struct file *file, char __user *to, size_t len, loff_t *ppos)
{
	struct xs_file *f = file->private_data;
	ssize_t done = 0, n;

	if (!len)
		return 0;
	n = mutex_lock_interruptible(&f->read_lock);
	if (n)
		return n;
	n = wait_readable(f, file->f_flags & O_NONBLOCK);
	while (!n && done < len) {
		n = read_some(f, to + done, len - done);
		if (n <= 0)
			break;
		done += n;
		n = 0;
	}
	mutex_unlock(&f->read_lock);
	if (done)
		return done;
	return n ?: -EIO;	/* no reply and yet readable: the domain is gone */
}

static __poll_t xs_poll(struct file *file, poll_table *wait)
{
	struct xs_file *f = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &f->wait, wait);
	if (xs_first_reply(f))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (xs_has_room(f))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (xpv_st_is_dead(f->store))
		mask |= EPOLLHUP | EPOLLERR;
	return mask;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static int wait_writable(struct xs_file *f, bool nonblock)
{
	if (!nonblock) {
		int err = wait_event_interruptible(f->wait, xs_has_room(f) || xpv_st_is_dead(f->store));

		if (err)
			return err;
	}
	if (xpv_st_is_dead(f->store))
		return -EIO;
	return xs_has_room(f) ? 0 : -EAGAIN;
}

/* Take the next piece of a message: of its header, then of its body. */
static ssize_t take_piece(struct xs_file *f, const char __user *from, size_t len)
{
	size_t want = f->have < sizeof(f->hdr) ? sizeof(f->hdr) : sizeof(f->hdr) + f->hdr.len;
	size_t n = min(len, want - f->have);
	char *to = f->have < sizeof(f->hdr) ? (char *)&f->hdr + f->have : f->body + f->have - sizeof(f->hdr);

	if (copy_from_user(to, from, n))
		return -EFAULT;
	f->have += n;
	if (f->have == sizeof(f->hdr) && f->hdr.len > XENSTORE_PAYLOAD_MAX) {
		f->have = 0;
		return -EINVAL;
	}
	return n;
}

static bool complete_message(const struct xs_file *f)
{
	return f->have >= sizeof(f->hdr) && f->have == sizeof(f->hdr) + f->hdr.len;
}

/* Room is waited for before a message begins, so that one that has begun can always be finished. */
static ssize_t write_some(struct xs_file *f, const char __user *from, size_t len, bool nonblock)
{
	ssize_t n;

	n = f->have ? 0 : wait_writable(f, nonblock);
	if (!n)
		n = take_piece(f, from, len);
	if (n > 0 && complete_message(f)) {
		int err = xs_forward(f);

		f->have = 0;
		if (err)
			return err;
	}
	return n;
}

static ssize_t xs_write(struct file *file, const char __user *from, size_t len, loff_t *ppos)
{
	struct xs_file *f = file->private_data;
	ssize_t done = 0, n;

	n = mutex_lock_interruptible(&f->write_lock);
	if (n)
		return n;
	while (done < len) {
		n = write_some(f, from + done, len - done, file->f_flags & O_NONBLOCK);
		if (n < 0)
			break;
		done += n;
	}
	xs_report_missed(f);
	mutex_unlock(&f->write_lock);
	return done ?: n;
}

static const struct file_operations xs_fops = {
	.owner = THIS_MODULE,
	.open = xs_open,
	.release = xs_release,
	.read = xs_read,
	.write = xs_write,
	.poll = xs_poll,
};

/* --- Nodes ------------------------------------------------------------------------------------ */

static char *xs_devnode(XPV_DEVNODE_CONST struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0600;
	return kasprintf(GFP_KERNEL, "xen/%s", dev_name(dev));
}

static struct class xs_class = {
	.name = "xpv-xenbus",
	.devnode = xs_devnode,
};

static dev_t xs_devt;
static struct cdev xs_cdev;

/** xpv_xs_dev_add() - /dev/xen/xenbus-<domid> */
int xpv_xs_dev_add(domid_t domid)
{
	struct device *dev = device_create(&xs_class, NULL, xs_devt + domid, NULL, "xenbus-%u", domid);

	return PTR_ERR_OR_ZERO(dev);
}

/** xpv_xs_dev_del() - mirror; files that are open stay so */
void xpv_xs_dev_del(domid_t domid)
{
	device_destroy(&xs_class, xs_devt + domid);
}

int xpv_xs_dev_init(struct xpv_domain *dom)
{
	struct device *dev;
	int err;

	err = xpv_xs_dev_add(dom->domid);
	if (err || !dom->toolstack)
		return err;
	/* Where the kernel has a /dev/xen/xenbus of its own, that stays, and this node is not made. */
	dev = device_create(&xs_class, NULL, xs_devt + DOMID_FIRST_RESERVED, NULL, "xenbus");
	if (IS_ERR(dev))
		xpv_xs_dev_del(dom->domid);
	return PTR_ERR_OR_ZERO(dev);
}

/* The client is dead by now: whoever waits in a file of the domain sees that. */
void xpv_xs_dev_exit(struct xpv_domain *dom)
{
	struct xs_file *f;

	if (dom->toolstack)
		device_destroy(&xs_class, xs_devt + DOMID_FIRST_RESERVED);
	xpv_xs_dev_del(dom->domid);
	mutex_lock(&xs_files_lock);
	list_for_each_entry(f, &xs_files, node)
		if (f->store == dom->store)
			wake_up_all(&f->wait);
	mutex_unlock(&xs_files_lock);
}

int xpv_xs_class_init(void)
{
	int err;

	err = alloc_chrdev_region(&xs_devt, 0, XS_MINORS, "xpv-xenbus");
	if (err)
		return err;
	cdev_init(&xs_cdev, &xs_fops);
	xs_cdev.owner = THIS_MODULE;
	err = cdev_add(&xs_cdev, xs_devt, XS_MINORS);
	if (err)
		goto err_region;
	err = class_register(&xs_class);
	if (err)
		goto err_cdev;
	return 0;

err_cdev:
	cdev_del(&xs_cdev);
err_region:
	unregister_chrdev_region(xs_devt, XS_MINORS);
	return err;
}

void xpv_xs_class_exit(void)
{
	class_unregister(&xs_class);
	cdev_del(&xs_cdev);
	unregister_chrdev_region(xs_devt, XS_MINORS);
}
