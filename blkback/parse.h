/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Judging what the frontend asks for, and what the toolstack wrote. Pure: also built in user space
 * by tests/unit.
 */
#ifndef BLKBACK_PARSE_H
#define BLKBACK_PARSE_H

#include "wire.h"

/**
 * struct blkback_limits - what the backing device allows
 * @sectors:  its size, in units of 512 bytes
 * @align:    its logical block, in the same units
 * @writable: the disk was attached for writing
 */
struct blkback_limits {
	u64 sectors;
	unsigned int align;
	bool writable;
};

/**
 * struct blkback_seg - one piece of a request: sectors @first to @last of the page granted by @gref
 */
struct blkback_seg {
	grant_ref_t gref;
	u8 first;
	u8 last;
};

static inline unsigned int blkback_seg_offset(const struct blkback_seg *seg)
{
	return seg->first * 512U;
}

static inline unsigned int blkback_seg_len(const struct blkback_seg *seg)
{
	return (seg->last - seg->first + 1U) * 512U;
}

/**
 * struct blkback_op - a request in private memory, whatever the layout it came in
 * @id:      to be echoed, as @op
 * @op:      BLKIF_OP_*
 * @nr:      segments, as the frontend says; no more than fit into @segs after blkback_parse_check()
 * @sector:  on the disk, in units of 512 bytes
 * @sectors: sum of the segments, set by blkback_parse_check()
 * @segs:    the segments
 */
struct blkback_op {
	u64 id;
	u8 op;
	u8 nr;
	u64 sector;
	unsigned int sectors;
	struct blkback_seg segs[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};

int blkback_parse_protocol(const char *protocol, enum blkback_abi *abi);
int blkback_parse_devt(const char *text, unsigned int *major, unsigned int *minor);
int blkback_parse_path(const char *params, char *path, unsigned int len);
void blkback_parse_x64(const struct blkif_request *req, struct blkback_op *op);
void blkback_parse_x32(const struct blkback_x32_request *req, struct blkback_op *op);
const char *blkback_parse_check(struct blkback_op *op, const struct blkback_limits *lim,
				s16 *status);

#endif /* BLKBACK_PARSE_H */
