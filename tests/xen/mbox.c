// SPDX-License-Identifier: GPL-2.0
/*
 * A pair of byte streams between dom0 and an HVM or PVH guest through 64 KiB of the guest's memory that its
 * kernel was told
 * to leave alone (memmap=). It needs nothing of what is tested: no hypercall of the guest, no PV driver, no emulated
 * device; and it is fast, which an emulated serial port is not.
 *
 *   guest:  mbox ADDRESS command...    the command's stdin and stdout are the streams
 *   dom0:   mbox-dom0 ADDRESS DOMID    its own stdin and stdout are; ends when the domain has gone
 *
 * Both sides poll, a little slower the longer nothing comes. The rings live as long as the guest's memory
 * does: after a
 * save and restore dom0's side is started again and goes on where it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef DOM0
#include <xenforeignmemory.h>
#include <xenstore.h>
#endif

#define MBOX_MAGIC	0x784f424d
#define MBOX_SIZE	0x10000
#define MBOX_PAGES	(MBOX_SIZE / 4096)
#define RING_SIZE	0x4000u
#define IDLE_MAX_MS	20

struct ring {
	volatile uint32_t prod;
	volatile uint32_t cons;
	uint8_t pad[56];
};

struct mbox {
	volatile uint32_t magic;
	uint8_t pad[60];
	struct ring ring[2];			/* 0: to the guest, 1: to dom0 */
	uint8_t pad2[4096 - 192];
	volatile uint8_t data[2][RING_SIZE];
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "mbox: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * Whatever the descriptor has to read and the ring has room for. Returns the bytes, 0 for none, -1 at the end
 * of the file.
 */
static int fill(struct mbox *m, int n, int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct ring *r = &m->ring[n];
	uint32_t prod = r->prod, room = RING_SIZE - (prod - r->cons);
	uint8_t buf[RING_SIZE];
	ssize_t got, i;

	if (!room || room > RING_SIZE) {
		poll(NULL, 0, wait_ms);
		return 0;
	}
	if (poll(&p, 1, wait_ms) <= 0)
		return 0;
	got = read(fd, buf, room);
	if (got <= 0)
		return got < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
	for (i = 0; i < got; i++)
		m->data[n][(prod + i) % RING_SIZE] = buf[i];
	__sync_synchronize();
	r->prod = prod + got;
	return got;
}

static int drain(struct mbox *m, int n, int fd)
{
	struct ring *r = &m->ring[n];
	uint32_t cons = r->cons, len = r->prod - cons, i;
	uint8_t buf[RING_SIZE];
	ssize_t done, put;

	if (!len || len > RING_SIZE)
		return 0;
	__sync_synchronize();
	for (i = 0; i < len; i++)
		buf[i] = m->data[n][(cons + i) % RING_SIZE];
	__sync_synchronize();
	r->cons = cons + len;
	for (done = 0; done < (ssize_t)len; done += put) {
		put = write(fd, buf + done, len - done);
		if (put < 0 && errno != EINTR)
			die("write");
		if (put < 0)
			put = 0;
	}
	return len;
}

#ifdef DOM0
static struct mbox *reach(uint32_t domid, unsigned long address)
{
	xenforeignmemory_handle *h = xenforeignmemory_open(NULL, 0);
	xen_pfn_t gfn[MBOX_PAGES];
	struct mbox *m;
	int i;

	for (i = 0; i < MBOX_PAGES; i++)
		gfn[i] = address / 4096 + i;
	m = h ? xenforeignmemory_map(h, domid, PROT_READ | PROT_WRITE, MBOX_PAGES, gfn, NULL) : NULL;
	if (!m)
		die("the guest's memory");
	return m;
}

/* A mapping keeps the memory of a dead domain: leave when the toolstack has removed it from the store. */
static int gone(const char *domid)
{
	static struct xs_handle *xs;
	static time_t last;
	unsigned int len;
	char path[64];
	void *name;

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

int main(int argc, char **argv)
{
	struct mbox *m;
	int got, idle = 1;

	if (argc != 3)
		return 2;
	m = reach(atoi(argv[2]), strtoul(argv[1], NULL, 0));
	while (m->magic != MBOX_MAGIC && !gone(argv[2]))
		poll(NULL, 0, 50);
	while (!gone(argv[2])) {
		got = fill(m, 0, STDIN_FILENO, idle);
		if (got < 0)
			return 0;
		got += drain(m, 1, STDOUT_FILENO);
		idle = got ? 1 : idle < IDLE_MAX_MS ? idle + 1 : IDLE_MAX_MS;
	}
	return 0;
}
#else
static struct mbox *reach(unsigned long address)
{
	int fd = open("/dev/mem", O_RDWR);
	struct mbox *m = mmap(NULL, MBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, address);

	if (m == MAP_FAILED)
		die("/dev/mem");
	memset((void *)m->ring, 0, sizeof(m->ring));
	__sync_synchronize();
	m->magic = MBOX_MAGIC;
	return m;
}

static void start(char **argv, int *in, int *out)
{
	int a[2], b[2];

	if (pipe(a) || pipe(b))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		dup2(a[0], STDIN_FILENO);
		dup2(b[1], STDOUT_FILENO);
		close(a[0]);
		close(a[1]);
		close(b[0]);
		close(b[1]);
		execv(argv[0], argv);
		die(argv[0]);
	}
	close(a[0]);
	close(b[1]);
	*in = a[1];
	*out = b[0];
}

int main(int argc, char **argv)
{
	struct mbox *m;
	int in, out, got, idle = 1;

	if (argc < 3)
		return 2;
	m = reach(strtoul(argv[1], NULL, 0));
	start(argv + 2, &in, &out);
	for (;;) {
		got = fill(m, 1, out, idle);
		if (got < 0)
			return 0;
		got += drain(m, 0, in);
		idle = got ? 1 : idle < IDLE_MAX_MS ? idle + 1 : IDLE_MAX_MS;
	}
}
#endif
