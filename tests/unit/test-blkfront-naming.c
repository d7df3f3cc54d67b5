/* sources: blkfront/naming.c */
// SPDX-License-Identifier: GPL-2.0
/* Virtual device numbers to disk names: the encodings of xen-vbd-interface(7), and what is none. */
#include "blkfront/naming.h"
#include "ktap.h"

static const char *text(unsigned long vdev, int domid)
{
	static char buf[BLKFRONT_NAME_LEN];
	struct blkfront_name n;

	if (blkfront_name_parse(vdev, &n) || blkfront_name_format(&n, domid, buf, sizeof(buf)))
		return "error";
	return buf;
}

static void names(void)
{
	static const struct { unsigned long vdev; const char *name; } cases[] = {
		{ 202 << 8, "xvda" }, { 51712, "xvda" }, { 51713, "xvda1" }, { 51727, "xvda15" },
		{ 51728, "xvdb" }, { 202 << 8 | 15 << 4, "xvdp" },
		{ 1 << 28, "xvda" }, { 1 << 28 | 16 << 8, "xvdq" }, { 1 << 28 | 16 << 8 | 255, "xvdq255" },
		{ 1 << 28 | 25 << 8, "xvdz" }, { 1 << 28 | 26 << 8, "xvdaa" },
		{ 1 << 28 | 51 << 8, "xvdaz" }, { 1 << 28 | 52 << 8, "xvdba" },
		{ 1 << 28 | 701 << 8, "xvdzz" }, { 1 << 28 | 702 << 8, "xvdaaa" },
		{ (1ul << 28 | 0xfffff << 8), "xvdbgqcv" },
		{ 8 << 8, "xvda" }, { 8 << 8 | 1 << 4 | 2, "xvdb2" }, { 65 << 8, "xvdq" },
		{ 135 << 8 | 15 << 4, "xvdiv" },
		{ 3 << 8, "xvda" }, { 3 << 8 | 64, "xvdb" }, { 3 << 8 | 64 | 3, "xvdb3" },
		{ 22 << 8, "xvdc" }, { 22 << 8 | 64, "xvdd" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_STR(text(cases[i].vdev, -1), cases[i].name);
}

static void other_domain(void)
{
	CHECK_STR(text(51712, 2), "xvda.d2");
	CHECK_STR(text(51713, 2), "xvda1.d2");
	CHECK_STR(text(51712, 32751), "xvda.d32751");
}

static void minors(void)
{
	struct blkfront_name n;

	CHECK_EQ(blkfront_name_parse(51728, &n), 0);
	CHECK_EQ(n.minor, 16);
	CHECK_EQ(n.minors, 16);
	CHECK_EQ(n.partition, 0);
	CHECK_EQ(blkfront_name_parse(51729, &n), 0);
	CHECK_EQ(n.minor, 17);
	CHECK_EQ(n.minors, 1);
	CHECK_EQ(n.partition, 1);
	CHECK_EQ(blkfront_name_parse(1 << 28 | 3 << 8, &n), 0);
	CHECK_EQ(n.minor, 768);
	CHECK_EQ(n.minors, 256);
	/* hd disks have 64 minors of their own, 16 as xvd */
	CHECK_EQ(blkfront_name_parse(22 << 8 | 64, &n), 0);
	CHECK_EQ(n.minor, 48);
}

static void nonsense(void)
{
	static const unsigned long cases[] = {
		0, 1, 255, 768 | 128, 22 << 8 | 200, 3 << 8 | 16, 3 << 8 | 63, 7 << 8, 203 << 8, 136 << 8,
		1ul << 29, 1ul << 28 | 1ul << 29, 0xffffffff, ~0ul,
	};
	struct blkfront_name n;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!CHECK(blkfront_name_parse(cases[i], &n) < 0))
			printf("# %#lx\n", cases[i]);
}

static void too_long(void)
{
	struct blkfront_name n;
	char buf[6];

	CHECK_EQ(blkfront_name_parse(51712, &n), 0);
	CHECK(blkfront_name_format(&n, 12, buf, sizeof(buf)) < 0);
	CHECK_EQ(blkfront_name_format(&n, -1, buf, sizeof(buf)), 0);
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(names), KTAP(other_domain), KTAP(minors), KTAP(nonsense), KTAP(too_long), {}
	});
}
