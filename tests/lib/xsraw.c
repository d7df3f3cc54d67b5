// SPDX-License-Identifier: GPL-2.0
/*
 * A store client with bad manners, for the cases: speaks xs_wire to a /dev/xen/xenbus* file without libxenstore.
 *
 *	xsraw FILE ping			read "domid", print the milliseconds that it took
 *	xsraw FILE watches N		set N watches, print how many were granted and how many refused
 *	xsraw FILE nodes N		write N nodes below data/xsraw, print the same
 *	xsraw FILE transactions N	start N transactions, print the same
 *	xsraw FILE half [SECONDS]	write half a message, keep the file open so long, close
 *	xsraw FILE oversized		a header that announces more than the protocol allows
 *	xsraw FILE unread		write requests without reading, print how many before there was no room
 *	xsraw FILE fuzz N [SEED]	N messages of random type, transaction, length and body
 *	xsraw FILE flood SECONDS	write a node as fast as it goes, print how often
 *	xsraw FILE across		start a transaction, say so, wait for a line on stdin; write in it, end
 *					it, start another one and end that: print what each of the four gave
 *
 * Status 0: done (refusals are no failure), 1: a system call failed, 3: no answer within 10 seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define REPLY_MS	10000

static int fd;

static void die(const char *what)
{
	fprintf(stderr, "xsraw: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void read_all(void *buf, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char *p = buf;

	while (len) {
		ssize_t n;

		if (poll(&pfd, 1, REPLY_MS) == 0) {
			fprintf(stderr, "xsraw: no answer\n");
			exit(3);
		}
		n = read(fd, p, len);
		if (n <= 0)
			die("read");
		p += n;
		len -= (size_t)n;
	}
}

static bool send_msg(uint32_t type, uint32_t id, uint32_t tx, const void *body, uint32_t len)
{
	char buf[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg msg = { .type = type, .req_id = id, .tx_id = tx, .len = len };

	memcpy(buf, &msg, sizeof(msg));
	memcpy(buf + sizeof(msg), body, len);
	return write(fd, buf, sizeof(msg) + len) == (ssize_t)(sizeof(msg) + len);
}

/* The reply to request @id: its type; @body gets it, with a NUL. Watch events are passed over. */
static uint32_t receive(uint32_t id, char *body)
{
	struct xsd_sockmsg msg;

	do {
		read_all(&msg, sizeof(msg));
		if (msg.len > XENSTORE_PAYLOAD_MAX) {
			errno = EPROTO;
			die("reply");
		}
		read_all(body, msg.len);
		body[msg.len] = '\0';
	} while (msg.type == XS_WATCH_EVENT || msg.req_id != id);
	return msg.type;
}

static char reply[XENSTORE_PAYLOAD_MAX + 1];

/* False: the store refused it, and why is in reply. */
static bool request(uint32_t type, uint32_t tx, const void *body, uint32_t len)
{
	static uint32_t id;

	if (!send_msg(type, ++id, tx, body, len))
		die("write");
	return receive(id, reply) != XS_ERROR;
}

static void ping(void)
{
	long start = now_ms();

	if (!request(XS_READ, 0, "domid", 6) && !request(XS_READ, 0, "name", 5)) {
		fprintf(stderr, "xsraw: read: %s\n", reply);
		exit(1);
	}
	printf("%ld\n", now_ms() - start);
}

/* Make N of something; stop asking for more after a thousand refusals. */
static void many(const char *what, long n)
{
	long i, granted = 0, refused = 0;
	char body[128], why[64] = "-";

	for (i = 0; i < n && refused < 1000; i++) {
		bool good;
		int len;

		if (!strcmp(what, "watches")) {
			len = snprintf(body, sizeof(body), "data/w%ld%ctoken%ld", i, 0, i) + 1;
			good = request(XS_WATCH, 0, body, (uint32_t)len);
		} else if (!strcmp(what, "nodes")) {
			len = snprintf(body, sizeof(body), "data/xsraw/n%ld%cvalue", i, 0);
			good = request(XS_WRITE, 0, body, (uint32_t)len);
		} else {
			good = request(XS_TRANSACTION_START, 0, "", 1);
		}
		granted += good;
		refused += !good;
		if (!good)
			snprintf(why, sizeof(why), "%.60s", reply);
	}
	printf("granted %ld refused %ld why %s\n", granted, refused, why);
}

static void half(unsigned int seconds)
{
	struct xsd_sockmsg msg = { .type = XS_WRITE, .req_id = 1, .len = 100 };

	if (write(fd, &msg, sizeof(msg)) != sizeof(msg) || write(fd, "data/half", 9) != 9)
		die("write");
	sleep(seconds);
}

static void oversized(void)
{
	struct xsd_sockmsg msg = { .type = XS_WRITE, .req_id = 1, .len = 1 << 20 };
	char body[8192] = "data/big";
	ssize_t n = write(fd, &msg, sizeof(msg));

	if (n == sizeof(msg))
		n = write(fd, body, sizeof(body));
	printf("%s\n", n < 0 ? strerror(errno) : "accepted");
}

/* Read what there is; with POLLOUT, until a message can be written: a file has room for so many unread replies. */
static void drain(short until)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | until };
	char buf[4096];

	for (;;) {
		int n = poll(&pfd, 1, until ? REPLY_MS : 0);

		if (n == 0 && until) {
			fprintf(stderr, "xsraw: no room\n");
			exit(3);
		}
		if (n <= 0 || !(pfd.revents & POLLIN) || read(fd, buf, sizeof(buf)) <= 0)
			return;
	}
}

/* A writer that never reads is stopped, and goes on when it has read. */
static void unread(void)
{
	struct xsd_sockmsg msg = { .type = XS_READ, .len = 6 };
	char buf[sizeof(msg) + 6];
	long n = 0;

	memcpy(buf, &msg, sizeof(msg));
	memcpy(buf + sizeof(msg), "domid", 6);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("fcntl");
	while (n < 100000 && write(fd, buf, sizeof(buf)) == sizeof(buf))
		n++;
	if (errno != EAGAIN)
		die("write");
	drain(POLLOUT);
	if (write(fd, buf, sizeof(buf)) != sizeof(buf))
		die("write after reading");
	printf("%ld\n", n);
}

static void fuzz(long n, unsigned int seed)
{
	static const char *const words[] = {
		"",
		"/",
		"data",
		"data/x",
		"/local/domain/0",
		"//",
		"data//x",
		"device/vbd",
		"@introduceDomain",
		"@releaseDomain",
		"@x",
		"T",
		"F",
		"0",
		"n1",
		"r0",
		"b65535",
		"w",
		"../x",
		"data/\xff\x01",
	};
	long i, refused = 0;

	srandom(seed);
	for (i = 0; i < n; i++) {
		char body[XENSTORE_PAYLOAD_MAX];
		uint32_t len = 0, type = (uint32_t)random() % 30;
		int k, parts = (int)(random() % 5);

		for (k = 0; k < parts; k++) {
			const char *w =
				words[(size_t)random() % ARRAY_SIZE(words)];

			memcpy(body + len, w, strlen(w) + 1);
			len += (uint32_t)strlen(w) + (random() % 8 != 0);
		}
		if (random() % 64 == 0) {
			memset(body + len, (int)(random() % 256), sizeof(body) - len);
			len = (uint32_t)sizeof(body) - (uint32_t)random() % 4;
		}
		drain(POLLOUT);
		if (!send_msg(type, (uint32_t)i, random() % 4 ? 0 : (uint32_t)random(), body, len))
			refused++;
	}
	usleep(200000);
	drain(0);
	printf("sent %ld refused %ld\n", n - refused, refused);
}

static void flood(long seconds)
{
	long end = now_ms() + 1000 * seconds, n = 0;

	while (now_ms() < end) {
		request(XS_WRITE, 0, "data/flood\0x", 12);
		n++;
	}
	printf("%ld\n", n);
}

static void step(const char *what, uint32_t type, uint32_t tx, const char *body, uint32_t len)
{
	static uint32_t id = 100;

	if (!send_msg(type, ++id, tx, body, len))
		die("write");
	printf("%s %s\n", what, receive(id, reply) == XS_ERROR ? reply : "ok");
	fflush(stdout);
}

static void across(void)
{
	uint32_t tx;

	step("started", XS_TRANSACTION_START, 0, "", 1);
	tx = (uint32_t)strtoul(reply, NULL, 10);
	while (getchar() != '\n' && !feof(stdin))
		;
	step("write", XS_WRITE, tx, "data/across\0x", 13);
	step("end", XS_TRANSACTION_END, tx, "T", 2);
	step("start", XS_TRANSACTION_START, 0, "", 1);
	tx = (uint32_t)strtoul(reply, NULL, 10);
	step("commit", XS_TRANSACTION_END, tx, "T", 2);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[2] : "";
	long n = argc > 3 ? atol(argv[3]) : 0;

	fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	if (fd < 0)
		die(argc > 1 ? argv[1] : "usage: xsraw FILE VERB [N]");
	if (!strcmp(verb, "ping"))
		ping();
	else if (!strcmp(verb, "watches") || !strcmp(verb, "nodes") ||
		 !strcmp(verb, "transactions"))
		many(verb, n);
	else if (!strcmp(verb, "half"))
		half((unsigned int)n);
	else if (!strcmp(verb, "oversized"))
		oversized();
	else if (!strcmp(verb, "unread"))
		unread();
	else if (!strcmp(verb, "fuzz"))
		fuzz(n, argc > 4 ? (unsigned int)atol(argv[4]) : 1);
	else if (!strcmp(verb, "across"))
		across();
	else if (!strcmp(verb, "flood"))
		flood(n);
	else
		die("usage");
	return 0;
}
