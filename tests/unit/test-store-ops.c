/* sources: hv-stub/store-*.c */
// SPDX-License-Identifier: GPL-2.0
/* Each operation outside transactions: replies, errors, permissions, quotas, large directories. */
#include "store-client.h"

static void read_write(void)
{
	struct client *k;

	store_begin();
	k = client_new(0);
	CHECK_STR(req(k, XS_READ, "/|"), "");
	CHECK_STR(req(k, XS_READ, "/a|"), "ENOENT|");
	CHECK_STR(req(k, XS_WRITE, "/a/b/c|val"), "OK|");
	CHECK_STR(req(k, XS_READ, "/a/b/c|"), "val");
	CHECK_STR(req(k, XS_READ, "/a/b|"), "");
	CHECK_EQ(S.nodes, 4);
	CHECK_STR(req(k, XS_WRITE, "/a/b/c|"), "OK|");
	CHECK_STR(req(k, XS_READ, "/a/b/c|"), "");
	CHECK_EQ(k->reply_type, XS_READ);
	CHECK_STR(req(k, XS_WRITE, "/bin|a|b|"), "OK|");
	CHECK_STR(req(k, XS_READ, "/bin|"), "a|b|");
	CHECK_STR(req(k, XS_WRITE, "rel|1"), "OK|");
	CHECK_STR(req(k, XS_READ, "/local/domain/0/rel|"), "1");
	CHECK_STR(req(k, XS_WRITE, "/|root"), "OK|");
	CHECK_STR(req(k, XS_READ, "/|"), "root");
	CHECK_STR(req(k, XS_WRITE, "/nonul"), "EINVAL|");
	CHECK_STR(req(k, XS_WRITE, ""), "EINVAL|");
	CHECK_STR(req(k, XS_WRITE, "@releaseDomain|x"), "EINVAL|");
	CHECK_STR(req(k, XS_READ, "/a|/b|"), "EINVAL|");
	CHECK_EQ(k->c.out.hdr.req_id, 77);
	store_verify();
	client_free(k);
	store_end();
}

static void mkdir_rm_directory(void)
{
	struct client *k;

	store_begin();
	k = client_new(0);
	CHECK_STR(req(k, XS_MKDIR, "/d/e|"), "OK|");
	CHECK_STR(req(k, XS_WRITE, "/d/f|1"), "OK|");
	CHECK_STR(req(k, XS_MKDIR, "/d/f|"), "OK|");
	CHECK_STR(req(k, XS_READ, "/d/f|"), "1");
	CHECK_STR(req(k, XS_DIRECTORY, "/d|"), "e|f|");
	CHECK_STR(req(k, XS_DIRECTORY, "/d/e|"), "");
	CHECK_STR(req(k, XS_DIRECTORY, "/x|"), "ENOENT|");
	CHECK_STR(req(k, XS_RM, "/d/x|"), "OK|");
	CHECK_STR(req(k, XS_RM, "/x/y|"), "ENOENT|");
	CHECK_STR(req(k, XS_RM, "/|"), "EINVAL|");
	CHECK_STR(req(k, XS_RM, "/d|"), "OK|");
	CHECK_STR(req(k, XS_DIRECTORY, "/|"), "");
	CHECK_EQ(S.nodes, 1);
	CHECK_EQ(k->c.nodes, 1);
	store_verify();
	client_free(k);
	store_end();
}

/* The home of a guest, as store.c makes it */
static struct client *guest_new(struct client *dom0, int id)
{
	struct client *u;
	char b[64];

	snprintf(b, sizeof(b), "/local/domain/%d|", id);
	req(dom0, XS_MKDIR, b);
	u = client_new(id);
	snprintf(b, sizeof(b), "/local/domain/%d|n%d|", id, id);
	CHECK_STR(req(dom0, XS_SET_PERMS, b), "OK|");
	return u;
}

static void permissions(void)
{
	struct client *k, *u, *v;

	store_begin();
	k = client_new(0);
	u = guest_new(k, 1);
	v = guest_new(k, 2);
	CHECK_STR(req(u, XS_READ, "/|"), "EACCES|");
	CHECK_STR(req(u, XS_READ, "/nothing|"), "EACCES|");
	CHECK_STR(req(u, XS_READ, "nothing|"), "ENOENT|");
	CHECK_STR(req(u, XS_WRITE, "/mine|1"), "EACCES|");
	CHECK_STR(req(u, XS_MKDIR, "/mine|"), "EACCES|");
	CHECK_STR(req(u, XS_RM, "/local|"), "EACCES|");
	CHECK_STR(req(u, XS_WRITE, "a/b|1"), "OK|");
	CHECK_STR(req(u, XS_GET_PERMS, "a/b|"), "n1|");
	CHECK_STR(req(v, XS_READ, "/local/domain/1/a/b|"), "EACCES|");
	CHECK_STR(req(u, XS_SET_PERMS, "a/b|n1|r2|"), "OK|");
	CHECK_STR(req(v, XS_READ, "/local/domain/1/a/b|"), "1");
	CHECK_STR(req(v, XS_WRITE, "/local/domain/1/a/b|2"), "EACCES|");
	CHECK_STR(req(v, XS_SET_PERMS, "/local/domain/1/a/b|n1|b2|"), "EACCES|");
	CHECK_STR(req(u, XS_SET_PERMS, "a/b|n1|b2|"), "OK|");
	CHECK_STR(req(v, XS_WRITE, "/local/domain/1/a/b|2"), "OK|");
	CHECK_STR(req(v, XS_SET_PERMS, "/local/domain/1/a/b|n2|"), "EACCES|");
	CHECK_STR(req(u, XS_SET_PERMS, "a/b|n2|"), "EACCES|");

	/*
	 * what a guest makes in another's directory is its own; domain 0 makes it the directory's
	 */
	CHECK_STR(req(v, XS_WRITE, "/local/domain/1/a/b/c|3"), "OK|");
	CHECK_STR(req(k, XS_GET_PERMS, "/local/domain/1/a/b/c|"), "n2|b2|");
	CHECK_STR(req(k, XS_WRITE, "/local/domain/1/a/b/d|3"), "OK|");
	CHECK_STR(req(k, XS_GET_PERMS, "/local/domain/1/a/b/d|"), "n1|b2|");
	CHECK_EQ(v->c.nodes, 2);

	CHECK_STR(req(k, XS_SET_PERMS, "/local/domain/1/a/b|n2|"), "OK|");
	CHECK_STR(req(u, XS_READ, "a/b|"), "EACCES|");
	CHECK_STR(req(k, XS_READ, "/local/domain/1/a/b|"), "2");
	CHECK_STR(req(k, XS_SET_PERMS, "/local/domain/1/a/b|"), "EINVAL|");
	CHECK_STR(req(k, XS_SET_PERMS, "/local/domain/1/a/b|q2|"), "EINVAL|");
	CHECK_STR(req(k, XS_SET_PERMS, "/none|n2|"), "ENOENT|");
	store_verify();
	client_free(v);
	client_free(u);
	CHECK_STR(req(k, XS_DIRECTORY, "/local/domain|"), "");
	store_verify();
	client_free(k);
	store_end();
}

/* A permission for an earlier bearer of a domid is void. */
static void reborn(void)
{
	struct client *k, *u;

	store_begin();
	k = client_new(0);
	u = guest_new(k, 1);
	req(k, XS_WRITE, "/secret|1");
	req(k, XS_SET_PERMS, "/secret|n0|r1|");
	CHECK_STR(req(u, XS_READ, "/secret|"), "1");
	client_free(u);
	u = guest_new(k, 1);
	CHECK_STR(req(u, XS_READ, "/secret|"), "EACCES|");
	req(k, XS_SET_PERMS, "/secret|n0|r1|");
	CHECK_STR(req(u, XS_READ, "/secret|"), "1");
	client_free(u);
	client_free(k);
	store_end();
}

static void domains(void)
{
	struct client *k, *u;

	store_begin();
	k = client_new(0);
	u = client_new(5);
	CHECK_STR(req(u, XS_GET_DOMAIN_PATH, "12|"), "/local/domain/12|");
	CHECK_STR(req(u, XS_GET_DOMAIN_PATH, "32752|"), "/local/domain/5|");
	CHECK_STR(req(u, XS_GET_DOMAIN_PATH, "x|"), "EINVAL|");
	CHECK_STR(req(k, XS_IS_DOMAIN_INTRODUCED, "5|"), "T|");
	CHECK_STR(req(k, XS_IS_DOMAIN_INTRODUCED, "6|"), "F|");
	client_free(u);
	CHECK_STR(req(k, XS_IS_DOMAIN_INTRODUCED, "5|"), "F|");
	client_free(k);
	store_end();
}

/*
 * Nodes outside the home of a domain that dies: gone, or domain 0's when others have nodes in them.
 */
static void leftovers(void)
{
	struct client *k, *u;

	store_begin();
	k = client_new(0);
	req(k, XS_WRITE, "/early|1");
	req(k, XS_SET_PERMS, "/early|n1|");
	u = guest_new(k, 1);
	CHECK_EQ(u->c.nodes, 2);	/* with the one that was there before it */
	req(k, XS_MKDIR, "/shared|");
	req(k, XS_SET_PERMS, "/shared|b0|");
	CHECK_STR(req(u, XS_WRITE, "/shared/x/y/z|1"), "OK|");
	CHECK_STR(req(u, XS_WRITE, "/shared/p/q|1"), "OK|");
	req(k, XS_MKDIR, "/shared/p/q/zero|");
	req(k, XS_SET_PERMS, "/shared/p/q/zero|n0|");
	CHECK_EQ(u->c.nodes, 7);
	store_verify();
	client_free(u);
	store_verify();
	CHECK_STR(req(k, XS_DIRECTORY, "/|"), "local|shared|");
	CHECK_STR(req(k, XS_DIRECTORY, "/shared|"), "p|");
	CHECK_STR(req(k, XS_DIRECTORY, "/shared/p/q|"), "zero|");
	CHECK_STR(req(k, XS_GET_PERMS, "/shared/p|"), "n0|");
	client_free(k);
	store_end();
}

static void quotas(void)
{
	struct client *k, *u;
	char *b = kmalloc(8192, GFP_KERNEL);
	int i;

	store_begin();
	k = client_new(0);
	u = guest_new(k, 1);
	u->c.quota.nodes = 10;
	for (i = 0; i < 9; i++) {
		snprintf(b, 64, "n%d|", i);
		CHECK_STR(req(u, XS_MKDIR, b), "OK|");
	}
	CHECK_STR(req(u, XS_MKDIR, "n9|"), "ENOSPC|");
	CHECK_STR(req(u, XS_WRITE, "n9|x"), "ENOSPC|");
	CHECK_STR(req(u, XS_WRITE, "n8|x"), "OK|");
	CHECK_STR(req(u, XS_RM, "n8|"), "OK|");
	CHECK_STR(req(u, XS_WRITE, "n9/too/deep|x"), "ENOSPC|");
	CHECK_STR(req(u, XS_DIRECTORY, "n9|"), "ENOENT|");
	CHECK_STR(req(u, XS_WRITE, "n9|x"), "OK|");
	CHECK_EQ(u->c.nodes, 10);

	strcpy(b, "n9");
	memset(b + 3, 'v', 2049);
	req_raw(u, XS_WRITE, b, 3 + 2048);
	CHECK_STR(u->reply, "OK|");
	req_raw(u, XS_WRITE, b, 3 + 2049);
	CHECK_STR(u->reply, "ENOSPC|");
	CHECK_STR(req(u, XS_SET_PERMS, "n9|n1|r2|r3|r4|r5|"), "OK|");
	CHECK_STR(req(u, XS_SET_PERMS, "n9|n1|r2|r3|r4|r5|r6|"), "ENOSPC|");

	for (i = 0; i < 128; i++) {
		snprintf(b, 64, "n9|%d|", i);
		CHECK_STR(req(u, XS_WATCH, b), "OK|");
	}
	CHECK_STR(req(u, XS_WATCH, "n9|more|"), "E2BIG|");
	CHECK_STR(req(u, XS_UNWATCH, "n9|5|"), "OK|");
	CHECK_STR(req(u, XS_WATCH, "n9|more|"), "OK|");
	for (i = 0; i < 10; i++)
		CHECK(req(u, XS_TRANSACTION_START, "|") && u->reply_type == XS_TRANSACTION_START);
	CHECK_STR(req(u, XS_TRANSACTION_START, "|"), "ENOSPC|");
	CHECK_STR(req(u, XS_RESET_WATCHES, "|"), "OK|");
	CHECK_EQ(u->c.nr_watches + u->c.nr_txns, 0);
	CHECK(req(u, XS_TRANSACTION_START, "|") && u->reply_type == XS_TRANSACTION_START);

	/* domain 0 has no quotas */
	for (i = 0; i < 3000; i++) {
		snprintf(b, 64, "/many/%d|", i);
		CHECK_STR(req(k, XS_MKDIR, b), "OK|");
	}
	store_verify();
	client_free(u);
	client_free(k);
	kfree(b);
	store_end();
}

/*
 * Read a whole directory in parts, as libxenstore does. The number of names, or -1 when it changed
 * under way.
 */
static int read_parts(struct client *k, const char *dir, void (*between)(struct client *k))
{
	unsigned int off = 0, names = 0;
	char b[128], gen[32] = "", *p, *end;

	for (;;) {
		snprintf(b, sizeof(b), "%s|%u|", dir, off);
		req(k, XS_DIRECTORY_PART, b);
		if (!CHECK_EQ(k->reply_type, XS_DIRECTORY_PART) || !CHECK(k->reply_len <= XENSTORE_PAYLOAD_MAX))
			return -2;
		p = strchr(k->reply, '|');
		*p++ = '\0';
		if (off && strcmp(gen, k->reply))
			return -1;
		strcpy(gen, k->reply);
		end = k->reply + k->reply_len;
		for (; p < end && *p != '|'; p = strchr(p, '|') + 1) {
			names++;
			off += strchr(p, '|') + 1 - p;
		}
		if (p < end)
			return names;
		if (between)
			between(k);
	}
}

static void change_dir(struct client *k)
{
	CHECK_STR(req(k, XS_RM, "/big/child-17|"), "OK|");
}

static void large_directory(void)
{
	struct client *k;
	char b[64];
	int i;

	store_begin();
	k = client_new(0);
	for (i = 0; i < 10000; i++) {
		snprintf(b, sizeof(b), "/big/child-%d|", i);
		CHECK_STR(req(k, XS_MKDIR, b), "OK|");
	}
	CHECK_STR(req(k, XS_DIRECTORY, "/big|"), "E2BIG|");
	CHECK_EQ(read_parts(k, "/big", NULL), 10000);
	CHECK_EQ(read_parts(k, "/big", change_dir), -1);
	CHECK_EQ(read_parts(k, "/big", NULL), 9999);
	CHECK_EQ(read_parts(k, "/big/child-3", NULL), 0);
	CHECK_STR(req(k, XS_DIRECTORY_PART, "/big|x|"), "EINVAL|");
	CHECK_STR(req(k, XS_DIRECTORY_PART, "/big|"), "EINVAL|");
	CHECK_STR(req(k, XS_DIRECTORY_PART, "/big|-1|"), "EINVAL|");
	CHECK(req(k, XS_DIRECTORY_PART, "/big|4000000000|") && k->reply[k->reply_len - 1] == '|');
	CHECK(S.bits > 8);
	store_verify();
	CHECK_STR(req(k, XS_RM, "/big|"), "OK|");
	CHECK_EQ(S.nodes, 1);
	client_free(k);
	store_end();
}

static void directory_of_4096_bytes(void)
{
	struct client *k;
	char b[64];
	int i;

	store_begin();
	k = client_new(0);
	for (i = 0; i < 512; i++) {
		snprintf(b, sizeof(b), "/d/1234%03d|", i);
		req(k, XS_MKDIR, b);
	}
	req(k, XS_DIRECTORY, "/d|");
	CHECK_EQ(k->reply_type, XS_DIRECTORY);
	CHECK_EQ(k->reply_len, 4096);
	req(k, XS_MKDIR, "/d/x|");
	CHECK_STR(req(k, XS_DIRECTORY, "/d|"), "E2BIG|");
	client_free(k);
	store_end();
}

static void deepest_path(void)
{
	struct client *k;
	char *b = kzalloc(4096, GFP_KERNEL);
	int i;

	store_begin();
	k = client_new(0);
	for (i = 0; i < XENSTORE_ABS_PATH_MAX; i += 2)
		memcpy(b + i, "/x", 2);
	CHECK_STR(req_raw(k, XS_MKDIR, b, XENSTORE_ABS_PATH_MAX + 1), "OK|");
	CHECK_EQ(S.nodes, 1 + XENSTORE_ABS_PATH_MAX / 2);
	store_verify();
	CHECK_STR(req(k, XS_RM, "/x|"), "OK|");
	CHECK_EQ(S.nodes, 1);
	client_free(k);
	kfree(b);
	store_end();
}

/* --- Running out of memory at every single place ---------------------------------------------- */

/* A picture of the whole tree, to see whether anything changed. */
static char *picture(void)
{
	static char buf[1 << 16];
	struct store_node *n;
	size_t at = 0;

	for (n = S.root; n; n = store_next(n, S.root)) {
		at += store_node_path(n, buf + at, sizeof(buf) - at);
		at += scnprintf(buf + at, sizeof(buf) - at, "=%.*s ", (int)n->value->len, n->value->data);
		at += max(store_perms_format(n->perms, buf + at, sizeof(buf) - at), 0);
		buf[at++] = '\n';
	}
	buf[at] = '\0';
	return buf;
}

static void no_memory(void)
{
	static const struct { u32 type; const char *body; } r[] = {
		{ XS_WRITE, "/a/b/c/d|1" }, { XS_WRITE, "/a/b/c/d|22" }, { XS_MKDIR, "/m/n/o|" },
		{ XS_SET_PERMS, "/m/n|n1|r2|" },
		{ XS_WATCH, "/m|tok|" }, { XS_WRITE, "/m/n/o|3" }, { XS_TRANSACTION_START, "|" },
		{ XS_DIRECTORY, "/|" },
		{ XS_READ, "/a/b/c/d|" }, { XS_RM, "/m|" }, { XS_WRITE, "/local/domain/1/data/x|guest" },
		{ XS_UNWATCH, "/m|tok|" },
	};
	static char before[1 << 16];
	struct client *k, *u;
	unsigned int i;
	int n;

	store_begin();
	k = client_new(0);
	u = guest_new(k, 1);
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		for (n = 1; n < 100; n++) {
			struct client *who = i == 10 ? u : k;

			strcpy(before, picture());
			shim_fail_at(n);
			req(who, r[i].type, r[i].body);
			shim_fail_at(0);
			store_verify();
			if (who->reply_type != XS_ERROR)
				break;
			CHECK_STR(who->reply, "ENOMEM|");
			CHECK_STR(picture(), before);
		}
		CHECK(n < 100);
	}
	client_free(u);
	client_free(k);
	store_end();
}

static void no_memory_to_begin(void)
{
	int n;

	for (n = 1; n < 100; n++) {
		memset(&S, 0, sizeof(S));
		shim_fail_at(n);
		if (!store_init(&S))
			break;
		shim_fail_at(0);
		CHECK_EQ(shim_alive(), 0);
	}
	shim_fail_at(0);
	CHECK(n > 1 && n < 100);
	store_end();
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(read_write), KTAP(mkdir_rm_directory), KTAP(permissions), KTAP(reborn), KTAP(domains),
		KTAP(leftovers),
		KTAP(quotas), KTAP(large_directory), KTAP(directory_of_4096_bytes), KTAP(deepest_path), KTAP(no_memory),
		KTAP(no_memory_to_begin), {}
	});
}
