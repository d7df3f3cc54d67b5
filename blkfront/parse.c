// SPDX-License-Identifier: GPL-2.0
/* Judging what the backend says; it is hostile until proven otherwise. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <xen/interface/io/blkif.h>
#include "parse.h"

/**
 * blkfront_parse_rsp() - is a response one that was asked for?
 * @id:       from the copied response
 * @op:       likewise
 * @status:   likewise
 * @inflight: the operation in flight of each id, or %BLKFRONT_IDLE
 * @nr:       how many ids there are
 */
enum blkfront_verdict blkfront_parse_rsp(u64 id, u8 op, s16 status, const u8 *inflight,
					 unsigned int nr)
{
	if (id >= nr || inflight[id] == BLKFRONT_IDLE)
		return BLKFRONT_RSP_BAD_ID;
	if (op != inflight[id])
		return BLKFRONT_RSP_BAD_OP;

	switch (status) {
	case BLKIF_RSP_OKAY:
		return BLKFRONT_RSP_OK;
	case BLKIF_RSP_ERROR:
		return BLKFRONT_RSP_FAILED;
	case BLKIF_RSP_EOPNOTSUPP:
		return BLKFRONT_RSP_UNKNOWN;
	default:
		return BLKFRONT_RSP_BAD_STATUS;
	}
}

/** blkfront_verdict_text() - words for a protocol violation */
const char *blkfront_verdict_text(enum blkfront_verdict v)
{
	switch (v) {
	case BLKFRONT_RSP_BAD_ID:
		return "no such request is in flight";
	case BLKFRONT_RSP_BAD_OP:
		return "the request is another operation";
	case BLKFRONT_RSP_BAD_STATUS:
		return "unknown status";
	default:
		return "in order";
	}
}

static bool is_block_size(u64 size)
{
	return size >= 512 && size <= 4096 && (size & (size - 1)) == 0;
}

/**
 * blkfront_geometry_check() - can a disk be like this?
 * @geo: what the backend says
 *
 * Return: NULL, or the text of what is wrong.
 */
const char *blkfront_geometry_check(const struct blkfront_geometry *geo)
{
	if (!is_block_size(geo->sector_size))
		return "sector-size is not a power of two from 512 to 4096";
	if (geo->physical_size < geo->sector_size ||
	    (geo->physical_size & (geo->physical_size - 1)))
		return "physical-sector-size is not a power of two from sector-size on";
	if (geo->sectors % (geo->sector_size / 512))
		return "sectors (in units of 512 bytes) is no multiple of sector-size";
	return NULL;
}
