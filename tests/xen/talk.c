// SPDX-License-Identifier: GPL-2.0
/*
 * talk DOMID WAY SECONDS SCRIPT: in dom0, have a guest's agent (guest-init) run a shell script,
 * print what it prints, exit with its status. WAY is the address of the mailbox in the guest's
 * memory, or the tty of its console. 124: it did not end in SECONDS; 125: no answer, or the domain
 * has gone.
 *
 * The request is the line "XPV-RUN id seconds lines" and so many lines; the answer stands between
 * the lines "XPV-BEGIN id" and "XPV-END id status", whatever else comes before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <xenforeignmemory.h>
#include <xenstore.h>

#include "mbox.h"

#define GRACE_S		15	/* for the way to the guest and back */
#define WAIT_MAX_MS	30	/* for what comes through a mailbox */
#define PAGES		(MBOX_SIZE / 4096)

static struct mbox *mbox;	/* one of these two */
static int tty = -1;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void open_mbox(uint32_t domid, unsigned long address)
{
	xenforeignmemory_handle *h = xenforeignmemory_open(NULL, 0);
	xen_pfn_t gfn[PAGES];
	int i;

	for (i = 0; i < PAGES; i++)
		gfn[i] = address / 4096 + i;
	mbox = h ? xenforeignmemory_map(h, domid, PROT_READ | PROT_WRITE, PAGES, gfn, NULL) : NULL;
	if (!mbox)
		die("the guest's memory");
}

static void open_tty(const char *path)
{
	struct termios t;

	tty = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (tty < 0 || tcgetattr(tty, &t))
		die(path);
	cfmakeraw(&t);
	tcsetattr(tty, TCSANOW, &t);
}

/* Both return how many bytes they moved. */
static size_t put(const char *from, size_t len)
{
	ssize_t done;

	if (mbox)
		return mbox->magic == MBOX_MAGIC ? mbox_put(mbox, TO_GUEST, (const uint8_t *)from, len) : 0;
	done = write(tty, from, len);
	return done < 0 ? 0 : done;
}

static size_t get(char *to, size_t len, int wait_ms)
{
	struct pollfd p = { .fd = tty, .events = POLLIN };
	size_t got = mbox ? mbox_get(mbox, TO_DOM0, (uint8_t *)to, len) : 0;
	ssize_t done;

	if (got)
		return got;
	poll(&p, mbox ? 0 : 1, wait_ms);
	done = mbox ? 0 : read(tty, to, len);
	return done < 0 ? 0 : done;
}

/* A mapping keeps the memory of a dead domain: has the toolstack removed it from the store? */
static int gone(const char *domid)
{
	static struct xs_handle *xs;
	static time_t last;
	char path[64];
	void *name;
	unsigned int len;

	if (time(NULL) == last)
		return 0;
	last = time(NULL);
	if (!xs)
		xs = xs_open(0);
	if (!xs)
		die("xenstore");
	snprintf(path, sizeof(path), "/local/domain/%s/domid", domid);
	name = xs_read(xs, XBT_NULL, path, &len);
	free(name);
	return !name && errno == ENOENT;
}

static char *request(int id, const char *seconds, const char *script)
{
	char *text;
	int lines = 1, i;

	for (i = 0; script[i]; i++)
		lines += script[i] == '\n';
	if (asprintf(&text, "XPV-RUN %d %s %d\n%s\n", id, seconds, lines, script) < 0)
		die("asprintf");
	return text;
}

/*
 * One line of what comes. Exits at the end of the answer; the new line before that mark is not the
 * script's.
 */
static void take(const char *line, int id)
{
	static int on, empty;
	int n, status;

	if (sscanf(line, "XPV-END %d %d", &n, &status) == 2 && n == id) {
		fflush(stdout);
		exit(status);
	}
	if (on && empty)
		putchar('\n');
	empty = !*line;
	if (on && *line)
		puts(line);
	if (sscanf(line, "XPV-BEGIN %d", &n) == 1 && n == id) {
		on = 1;
		empty = 0;
	}
}

/* Bytes to lines, for take(); a line that is too long comes in pieces. */
static void split(const char *from, size_t len, int id)
{
	static char line[65536];
	static size_t used;
	size_t i;

	for (i = 0; i < len; i++) {
		if (from[i] == '\n' || used == sizeof(line) - 1) {
			line[used] = 0;
			take(line, id);
			used = 0;
		}
		if (from[i] != '\n' && from[i] != '\r')
			line[used++] = from[i];
	}
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + GRACE_S;
	int id = getpid(), wait_ms = 1;
	size_t got, left;
	char buf[RING_SIZE], *line;

	if (argc != 5)
		return 2;
	end += atoi(argv[3]);
	if (*argv[2] == '/')
		open_tty(argv[2]);
	else
		open_mbox(atoi(argv[1]), strtoul(argv[2], NULL, 0));
	line = request(id, argv[3], argv[4]);
	left = strlen(line);
	while (time(NULL) < end && !gone(argv[1])) {
		got = put(line, left);
		line += got;
		left -= got;
		got = get(buf, sizeof(buf), wait_ms);
		wait_ms = got || left ? 1 : wait_ms + wait_ms / 16 + 1;
		if (wait_ms > WAIT_MAX_MS)
			wait_ms = WAIT_MAX_MS;
		split(buf, got, id);
	}
	fflush(stdout);
	fprintf(stderr, "talk: the guest %s\n", time(NULL) < end ? "has gone" : "does not answer");
	return 125;
}
