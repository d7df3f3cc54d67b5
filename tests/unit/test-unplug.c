/* sources: platform-pci/unplug-decide.c */
// SPDX-License-Identifier: GPL-2.0
/* What is unplugged: the table of all that matters. */
#include "ktap.h"
#include "platform-pci/unplug-decide.h"

#define D	UNPLUG_IDE_DISKS
#define N	UNPLUG_NICS
#define OK	UNPLUG_MAGIC

static void values(void)
{
	CHECK_EQ(unplug_wanted("never"), 0);
	CHECK_EQ(unplug_wanted("ide-disks"), D);
	CHECK_EQ(unplug_wanted("nics"), N);
	CHECK_EQ(unplug_wanted("all"), D | N);
	CHECK(unplug_wanted("") < 0);
	CHECK(unplug_wanted("All") < 0);
	CHECK(unplug_wanted("ide-disks,nics") < 0);
}

static void table(void)
{
	static const struct {
		struct unplug_facts facts;
		u16 mask, busy;
		const char *why;
	} rows[] = {
		/* wanted, magic and after; present and busy: disks, cards */
		{ { D, OK, OK, { 1, 0 }, { 1, 0 } }, D, 0, NULL },
		{ { N, OK, OK, { 1, 0 }, { 1, 0 } }, N, 0, NULL },
		{ { D | N, OK, OK, { 1, 0 }, { 1, 0 } }, D | N, 0, NULL },
		{ { 0, OK, OK, { 1, 0 }, { 1, 0 } }, 0, 0, "switched off" },
		/* in use, all of a kind */
		{ { D, OK, OK, { 4, 1 }, { 1, 0 } }, 0, D, "in use" },
		{ { D, OK, OK, { 0, 1 }, { 0, 0 } }, 0, D, "in use" },
		{ { D, OK, OK, { 1, 0 }, { 1, 1 } }, D, 0, NULL },
		{ { N, OK, OK, { 1, 1 }, { 1, 0 } }, N, 0, NULL },
		{ { D | N, OK, OK, { 1, 1 }, { 2, 0 } }, N, D, NULL },
		{ { D | N, OK, OK, { 1, 0 }, { 2, 2 } }, D, N, NULL },
		{ { D | N, OK, OK, { 1, 1 }, { 1, 1 } }, 0, D | N, "in use" },
		/* not there */
		{ { D, OK, OK, { 0, 0 }, { 1, 0 } }, 0, 0, "none there" },
		{ { D | N, OK, OK, { 0, 0 }, { 1, 0 } }, N, 0, NULL },
		{ { D | N, OK, OK, { 0, 0 }, { 0, 0 } }, 0, 0, "none there" },
		{ { D | N, OK, OK, { 0, 0 }, { 1, 1 } }, 0, N, "in use" },
		/* the host: no such ports, another thing there, a blacklist at once or when it has heard who we are */
		{ { D | N, 0xffff, 0xffff, { 1, 0 }, { 1, 0 } }, 0, 0, "the host cannot" },
		{ { D | N, 0, 0, { 1, 0 }, { 1, 0 } }, 0, 0, "the host cannot" },
		{ { D | N, UNPLUG_MAGIC, 0xffff, { 1, 0 }, { 1, 0 } }, 0, 0, "the host cannot" },
		{ { D | N, UNPLUG_BLACKLISTED, UNPLUG_BLACKLISTED, { 1, 0 }, { 1, 0 } }, 0, 0,
		  "the host has this driver on its blacklist" },
		{ { D | N, UNPLUG_MAGIC, UNPLUG_BLACKLISTED, { 1, 0 }, { 1, 0 } }, 0, 0,
		  "the host has this driver on its blacklist" },
		{ { 0, UNPLUG_BLACKLISTED, UNPLUG_BLACKLISTED, { 1, 0 }, { 1, 0 } }, 0, 0, "switched off" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unplug_plan plan = unplug_decide(&rows[i].facts);
		bool ok = CHECK_EQ(plan.mask, rows[i].mask);

		ok &= CHECK_EQ(plan.busy, rows[i].busy);
		ok &= rows[i].why ? CHECK_STR(plan.why, rows[i].why) : CHECK(!plan.why);
		if (!ok)
			printf("# row %u\n", i);
	}
}

/* Whatever the facts: only what is wanted, there and not in use; and a reason if and only if that is nothing. */
static void rules(void)
{
	static const u16 magics[] = { UNPLUG_MAGIC, UNPLUG_BLACKLISTED, 0, 0xffff };
	unsigned int n;

	for (n = 0; n < 4 * 4 * 4 * 16; n++) {
		const struct unplug_facts f = {
			.wanted = n & 3,
			.magic = magics[n >> 2 & 3],
			.after = magics[n >> 4 & 3],
			.disks = { n >> 6 & 1, n >> 7 & 1 },
			.nics = { n >> 8 & 1, n >> 9 & 1 },
		};
		struct unplug_plan plan = unplug_decide(&f);

		CHECK(!(plan.mask & ~f.wanted));
		CHECK(!(plan.mask & plan.busy));
		CHECK(!plan.mask == !!plan.why);
		CHECK(!(plan.mask & D) || (f.disks.present && !f.disks.busy));
		CHECK(!(plan.mask & N) || (f.nics.present && !f.nics.busy));
		CHECK(!plan.mask || (f.magic == UNPLUG_MAGIC && f.after == UNPLUG_MAGIC));
	}
}

int main(void)
{
	return ktap_run((struct ktap_test[]){ KTAP(values), KTAP(table), KTAP(rules), {} });
}
