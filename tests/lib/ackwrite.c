// SPDX-License-Identifier: GPL-2.0
/*
 * Are acknowledged writes on the backing device?
 *
 *	ackwrite write DEVICE LOG BLOCKS FIRST SECONDS
 *		Write stamped 4 KiB blocks at random places below block BLOCKS, with stamps from FIRST
 *on, and flush after every few. What was written before a flush that succeeded is entered in LOG,
 *so LOG never claims too much. Ends at the first error or after SECONDS; prints "last STAMP
 *acknowledged N". ackwrite verify DEVICE LOG BLOCKS LAST Every block in LOG holds its last
 *acknowledged stamp or a later one up to LAST, whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	4096
#define WORDS	(BLOCK / sizeof(uint64_t))
#define BATCH	16

static void die(const char *what)
{
	fprintf(stderr, "ackwrite: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Every word tells the block and the stamp, so a torn or misplaced block is seen. */
static uint64_t word(uint64_t block, uint64_t stamp, size_t i)
{
	return (stamp << 24 | block) * 0x9e3779b97f4a7c15ULL + i;
}

static void fill(uint64_t *buf, uint64_t block, uint64_t stamp)
{
	size_t i;

	buf[0] = stamp;
	for (i = 1; i < WORDS; i++)
		buf[i] = word(block, stamp, i);
}

static bool whole(const uint64_t *buf, uint64_t block)
{
	size_t i;

	for (i = 1; i < WORDS; i++) {
		if (buf[i] != word(block, buf[0], i))
			return false;
	}
	return true;
}

static uint64_t *aligned(void)
{
	void *buf;

	if (posix_memalign(&buf, BLOCK, BLOCK))
		die("memory");
	return buf;
}

static int write_blocks(const char *device, const char *log, uint64_t blocks, uint64_t stamp,
			long seconds)
{
	int fd = open(device, O_RDWR | O_DIRECT),
	    logfd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	uint64_t *buf = aligned(), entries[BATCH][2];
	time_t end = time(NULL) + seconds;
	uint64_t acknowledged = 0;
	int n = 0;

	if (fd < 0 || logfd < 0)
		die(fd < 0 ? device : log);
	srandom((unsigned int)stamp);
	while (time(NULL) < end) {
		uint64_t block = (uint64_t)random() % blocks;

		entries[n][0] = block;
		entries[n][1] = ++stamp;
		fill(buf, block, stamp);
		if (pwrite(fd, buf, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
			break;
		if (++n < BATCH)
			continue;
		if (fdatasync(fd))
			break;
		if (write(logfd, entries, sizeof(entries)) != sizeof(entries))
			die(log);
		acknowledged += BATCH;
		n = 0;
	}
	printf("last %llu acknowledged %llu\n", (unsigned long long)stamp,
	       (unsigned long long)acknowledged);
	return 0;
}

static int verify(const char *device, const char *log, uint64_t blocks, uint64_t last)
{
	int fd = open(device, O_RDONLY | O_DIRECT);
	FILE *in = fopen(log, "r");
	uint64_t *stamps = calloc(blocks, sizeof(*stamps)), *buf = aligned(), entry[2], b, bad = 0,
		 n = 0;

	if (fd < 0 || !in || !stamps)
		die(fd < 0 ? device : log);
	while (fread(entry, sizeof(entry), 1, in) == 1) {
		if (entry[0] < blocks && entry[1] > stamps[entry[0]])
			stamps[entry[0]] = entry[1];
	}
	for (b = 0; b < blocks; b++) {
		if (!stamps[b])
			continue;
		n++;
		if (pread(fd, buf, BLOCK, (off_t)(b * BLOCK)) != BLOCK)
			die("read");
		if (whole(buf, b) && buf[0] >= stamps[b] && buf[0] <= last)
			continue;
		if (bad++ < 5)
			fprintf(stderr, "ackwrite: block %llu: acknowledged %llu, has %llu%s\n",
				(unsigned long long)b, (unsigned long long)stamps[b],
				(unsigned long long)buf[0], whole(buf, b) ? "" : ", torn");
	}
	printf("blocks %llu bad %llu\n", (unsigned long long)n, (unsigned long long)bad);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "write"))
		return write_blocks(argv[2], argv[3], strtoull(argv[4], NULL, 10),
				    strtoull(argv[5], NULL, 10), atol(argv[6]));
	if (argc == 6 && !strcmp(argv[1], "verify"))
		return verify(argv[2], argv[3], strtoull(argv[4], NULL, 10),
			      strtoull(argv[5], NULL, 10));
	fprintf(stderr, "usage: see the head of ackwrite.c\n");
	return 2;
}
