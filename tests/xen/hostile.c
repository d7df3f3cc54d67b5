// SPDX-License-Identifier: GPL-2.0
/*
 * hostile BACKEND FRONTEND PERSISTENT: in dom0, be a frontend, of a disk that dom0's own backend serves, and
 * ask for what must not be: pages that are not granted or may not be written to, segments and
 * sectors that are not there. Each must be refused, and a proper request must be answered after
 * each. The arguments are the directories of both in the store, and what this side says of
 * persistent grants (0 or 1); the backend's directory is there, with its device.
 *
 * At the end more requests are announced than fit into the ring, which ends the connection.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

typedef uint32_t grant_ref_t;
#define mb()	__sync_synchronize()
#define rmb()	__sync_synchronize()
#define wmb()	__sync_synchronize()
#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>

#define WAIT_S		20
#define NO_SUCH_GRANT	3000	/* within the table, and nobody's */
#define SECTORS		8
#define SEGS		BLKIF_MAX_SEGMENTS_PER_REQUEST
#define MANY		400	/* more pages than all slots of a ring have segments */

static struct xs_handle *xs;
static xenevtchn_handle *xce;
static evtchn_port_t port;
static blkif_front_ring_t ring;
static const char *back, *front;
static uint32_t good, readonly, many[MANY];
static char *page, *many_pages;
static int persistent;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(const char *key, const char *format, ...)
{
	char path[128], value[64];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", front, key);
	if (!xs_write(xs, XBT_NULL, path, value, strlen(value)))
		die(path);
}

static void backend_wait(int state)
{
	char path[128], *value;
	int n, got = -1;

	snprintf(path, sizeof(path), "%s/state", back);
	for (n = 0; n < WAIT_S * 20; n++) {
		value = xs_read(xs, XBT_NULL, path, NULL);
		got = value ? atoi(value) : -1;
		free(value);
		if (got == state)
			return;
		usleep(50000);
	}
	fprintf(stderr, "the backend is in state %d, not %d\n", got, state);
	exit(1);
}

static void connect_ring(void)
{
	xengntshr_handle *share = xengntshr_open(NULL, 0);
	blkif_sring_t *sring;
	uint32_t ref;
	void *other;
	int bound;

	xs = xs_open(0);
	xce = xenevtchn_open(NULL, 0);
	if (!share || !xs || !xce)
		die("open");
	sring = xengntshr_share_pages(share, 0, 1, &ref, 1);
	page = xengntshr_share_pages(share, 0, 1, &good, 1);
	other = xengntshr_share_pages(share, 0, 1, &readonly, 0);
	many_pages = xengntshr_share_pages(share, 0, MANY, many, 1);
	bound = xenevtchn_bind_unbound_port(xce, 0);
	if (!sring || !page || !other || !many_pages || bound < 0)
		die("share");
	port = bound;
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&ring, sring, 4096);

	backend_wait(XenbusStateInitWait);
	put("ring-ref", "%u", ref);
	put("event-channel", "%u", port);
	put("protocol", "x86_64-abi");
	put("feature-persistent", "%d", persistent);
	put("state", "%d", XenbusStateInitialised);
	backend_wait(XenbusStateConnected);
	put("state", "%d", XenbusStateConnected);
}

/* Its status; a backend that does not answer is the end. */
static int ask(const blkif_request_t *req)
{
	struct pollfd p = { .fd = xenevtchn_fd(xce), .events = POLLIN };
	blkif_response_t rsp;
	int more = 0, got;

	*RING_GET_REQUEST(&ring, ring.req_prod_pvt) = *req;
	ring.req_prod_pvt++;
	RING_PUSH_REQUESTS(&ring);
	xenevtchn_notify(xce, port);
	for (;;) {
		RING_FINAL_CHECK_FOR_RESPONSES(&ring, more);
		if (more)
			break;
		if (poll(&p, 1, WAIT_S * 1000) != 1) {
			fprintf(stderr, "no answer\n");
			exit(1);
		}
		got = xenevtchn_pending(xce);
		if (got >= 0)
			xenevtchn_unmask(xce, got);
	}
	rsp = *RING_GET_RESPONSE(&ring, ring.rsp_cons);
	ring.rsp_cons++;
	if (rsp.id != req->id || rsp.operation != req->operation) {
		fprintf(stderr, "the answer is another request's\n");
		exit(1);
	}
	return rsp.status;
}

static blkif_request_t request(int operation, uint32_t gref)
{
	static uint64_t id;
	blkif_request_t req;

	memset(&req, 0, sizeof(req));
	req.operation = operation;
	req.nr_segments = 1;
	req.id = ++id;
	req.sector_number = SECTORS;
	req.seg[0].gref = gref;
	req.seg[0].last_sect = SECTORS - 1;
	return req;
}

/* What is written is read again. */
static void proper(const char *after)
{
	static unsigned char n;
	blkif_request_t req = request(BLKIF_OP_WRITE, good);
	char want[4096];
	int status;

	memset(want, ++n, sizeof(want));
	memcpy(page, want, sizeof(want));
	status = ask(&req);
	memset(page, 0, sizeof(want));
	req = request(BLKIF_OP_READ, good);
	status |= ask(&req);
	if (status || memcmp(page, want, sizeof(want))) {
		fprintf(stderr, "after %s: a proper request: status %d\n", after, status);
		exit(1);
	}
}

static void refused(const char *what, const blkif_request_t *req)
{
	int status = ask(req);

	if (status != BLKIF_RSP_ERROR && status != BLKIF_RSP_EOPNOTSUPP) {
		fprintf(stderr, "%s: status %d\n", what, status);
		exit(1);
	}
	printf("%s: refused\n", what);
	proper(what);
}

static void bad_grants(void)
{
	blkif_request_t req;
	int i;

	req = request(BLKIF_OP_READ, NO_SUCH_GRANT);
	refused("reading to a page that is not granted", &req);
	req = request(BLKIF_OP_WRITE, NO_SUCH_GRANT);
	refused("writing from a page that is not granted", &req);
	req = request(BLKIF_OP_READ, ~0U);
	refused("a grant reference beyond any table", &req);
	req = request(BLKIF_OP_READ, readonly);
	refused("reading to a page that is granted for reading", &req);
	if (persistent) {
		/* it would stay mapped, and the next request may be a read */
		req = request(BLKIF_OP_WRITE, readonly);
		refused("writing from a page that is granted for reading", &req);
	}
	/* many segments are mapped, few copied */
	for (i = 1; i <= 11; i += 5) {
		req = request(BLKIF_OP_WRITE, good);
		req.nr_segments = i;
		while (i--) {
			req.seg[i].gref = good;
			req.seg[i].last_sect = SECTORS - 1;
		}
		i = req.nr_segments;
		req.seg[i / 2].gref = NO_SUCH_GRANT;
		refused("one bad page of several", &req);
	}
}

static unsigned char mark(int n)
{
	return n * 7 + n / 256 + 1;
}

/* One request for up to SEGS of the many pages from the nth on, forwards or backwards. */
static void some(int operation, int n)
{
	blkif_request_t req = request(operation, 0);
	int i, status, last = n + SEGS < MANY ? n + SEGS : MANY;

	req.nr_segments = last - n;
	req.sector_number = n * SECTORS;
	for (i = 0; i < req.nr_segments; i++) {
		req.seg[i].gref = many[operation == BLKIF_OP_READ ? MANY - 1 - n - i : n + i];
		req.seg[i].last_sect = SECTORS - 1;
	}
	status = ask(&req);
	if (status) {
		fprintf(stderr, "page %d of many: status %d\n", n, status);
		exit(1);
	}
}

/* More pages than a backend can be expected to keep, each with its own data, and each read into another. */
static void more_pages(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		memset(many_pages + i * 4096, mark(i), 4096);
	for (i = 0; i < MANY; i += SEGS)
		some(BLKIF_OP_WRITE, i);
	memset(many_pages, 0, MANY * 4096);
	for (i = 0; i < MANY; i += SEGS)
		some(BLKIF_OP_READ, i);
	for (i = 0; i < MANY * 4096; i++) {
		if ((unsigned char)many_pages[i] != mark(MANY - 1 - i / 4096)) {
			fprintf(stderr, "byte %d of many pages is wrong\n", i);
			exit(1);
		}
	}
	printf("%d pages: each has its data\n", MANY);
}

static void bad_places(void)
{
	blkif_request_t req;

	req = request(BLKIF_OP_WRITE, good);
	req.nr_segments = 255;
	refused("255 segments", &req);
	req = request(BLKIF_OP_WRITE, good);
	req.nr_segments = 0;
	refused("no segment", &req);
	req = request(BLKIF_OP_WRITE, good);
	req.seg[0].last_sect = SECTORS;
	refused("a segment that leaves its page", &req);
	req = request(BLKIF_OP_WRITE, good);
	req.seg[0].first_sect = SECTORS - 1;
	req.seg[0].last_sect = 0;
	refused("a segment that ends before it begins", &req);
	req = request(BLKIF_OP_WRITE, good);
	req.sector_number = 1ULL << 40;
	refused("a sector beyond the disk", &req);
	req = request(BLKIF_OP_READ, good);
	req.sector_number = ~0ULL - 3;
	refused("a sector whose end wraps", &req);
	req = request(77, good);
	refused("an operation that there is not", &req);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	back = argv[1];
	front = argv[2];
	persistent = atoi(argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	connect_ring();
	proper("nothing");
	more_pages();
	bad_grants();
	bad_places();

	ring.req_prod_pvt += 1000;
	RING_PUSH_REQUESTS(&ring);
	xenevtchn_notify(xce, port);
	backend_wait(XenbusStateClosing);
	printf("more requests than the ring has: the backend is closing\n");
	put("state", "%d", XenbusStateClosed);
	backend_wait(XenbusStateClosed);
	return 0;
}
