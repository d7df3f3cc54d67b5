/* sources: blkback/parse.c */
// SPDX-License-Identifier: GPL-2.0
/* What a frontend may ask for: both layouts, and each rule with a request that breaks it and no other. */
#include <stdlib.h>
#include <linux/errno.h>
#include "blkback/parse.h"
#include "ktap.h"

static const struct blkback_limits disk = { .sectors = 1000, .align = 1, .writable = true };
static const struct blkback_limits disk4k = { .sectors = 1000, .align = 8, .writable = true };
static const struct blkback_limits readonly = { .sectors = 1000, .align = 1, .writable = false };

static struct blkback_op good(u8 op)
{
	return (struct blkback_op){
		.op = op, .nr = 2, .sector = 8, .segs = { { 1, 0, 7 }, { 2, 0, 7 } },
	};
}

/* The status that a request gets, 0 if it may be carried out. */
static int judge(struct blkback_op op, const struct blkback_limits *lim)
{
	s16 status = 77;
	const char *wrong = blkback_parse_check(&op, lim, &status);

	return wrong ? status : 0;
}

static void layouts(void)
{
	CHECK_EQ(sizeof(struct blkback_x32_request), 108);
	CHECK_EQ(offsetof(struct blkback_x32_request, id), 4);
	CHECK_EQ(offsetof(struct blkback_x32_request, seg), 20);
	CHECK_EQ(sizeof(struct blkback_x32_response), 12);
	CHECK_EQ(offsetof(struct blkback_x32_response, status), 10);
	CHECK_EQ(sizeof(union blkback_x32_sring_entry), 108);
	CHECK_EQ(sizeof(union blkif_sring_entry), 112);
	CHECK_EQ(sizeof(struct blkif_response), 16);
	CHECK_EQ(offsetof(struct blkback_x32_sring, ring), offsetof(struct blkif_sring, ring));
	CHECK_EQ(__CONST_RING_SIZE(blkif, 4096), 32);
	CHECK_EQ(__CONST_RING_SIZE(blkback_x32, 4096), 32);
}

static void decode(void)
{
	struct blkif_request r = { .operation = BLKIF_OP_WRITE };
	struct blkback_x32_request r32 = { .operation = BLKIF_OP_WRITE };
	struct blkback_op op, op32;
	int i;

	r.u.rw.nr_segments = r32.nr_segments = 11;
	r.u.rw.id = r32.id = 0x1122334455667788;
	r.u.rw.sector_number = r32.sector_number = 0x99aabbccddee;
	for (i = 0; i < 11; i++) {
		r.u.rw.seg[i].gref = r32.seg[i].gref = 100 + i;
		r.u.rw.seg[i].first_sect = r32.seg[i].first_sect = i % 8;
		r.u.rw.seg[i].last_sect = r32.seg[i].last_sect = 7;
	}
	memset(&op, 0, sizeof(op));
	memset(&op32, 0, sizeof(op32));
	blkback_parse_x64(&r, &op);
	blkback_parse_x32(&r32, &op32);
	CHECK(!memcmp(&op, &op32, sizeof(op)));
	CHECK_EQ(op.id, 0x1122334455667788);
	CHECK_EQ(op.sector, 0x99aabbccddee);
	CHECK_EQ(op.segs[10].gref, 110);
	CHECK_EQ(op.segs[10].first, 2);

	/* More segments than there can be: none beyond the array is touched. */
	r.u.rw.nr_segments = r32.nr_segments = 255;
	blkback_parse_x64(&r, &op);
	blkback_parse_x32(&r32, &op32);
	CHECK_EQ(op.nr, 255);
	CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
}

static void accepted(void)
{
	struct blkback_op op = good(BLKIF_OP_READ);
	s16 status;

	CHECK(!blkback_parse_check(&op, &disk, &status));
	CHECK_EQ(op.sectors, 16);
	CHECK_EQ(judge(good(BLKIF_OP_WRITE), &disk), 0);
	CHECK_EQ(judge(good(BLKIF_OP_FLUSH_DISKCACHE), &disk), 0);
	CHECK_EQ(judge(good(BLKIF_OP_READ), &readonly), 0);
	CHECK_EQ(judge(good(BLKIF_OP_READ), &disk4k), 0);
	op = good(BLKIF_OP_FLUSH_DISKCACHE);
	op.nr = 0;
	op.sector = ~0ull;
	CHECK_EQ(judge(op, &readonly), 0);
	op = good(BLKIF_OP_READ);
	op.sector = 1000 - 16;
	CHECK_EQ(judge(op, &disk), 0);
}

static void operations(void)
{
	int i;

	for (i = 0; i < 256; i++)
		if (i != BLKIF_OP_READ && i != BLKIF_OP_WRITE && i != BLKIF_OP_FLUSH_DISKCACHE)
			CHECK_EQ(judge(good(i), &disk), BLKIF_RSP_EOPNOTSUPP);
}

static void refused(void)
{
	struct blkback_op op = good(BLKIF_OP_READ);

	op.nr = 0;
	CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
	op.nr = 12;
	CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
	CHECK_EQ(judge(good(BLKIF_OP_WRITE), &readonly), BLKIF_RSP_ERROR);
	CHECK_EQ(judge(good(BLKIF_OP_FLUSH_DISKCACHE), &readonly), BLKIF_RSP_ERROR);

	op = good(BLKIF_OP_READ);
	op.segs[1].first = 5;
	op.segs[1].last = 4;
	CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
	op = good(BLKIF_OP_READ);
	op.segs[1].last = 8;
	CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
	op = good(BLKIF_OP_READ);
	op.segs[1].first = op.segs[1].last = 255;
	CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
	op = good(BLKIF_OP_READ);
	op.segs[1].first = 1;
	CHECK_EQ(judge(op, &disk), 0);
	CHECK_EQ(judge(op, &disk4k), BLKIF_RSP_ERROR);
	op = good(BLKIF_OP_READ);
	op.segs[1].last = 6;
	CHECK_EQ(judge(op, &disk4k), BLKIF_RSP_ERROR);
	op = good(BLKIF_OP_READ);
	op.sector = 9;
	CHECK_EQ(judge(op, &disk4k), BLKIF_RSP_ERROR);
}

static void ranges(void)
{
	static const u64 sectors[] = { 1000 - 15, 1000, 1001, 1ull << 32, 1ull << 55, ~0ull, ~0ull - 15, ~0ull - 16 };
	struct blkback_limits tiny = disk;
	struct blkback_op op;
	unsigned int i;

	for (i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		op = good(BLKIF_OP_WRITE);
		op.sector = sectors[i];
		CHECK_EQ(judge(op, &disk), BLKIF_RSP_ERROR);
	}
	tiny.sectors = 0;
	CHECK_EQ(judge(good(BLKIF_OP_READ), &tiny), BLKIF_RSP_ERROR);
	tiny.sectors = 15;
	CHECK_EQ(judge(good(BLKIF_OP_READ), &tiny), BLKIF_RSP_ERROR);
}

/* Whatever is in a slot: what is accepted stays within its pages and the disk. */
static void noise(void)
{
	unsigned int i, s, n, accepted = 0;

	srand(1);
	for (n = 0; n < 200000; n++) {
		struct blkif_request r;
		struct blkback_op op;
		u64 sum = 0;
		s16 status;

		for (i = 0; i < sizeof(r); i++)
			((u8 *)&r)[i] = rand() % 9;
		r.u.rw.sector_number %= 1100;
		blkback_parse_x64(&r, &op);
		if (blkback_parse_check(&op, &disk, &status))
			continue;
		accepted++;
		for (s = 0; s < op.nr; s++) {
			CHECK(blkback_seg_offset(&op.segs[s]) + blkback_seg_len(&op.segs[s]) <= 4096);
			sum += blkback_seg_len(&op.segs[s]) / 512;
		}
		CHECK(!op.nr || op.sector + sum <= disk.sectors);
	}
	CHECK(accepted > 100);
}

static void protocols(void)
{
	enum blkback_abi abi;

	CHECK_EQ(blkback_parse_protocol(NULL, &abi), 0);
	CHECK_EQ(abi, BLKBACK_ABI_X32);
	CHECK_EQ(blkback_parse_protocol("x86_32-abi", &abi), 0);
	CHECK_EQ(abi, BLKBACK_ABI_X32);
	CHECK_EQ(blkback_parse_protocol("x86_64-abi", &abi), 0);
	CHECK_EQ(abi, BLKBACK_ABI_X64);
	CHECK(blkback_parse_protocol("arm-abi", &abi) < 0);
	CHECK(blkback_parse_protocol("", &abi) < 0);
	CHECK(blkback_parse_protocol("x86_64-abi2", &abi) < 0);
}

static void devices(void)
{
	unsigned int ma = 0, mi = 0;
	char path[32];

	CHECK_EQ(blkback_parse_devt("fd:1f", &ma, &mi), 0);
	CHECK_EQ(ma, 0xfd);
	CHECK_EQ(mi, 0x1f);
	CHECK(blkback_parse_devt("", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("8", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("8:", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("8:0 ", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("8:0:1", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("/dev/sda", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("1000:0", &ma, &mi) < 0);
	CHECK(blkback_parse_devt("1:100000", &ma, &mi) < 0);

	CHECK_EQ(blkback_parse_path("/dev/nullb0", path, sizeof(path)), 0);
	CHECK_STR(path, "/dev/nullb0");
	CHECK_EQ(blkback_parse_path("phy:/dev/nullb0", path, sizeof(path)), 0);
	CHECK_STR(path, "/dev/nullb0");
	CHECK_EQ(blkback_parse_path("vg/lv", path, sizeof(path)), 0);
	CHECK_STR(path, "/dev/vg/lv");
	CHECK(blkback_parse_path("", path, sizeof(path)) < 0);
	CHECK(blkback_parse_path("phy:", path, sizeof(path)) < 0);
	CHECK(blkback_parse_path("/dev/0123456789012345678901234567", path, sizeof(path)) < 0);
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(layouts), KTAP(decode), KTAP(accepted), KTAP(operations), KTAP(refused), KTAP(ranges),
		KTAP(noise), KTAP(protocols), KTAP(devices), {}
	});
}
