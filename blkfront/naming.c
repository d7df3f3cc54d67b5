// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual device numbers, as the manual page xen-vbd-interface(7) defines them, to disk names.
 *
 *   1 << 28 | disk << 8 | partition	xvd, 256 minors a disk
 *   202 << 8 | disk << 4 | partition	xvd, 16 minors a disk
 *   8 << 8 | disk << 4 | partition	sd, and the other SCSI majors of 16 disks each
 *   3 << 8 | disk << 6 | partition	hd, two disks; 22 << 8 has the next two
 *
 * All of them become xvd disks: what an emulated sd or hd disk's twin is called is not ours to
 * take. The minor numbers are those that the same disk has as xvd.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "naming.h"

#define VDEV_EXTENDED		BIT(28)
#define EXT_MINORS		256
#define XVD_MINORS		16

/*
 * An old encoding: a Linux major number, which disk its minor 0 is, and how many minors a disk of
 * it has.
 */
struct encoding {
	unsigned int major;
	unsigned int first_disk;
	unsigned int minors;
};

static const struct encoding encodings[] = {
	{ BLKFRONT_MAJOR, 0, XVD_MINORS },
	{ 3, 0, 64 },
	{ 22, 2, 64 },
	{ 8, 0, 16 },
	{ 65, 16, 16 }, { 66, 32, 16 }, { 67, 48, 16 }, { 68, 64, 16 },
	{ 69, 80, 16 }, { 70, 96, 16 }, { 71, 112, 16 },
	{ 128, 128, 16 }, { 129, 144, 16 }, { 130, 160, 16 }, { 131, 176, 16 },
	{ 132, 192, 16 }, { 133, 208, 16 }, { 134, 224, 16 }, { 135, 240, 16 },
};

static const struct encoding *find_encoding(unsigned long major)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(encodings); i++)
		if (encodings[i].major == major)
			return &encodings[i];
	return NULL;
}

static void fill(struct blkfront_name *name, unsigned int disk, unsigned int part,
		 unsigned int minors)
{
	name->disk = disk;
	name->partition = part;
	name->minors = part ? 1 : minors;
	name->minor = disk * minors + part;
}

/**
 * blkfront_name_parse() - take a virtual device number apart
 * @vdev: the number, from the store
 * @name: filled in on success
 *
 * Return: 0; -EINVAL for a number of no known encoding; -ERANGE for an IDE disk of a major that has
 * only two, or a partition that xvd has no number for.
 */
int blkfront_name_parse(unsigned long vdev, struct blkfront_name *name)
{
	const struct encoding *enc;
	unsigned int minor;

	if (vdev & VDEV_EXTENDED) {
		vdev &= ~VDEV_EXTENDED;
		if (vdev >= VDEV_EXTENDED)
			return -EINVAL;
		fill(name, vdev / EXT_MINORS, vdev % EXT_MINORS, EXT_MINORS);
		return 0;
	}

	enc = find_encoding(vdev >> 8);
	if (!enc)
		return -EINVAL;
	minor = vdev & 0xff;
	if (enc->minors == 64 && minor >= 2 * 64)
		return -ERANGE;
	if (minor % enc->minors >= XVD_MINORS)
		return -ERANGE;
	fill(name, enc->first_disk + minor / enc->minors, minor % enc->minors, XVD_MINORS);
	return 0;
}

/*
 * Bijective base 26: a .. z, aa .. zz, aaa ... Fills from the end of @buf, returns where it starts.
 */
static char *letters(unsigned int disk, char *buf, unsigned int len)
{
	char *p = buf + len;

	*--p = '\0';
	for (;;) {
		*--p = 'a' + disk % 26;
		if (disk < 26)
			return p;
		disk = disk / 26 - 1;
	}
}

/**
 * blkfront_name_format() - the disk's name
 * @name:  the number taken apart
 * @domid: -1, or the domain to name when another domain's disk has the plain name: "xvda.d2"
 * @buf:   filled in
 * @len:   its size, at least %BLKFRONT_NAME_LEN
 *
 * Return: 0, -ENAMETOOLONG
 */
int blkfront_name_format(const struct blkfront_name *name, int domid, char *buf, unsigned int len)
{
	char disk[12], part[12] = "", dom[16] = "";
	int n;

	if (name->partition)
		snprintf(part, sizeof(part), "%u", name->partition);
	if (domid >= 0)
		snprintf(dom, sizeof(dom), ".d%d", domid);
	n = snprintf(buf, len, "xvd%s%s%s", letters(name->disk, disk, sizeof(disk)), part, dom);
	return n < (int)len ? 0 : -ENAMETOOLONG;
}
