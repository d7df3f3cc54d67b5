/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layouts of the ring that a frontend may have chosen: the native one, which is x86_64's, and
 * that of x86_32, where 64-bit numbers are aligned to 4 bytes. The indices stand at the same place
 * in both.
 */
#ifndef BLKBACK_WIRE_H
#define BLKBACK_WIRE_H

#include <linux/types.h>
#include <xen/interface/io/blkif.h>

struct blkback_x32_request {
	u8 operation;
	u8 nr_segments;
	blkif_vdev_t handle;
	u64 id;
	blkif_sector_t sector_number;
	struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
} __packed __aligned(4);

struct blkback_x32_response {
	u64 id;
	u8 operation;
	u8 pad1;
	s16 status;
} __packed __aligned(4);

DEFINE_RING_TYPES(blkback_x32, struct blkback_x32_request, struct blkback_x32_response);

/** enum blkback_abi - layout of a ring */
enum blkback_abi { BLKBACK_ABI_X64, BLKBACK_ABI_X32 };

/**
 * union blkback_ring - the backend's half of a ring of either layout
 *
 * Indices are handled through @x64 whatever the layout; only slots are taken through the right
 * member.
 */
union blkback_ring {
	struct blkif_back_ring x64;
	struct blkback_x32_back_ring x32;
};

#endif /* BLKBACK_WIRE_H */
