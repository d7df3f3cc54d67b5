/* sources: hv-stub/store-*.c */
// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: exactly which events each change fires, whom they reach, and what happens to those that
 * nobody reads.
 */
#include "store-client.h"

static struct client *k, *u;

static void begin(void)
{
	store_begin();
	k = client_new(0);
	req(k, XS_WRITE, "/a/b/c|1");
	req(k, XS_WRITE, "/a/d|1");
	req(k, XS_MKDIR, "/local/domain/1|");
	u = client_new(1);
	req(k, XS_SET_PERMS, "/local/domain/1|n1|");
}

static void end(void)
{
	store_verify();
	client_free(u);
	client_free(k);
	store_end();
}

static void once_at_registration(void)
{
	begin();
	CHECK_STR(req(k, XS_WATCH, "/a|tok|"), "OK|");
	CHECK_STR(events(k), "/a|tok ");
	CHECK_STR(req(k, XS_WATCH, "/not/there|t2|"), "OK|");
	CHECK_STR(events(k), "/not/there|t2 ");
	CHECK_STR(req(k, XS_WATCH, "/a|tok|"), "EEXIST|");
	CHECK_STR(req(k, XS_WATCH, "/a|other|"), "OK|");
	CHECK_STR(events(k), "/a|other ");
	CHECK_STR(req(k, XS_WATCH, "/a//b|t|"), "EINVAL|");
	CHECK_STR(req(k, XS_WATCH, "@nothing|t|"), "EINVAL|");
	CHECK_STR(req(k, XS_WATCH, "/a|"), "EINVAL|");
	CHECK_STR(req(k, XS_UNWATCH, "/a|none|"), "ENOENT|");
	CHECK_STR(req(k, XS_UNWATCH, "/a|tok|"), "OK|");
	CHECK_STR(req(k, XS_UNWATCH, "/a|tok|"), "ENOENT|");
	CHECK_EQ(k->c.nr_watches, 2);
	req(k, XS_WRITE, "/a|x");
	CHECK_STR(events(k), "/a|other ");
	end();
}

static void each_change(void)
{
	static const struct { u32 type; const char *body; const char *events; } c[] = {
		{ XS_WRITE, "/a|1", "/a|root /a|a " },
		{ XS_WRITE, "/a/b|1", "/a/b|root /a/b|a /a/b|b " },
		{ XS_WRITE, "/a/b/c|2", "/a/b/c|root /a/b/c|a /a/b/c|b /a/b/c|c " },
		{ XS_WRITE, "/ab|1", "/ab|root " },
		{ XS_MKDIR, "/a/b|", "" },
		{ XS_MKDIR, "/a/new|", "/a/new|root /a/new|a " },
		{ XS_WRITE, "/a/p/q/r|1", "/a/p/q/r|root /a/p/q/r|a " },
		{ XS_SET_PERMS, "/a/b|n0|r1|", "/a/b|root /a/b|a /a/b|b " },
		{ XS_READ, "/a/b|", "" },
		{ XS_RM, "/a/none|", "" },
		{ XS_RM, "/a/b/c|", "/a/b/c|root /a/b/c|a /a/b/c|b /a/b/c|c " },
		{ XS_WRITE, "/a/b/c|3", "/a/b/c|root /a/b/c|a /a/b/c|b /a/b/c|c " },
		/* the one removed, as any change; below it, only who watches just that node */
		{ XS_RM, "/a|", "/a|root /a|a /a/b/c|c /a/b|b " },
	};
	unsigned int i;

	begin();
	req(k, XS_WATCH, "/|root|");
	req(k, XS_WATCH, "/a|a|");
	req(k, XS_WATCH, "/a/b|b|");
	req(k, XS_WATCH, "/a/b/c|c|");
	req(k, XS_WATCH, "/a/b/c/nothing|n|");
	events(k);
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		req(k, c[i].type, c[i].body);
		if (!CHECK_STR(events(k), c[i].events))
			printf("# case %u: %s\n", i, c[i].body);
	}
	end();
}

static void relative(void)
{
	begin();
	CHECK_STR(req(u, XS_WATCH, "device|t|"), "OK|");
	CHECK_STR(events(u), "device|t ");
	req(k, XS_WRITE, "/local/domain/1/device/vbd/768/state|1");
	CHECK_STR(events(u), "device/vbd/768/state|t ");
	req(u, XS_RM, "device|");
	CHECK_STR(events(u), "device|t ");
	CHECK_STR(req(u, XS_WATCH, "/local/domain/1/device|t|"), "EEXIST|");
	CHECK_STR(req(u, XS_UNWATCH, "device|t|"), "OK|");
	end();
}

static void transactions(void)
{
	char b[16];

	begin();
	req(k, XS_WATCH, "/a|a|");
	req(k, XS_WATCH, "/a/b/c|c|");
	events(k);
	req(k, XS_TRANSACTION_START, "|");
	k->tx = strtoul(k->reply, NULL, 10);
	req(k, XS_WRITE, "/a/d|2");
	req(k, XS_WRITE, "/a/d|3");
	req(k, XS_WRITE, "/a/new/er|1");
	req(k, XS_READ, "/a|");
	req(k, XS_RM, "/a/b|");
	CHECK_STR(events(k), "");
	CHECK_STR(req(k, XS_TRANSACTION_END, "T|"), "OK|");
	k->tx = 0;
	CHECK_STR(events(k), "/a/d|a /a/new/er|a /a/b|a /a/b/c|c ");

	/* none when it does not commit */
	req(k, XS_TRANSACTION_START, "|");
	k->tx = strtoul(strcpy(b, k->reply), NULL, 10);
	req(k, XS_WRITE, "/a/d|4");
	k->tx = 0;
	req(k, XS_WRITE, "/a/d|5");
	CHECK_STR(events(k), "/a/d|a ");
	k->tx = strtoul(b, NULL, 10);
	CHECK_STR(req(k, XS_TRANSACTION_END, "T|"), "EAGAIN|");
	CHECK_STR(events(k), "");
	k->tx = 0;

	/* removed and made again: once */
	req(k, XS_TRANSACTION_START, "|");
	k->tx = strtoul(k->reply, NULL, 10);
	req(k, XS_RM, "/a/d|");
	req(k, XS_WRITE, "/a/d|6");
	CHECK_STR(req(k, XS_TRANSACTION_END, "T|"), "OK|");
	k->tx = 0;
	CHECK_STR(events(k), "/a/d|a ");
	end();
}

/* Only who may read the node, could before, or may read the directory hears of it. */
static void who_may_hear(void)
{
	begin();
	req(u, XS_WATCH, "/a|t|");
	CHECK_STR(events(u), "/a|t ");
	req(k, XS_WRITE, "/a/b|1");
	CHECK_STR(events(u), "");
	req(k, XS_SET_PERMS, "/a/b|n0|r1|");
	CHECK_STR(events(u), "/a/b|t ");
	req(k, XS_WRITE, "/a/b|2");
	CHECK_STR(events(u), "/a/b|t ");
	req(k, XS_WRITE, "/a/b/c|3");
	CHECK_STR(events(u), "/a/b/c|t ");
	req(k, XS_SET_PERMS, "/a/b|n0|");
	CHECK_STR(events(u), "/a/b|t ");
	req(k, XS_WRITE, "/a/b|4");
	CHECK_STR(events(u), "");
	end();
}

static void special(void)
{
	struct client *v;

	begin();
	CHECK_STR(req(k, XS_WATCH, "@introduceDomain|i|"), "OK|");
	CHECK_STR(req(k, XS_WATCH, "@releaseDomain|r|"), "OK|");
	CHECK_STR(events(k), "@introduceDomain|i @releaseDomain|r ");
	CHECK_STR(req(u, XS_WATCH, "@releaseDomain|r|"), "EACCES|");
	CHECK_STR(req(u, XS_GET_PERMS, "@releaseDomain|"), "EACCES|");
	CHECK_STR(req(u, XS_SET_PERMS, "@releaseDomain|n0|r1|"), "EACCES|");
	CHECK_STR(req(k, XS_GET_PERMS, "@releaseDomain|"), "n0|");
	CHECK_STR(req(k, XS_SET_PERMS, "@releaseDomain|n0|r1|"), "OK|");
	CHECK_STR(req(k, XS_GET_PERMS, "@releaseDomain|"), "n0|r1|");
	CHECK_STR(req(u, XS_WATCH, "@releaseDomain|r|"), "OK|");
	CHECK_STR(events(u), "@releaseDomain|r ");
	v = client_new(2);
	store_fire_special(&S, STORE_INTRODUCE);
	CHECK_STR(events(k), "@introduceDomain|i ");
	client_free(v);
	CHECK_STR(events(k), "@releaseDomain|r ");
	CHECK_STR(events(u), "@releaseDomain|r ");
	req(k, XS_SET_PERMS, "@releaseDomain|n0|");
	store_fire_special(&S, STORE_RELEASE);
	CHECK_STR(events(u), "");
	end();
}

static void domain_dies(void)
{
	begin();
	req(u, XS_WRITE, "device/x/state|1");
	req(k, XS_WATCH, "/local/domain/1/device/x/state|s|");
	req(k, XS_WATCH, "/local/domain|d|");
	events(k);
	store_conn_gone(&S, &u->c);
	CHECK_STR(events(k), "/local/domain/1|d /local/domain/1/device/x/state|s ");
	kfree(u);
	client_free(k);
	store_end();
}

/* The same event is not kept twice; one that is on its way does not count. */
static void same_event(void)
{
	int i;

	begin();
	req(k, XS_WATCH, "/a|t|");
	events(k);
	for (i = 0; i < 1000; i++) {
		req(u, XS_READ, "x|");
		k->c.in.hdr.type = 0;
		store_fire(&S, &(struct store_fire){ .path = "/a/b", .perms = S.owner0 });
		store_fire(&S, &(struct store_fire){ .path = "/a/c", .perms = S.owner0 });
	}
	CHECK_EQ(k->c.nr_events, 2);
	CHECK(store_step(&S, &k->c));
	store_fire(&S, &(struct store_fire){ .path = "/a/b", .perms = S.owner0 });
	CHECK_EQ(k->c.nr_events, 2);
	client_take(k);
	CHECK_STR(events(k), "/a/b|t /a/c|t /a/b|t ");
	end();
}

/* Somebody who does not read: bounded memory, and no change unnoticed. */
static void does_not_read(void)
{
	unsigned long bytes;
	char path[64];
	int i;

	begin();
	req(k, XS_SET_PERMS, "/a|n0|r1|");
	req(u, XS_WATCH, "/a|t|");
	req(u, XS_WATCH, "/a/b|t|");
	events(u);
	bytes = shim_alive_bytes();
	for (i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "/a/number-%d", i);
		store_fire(&S, &(struct store_fire){ .path = path, .perms = S.root->perms, .parent = k->c.privileged ?
			store_lookup(&S, "/a", NULL)->perms : NULL });
	}
	CHECK_EQ(u->c.nr_events, STORE_EVENTS + 1);
	CHECK(shim_alive_bytes() - bytes < STORE_EVENTS * 200);
	CHECK_EQ(S.dropped, 1);
	u->events = 0;
	events(u);
	CHECK_EQ(u->events, STORE_EVENTS + 1);
	CHECK_EQ(u->c.nr_events, 0);
	CHECK_EQ(u->c.event_bytes, 0);
	store_fire(&S, &(struct store_fire){ .path = "/a/x", .perms = store_lookup(&S, "/a", NULL)->perms });
	CHECK_STR(events(u), "/a/x|t ");

	/* long paths: the bytes are bounded as well */
	for (i = 0; i < 1000; i++) {
		char *p = S.path;

		memset(p, 'x', 3000);
		memcpy(p, "/a/", 3);
		snprintf(p + 3000, 10, "%d", i);
		store_fire(&S, &(struct store_fire){ .path = p, .perms = store_lookup(&S, "/a", NULL)->perms });
	}
	CHECK(u->c.event_bytes <= STORE_EVENT_BYTES);
	CHECK(u->c.nr_events < 60);
	CHECK_STR(req(u, XS_UNWATCH, "/a|t|"), "OK|");
	CHECK_EQ(u->c.nr_events, 0);
	CHECK_EQ(u->c.event_bytes, 0);
	end();
}

/* Without memory for an event, one for the watched path comes instead. */
static void no_memory(void)
{
	begin();
	req(k, XS_WATCH, "/a|t|");
	events(k);
	shim_fail_at(1);
	store_fire(&S, &(struct store_fire){ .path = "/a/b/c", .perms = S.owner0 });
	CHECK(shim_failed());
	CHECK_STR(events(k), "/a|t ");
	store_fire(&S, &(struct store_fire){ .path = "/a/b/c", .perms = S.owner0 });
	CHECK_STR(events(k), "/a/b/c|t ");
	end();
}

/* Events and replies take turns. */
static void turns(void)
{
	struct xsd_sockmsg hdr = { .type = XS_READ, .len = 2 };
	char order[64] = "", path[32];
	int i;

	begin();
	req(k, XS_WATCH, "/a|t|");
	events(k);
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/a/%d", i);
		store_fire(&S, &(struct store_fire){ .path = path, .perms = S.owner0 });
	}
	for (i = 0; i < 10; i++) {
		if (!store_in_complete(&k->c) && i < 7) {
			k->c.in.hdr = hdr;
			strcpy(k->c.in.body, "/");
			k->c.got = sizeof(hdr);
			store_in_add(&k->c, 2);
		}
		if (!store_step(&S, &k->c))
			break;
		strcat(order, k->c.out.hdr.type == XS_WATCH_EVENT ? "e" : "r");
		client_take(k);
	}
	CHECK_STR(order, "rerereree");
	end();
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(once_at_registration), KTAP(each_change), KTAP(relative), KTAP(transactions), KTAP(who_may_hear),
		KTAP(special),
		KTAP(domain_dies), KTAP(same_event), KTAP(does_not_read), KTAP(no_memory), KTAP(turns), {}
	});
}
