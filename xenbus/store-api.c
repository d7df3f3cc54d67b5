// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on the store: first by domain and path, for xenbus itself, then on behalf of a device,
 * for drivers.
 *
 * What a device writes goes through a transaction that begins by looking whether the directory is
 * still that device's, so that nothing brings back a directory that the toolstack has removed, or
 * writes into that of a successor.
 */
#include <linux/delay.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include "bus.h"
#include "domain.h"
#include "store.h"

/* --- By domain -------------------------------------------------------------------------------- */

static int talk_path(struct xpv_store *st, u32 type, u32 tx, const char *path, char **reply, size_t *len)
{
	if (strlen(path) > XENSTORE_ABS_PATH_MAX)
		return -ENAMETOOLONG;
	return xpv_st_talk(st, type, tx, path, strlen(path) + 1, reply, len);
}

/** xpv_st_read() - a node's value from kmalloc(), NUL-terminated, or an ERR_PTR. @len may be NULL. */
char *xpv_st_read(struct xpv_store *st, u32 tx, const char *path, size_t *len)
{
	size_t reply_len;
	char *reply;
	int err;

	err = talk_path(st, XS_READ, tx, path, &reply, &reply_len);
	if (err)
		return ERR_PTR(err);
	if (len)
		*len = reply_len;
	return reply;
}

/** xpv_st_read_u64() - see xpv_store_read_u64() */
int xpv_st_read_u64(struct xpv_store *st, u32 tx, const char *path, u64 max, u64 *value)
{
	size_t len;
	char *text = xpv_st_read(st, tx, path, &len);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	err = xpv_msg_number(text, len, max, value);
	kfree(text);
	return err;
}

/** xpv_st_write() - write a string */
int xpv_st_write(struct xpv_store *st, u32 tx, const char *path, const char *value)
{
	size_t path_len = strlen(path), value_len = strlen(value);
	char *body;
	int err;

	if (path_len > XENSTORE_ABS_PATH_MAX)
		return -ENAMETOOLONG;
	if (path_len + 1 + value_len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	body = kmalloc(path_len + 1 + value_len, GFP_KERNEL);
	if (!body)
		return -ENOMEM;
	memcpy(body, path, path_len + 1);
	memcpy(body + path_len + 1, value, value_len);
	err = xpv_st_talk(st, XS_WRITE, tx, body, path_len + 1 + value_len, NULL, NULL);
	kfree(body);
	return err;
}

/** xpv_st_rm() - remove a node and what is below; 0 as well when there is none */
int xpv_st_rm(struct xpv_store *st, u32 tx, const char *path)
{
	int err = talk_path(st, XS_RM, tx, path, NULL, NULL);

	return err == -ENOENT ? 0 : err;
}

static void pause_before_retry(unsigned int try)
{
	unsigned int ms = min(1U << min(try, 6U), 50U);

	usleep_range(500 + get_random_u32() % (ms * 500), 1000 + ms * 1000);
}

/* Return: 0, 1 if it is worth while to try again, or an error. */
static int transact_once(struct xpv_store *st, int (*body)(struct xpv_store *st, u32 tx, void *arg), void *arg)
{
	int err;
	u32 tx;

	err = xpv_st_start(st, &tx);
	if (err)
		return err == -EBUSY ? 1 : err;	/* EBUSY: too many are open just now */
	err = body(st, tx, arg);
	if (!err)
		err = xpv_st_talk(st, XS_TRANSACTION_END, tx, "T", 2, NULL, NULL);
	if (!err)
		return 0;
	/* Also when the request to commit could not be sent; of one that is over nothing is sent. */
	xpv_st_post(st, XS_TRANSACTION_END, tx, "F", 2);
	return err == -EAGAIN ? 1 : err;
}

/*
 * xpv_st_transact() - run @body in a transaction until it commits
 *
 * @body may run several times; its error ends the transaction and is returned. May sleep.
 */
int xpv_st_transact(struct xpv_store *st, int (*body)(struct xpv_store *st, u32 tx, void *arg), void *arg)
{
	unsigned int try;
	int err = 1;

	for (try = 0; try < XPV_STORE_TRIES && err > 0; try++) {
		if (try)
			pause_before_retry(try);
		err = transact_once(st, body, arg);
	}
	return err > 0 ? -EAGAIN : err;
}

/* --- Directories ------------------------------------------------------------------------------ */

#define DIRECTORY_MAX	(4U << 20)	/* of names in all */
#define DIRECTORY_TRIES	20		/* when it changes while being read */

static int dir_append(struct xpv_st_dir *dir, const char *names, size_t len)
{
	char *buf;

	if (dir->len + len > DIRECTORY_MAX)
		return -E2BIG;
	buf = kvmalloc(dir->len + len, GFP_KERNEL | __GFP_NOWARN);
	if (!buf)
		return -ENOMEM;
	if (dir->len)
		memcpy(buf, dir->buf, dir->len);
	memcpy(buf + dir->len, names, len);
	kvfree(dir->buf);
	dir->buf = buf;
	dir->len += len;
	return 0;
}

static int get_part(struct xpv_store *st, u32 tx, const char *path, size_t offset, char **reply, size_t *len)
{
	char *body = kasprintf(GFP_KERNEL, "%s %zu", path, offset);
	size_t body_len;
	int err;

	if (!body)
		return -ENOMEM;
	body_len = strlen(body) + 1;
	body[strlen(path)] = 0;
	err = xpv_st_talk(st, XS_DIRECTORY_PART, tx, body, body_len, reply, len);
	kfree(body);
	return err;
}

/* Return: 0 when complete, 1 when the directory changed meanwhile, or a negative errno. */
static int read_parts(struct xpv_store *st, u32 tx, const char *path, struct xpv_st_dir *dir)
{
	u64 gen, first = 0;
	bool last = false;
	int err = 0;

	while (!err && !last) {
		size_t offset = dir->len, len, names_len;
		const char *names;
		char *reply;

		err = get_part(st, tx, path, offset, &reply, &len);
		if (err)
			break;
		err = xpv_msg_part(reply, len, &gen, &names, &names_len, &last);
		if (!err && !offset)
			first = gen;
		if (!err && gen != first)
			err = 1;
		if (!err && names_len)
			err = dir_append(dir, names, names_len);
		kfree(reply);
	}
	return err;
}

static int read_large(struct xpv_store *st, u32 tx, const char *path, struct xpv_st_dir *dir)
{
	unsigned int try;
	int err = 1;

	for (try = 0; err > 0 && try < DIRECTORY_TRIES; try++) {
		kvfree(dir->buf);
		*dir = (struct xpv_st_dir) {};
		err = read_parts(st, tx, path, dir);
	}
	return err > 0 ? -EAGAIN : err;
}

/*
 * xpv_st_directory() - names of the children of a node, however many
 * @dir: filled in; dir->buf is to be freed with kvfree()
 */
int xpv_st_directory(struct xpv_store *st, u32 tx, const char *path, struct xpv_st_dir *dir)
{
	size_t len;
	char *names;
	int err;

	*dir = (struct xpv_st_dir) {};
	err = talk_path(st, XS_DIRECTORY, tx, path, &names, &len);
	if (err == -E2BIG) {
		err = read_large(st, tx, path, dir);
	} else if (!err) {
		/* Without children the body is empty. */
		if (len && !names[len - 1])
			err = dir_append(dir, names, len);
		kfree(names);
	}
	if (err) {
		kvfree(dir->buf);
		*dir = (struct xpv_st_dir) {};
	}
	return err;
}

/* --- On behalf of a device -------------------------------------------------------------------- */

static char *device_path(const struct xpv_device *dev, enum xpv_store_dir dir, const char *key)
{
	return kasprintf(GFP_KERNEL, "%s/%s", dir == XPV_OWN ? dev->nodename : dev->otherend, key);
}

static u32 tx_id(const struct xpv_store_tx *tx)
{
	return tx ? tx->id : 0;
}

char *xpv_store_read(struct xpv_device *dev, struct xpv_store_tx *tx, enum xpv_store_dir dir, const char *key)
{
	char *path = device_path(dev, dir, key), *value;

	if (!path)
		return ERR_PTR(-ENOMEM);
	value = xpv_st_read(dev->domain->store, tx_id(tx), path, NULL);
	kfree(path);
	return value;
}
EXPORT_SYMBOL_GPL(xpv_store_read);

bool xpv_store_exists(struct xpv_device *dev, struct xpv_store_tx *tx, enum xpv_store_dir dir, const char *key)
{
	char *value = xpv_store_read(dev, tx, dir, key);

	if (IS_ERR(value))
		return false;
	kfree(value);
	return true;
}
EXPORT_SYMBOL_GPL(xpv_store_exists);

int xpv_store_read_u64(struct xpv_device *dev, struct xpv_store_tx *tx, enum xpv_store_dir dir, const char *key,
		       u64 max, u64 *value)
{
	char *path = device_path(dev, dir, key);
	int err;

	if (!path)
		return -ENOMEM;
	err = xpv_st_read_u64(dev->domain->store, tx_id(tx), path, max, value);
	kfree(path);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_store_read_u64);

struct device_tx {
	struct xpv_device *dev;
	int (*body)(struct xpv_device *dev, struct xpv_store_tx *tx, void *arg);
	void *arg;
};

/* Reading the key makes the transaction conflict with a removal of the directory. */
static int device_tx_body(struct xpv_store *st, u32 id, void *arg)
{
	struct device_tx *dtx = arg;
	struct xpv_store_tx tx = { .id = id };
	int err;

	err = xpv_device_check_owner(dtx->dev, &tx);
	if (!err)
		err = dtx->body(dtx->dev, &tx, dtx->arg);
	return err;
}

int xpv_store_transact(struct xpv_device *dev,
		       int (*body)(struct xpv_device *dev, struct xpv_store_tx *tx, void *arg), void *arg)
{
	struct device_tx dtx = { .dev = dev, .body = body, .arg = arg };

	if (xpv_device_vanished(dev))
		return -ENODEV;
	return xpv_st_transact(dev->domain->store, device_tx_body, &dtx);
}
EXPORT_SYMBOL_GPL(xpv_store_transact);

struct one_write {
	const char *path;
	const char *value;
};

static int write_body(struct xpv_device *dev, struct xpv_store_tx *tx, void *arg)
{
	struct one_write *w = arg;

	return xpv_st_write(dev->domain->store, tx->id, w->path, w->value);
}

int xpv_store_printf(struct xpv_device *dev, struct xpv_store_tx *tx, const char *key, const char *fmt, ...)
{
	struct one_write w;
	va_list args;
	char *value;
	int err;

	if (xpv_device_vanished(dev))
		return -ENODEV;
	va_start(args, fmt);
	value = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	w.value = value;
	w.path = device_path(dev, XPV_OWN, key);
	if (!w.value || !w.path)
		err = -ENOMEM;
	else if (tx)
		err = write_body(dev, tx, &w);
	else
		err = xpv_store_transact(dev, write_body, &w);
	kfree(w.path);
	kfree(value);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_store_printf);

int xpv_store_rm(struct xpv_device *dev, struct xpv_store_tx *tx, const char *key)
{
	char *path;
	int err;

	if (xpv_device_vanished(dev))
		return -ENODEV;
	path = device_path(dev, XPV_OWN, key);
	if (!path)
		return -ENOMEM;
	err = xpv_st_rm(dev->domain->store, tx_id(tx), path);
	kfree(path);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_store_rm);
