// SPDX-License-Identifier: GPL-2.0
/*
 * What is inside store messages: errors, numbers, strings. Pure: also built in user space.
 *
 * Bodies come from the store or from user space. Each has a NUL after its last byte, put there by
 * who received it, so string functions end; what has to be part of the message is compared with its
 * length.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <xen/interface/io/xs_wire.h>
#include "store-msg.h"

/* Known by today's stores and missing in the header. */
static const struct xsd_errors more_errors[] = {
	XSD_ERROR(EPERM),
	XSD_ERROR(EDQUOT),
};

static const struct xsd_errors *error_at(size_t i)
{
	if (i < ARRAY_SIZE(xsd_errors))
		return &xsd_errors[i];
	i -= ARRAY_SIZE(xsd_errors);
	return i < ARRAY_SIZE(more_errors) ? &more_errors[i] : NULL;
}

/** xpv_msg_errno() - the body of an XS_ERROR as a negative errno, -EIO for names nobody knows */
int xpv_msg_errno(const char *name, size_t len)
{
	const struct xsd_errors *e;
	size_t i;

	for (i = 0; (e = error_at(i)); i++)
		if (strlen(e->errstring) <= len && !strcmp(e->errstring, name))
			return -e->errnum;
	return -EIO;
}

/** xpv_msg_errname() - a negative errno as the body of an XS_ERROR, "EIO" for those that have no name there */
const char *xpv_msg_errname(int err)
{
	const struct xsd_errors *e;
	size_t i;

	for (i = 0; (e = error_at(i)); i++)
		if (e->errnum == -err)
			return e->errstring;
	return "EIO";
}

static bool path_char_ok(char c)
{
	return isascii(c) && (isalnum(c) || (c && strchr("-/_@+:.", c)));
}

/** xpv_msg_path_ok() - whether a path that is to be used later can be one at all */
bool xpv_msg_path_ok(const char *path)
{
	size_t len = strlen(path), i;

	if (!len || len > (path[0] == '/' ? XENSTORE_ABS_PATH_MAX : XENSTORE_REL_PATH_MAX))
		return false;
	if (path[len - 1] == '/')
		return false;
	for (i = 0; i < len; i++)
		if (!path_char_ok(path[i]) || (path[i] == '/' && path[i + 1] == '/'))
			return false;
	return true;
}

/** xpv_msg_number() - @len bytes that are a decimal number and nothing else. Return: 0, -EINVAL or -ERANGE. */
int xpv_msg_number(const char *text, size_t len, u64 max, u64 *value)
{
	u64 v = 0;
	size_t i;

	if (!len || len > 20)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		unsigned int digit = text[i] - '0';

		if (digit > 9)
			return -EINVAL;
		if (v > (U64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

/** xpv_msg_pair() - a body of two strings, each with its NUL: a watch event, or a watch */
int xpv_msg_pair(const char *body, size_t len, const char **first, const char **second)
{
	size_t n = strnlen(body, len);

	if (n >= len)
		return -EINVAL;
	*first = body;
	*second = body + n + 1;
	if (strnlen(*second, len - n - 1) >= len - n - 1)
		return -EINVAL;
	return 0;
}

/*
 * xpv_msg_part() - the reply to a DIRECTORY_PART: generation, names, and an empty name at the end of the last part
 *
 * Return: 0; -EIO for anything else, among it a part that is neither the last nor has a name.
 */
int xpv_msg_part(const char *body, size_t len, u64 *gen, const char **names, size_t *names_len, bool *last)
{
	size_t n = strnlen(body, len);

	if (n >= len || xpv_msg_number(body, n, U64_MAX, gen))
		return -EIO;
	*names = body + n + 1;
	*names_len = len - n - 1;
	if (!*names_len || (*names)[*names_len - 1])
		return -EIO;
	*last = *names_len == 1 || !(*names)[*names_len - 2];
	if (*last)
		--*names_len;
	return 0;
}
