// SPDX-License-Identifier: GPL-2.0
/*
 * Permission lists. The text is a letter and a domid for each entry: n (none), r, w, b (both). The
 * first entry names the owner, who may do everything, and what domains without an entry may do.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

static const char letters[] = "nrwb";	/* indexed by STORE_READ | STORE_WRITE */

struct store_perms *store_perms_new(unsigned int n, u64 gen)
{
	struct store_perms *perms = kzalloc(struct_size(perms, p, n), GFP_KERNEL);

	if (!perms)
		return NULL;
	perms->refs = 1;
	perms->n = n;
	perms->gen = gen;
	return perms;
}

struct store_perms *store_perms_get(struct store_perms *perms)
{
	perms->refs++;
	return perms;
}

void store_perms_put(struct store_perms *perms)
{
	if (perms && !--perms->refs)
		kfree(perms);
}

/**
 * store_perms_inherit() - the permissions of a node that a client makes in a directory
 * @from: the directory's permissions
 * @c: the client's connection
 *
 * They are the directory's, but what an ordinary domain makes is its own. Return: a reference, or
 * NULL.
 */
struct store_perms *store_perms_inherit(struct store_perms *from, const struct store_conn *c)
{
	struct store_perms *perms;

	if (c->privileged || from->p[0].id == c->id)
		return store_perms_get(from);
	perms = store_perms_new(from->n, from->gen);
	if (!perms)
		return NULL;
	memcpy(perms->p, from->p, flex_array_size(perms, p, from->n));
	perms->p[0].id = c->id;
	return perms;
}

static int parse_one(const char *text, struct store_perm *p)
{
	const char *at = *text ? strchr(letters, *text) : NULL;

	if (!at)
		return -EINVAL;
	p->bits = at - letters;
	return store_domid_parse(text + 1, &p->id);
}

/**
 * store_perms_parse() - permissions from NUL-terminated strings that follow each other
 * @text: the first string
 * @len: bytes
 * @max: the quota, 0 for none
 * @gen: the generation to stamp them with
 *
 * Return: a reference; -EINVAL, -ENOSPC when there are too many, -ENOMEM.
 */
struct store_perms *store_perms_parse(const char *text, size_t len, unsigned int max, u64 gen)
{
	struct store_perms *perms;
	unsigned int n = 0, i;
	size_t at;
	int err;

	if (!len || text[len - 1])
		return ERR_PTR(-EINVAL);
	for (at = 0; at < len; at += strlen(text + at) + 1)
		n++;
	if (max && n > max)
		return ERR_PTR(-ENOSPC);
	perms = store_perms_new(n, gen);
	if (!perms)
		return ERR_PTR(-ENOMEM);
	for (at = 0, i = 0; i < n; at += strlen(text + at) + 1, i++) {
		err = parse_one(text + at, &perms->p[i]);
		if (err) {
			store_perms_put(perms);
			return ERR_PTR(err);
		}
	}
	return perms;
}

/** store_perms_format() - mirror of store_perms_parse(). Return: the length, or -E2BIG. */
int store_perms_format(const struct store_perms *perms, char *buf, size_t size)
{
	unsigned int i;
	int len = 0, n;

	for (i = 0; i < perms->n; i++) {
		n = snprintf(buf + len, size - len, "%c%u", letters[perms->p[i].bits],
			     perms->p[i].id);
		if (len + n + 1 > size)
			return -E2BIG;
		len += n + 1;
	}
	return len;
}

/** store_perms_of() - what @c may do: STORE_READ, STORE_WRITE and STORE_OWNER */
u8 store_perms_of(const struct store_conn *c, const struct store_perms *perms)
{
	unsigned int i;

	if (c->privileged || perms->p[0].id == c->id)
		return STORE_READ | STORE_WRITE | STORE_OWNER;
	if (perms->gen >= c->born)
		for (i = 1; i < perms->n; i++)
			if (perms->p[i].id == c->id)
				return perms->p[i].bits;
	return perms->p[0].bits;
}
