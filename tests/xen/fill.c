// SPDX-License-Identifier: GPL-2.0
/*
 * fill DOMID [ADDRESS FILE]...: in dom0, write files into a guest's memory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenforeignmemory.h>

#define PAGE	4096ul
#define CHUNK	256

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_file(xenforeignmemory_handle *h, uint32_t domid, unsigned long address, const char *name)
{
	int fd = open(name, O_RDONLY), i;
	xen_pfn_t gfn[CHUNK];
	ssize_t got, sum, first = address % PAGE;
	char *to;

	if (fd < 0)
		die(name);
	do {
		for (i = 0; i < CHUNK; i++)
			gfn[i] = address / PAGE + i;
		to = xenforeignmemory_map(h, domid, PROT_READ | PROT_WRITE, CHUNK, gfn, NULL);
		if (!to)
			die("map");
		for (sum = first; sum < (ssize_t)(CHUNK * PAGE); sum += got) {
			got = read(fd, to + sum, CHUNK * PAGE - sum);
			if (got < 0)
				die(name);
			if (!got)
				break;
		}
		xenforeignmemory_unmap(h, to, CHUNK);
		address += sum - first;
		first = 0;
	} while (sum == CHUNK * PAGE);
	close(fd);
}

int main(int argc, char **argv)
{
	xenforeignmemory_handle *h = xenforeignmemory_open(NULL, 0);
	int i;

	if (argc < 4 || argc % 2)
		return 2;
	if (!h)
		die("xenforeignmemory");
	for (i = 2; i < argc; i += 2)
		write_file(h, atoi(argv[1]), strtoul(argv[i], NULL, 0), argv[i + 1]);
	return 0;
}
