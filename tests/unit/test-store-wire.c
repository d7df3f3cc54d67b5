/* sources: hv-stub/store-*.c */
// SPDX-License-Identifier: GPL-2.0
/* Messages in pieces, nonsense, paths, permission lists, and the ring page. */
#include "store-client.h"

static struct store_conn *conn_new(domid_t id)
{
	struct store_conn *c = kzalloc(sizeof(*c), GFP_KERNEL);

	store_conn_init(c, id, NULL);
	return c;
}

static void paths(void)
{
	static const struct { const char *path; int err; } t[] = {
		{ "/", 0 }, { "/a", 0 }, { "/a/b-c_d@9/Z", 0 },
		{ "", -EINVAL }, { "a", -EINVAL }, { "//", -EINVAL }, { "/a/", -EINVAL }, { "/a//b", -EINVAL },
		{ "/a b", -EINVAL }, { "/a.b", -EINVAL }, { "/\303\244", -EINVAL }, { "/a\n", -EINVAL },
		{ "/+", -EINVAL },
	};
	char buf[XENSTORE_ABS_PATH_MAX + 1], *p;
	struct store_conn *c = conn_new(7);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		if (!CHECK_EQ(store_path_check(t[i].path, 100), t[i].err))
			printf("# path \"%s\"\n", t[i].path);
	CHECK_EQ(store_path_check("/abc", 4), 0);
	CHECK_EQ(store_path_check("/abc", 3), -EINVAL);

	CHECK_EQ(store_path_abs(c, "device/vbd", buf), strlen("/local/domain/7/"));
	CHECK_STR(buf, "/local/domain/7/device/vbd");
	CHECK_EQ(store_path_abs(c, "/x", buf), 0);
	CHECK_STR(buf, "/x");
	CHECK_EQ(store_path_abs(c, "", buf), -EINVAL);
	CHECK_EQ(store_path_abs(c, "@releaseDomain", buf), -EINVAL);

	p = kmalloc(5000, GFP_KERNEL);
	memset(p, 'a', 4999);
	p[0] = '/';
	p[XENSTORE_ABS_PATH_MAX] = '\0';
	CHECK_EQ(store_path_abs(c, p, buf), 0);
	p[XENSTORE_ABS_PATH_MAX] = 'a';
	p[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	CHECK_EQ(store_path_abs(c, p, buf), -EINVAL);
	p[4999] = '\0';
	p[XENSTORE_ABS_PATH_MAX + 1] = 'a';
	CHECK_EQ(store_path_abs(c, p, buf), -EINVAL);
	p[0] = 'a';
	p[XENSTORE_REL_PATH_MAX] = '\0';
	CHECK(store_path_abs(c, p, buf) > 0);
	p[XENSTORE_REL_PATH_MAX] = 'a';
	p[XENSTORE_REL_PATH_MAX + 1] = '\0';
	CHECK_EQ(store_path_abs(c, p, buf), -EINVAL);
	c->quota.path_max = 10;
	CHECK_EQ(store_path_abs(c, "/23456789a", buf), 0);
	CHECK_EQ(store_path_abs(c, "/23456789ab", buf), -EINVAL);
	kfree(p);
	kfree(c);
	CHECK_EQ(shim_alive(), 0);
}

static void permissions(void)
{
	static const char good[] = "n0\0r1\0w2\0b32751";
	static const char *const bad[] = { "x0", "n", "n-1", "n+1", "n65536", "n1x", "nn1", "", "R0" };
	struct store_conn *c = conn_new(1);
	struct store_perms *p, *q;
	char buf[64];
	unsigned int i;

	p = store_perms_parse(good, sizeof(good), 5, 1);
	REQUIRE(!IS_ERR(p));
	CHECK_EQ(p->n, 4);
	CHECK_EQ(store_perms_format(p, buf, sizeof(buf)), sizeof(good));
	CHECK(!memcmp(buf, good, sizeof(good)));
	CHECK_EQ(store_perms_format(p, buf, sizeof(good) - 1), -E2BIG);
	CHECK_EQ(store_perms_of(c, p), STORE_READ);
	c->id = 2;
	CHECK_EQ(store_perms_of(c, p), STORE_WRITE);
	c->id = 32751;
	CHECK_EQ(store_perms_of(c, p), STORE_READ | STORE_WRITE);
	c->id = 9;
	CHECK_EQ(store_perms_of(c, p), 0);
	c->id = 0;
	CHECK_EQ(store_perms_of(c, p), STORE_READ | STORE_WRITE | STORE_OWNER);

	c->id = 2;
	c->born = 2;	/* a later bearer of the number */
	CHECK_EQ(store_perms_of(c, p), 0);
	q = store_perms_inherit(p, c);
	CHECK_EQ(q->p[0].id, 2);
	CHECK_EQ(store_perms_of(c, q), STORE_READ | STORE_WRITE | STORE_OWNER);
	store_perms_put(q);
	c->privileged = true;
	q = store_perms_inherit(p, c);
	CHECK(q == p);
	store_perms_put(q);
	store_perms_put(p);

	CHECK_EQ(PTR_ERR(store_perms_parse(good, sizeof(good), 3, 1)), -ENOSPC);
	CHECK_EQ(PTR_ERR(store_perms_parse(good, sizeof(good) - 1, 5, 1)), -EINVAL);
	CHECK_EQ(PTR_ERR(store_perms_parse(good, 0, 5, 1)), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!CHECK_EQ(PTR_ERR(store_perms_parse(bad[i], strlen(bad[i]) + 1, 5, 1)), -EINVAL))
			printf("# permissions \"%s\"\n", bad[i]);
	kfree(c);
	CHECK_EQ(shim_alive(), 0);
}

static void error_names(void)
{
	CHECK_STR(store_error_name(-ENOENT), "ENOENT");
	CHECK_STR(store_error_name(-E2BIG), "E2BIG");
	CHECK_STR(store_error_name(-EAGAIN), "EAGAIN");
	CHECK_STR(store_error_name(-EPERM), "EINVAL");
}

/* Feed bytes @step at a time; the number of replies. */
static unsigned int feed(struct client *k, const void *bytes, size_t len, size_t step, int *err)
{
	unsigned int replies = 0;
	size_t at = 0, want, n;
	void *to;

	*err = 0;
	while (at < len && !*err) {
		want = store_in_want(&k->c, &to);
		n = min(min(want, step), len - at);
		memcpy(to, bytes + at, n);
		at += n;
		*err = store_in_add(&k->c, n);
		if (!*err && store_in_complete(&k->c)) {
			k->reply_type = XS_INVALID;
			client_pump(k);
			replies += k->reply_type != XS_INVALID;
		}
	}
	return replies;
}

static void pieces(void)
{
	struct { struct xsd_sockmsg h; char body[4]; } m = { { XS_READ, 5, 0, 2 }, "/" };
	struct xsd_sockmsg empty = { XS_READ, 6, 0, 0 };
	struct client *k;
	int err, step;

	store_begin();
	k = client_new(0);
	for (step = 1; step < 20; step++) {
		CHECK_EQ(feed(k, &m, sizeof(m.h) + 2, step, &err), 1);
		CHECK_EQ(err, 0);
		CHECK_EQ(k->reply_type, XS_READ);
	}
	CHECK_EQ(feed(k, &empty, sizeof(empty), 3, &err), 1);
	CHECK_STR(k->reply, "EINVAL|");

	/* half a message is just half a message */
	CHECK_EQ(feed(k, &m, 17, 5, &err), 0);
	CHECK_EQ(k->c.got, 17);
	CHECK_EQ(store_step(&S, &k->c), false);
	CHECK_EQ(feed(k, (char *)&m + 17, 1, 5, &err), 1);

	/* the longest body is fine, one more byte is not */
	m.h.len = 4097;
	CHECK_EQ(feed(k, &m, sizeof(m.h), 1, &err), 0);
	CHECK_EQ(err, -EPROTO);
	k->c.got = 0;
	m.h.len = 0xffffffff;
	CHECK_EQ(feed(k, &m, sizeof(m.h), 16, &err), 0);
	CHECK_EQ(err, -EPROTO);
	k->c.got = 0;
	client_free(k);
	store_end();
}

static void nonsense(void)
{
	static const u32 unknown[] = { XS_WATCH_EVENT, XS_ERROR, 20, 23, 24, 25, 26, 1000, XS_INVALID, ~0u };
	struct client *k, *u;
	unsigned int type, i;

	store_begin();
	k = client_new(0);
	u = client_new(3);
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		CHECK_STR(req(k, unknown[i], "/|"), "ENOSYS|");
	for (type = 0; type < XS_TYPE_COUNT; type++) {
		if (type == XS_TRANSACTION_START || type == XS_RESET_WATCHES)
			continue;	/* have no arguments, and do not look for any */
		req_raw(k, type, NULL, 0);
		CHECK_EQ(k->reply_type, XS_ERROR);
		req(k, type, "no end");
		CHECK_EQ(k->reply_type, XS_ERROR);
		req(k, type, "|||||||||||||||||");
		CHECK_EQ(k->reply_type, XS_ERROR);
	}
	CHECK_STR(req(u, XS_CONTROL, "help|"), "EACCES|");
	CHECK_STR(req(u, XS_INTRODUCE, "3|0|0|"), "EACCES|");
	CHECK_STR(req(k, XS_INTRODUCE, "3|0|0|"), "ENOSYS|");
	CHECK_STR(req(k, XS_CONTROL, "help|"), "Commands:\nhelp\nstats\n|");
	CHECK(strstarts(req(k, XS_CONTROL, "stats|"), "nodes 1\nconnections 2\n"));
	CHECK_STR(req(k, XS_CONTROL, "reboot|"), "EINVAL|");
	k->tx = 99;
	CHECK_STR(req(k, XS_READ, "/|"), "ENOENT|");
	CHECK_STR(req(k, XS_TRANSACTION_END, "T|"), "ENOENT|");
	k->tx = 0;
	CHECK_STR(req(k, XS_TRANSACTION_END, "T|"), "ENOENT|");
	store_verify();
	CHECK_EQ(S.nodes, 1);
	client_free(u);
	client_free(k);
	store_end();
}

/* Random messages of likely types with likely and unlikely bodies. */
static void fuzz_one(struct client *k, u32 *txs)
{
	static const char *const bits[] = { "/", "a", "/a", "/a/b", "device", "/local/domain/3/x", "@releaseDomain",
		"@x", "T", "F",
		"n3", "r0", "b1", "b9", "0", "3", "-1", "//", "", "tok", "..", "\377" };
	char body[XENSTORE_PAYLOAD_MAX];
	size_t len = 0, n, i;

	if (get_random_u32_below(20)) {
		for (i = get_random_u32_below(4); i < 4; i++) {
			const char *b = bits[get_random_u32_below(ARRAY_SIZE(bits))];

			n = strlen(b);
			memcpy(body + len, b, n);
			len += n;
			if (get_random_u32_below(10))
				body[len++] = 0;
		}
	} else {
		len = get_random_u32_below(sizeof(body) + 1);
		for (i = 0; i < len; i++)
			body[i] = get_random_u32();
	}
	k->tx = txs[get_random_u32_below(4)];
	req_raw(k, get_random_u32_below(XS_TYPE_COUNT + 1), body, len);
	if (k->reply_type == XS_TRANSACTION_START)
		txs[get_random_u32_below(3) + 1] = strtoul(k->reply, NULL, 10);
	k->log[0] = '\0';
}

static void fuzz(void)
{
	struct client *k[3];
	u32 txs[3][4] = { };
	int i;

	store_begin();
	for (i = 0; i < 3; i++)
		k[i] = client_new(i * 3);
	for (i = 0; i < 60000; i++) {
		fuzz_one(k[i % 3], txs[i % 3]);
		if (i % 5000 == 0)
			store_verify();
	}
	for (i = 1; i < 3; i++) {
		CHECK(k[i]->c.nodes <= STORE_QUOTA_NODES);
		CHECK(k[i]->c.nr_txns <= STORE_QUOTA_TRANSACTIONS);
	}
	store_verify();
	for (i = 2; i >= 0; i--)
		client_free(k[i]);
	store_end();
}

/* --- The ring page ---------------------------------------------------------------------------- */

static void ring(void)
{
	struct xenstore_domain_interface *intf = kzalloc(4096, GFP_KERNEL);
	char buf[2048], got[2048];
	struct store_ring r;
	u32 start = 0xfffffff0;	/* indices may stand anywhere, and wrap */
	int i;

	for (i = 0; i < (int)sizeof(buf); i++)
		buf[i] = i * 7;
	intf->req_prod = intf->req_cons = start;
	intf->rsp_prod = intf->rsp_cons = start;
	store_ring_init(&r, intf);
	CHECK_EQ(intf->server_features, XENSTORE_SERVER_FEATURE_ERROR);

	CHECK_EQ(store_ring_read(&r, got, 100), 0);
	for (i = 0; i < 1024; i++)
		intf->req[(start + i) % 1024] = buf[i];
	intf->req_prod = start + 1024;
	CHECK_EQ(store_ring_read(&r, got, 100), 100);
	intf->req_cons = 0x1234;	/* not the domain's to say */
	CHECK_EQ(store_ring_read(&r, got + 100, 2000), 924);
	CHECK(!memcmp(got, buf, 1024));
	CHECK_EQ(intf->req_cons, start + 1024);

	CHECK_EQ(store_ring_write(&r, buf, 2048), 1024);
	CHECK_EQ(store_ring_write(&r, buf, 1), 0);
	intf->rsp_prod = 3;
	intf->rsp_cons += 10;
	CHECK_EQ(store_ring_write(&r, buf + 1024, 100), 10);
	CHECK_EQ(intf->rsp_prod, start + 1034);
	for (i = 10; i < 1034; i++)
		got[i] = intf->rsp[(start + i) % 1024];
	CHECK(!memcmp(got + 10, buf + 10, 1024));

	intf->req_prod = r.req_cons + 1025;
	CHECK_EQ(store_ring_read(&r, got, 1), -EPROTO);
	intf->req_prod = r.req_cons - 1;
	CHECK_EQ(store_ring_read(&r, got, 1), -EPROTO);
	intf->rsp_cons = r.rsp_prod + 1;
	CHECK_EQ(store_ring_write(&r, got, 1), -EPROTO);
	intf->rsp_cons = r.rsp_prod - 1025;
	CHECK_EQ(store_ring_write(&r, got, 1), -EPROTO);
	store_ring_fail(&r, XENSTORE_ERROR_RINGIDX);
	CHECK_EQ(intf->error, XENSTORE_ERROR_RINGIDX);
	kfree(intf);
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(paths), KTAP(permissions), KTAP(error_names), KTAP(pieces), KTAP(nonsense), KTAP(fuzz), KTAP(ring),
		{}
	});
}
