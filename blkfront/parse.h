/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Judging what the backend says. Pure: also built in user space by tests/unit.
 */
#ifndef BLKFRONT_PARSE_H
#define BLKFRONT_PARSE_H

#include <linux/types.h>

/**
 * enum blkfront_verdict - about a response
 * @BLKFRONT_RSP_OK:        done
 * @BLKFRONT_RSP_FAILED:    the backend reports an error
 * @BLKFRONT_RSP_UNKNOWN:   the backend does not do this operation
 * @BLKFRONT_RSP_BAD_ID:    protocol violation: there is no such request
 * @BLKFRONT_RSP_BAD_OP:    protocol violation: the request is another operation
 * @BLKFRONT_RSP_BAD_STATUS: protocol violation: no such status
 */
enum blkfront_verdict {
	BLKFRONT_RSP_OK,
	BLKFRONT_RSP_FAILED,
	BLKFRONT_RSP_UNKNOWN,
	BLKFRONT_RSP_BAD_ID,
	BLKFRONT_RSP_BAD_OP,
	BLKFRONT_RSP_BAD_STATUS,
};

#define BLKFRONT_IDLE 0xff	/* no operation in flight with this id */

enum blkfront_verdict blkfront_parse_rsp(u64 id, u8 op, s16 status, const u8 *inflight,
					 unsigned int nr);
const char *blkfront_verdict_text(enum blkfront_verdict v);

/**
 * struct blkfront_geometry - the disk as the backend describes it, checked
 * @sectors:       capacity in units of 512 bytes, whatever @sector_size is
 * @sector_size:   logical block
 * @physical_size: physical block
 * @info:          VDISK_*
 * @flush:         BLKIF_OP_FLUSH_DISKCACHE is worth while
 * @persistent:    the backend keeps what it has mapped
 */
struct blkfront_geometry {
	u64 sectors;
	u64 sector_size;
	u64 physical_size;
	u64 info;
	u64 flush;
	u64 persistent;
};

const char *blkfront_geometry_check(const struct blkfront_geometry *geo);

#endif /* BLKFRONT_PARSE_H */
