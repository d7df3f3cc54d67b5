// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: how they are put together from bytes and taken apart into strings, and what is a valid
 * path.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "store.h"

/* --- Framing ---------------------------------------------------------------------------------- */

/** store_in_complete() - whether @in holds a whole request */
bool store_in_complete(const struct store_conn *c)
{
	return c->got >= sizeof(c->in.hdr) && c->got == sizeof(c->in.hdr) + c->in.hdr.len;
}

/**
 * store_in_want() - how many bytes the request still lacks
 * @c: the connection
 * @to: where they go
 *
 * Return: 0 when it is complete.
 */
size_t store_in_want(const struct store_conn *c, void **to)
{
	*to = (u8 *)&c->in + c->got;
	if (c->got < sizeof(c->in.hdr))
		return sizeof(c->in.hdr) - c->got;
	return sizeof(c->in.hdr) + c->in.hdr.len - c->got;
}

/** store_in_add() - @n bytes have come. Return: 0; -EPROTO for a body that no message may have. */
int store_in_add(struct store_conn *c, size_t n)
{
	c->got += n;
	if (c->got < sizeof(c->in.hdr))
		return 0;
	if (c->in.hdr.len > XENSTORE_PAYLOAD_MAX)
		return -EPROTO;
	if (store_in_complete(c))
		c->in.body[c->in.hdr.len] = '\0';
	return 0;
}

/** store_out_left() - what of the message in @out has not been sent. 0 when there is none. */
size_t store_out_left(const struct store_conn *c, const void **from)
{
	*from = (const u8 *)&c->out + c->sent;
	return c->out_len - c->sent;
}

/** store_out_done() - @n bytes have been sent */
void store_out_done(struct store_conn *c, size_t n)
{
	c->sent += n;
	if (c->sent == c->out_len) {
		c->sent = 0;
		c->out_len = 0;
	}
}

/**
 * store_out() - the message in @out is ready to go
 * @c: the connection; the caller has set req_id and tx_id
 * @type: XS_*
 * @len: bytes of its body
 */
void store_out(struct store_conn *c, u32 type, size_t len)
{
	c->out.hdr.type = type;
	c->out.hdr.len = len;
	c->out_len = sizeof(c->out.hdr) + len;
	c->sent = 0;
}

/* --- Replies ---------------------------------------------------------------------------------- */

static void reply(struct store_conn *c, u32 type, size_t len)
{
	c->out.hdr.req_id = c->in.hdr.req_id;
	c->out.hdr.tx_id = c->in.hdr.tx_id;
	store_out(c, type, len);
}

/** store_reply() - answer the request with the @len bytes in out.body */
void store_reply(struct store_conn *c, size_t len)
{
	reply(c, c->in.hdr.type, len);
}

/** store_reply_text() - answer with a string and its NUL */
void store_reply_text(struct store_conn *c, const char *text)
{
	store_reply(c, strscpy(c->out.body, text, XENSTORE_PAYLOAD_MAX) + 1);
}

/**
 * store_error_name() - the name that clients know an errno by. Those they have no name for are
 * @err: a negative errno
 * EINVAL.
 */
const char *store_error_name(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == -err)
			return xsd_errors[i].errstring;
	return "EINVAL";
}

/** store_reply_error() - answer with a negative errno */
void store_reply_error(struct store_conn *c, int err)
{
	reply(c, XS_ERROR, strscpy(c->out.body, store_error_name(err), XENSTORE_PAYLOAD_MAX) + 1);
}

/* --- Contents --------------------------------------------------------------------------------- */

/**
 * store_args_get() - the strings that a request's body consists of
 * @c: the connection
 * @args: filled in
 * @min: at least so many
 * @max: at most so many
 *
 * Each must end in a NUL, and there must be @min to @max of them. Return: 0 or -EINVAL.
 */
int store_args_get(struct store_conn *c, struct store_args *args, unsigned int min,
		   unsigned int max)
{
	size_t at = 0, len = c->in.hdr.len;

	args->n = 0;
	if (len && c->in.body[len - 1])
		return -EINVAL;
	while (at < len) {
		if (args->n == min_t(unsigned int, max, STORE_ARGS_MAX))
			return -EINVAL;
		args->s[args->n++] = c->in.body + at;
		at += strlen(c->in.body + at) + 1;
	}
	return args->n < min ? -EINVAL : 0;
}

int store_domid_parse(const char *text, domid_t *id)
{
	if (!isdigit(*text) || kstrtou16(text, 10, id))
		return -EINVAL;
	return 0;
}

/**
 * store_path_check() - whether a path may be one
 * @path: absolute path
 * @max: at most so many bytes
 *
 * No component is empty, and only the characters allowed are in it. Return: 0 or -EINVAL.
 */
int store_path_check(const char *path, size_t max)
{
	const char *p;

	if (path[0] != '/' || strnlen(path, max + 1) > max)
		return -EINVAL;
	if (!path[1])
		return 0;
	for (p = path; *p; p++) {
		if (*p == '/' && (p[1] == '/' || !p[1]))
			return -EINVAL;
		if (!isascii(*p) || !(isalnum(*p) || strchr("-/_@", *p)))
			return -EINVAL;
	}
	return 0;
}

/**
 * store_path_abs() - the absolute path that a client means
 * @c: the connection
 * @path: absolute path
 * @buf: XENSTORE_ABS_PATH_MAX + 1 bytes
 *
 * A path that does not begin with a slash is relative to the client's home. Return: the bytes put
 * in front of it, or -EINVAL.
 */
int store_path_abs(const struct store_conn *c, const char *path, char *buf)
{
	unsigned int max = XENSTORE_ABS_PATH_MAX;
	int home = 0;

	if (path[0] == '@')	/* special, and no node */
		return -EINVAL;
	if (path[0] != '/') {
		if (strnlen(path, XENSTORE_REL_PATH_MAX + 1) > XENSTORE_REL_PATH_MAX)
			return -EINVAL;
		home = scnprintf(buf, max, "/local/domain/%u/", c->id);
	}
	if (c->quota.path_max)
		max = min(max, c->quota.path_max);
	if (strscpy(buf + home, path, XENSTORE_ABS_PATH_MAX + 1 - home) < 0)
		return -EINVAL;
	return store_path_check(buf, max) ?: home;
}
