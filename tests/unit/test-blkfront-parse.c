/* sources: blkfront/parse.c */
// SPDX-License-Identifier: GPL-2.0
/* What a backend may say: responses to requests in flight, and disks that can be. */
#include <xen/interface/io/blkif.h>
#include "blkfront/parse.h"
#include "ktap.h"

static void responses(void)
{
	u8 inflight[4] = { BLKIF_OP_READ, BLKFRONT_IDLE, BLKIF_OP_WRITE, BLKFRONT_IDLE };

	CHECK_EQ(blkfront_parse_rsp(0, BLKIF_OP_READ, 0, inflight, 4), BLKFRONT_RSP_OK);
	CHECK_EQ(blkfront_parse_rsp(2, BLKIF_OP_WRITE, -1, inflight, 4), BLKFRONT_RSP_FAILED);
	CHECK_EQ(blkfront_parse_rsp(2, BLKIF_OP_WRITE, -2, inflight, 4), BLKFRONT_RSP_UNKNOWN);
	CHECK_EQ(blkfront_parse_rsp(2, BLKIF_OP_WRITE, -3, inflight, 4), BLKFRONT_RSP_BAD_STATUS);
	CHECK_EQ(blkfront_parse_rsp(2, BLKIF_OP_WRITE, 1, inflight, 4), BLKFRONT_RSP_BAD_STATUS);
	CHECK_EQ(blkfront_parse_rsp(0, BLKIF_OP_WRITE, 0, inflight, 4), BLKFRONT_RSP_BAD_OP);
	CHECK_EQ(blkfront_parse_rsp(1, BLKFRONT_IDLE, 0, inflight, 4), BLKFRONT_RSP_BAD_ID);
	CHECK_EQ(blkfront_parse_rsp(4, BLKIF_OP_READ, 0, inflight, 4), BLKFRONT_RSP_BAD_ID);
	CHECK_EQ(blkfront_parse_rsp(1ull << 32, BLKIF_OP_READ, 0, inflight, 4), BLKFRONT_RSP_BAD_ID);
	CHECK_EQ(blkfront_parse_rsp(~0ull, BLKIF_OP_READ, 0, inflight, 4), BLKFRONT_RSP_BAD_ID);
}

static void geometries(void)
{
	struct blkfront_geometry ok = { .sectors = 800, .sector_size = 512, .physical_size = 4096 };
	struct blkfront_geometry g;

	CHECK(!blkfront_geometry_check(&ok));
	g = ok;
	g.sectors = 0;
	CHECK(!blkfront_geometry_check(&g));
	g = ok;
	g.sector_size = 4096;
	CHECK(!blkfront_geometry_check(&g));
	g.sectors = 801;
	CHECK(blkfront_geometry_check(&g));
	g = ok;
	g.sector_size = 0;
	CHECK(blkfront_geometry_check(&g));
	g = ok;
	g.sector_size = 256;
	CHECK(blkfront_geometry_check(&g));
	g = ok;
	g.sector_size = 520;
	CHECK(blkfront_geometry_check(&g));
	g = ok;
	g.sector_size = 8192;
	g.physical_size = 8192;
	CHECK(blkfront_geometry_check(&g));
	g = ok;
	g.sector_size = 4096;
	g.physical_size = 512;
	CHECK(blkfront_geometry_check(&g));
	g = ok;
	g.physical_size = 5000;
	CHECK(blkfront_geometry_check(&g));
}

int main(void)
{
	return ktap_run((struct ktap_test[]){ KTAP(responses), KTAP(geometries), {} });
}
