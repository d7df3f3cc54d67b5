// SPDX-License-Identifier: GPL-2.0
/*
 * slices MS N DEVICE DOMID:DIRECTORY...: in dom0, let each of these domains, which are paused, run for
 * MS milliseconds, one after the other, and all of that N times. DIRECTORY has the statistics of the
 * domain's disk, as its backend counts requests.
 *
 * What disturbs a machine for longer than a slice or two disturbs all domains alike. xl takes as
 * long to pause a domain as a slice.
 *
 * What disturbs it for minutes shows in a yardstick: after each slice dom0 reads from DEVICE, which
 * answers at once, and changes from one process to another and back, for a while. That is work like
 * the drivers'. First comes a line with the turns in a second.
 *
 * A line for each domain: requests and nanoseconds in the slices, but for the beginning of each, in
 * which the domain's timers catch up; requests and interrupts of dom0's disks in the whole of them.
 * Status 1 when a domain cannot be paused or run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

#define DOMAINS		16
#define SETTLE_MS	30
#define YARDSTICK_MS	60

struct slice {
	uint32_t domid;
	int fd[2];		/* requests that read, that write */
	unsigned long long requests, ns, all_requests, all_events;
};

struct yardstick {
	int device, to, from;	/* to the other process and from it */
	unsigned long long turns, ns;
};

static struct slice slices[DOMAINS];

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "slices: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static unsigned long long requests(const struct slice *s)
{
	unsigned long long sum = 0;
	char text[32];
	ssize_t len;
	int i;

	for (i = 0; i < 2; i++) {
		len = pread(s->fd[i], text, sizeof(text) - 1, 0);
		if (len <= 0)
			die("statistics");
		text[len] = '\0';
		sum += strtoull(text, NULL, 10);
	}
	return sum;
}

/* of disks, in-tree ones and ours, over all processors */
static unsigned long long events(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	unsigned long long sum = 0, count;
	char line[4096], *at, *end;

	if (!f)
		die("/proc/interrupts");
	while (fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at || (!strstr(at, "blkif") && !strstr(at, "vbd")))
			continue;
		for (at++; count = strtoull(at, &end, 10), end != at && (*end == ' ' || *end == '\n'); at = end)
			sum += count;
	}
	fclose(f);
	return sum;
}

/* The other process: sends back what it is sent, until there is nobody to send anything. */
static void yardstick_start(struct yardstick *y, const char *device)
{
	int there[2], back[2];
	char c;

	y->device = open(device, O_RDONLY | O_DIRECT);
	if (y->device < 0)
		die(device);
	if (pipe(there) || pipe(back))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	y->to = there[1];
	y->from = back[0];
}

static void yardstick(struct yardstick *y)
{
	static char page[4096] __attribute__((aligned(4096)));
	unsigned long long begin = now(), passed;
	char c = 0;
	int i;

	do {
		for (i = 0; i < 4; i++)
			if (pread(y->device, page, sizeof(page), i * sizeof(page)) != sizeof(page))
				die("yardstick");
		if (write(y->to, &c, 1) != 1 || read(y->from, &c, 1) != 1)
			die("yardstick");
		y->turns++;
		passed = now() - begin;
	} while (passed < YARDSTICK_MS * 1000000ULL);
	y->ns += passed;
}

static void add_domain(struct slice *s, const char *argument)
{
	static const char *const files[] = { "rd_req", "wr_req" };
	const char *dir = strchr(argument, ':');
	char path[256];
	int i;

	s->domid = strtoul(argument, NULL, 10);
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir ? dir + 1 : "", files[i]);
		s->fd[i] = open(path, O_RDONLY);
		if (s->fd[i] < 0)
			die(path);
	}
}

static void run(xc_interface *xc, struct slice *s, long ms)
{
	unsigned long long all_requests = requests(s), all_events = events(), first, begin;

	if (xc_domain_unpause(xc, s->domid))
		die("unpause");
	sleep_ms(SETTLE_MS);
	first = requests(s);
	begin = now();
	sleep_ms(ms);
	s->requests += requests(s) - first;
	s->ns += now() - begin;
	if (xc_domain_pause(xc, s->domid))
		die("pause");
	s->all_requests += requests(s) - all_requests;
	s->all_events += events() - all_events;
}

int main(int argc, char **argv)
{
	int i, domains = argc - 4;
	struct yardstick y = { 0 };
	xc_interface *xc;
	long n, ms;

	if (domains < 1 || domains > DOMAINS) {
		fprintf(stderr, "usage: slices MS N DEVICE DOMID:DIRECTORY...\n");
		return 2;
	}
	ms = atol(argv[1]);
	xc = xc_interface_open(NULL, NULL, 0);
	if (!xc)
		die("libxenctrl");
	for (i = 0; i < domains; i++)
		add_domain(&slices[i], argv[4 + i]);
	yardstick_start(&y, argv[3]);
	for (n = atol(argv[2]); n > 0; n--) {
		for (i = 0; i < domains; i++) {
			run(xc, &slices[i], ms);
			yardstick(&y);
		}
	}
	printf("%llu\n", y.ns ? y.turns * 1000000000 / y.ns : 0);
	for (i = 0; i < domains; i++)
		printf("%llu %llu %llu %llu\n", slices[i].requests, slices[i].ns,
		       slices[i].all_requests, slices[i].all_events);
	xc_interface_close(xc);
	return 0;
}
