/* sources: hv-stub/store-*.c */
// SPDX-License-Identifier: GPL-2.0
/* Transactions: what they see, what conflicts, what they leave, quotas, running out of memory. */
#include "store-client.h"

static struct client *k;

static void begin(void)
{
	store_begin();
	k = client_new(0);
	req(k, XS_WRITE, "/a|1");
	req(k, XS_WRITE, "/b|2");
	req(k, XS_WRITE, "/dir/x|3");
	req(k, XS_WRITE, "/dir/sub/deep|4");
	events(k);
}

static void end(void)
{
	k->tx = 0;
	store_verify();
	client_free(k);
	store_end();
}

static u32 start(struct client *c)
{
	c->tx = 0;
	req(c, XS_TRANSACTION_START, "|");
	CHECK_EQ(c->reply_type, XS_TRANSACTION_START);
	return strtoul(c->reply, NULL, 10);
}

/* A request inside transaction @tx, or outside when 0. */
static const char *in(u32 tx, u32 type, const char *body)
{
	k->tx = tx;
	return req(k, type, body);
}

#define COMMIT(tx)	in(tx, XS_TRANSACTION_END, "T|")
#define ABORT(tx)	in(tx, XS_TRANSACTION_END, "F|")

static void sees_own_changes(void)
{
	u32 t;

	begin();
	t = start(k);
	CHECK_STR(in(t, XS_WRITE, "/a|new"), "OK|");
	CHECK_STR(in(t, XS_WRITE, "/n/m|made"), "OK|");
	CHECK_STR(in(t, XS_RM, "/dir/sub|"), "OK|");
	CHECK_STR(in(t, XS_READ, "/a|"), "new");
	CHECK_STR(in(t, XS_READ, "/n/m|"), "made");
	CHECK_STR(in(t, XS_READ, "/dir/sub/deep|"), "ENOENT|");
	CHECK_STR(in(t, XS_DIRECTORY, "/|"), "a|b|dir|n|");
	CHECK_STR(in(t, XS_DIRECTORY, "/dir|"), "x|");
	CHECK_STR(in(t, XS_SET_PERMS, "/b|n0|r5|"), "OK|");
	CHECK_STR(in(t, XS_GET_PERMS, "/b|"), "n0|r5|");
	CHECK_STR(in(t, XS_TRANSACTION_START, "|"), "EBUSY|");

	CHECK_STR(in(0, XS_READ, "/a|"), "1");
	CHECK_STR(in(0, XS_READ, "/n/m|"), "ENOENT|");
	CHECK_STR(in(0, XS_DIRECTORY, "/|"), "a|b|dir|");
	CHECK_STR(in(0, XS_GET_PERMS, "/b|"), "n0|");
	store_verify();

	CHECK_STR(COMMIT(t), "OK|");
	CHECK_STR(in(0, XS_READ, "/a|"), "new");
	CHECK_STR(in(0, XS_READ, "/n/m|"), "made");
	CHECK_STR(in(0, XS_READ, "/dir/sub/deep|"), "ENOENT|");
	CHECK_STR(in(0, XS_GET_PERMS, "/b|"), "n0|r5|");
	CHECK_STR(COMMIT(t), "ENOENT|");
	end();
}

static void abort_leaves_nothing(void)
{
	u32 t;

	begin();
	t = start(k);
	in(t, XS_WRITE, "/a|new");
	in(t, XS_MKDIR, "/n/m|");
	in(t, XS_RM, "/dir|");
	CHECK_STR(in(t, XS_TRANSACTION_END, "X|"), "EINVAL|");
	CHECK_STR(ABORT(t), "OK|");
	CHECK_STR(in(0, XS_READ, "/a|"), "1");
	CHECK_STR(in(0, XS_READ, "/dir/sub/deep|"), "4");
	CHECK_STR(in(0, XS_DIRECTORY, "/|"), "a|b|dir|");
	CHECK_EQ(S.nodes, 7);
	end();
}

static void remove_and_make_again(void)
{
	u32 t;

	begin();
	t = start(k);
	CHECK_STR(in(t, XS_RM, "/dir|"), "OK|");
	CHECK_STR(in(t, XS_READ, "/dir/x|"), "ENOENT|");
	CHECK_STR(in(t, XS_WRITE, "/dir/y|7"), "OK|");
	CHECK_STR(in(t, XS_DIRECTORY, "/dir|"), "y|");
	CHECK_STR(in(t, XS_READ, "/dir/x|"), "ENOENT|");
	CHECK_STR(in(t, XS_RM, "/dir|"), "OK|");
	CHECK_STR(in(t, XS_WRITE, "/dir/x|8"), "OK|");
	CHECK_STR(in(t, XS_DIRECTORY, "/dir|"), "x|");
	CHECK_STR(COMMIT(t), "OK|");
	CHECK_STR(in(0, XS_DIRECTORY, "/dir|"), "x|");
	CHECK_STR(in(0, XS_READ, "/dir/x|"), "8");

	/* made and removed within: nothing happened */
	events(k);
	in(0, XS_WATCH, "/|t|");
	events(k);
	t = start(k);
	in(t, XS_WRITE, "/tmp/x|1");
	in(t, XS_RM, "/tmp|");
	CHECK_STR(COMMIT(t), "OK|");
	CHECK_STR(events(k), "");
	end();
}

/* What was done meanwhile, and what the transaction does at the end */
static void conflicts(void)
{
	static const struct {
		u32 type; const char *body;	/* in the transaction */
		u32 type2; const char *body2;	/* outside */
		const char *result;
	} c[] = {
		{ XS_READ, "/a|", XS_WRITE, "/a|x", "EAGAIN|" },
		{ XS_READ, "/a|", XS_WRITE, "/b|x", "OK|" },
		{ XS_READ, "/a|", XS_RM, "/a|", "EAGAIN|" },
		{ XS_READ, "/a|", XS_SET_PERMS, "/a|n0|r1|", "EAGAIN|" },
		{ XS_READ, "/a|", XS_WRITE, "/a/child|x", "OK|" },
		{ XS_READ, "/none|", XS_WRITE, "/none|x", "EAGAIN|" },
		{ XS_READ, "/none|", XS_WRITE, "/other|x", "OK|" },
		{ XS_WRITE, "/a|y", XS_WRITE, "/a|x", "EAGAIN|" },
		{ XS_WRITE, "/a|y", XS_WRITE, "/b|x", "OK|" },
		{ XS_WRITE, "/dir/new|y", XS_WRITE, "/dir/other|x", "OK|" },
		{ XS_WRITE, "/dir/new|y", XS_WRITE, "/dir/new|x", "EAGAIN|" },
		{ XS_WRITE, "/dir/new|y", XS_RM, "/dir|", "EAGAIN|" },
		{ XS_WRITE, "/dir/x|y", XS_RM, "/dir|", "EAGAIN|" },
		{ XS_WRITE, "/p/q|y", XS_WRITE, "/p/r|x", "EAGAIN|" },
		{ XS_MKDIR, "/a|", XS_RM, "/a|", "EAGAIN|" },
		{ XS_DIRECTORY, "/dir|", XS_WRITE, "/dir/new|x", "EAGAIN|" },
		{ XS_DIRECTORY, "/dir|", XS_RM, "/dir/x|", "EAGAIN|" },
		{ XS_DIRECTORY, "/dir|", XS_WRITE, "/dir/x|x", "OK|" },
		{ XS_DIRECTORY, "/dir|", XS_WRITE, "/dir/sub/new|x", "OK|" },
		{ XS_DIRECTORY, "/|", XS_WRITE, "/new|x", "EAGAIN|" },
		{ XS_RM, "/dir|", XS_WRITE, "/dir/sub/deep|x", "EAGAIN|" },
		{ XS_RM, "/dir|", XS_WRITE, "/dir/sub/new/er|x", "EAGAIN|" },
		{ XS_RM, "/dir|", XS_SET_PERMS, "/dir/sub|n0|r1|", "EAGAIN|" },
		{ XS_RM, "/dir/x|", XS_WRITE, "/dir/sub/deep|x", "OK|" },
		{ XS_RM, "/none|", XS_WRITE, "/none|x", "EAGAIN|" },
		{ XS_GET_PERMS, "/a|", XS_SET_PERMS, "/a|n0|r1|", "EAGAIN|" },
		{ XS_SET_PERMS, "/a|n0|", XS_WRITE, "/a|x", "EAGAIN|" },
		{ XS_READ, "/dir/sub/deep|", XS_RM, "/dir|", "EAGAIN|" },
	};
	unsigned int i;
	u32 t;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		begin();
		t = start(k);
		in(t, c[i].type, c[i].body);
		CHECK_STR(in(0, c[i].type2, c[i].body2), "OK|");
		if (!CHECK_STR(COMMIT(t), c[i].result))
			printf("# case %u: %s / %s\n", i, c[i].body, c[i].body2);
		if (!strcmp(c[i].result, "EAGAIN|")) {
			/* the same again, undisturbed, succeeds */
			t = start(k);
			in(t, c[i].type, c[i].body);
			CHECK_STR(COMMIT(t), "OK|");
		}
		end();
	}
}

/* A node removed and made again meanwhile is not the same node. */
static void same_again_is_not_the_same(void)
{
	u32 t;

	begin();
	t = start(k);
	CHECK_STR(in(t, XS_READ, "/a|"), "1");
	in(0, XS_RM, "/a|");
	in(0, XS_WRITE, "/a|1");
	CHECK_STR(in(t, XS_READ, "/a|"), "1");
	CHECK_STR(COMMIT(t), "EAGAIN|");
	end();
}

static void reads_repeat(void)
{
	u32 t;

	begin();
	t = start(k);
	CHECK_STR(in(t, XS_READ, "/a|"), "1");
	CHECK_STR(in(t, XS_READ, "/gone|"), "ENOENT|");
	in(0, XS_WRITE, "/a|changed");
	in(0, XS_WRITE, "/gone/x|here");
	CHECK_STR(in(t, XS_READ, "/a|"), "1");
	CHECK_STR(in(t, XS_READ, "/gone|"), "ENOENT|");
	CHECK_STR(in(t, XS_READ, "/gone/x|"), "ENOENT|");
	CHECK_STR(in(t, XS_WRITE, "/gone/x|mine"), "OK|");
	CHECK_STR(COMMIT(t), "EAGAIN|");
	CHECK_STR(in(0, XS_READ, "/gone/x|"), "here");
	end();
}

static void two_at_once(void)
{
	u32 t, u;

	begin();
	t = start(k);
	u = start(k);
	CHECK(t != u);
	in(t, XS_READ, "/a|");
	in(t, XS_WRITE, "/dir/t|1");
	in(u, XS_READ, "/a|");
	in(u, XS_WRITE, "/dir/u|1");
	CHECK_STR(COMMIT(u), "OK|");
	CHECK_STR(COMMIT(t), "OK|");
	CHECK_STR(in(0, XS_DIRECTORY, "/dir|"), "x|sub|u|t|");

	/* two counters that count together lose nothing */
	t = start(k);
	u = start(k);
	in(t, XS_READ, "/a|");
	in(u, XS_READ, "/a|");
	in(t, XS_WRITE, "/a|t");
	in(u, XS_WRITE, "/a|u");
	CHECK_STR(COMMIT(t), "OK|");
	CHECK_STR(COMMIT(u), "EAGAIN|");
	CHECK_STR(in(0, XS_READ, "/a|"), "t");
	end();
}

static void parts_of_a_directory(void)
{
	char b[64], *p;
	u32 t;
	int i;

	begin();
	for (i = 0; i < 1000; i++) {
		snprintf(b, sizeof(b), "/big/%d|", i);
		in(0, XS_MKDIR, b);
	}
	t = start(k);
	in(t, XS_RM, "/big/7|");
	in(t, XS_MKDIR, "/big/mine|");
	in(t, XS_DIRECTORY_PART, "/big|3600|");
	p = strchr(k->reply, '|');
	CHECK(strstr(p, "|999|mine||"));
	CHECK(!strstr(k->reply, "|7|"));
	CHECK_STR(COMMIT(t), "OK|");
	end();
}

static void quotas(void)
{
	struct client *u, *dom0;
	char *b = kzalloc(4096, GFP_KERNEL);
	u32 t;
	int i;

	begin();
	dom0 = k;
	u = client_new(1);
	in(0, XS_MKDIR, "/local/domain/1|");
	in(0, XS_SET_PERMS, "/local/domain/1|n1|");
	u->c.quota.nodes = 5;
	k = u;
	t = start(k);
	for (i = 0; i < 4; i++) {
		snprintf(b, 64, "n%d|", i);
		CHECK_STR(in(t, XS_MKDIR, b), "OK|");
	}
	CHECK_STR(in(t, XS_MKDIR, "n4|"), "ENOSPC|");
	CHECK_STR(in(t, XS_RM, "n0|"), "OK|");
	CHECK_STR(in(t, XS_MKDIR, "n4|"), "OK|");
	CHECK_STR(COMMIT(t), "OK|");
	CHECK_EQ(u->c.nodes, 5);

	/* at the quota: one out, one in */
	t = start(k);
	CHECK_STR(in(t, XS_MKDIR, "m|"), "ENOSPC|");
	CHECK_STR(in(t, XS_RM, "n1|"), "OK|");
	CHECK_STR(in(t, XS_MKDIR, "m|"), "OK|");
	CHECK_STR(COMMIT(t), "OK|");
	CHECK_EQ(u->c.nodes, 5);
	CHECK_STR(in(0, XS_DIRECTORY, "/local/domain/1|"), "n2|n3|n4|m|");

	/* two transactions that are each within it, but not together */
	in(0, XS_RM, "m|");
	t = start(k);
	in(t, XS_MKDIR, "p|");
	CHECK_STR(in(0, XS_MKDIR, "q|"), "OK|");
	CHECK_STR(COMMIT(t), "ENOSPC|");
	CHECK_STR(in(0, XS_READ, "p|"), "ENOENT|");
	CHECK_EQ(u->c.nodes, 5);

	k = dom0;
	k->tx = 0;
	client_free(u);
	kfree(b);
	end();
}

/* What one transaction may look at is bounded, and so is what all may hold. */
static void held_memory(void)
{
	struct client *u, *dom0;
	char *b = kzalloc(4096, GFP_KERNEL);
	u32 t;
	int i;

	begin();
	dom0 = k;
	u = client_new(1);
	in(0, XS_MKDIR, "/local/domain/1|");
	in(0, XS_SET_PERMS, "/local/domain/1|n1|");
	k = u;
	t = start(k);
	for (i = 0; i < 3000; i++) {
		snprintf(b, 64, "look%d|", i);
		if (strcmp(in(t, XS_READ, b), "ENOENT|"))
			break;
	}
	CHECK_STR(k->reply, "ENOSPC|");
	CHECK(i <= STORE_TXN_NODES && i > STORE_TXN_NODES - 10);
	u->c.quota.nodes = 2000;
	for (i = 0; i < 1000; i++) {
		if (i % 100 == 0)
			t = start(k);
		memset(b, 'v', 2100);
		memset(b, 0, 9);
		snprintf(b, 9, "v%d", i);
		k->tx = t;
		if (strcmp(req_raw(k, XS_WRITE, b, 9 + 2000), "OK|"))
			break;
	}
	CHECK_STR(k->reply, "ENOSPC|");
	CHECK(u->c.txn_bytes <= STORE_TXN_BYTES && u->c.txn_bytes > STORE_TXN_BYTES - 4096);
	in(0, XS_RESET_WATCHES, "|");
	CHECK_EQ(u->c.txn_bytes, 0);
	CHECK_EQ(u->c.nr_txns, 0);
	k = dom0;
	k->tx = 0;
	client_free(u);
	kfree(b);
	end();
}

static void client_dies(void)
{
	struct client *u;
	u32 t;

	begin();
	u = client_new(1);
	in(0, XS_MKDIR, "/local/domain/1/data|");
	in(0, XS_SET_PERMS, "/local/domain/1/data|n1|");
	t = start(u);
	u->tx = t;
	CHECK_STR(req(u, XS_WRITE, "data/x|1"), "OK|");
	CHECK_STR(req(u, XS_WRITE, "data/y/z|1"), "OK|");
	client_free(u);
	end();
}

static void no_memory(void)
{
	static const struct { u32 type; const char *body; } r[] = {
		{ XS_WRITE, "/a|n" }, { XS_READ, "/b|" }, { XS_WRITE, "/p/q/r|1" }, { XS_RM, "/dir|" },
		{ XS_WRITE, "/dir/sub/z|9" },
		{ XS_SET_PERMS, "/p|n0|r1|" }, { XS_DIRECTORY, "/dir|" }, { XS_MKDIR, "/p/m|" },
		{ XS_TRANSACTION_END, "T|" },
	};
	unsigned int i;
	int n;
	u32 t;

	begin();
	t = start(k);
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		for (n = 1; n < 50; n++) {
			shim_fail_at(n);
			in(t, r[i].type, r[i].body);
			shim_fail_at(0);
			store_verify();
			if (k->reply_type != XS_ERROR)
				break;
			CHECK_STR(k->reply, "ENOMEM|");
		}
		CHECK(n < 50);
	}
	CHECK_STR(in(0, XS_READ, "/p/q/r|"), "1");
	CHECK_STR(in(0, XS_DIRECTORY, "/dir|"), "sub|");
	CHECK_STR(in(0, XS_DIRECTORY, "/dir/sub|"), "z|");
	CHECK_STR(in(0, XS_GET_PERMS, "/p|"), "n0|r1|");
	CHECK_STR(in(0, XS_DIRECTORY, "/p|"), "q|m|");
	end();
}

/*
 * Random transactions against each other: what commits is as if it had run alone. The sum in the
 * four nodes never changes.
 */
static void transfer(u32 *t, int *from, int *to)
{
	char b[32];

	*t = start(k);
	*from = get_random_u32_below(4);
	*to = get_random_u32_below(4);
	snprintf(b, sizeof(b), "/acct/%d|", *from);
	*from = *from << 16 | atoi(in(*t, XS_READ, b));
	snprintf(b, sizeof(b), "/acct/%d|", *to);
	*to = *to << 16 | atoi(in(*t, XS_READ, b));
}

static const char *transfer_end(u32 t, int from, int to)
{
	char b[32];

	if (from >> 16 != to >> 16) {
		snprintf(b, sizeof(b), "/acct/%d|%d", from >> 16, (from & 0xffff) - 1);
		in(t, XS_WRITE, b);
		snprintf(b, sizeof(b), "/acct/%d|%d", to >> 16, (to & 0xffff) + 1);
		in(t, XS_WRITE, b);
	}
	return COMMIT(t);
}

static void serializable(void)
{
	int from[8], to[8], i, j, sum = 0, done = 0;
	char b[32];
	u32 t[8];

	begin();
	for (i = 0; i < 4; i++) {
		snprintf(b, sizeof(b), "/acct/%d|10000", i);
		in(0, XS_WRITE, b);
	}
	for (j = 0; j < 300; j++) {
		for (i = 0; i < 8; i++)
			transfer(&t[i], &from[i], &to[i]);
		for (i = 0; i < 8; i++)
			done += !strcmp(transfer_end(t[i], from[i], to[i]), "OK|");
	}
	for (i = 0; i < 4; i++) {
		snprintf(b, sizeof(b), "/acct/%d|", i);
		sum += atoi(in(0, XS_READ, b));
	}
	CHECK_EQ(sum, 40000);
	CHECK(done >= 300 && done < 2400);
	end();
}

/*
 * What was seen goes meanwhile, with the directory above it: making it again leaves nothing behind
 * but a conflict.
 */
static void made_again_below_what_went(void)
{
	u32 t;

	begin();
	t = start(k);
	CHECK_STR(in(t, XS_READ, "/dir/sub/deep|"), "4");
	CHECK_STR(in(t, XS_DIRECTORY, "/dir/sub|"), "deep|");
	CHECK_STR(in(0, XS_RM, "/dir|"), "OK|");
	CHECK_STR(in(t, XS_WRITE, "/dir/sub/deep|5"), "OK|");
	CHECK_STR(in(t, XS_WRITE, "/dir/sub/deep/er|6"), "OK|");
	CHECK_STR(COMMIT(t), "EAGAIN|");
	CHECK_STR(in(0, XS_READ, "/dir|"), "ENOENT|");
	end();
}

static const char *random_body(u32 type, char *body)
{
	static const char * const rest[] = {
		[XS_WRITE] = "v", [XS_SET_PERMS] = "n0|r3|", [XS_MKDIR] = "", [XS_RM] = "", [XS_READ] = "",
		[XS_DIRECTORY] = "",
	};
	unsigned int depth = get_random_u32_below(4), at = sprintf(body, "/a");

	while (depth--)
		at += sprintf(body + at, "/%c", 'a' + get_random_u32_below(2));
	sprintf(body + at, "|%s", rest[type]);
	return body;
}

/*
 * Few names, three transactions at a time, all kinds of requests in any order: the tree stays one,
 * and nothing is left.
 */
static void any_order(void)
{
	static const u32 types[] = { XS_RM, XS_RM, XS_MKDIR, XS_WRITE, XS_SET_PERMS, XS_DIRECTORY, XS_READ };
	unsigned int round, n;
	char body[64];
	u32 t[3], i, type;

	for (round = 0; round < 4000; round++) {
		begin();
		memset(t, 0, sizeof(t));
		for (n = round % 20 + 4; n; n--) {
			i = get_random_u32_below(3);
			if (!get_random_u32_below(5)) {
				if (t[i])
					in(t[i], XS_TRANSACTION_END, get_random_u32_below(4) ? "T|" : "F|");
				t[i] = t[i] ? 0 : start(k);
				continue;
			}
			type = types[get_random_u32_below(ARRAY_SIZE(types))];
			in(t[i], type, random_body(type, body));
		}
		end();
	}
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(sees_own_changes), KTAP(abort_leaves_nothing), KTAP(remove_and_make_again), KTAP(conflicts),
		KTAP(same_again_is_not_the_same), KTAP(reads_repeat), KTAP(two_at_once), KTAP(parts_of_a_directory),
		KTAP(quotas), KTAP(held_memory),
		KTAP(client_dies), KTAP(no_memory), KTAP(serializable),
		KTAP(made_again_below_what_went), KTAP(any_order), {}
	});
}
