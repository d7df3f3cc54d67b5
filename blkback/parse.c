// SPDX-License-Identifier: GPL-2.0
/*
 * Judging what the frontend asks for, and what the toolstack wrote.
 *
 * Requests come as private copies of their slots; nothing here sees shared memory.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <xen/interface/io/protocols.h>
#include "parse.h"

#define SECTORS_PER_PAGE 8U

/**
 * blkback_parse_protocol() - which layout a frontend's rings have
 * @protocol: value of its key, or NULL without one: a frontend that old is a 32-bit one
 * @abi:      set on success
 *
 * Return: 0 or -EPROTONOSUPPORT.
 */
int blkback_parse_protocol(const char *protocol, enum blkback_abi *abi)
{
	if (!protocol || !strcmp(protocol, XEN_IO_PROTO_ABI_X86_32))
		*abi = BLKBACK_ABI_X32;
	else if (!strcmp(protocol, XEN_IO_PROTO_ABI_X86_64))
		*abi = BLKBACK_ABI_X64;
	else
		return -EPROTONOSUPPORT;
	return 0;
}

/**
 * blkback_parse_devt() - the key physical-device, "major:minor" in hexadecimal
 * @text:  its value
 * @major: set on success
 * @minor: set on success
 *
 * Return: 0 or -EINVAL.
 */
int blkback_parse_devt(const char *text, unsigned int *major, unsigned int *minor)
{
	unsigned int ma, mi;
	int end = 0;

	if (sscanf(text, "%x:%x%n", &ma, &mi, &end) < 2 || !end || text[end])
		return -EINVAL;
	if (ma > 0xfff || mi > 0xfffff)
		return -EINVAL;
	*major = ma;
	*minor = mi;
	return 0;
}

/**
 * blkback_parse_path() - the key params, the path of a block device
 * @params: "/dev/sda", "phy:/dev/sda" or, relative to /dev, "sda"
 * @path:   filled in on success
 * @len:    its size
 *
 * Return: 0; -EINVAL for nothing; -ENAMETOOLONG.
 */
int blkback_parse_path(const char *params, char *path, unsigned int len)
{
	int n;

	if (!strncmp(params, "phy:", 4))
		params += 4;
	if (!*params)
		return -EINVAL;
	n = snprintf(path, len, "%s%s", *params == '/' ? "" : "/dev/", params);
	return n < (int)len ? 0 : -ENAMETOOLONG;
}

static void take_segs(struct blkback_op *op, const struct blkif_request_segment *seg)
{
	unsigned int i, nr = op->nr;

	if (nr > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		nr = BLKIF_MAX_SEGMENTS_PER_REQUEST;
	for (i = 0; i < nr; i++) {
		op->segs[i].gref = seg[i].gref;
		op->segs[i].first = seg[i].first_sect;
		op->segs[i].last = seg[i].last_sect;
	}
}

/**
 * blkback_parse_x64() - a copied slot of x86_64's layout, field by field
 * @req: the copy
 * @op:  filled in; not checked yet
 */
void blkback_parse_x64(const struct blkif_request *req, struct blkback_op *op)
{
	op->op = req->operation;
	op->nr = req->u.rw.nr_segments;
	op->id = req->u.rw.id;
	op->sector = req->u.rw.sector_number;
	op->sectors = 0;
	take_segs(op, req->u.rw.seg);
}

/**
 * blkback_parse_x32() - a copied slot of x86_32's layout, field by field
 * @req: the copy
 * @op:  filled in; not checked yet
 */
void blkback_parse_x32(const struct blkback_x32_request *req, struct blkback_op *op)
{
	op->op = req->operation;
	op->nr = req->nr_segments;
	op->id = req->id;
	op->sector = req->sector_number;
	op->sectors = 0;
	take_segs(op, req->seg);
}

static const char *check_segs(struct blkback_op *op, const struct blkback_limits *lim)
{
	unsigned int i;

	for (i = 0; i < op->nr; i++) {
		const struct blkback_seg *seg = &op->segs[i];

		if (seg->first > seg->last)
			return "a segment ends before it begins";
		if (seg->last >= SECTORS_PER_PAGE)
			return "a segment leaves its page";
		if (seg->first % lim->align || (seg->last + 1) % lim->align)
			return "a segment is not aligned to the logical block";
		op->sectors += seg->last - seg->first + 1;
	}
	return NULL;
}

static const char *check_range(const struct blkback_op *op, const struct blkback_limits *lim)
{
	if (op->sector % lim->align)
		return "the sector is not aligned to the logical block";
	/* Subtracted rather than added: the sum may overflow. */
	if (op->sectors > lim->sectors || op->sector > lim->sectors - op->sectors)
		return "beyond the end of the disk";
	return NULL;
}

/**
 * blkback_parse_check() - may a request be carried out?
 * @op:     the request; its sectors are summed up
 * @lim:    what the backing device allows
 * @status: the response's status if not
 *
 * Return: NULL if it may, or the text of what is wrong.
 */
const char *blkback_parse_check(struct blkback_op *op, const struct blkback_limits *lim,
				s16 *status)
{
	const char *wrong;

	*status = BLKIF_RSP_EOPNOTSUPP;
	if (op->op != BLKIF_OP_READ && op->op != BLKIF_OP_WRITE &&
	    op->op != BLKIF_OP_FLUSH_DISKCACHE)
		return "operation is not supported";

	*status = BLKIF_RSP_ERROR;
	if (op->nr > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return "too many segments";
	if (!op->nr)
		return op->op == BLKIF_OP_FLUSH_DISKCACHE ? NULL : "no segments";
	if (op->op != BLKIF_OP_READ && !lim->writable)
		return "the disk is read-only";
	wrong = check_segs(op, lim);
	return wrong ?: check_range(op, lim);
}
