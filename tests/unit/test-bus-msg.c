/* sources: xenbus/store-msg.c xenbus/node.c */
// SPDX-License-Identifier: GPL-2.0
/* Bodies of store messages, and device directories. */
#include <errno.h>
#include <xen/interface/xen.h>
#include <xen/interface/io/xs_wire.h>
#include "ktap.h"
#include "../../xenbus/node.h"
#include "../../xenbus/store-msg.h"

static void errors(void)
{
	static const int all[] = {
		EINVAL, EACCES, EEXIST, EISDIR, ENOENT, ENOMEM, ENOSPC, EIO, ENOTEMPTY, ENOSYS, EROFS,
		EBUSY, EAGAIN, EISCONN, E2BIG, EPERM
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		const char *name = xpv_msg_errname(-all[i]);

		CHECK_EQ(xpv_msg_errno(name, strlen(name) + 1), -all[i]);
		CHECK_EQ(xpv_msg_errno(name, strlen(name)), -all[i]);
	}
	CHECK_EQ(xpv_msg_errno("ENOENT", 3), -EIO);
	CHECK_EQ(xpv_msg_errno("", 0), -EIO);
	CHECK_EQ(xpv_msg_errno("EWHAT", 6), -EIO);
	CHECK_STR(xpv_msg_errname(-ESHUTDOWN), "EIO");
}

static int number(const char *text, u64 max, u64 *v)
{
	return xpv_msg_number(text, strlen(text), max, v);
}

static void numbers(void)
{
	static const char * const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1\n", "0x10", "1a", "a", "184467440737095516150000"
	};
	unsigned int i;
	u64 v = 77;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(number(bad[i], U64_MAX, &v), -EINVAL);
	CHECK_EQ(xpv_msg_number("1\0a", 3, 99, &v), -EINVAL);
	CHECK_EQ(number("18446744073709551616", U64_MAX, &v), -ERANGE);
	CHECK_EQ(number("8", 7, &v), -ERANGE);
	CHECK_EQ(v, 77);
	CHECK_EQ(number("18446744073709551615", U64_MAX, &v), 0);
	CHECK(v == U64_MAX);
	CHECK_EQ(number("007", 7, &v), 0);
	CHECK_EQ(v, 7);
}

static void paths(void)
{
	char path[XENSTORE_ABS_PATH_MAX + 2];

	CHECK(xpv_msg_path_ok("/local/domain/0"));
	CHECK(xpv_msg_path_ok("device/vbd/51712"));
	CHECK(xpv_msg_path_ok("@introduceDomain"));
	CHECK(!xpv_msg_path_ok(""));
	CHECK(!xpv_msg_path_ok("/"));
	CHECK(!xpv_msg_path_ok("/a//b"));
	CHECK(!xpv_msg_path_ok("/a/"));
	CHECK(!xpv_msg_path_ok("/a b"));
	CHECK(!xpv_msg_path_ok("/a\n"));
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	CHECK(!xpv_msg_path_ok(path));
	path[sizeof(path) - 2] = 0;
	CHECK(xpv_msg_path_ok(path));
	path[0] = 'a';
	CHECK(!xpv_msg_path_ok(path));
}

static void pairs(void)
{
	const char *a, *b;

	CHECK_EQ(xpv_msg_pair("path\0token", 11, &a, &b), 0);
	CHECK_STR(a, "path");
	CHECK_STR(b, "token");
	CHECK_EQ(xpv_msg_pair("path\0", 6, &a, &b), 0);
	CHECK_STR(b, "");
	CHECK_EQ(xpv_msg_pair("path\0token", 10, &a, &b), -EINVAL);
	CHECK_EQ(xpv_msg_pair("path\0token", 5, &a, &b), -EINVAL);
	CHECK_EQ(xpv_msg_pair("path\0token", 4, &a, &b), -EINVAL);
	CHECK_EQ(xpv_msg_pair("", 0, &a, &b), -EINVAL);
}

static void parts(void)
{
	const char *names;
	size_t len;
	bool last;
	u64 gen;

	CHECK_EQ(xpv_msg_part("12\0a\0b\0", 7, &gen, &names, &len, &last), 0);
	CHECK_EQ(gen, 12);
	CHECK_EQ(len, 4);
	CHECK(!last);
	CHECK_EQ(xpv_msg_part("12\0a\0b\0", 8, &gen, &names, &len, &last), 0);
	CHECK_EQ(len, 4);
	CHECK(last);
	CHECK_EQ(xpv_msg_part("12\0", 4, &gen, &names, &len, &last), 0);
	CHECK_EQ(len, 0);
	CHECK(last);
	CHECK_EQ(xpv_msg_part("12\0", 3, &gen, &names, &len, &last), -EIO);
	CHECK_EQ(xpv_msg_part("12\0ab", 5, &gen, &names, &len, &last), -EIO);
	CHECK_EQ(xpv_msg_part("x\0a", 4, &gen, &names, &len, &last), -EIO);
	CHECK_EQ(xpv_msg_part("", 0, &gen, &names, &len, &last), -EIO);
}

static void splits(void)
{
	const char *key;
	size_t len;

	CHECK(!xpv_node_split("device", false, &len, &key));
	CHECK(!xpv_node_split("device/vbd", false, &len, &key));
	CHECK(xpv_node_split("device/vbd/51712", false, &len, &key));
	CHECK_EQ(len, 16);
	CHECK_STR(key, "");
	CHECK(xpv_node_split("device/vbd/51712/queue-0/ring-ref", false, &len, &key));
	CHECK_EQ(len, 16);
	CHECK_STR(key, "queue-0/ring-ref");
	CHECK(!xpv_node_split("backend/vbd/1", true, &len, &key));
	CHECK(xpv_node_split("backend/vbd/1/51712/state", true, &len, &key));
	CHECK_EQ(len, 19);
	CHECK_STR(key, "state");
}

static void nodes(void)
{
	static const char * const bad[] = {
		"device", "device/vbd", "device/vbd/", "device//1", "device/vbd/1/x", "device/v:d/1",
		"device/v-bd/1", "device/vbd/2-1", "backend/vbd/1", "device/vbd/a b",
		"device/vbd/1234567890123456789012345678901234567890"
	};
	static const char * const bad_back[] = {
		"backend/vbd/x/1", "backend/vbd/32752/1", "backend/vbd/1/", "device/vbd/1/2",
		"backend/vbd//1", "backend/vbd/1/2/3"
	};
	struct xpv_node n;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(xpv_node_parse(bad[i], false, &n), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad_back); i++)
		CHECK_EQ(xpv_node_parse(bad_back[i], true, &n), -EINVAL);
	CHECK_EQ(xpv_node_parse("device/vbd/51712", false, &n), 0);
	CHECK_STR(n.type, "vbd");
	CHECK_STR(n.id, "51712");
	CHECK_EQ(xpv_node_parse("backend/vif/7/0", true, &n), 0);
	CHECK_STR(n.type, "vif");
	CHECK_EQ(n.domid, 7);
	CHECK_STR(n.id, "0");
}

static const char *otherend(const struct xpv_node *n, const char *path, const char *id)
{
	u16 domid;

	return xpv_node_otherend(n, path, id, strlen(id), &domid);
}

static void otherends(void)
{
	struct xpv_node f, b;
	u16 domid;

	REQUIRE(!xpv_node_parse("device/vbd/1", false, &f));
	REQUIRE(!xpv_node_parse("backend/vbd/7/1", true, &b));
	CHECK(!xpv_node_otherend(&f, "/local/domain/3/backend/vbd3/7/1", "3", 1, &domid));
	CHECK_EQ(domid, 3);
	CHECK(!otherend(&b, "/local/domain/7/device/vbd/1", "7"));
	CHECK(otherend(&f, "/local/domain/3/backend", "4"));
	CHECK(otherend(&f, "/local/domain/33/backend", "3"));
	CHECK(otherend(&f, "/local/domain/3", "3"));
	CHECK(otherend(&f, "/local/domain/3/", "3"));
	CHECK(otherend(&f, "backend/vbd/7/1", "3"));
	CHECK(otherend(&f, "", "3"));
	CHECK(otherend(&f, "/local/domain/3/a", ""));
	CHECK(otherend(&f, "/local/domain/32752/a", "32752"));
	CHECK(otherend(&f, "/local/domain/3/a//b", "3"));
	CHECK(otherend(&b, "/local/domain/8/device/vbd/1", "8"));
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(errors), KTAP(numbers), KTAP(paths), KTAP(pairs), KTAP(parts), KTAP(splits),
		KTAP(nodes), KTAP(otherends), {}
	});
}
