// SPDX-License-Identifier: GPL-2.0
/*
 * mbox ADDRESS COMMAND...: in a guest, run a command whose standard input and output are the
 * streams of the mailbox.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mbox.h"

#define IDLE_MAX_MS	200	/* the longer nothing comes, the rarer it is looked for */

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static struct mbox *reach(unsigned long address)
{
	int fd = open("/dev/mem", O_RDWR);
	struct mbox *m = mmap(NULL, MBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, address);

	if (m == MAP_FAILED)
		die("/dev/mem");
	memset(m->ring, 0, sizeof(m->ring));
	__sync_synchronize();
	m->magic = MBOX_MAGIC;
	return m;
}

static void start(char **argv, int *in, int *out)
{
	int a[2], b[2];

	if (pipe2(a, O_CLOEXEC) || pipe2(b, O_CLOEXEC))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		dup2(a[0], STDIN_FILENO);
		dup2(b[1], STDOUT_FILENO);
		execv(argv[0], argv);
		die(argv[0]);
	}
	close(a[0]);
	close(b[1]);
	*in = a[1];
	*out = b[0];
}

/*
 * What the command has printed, to dom0, after waiting for it. Returns the bytes, -1 when the
 * command has ended.
 */
static int forward(struct mbox *m, int out, int wait_ms)
{
	struct pollfd p = { .fd = out, .events = POLLIN };
	uint32_t room = mbox_room(m, TO_DOM0);
	uint8_t buf[RING_SIZE];
	ssize_t got;

	if (poll(&p, room ? 1 : 0, wait_ms) <= 0)
		return 0;
	got = read(out, buf, room);
	if (got <= 0)
		return -1;
	return mbox_put(m, TO_DOM0, buf, got);
}

int main(int argc, char **argv)
{
	uint8_t buf[RING_SIZE];
	int in, out, idle = 1, sent;
	struct mbox *m;
	uint32_t got;

	if (argc < 3)
		return 2;
	m = reach(strtoul(argv[1], NULL, 0));
	start(argv + 2, &in, &out);
	for (;;) {
		sent = forward(m, out, idle);
		if (sent < 0)
			return 0;
		got = mbox_get(m, TO_GUEST, buf, sizeof(buf));
		if (got && write(in, buf, got) != (ssize_t)got)
			die("write");
		idle = got || sent ? 1 : idle + idle / 8 + 1;
		if (idle > IDLE_MAX_MS)
			idle = IDLE_MAX_MS;
	}
}
