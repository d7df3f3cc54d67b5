// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdev.h"

#define XVD_EXTENDED	(1U << 28)
#define RESERVED	(2U << 28)

#define XVD_MAJOR	202U
#define SD_MAJOR	8U
#define HD_MAJOR_0	3U
#define HD_MAJOR_1	22U

#define XVD_MAX_DISK	((1U << 20) - 1)
#define XVD_MAX_PART	255U

/* Kinds of disks: the prefix of the name, and how many disks and partitions it can express. */
static const struct kind {
	const char *prefix;
	uint32_t max_disk, max_part;
} kinds[] = {
	{ "xvd", XVD_MAX_DISK, XVD_MAX_PART },
	{ "sd", 15, 15 },
	{ "hd", 3, 63 },
};

enum { XVD, SD, HD, NR_KINDS };

static uint32_t encode(int kind, uint32_t disk, uint32_t part)
{
	if (kind == SD)
		return SD_MAJOR << 8 | disk << 4 | part;
	if (kind == HD)
		return disk < 2 ? HD_MAJOR_0 << 8 | disk << 6 | part :
				  HD_MAJOR_1 << 8 | (disk - 2) << 6 | part;
	if (disk > 15 || part > 15)
		return XVD_EXTENDED | disk << 8 | part;
	return XVD_MAJOR << 8 | disk << 4 | part;
}

/* The inverse. False for numbers that nothing encodes to. */
static bool decode(uint32_t id, int *kind, uint32_t *disk, uint32_t *part)
{
	uint32_t minor = id & 0xff;

	if (id >= RESERVED)
		return false;
	if (id & XVD_EXTENDED) {
		*kind = XVD;
		*disk = (id & ~XVD_EXTENDED) >> 8;
		*part = minor;
		return true;
	}
	*kind = id >> 8 == SD_MAJOR ? SD : id >> 8 == XVD_MAJOR ? XVD : HD;
	*disk = *kind == HD ? minor >> 6 : minor >> 4;
	*part = *kind == HD ? minor & 63 : minor & 15;
	if (*kind != HD)
		return true;
	if (*disk > 1 || (id >> 8 != HD_MAJOR_0 && id >> 8 != HD_MAJOR_1))
		return false;
	if (id >> 8 == HD_MAJOR_1)
		*disk += 2;
	return true;
}

/* Digits up to the end of the text, without sign, blanks or leading zeros; an empty text is 0. */
static bool parse_decimal(const char *s, uint32_t max, uint32_t *value)
{
	uint64_t n = 0;

	if (*s == '0')
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > max)
			return false;
	}
	*value = (uint32_t)n;
	return true;
}

/* Letters count as a..z, aa..az, ba.. Returns where they end, or NULL. */
static const char *parse_letters(const char *s, uint32_t max, uint32_t *disk)
{
	uint64_t n = 0;

	if (*s < 'a' || *s > 'z')
		return NULL;
	for (; *s >= 'a' && *s <= 'z'; s++) {
		n = n * 26 + (uint64_t)(*s - 'a') + 1;
		if (n > (uint64_t)max + 1)
			return NULL;
	}
	*disk = (uint32_t)n - 1;
	return s;
}

static bool parse_lettered(const char *s, uint32_t *id)
{
	uint32_t disk, part;
	int k;

	for (k = 0; k < NR_KINDS; k++) {
		size_t len = strlen(kinds[k].prefix);
		const char *end;

		if (strncmp(s, kinds[k].prefix, len))
			continue;
		end = parse_letters(s + len, kinds[k].max_disk, &disk);
		if (!end || !parse_decimal(end, kinds[k].max_part, &part))
			return false;
		*id = encode(k, disk, part);
		return true;
	}
	return false;
}

/* d<disk>[p<partition>], where either may be a plain 0 */
static bool parse_dp(const char *s, uint32_t *id)
{
	unsigned long disk, part = 0;
	char *end;

	if (*s++ != 'd' || *s < '0' || *s > '9')
		return false;
	errno = 0;
	disk = strtoul(s, &end, 10);
	if (*end == 'p') {
		if (end[1] < '0' || end[1] > '9')
			return false;
		part = strtoul(end + 1, &end, 10);
	}
	if (errno || *end || disk > XVD_MAX_DISK || part > XVD_MAX_PART)
		return false;
	*id = encode(XVD, (uint32_t)disk, (uint32_t)part);
	return true;
}

static bool parse_number(const char *s, uint32_t *id)
{
	unsigned long n;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	n = strtoul(s, &end, 0);
	if (errno || *end || !n || n >= RESERVED)
		return false;
	*id = (uint32_t)n;
	return true;
}

bool vdev_parse(const char *text, struct vdev *v)
{
	uint32_t id;

	if (!parse_lettered(text, &id) && !parse_dp(text, &id) && !parse_number(text, &id))
		return false;
	v->id = id;
	vdev_name(id, v->name, sizeof(v->name));
	return true;
}

void vdev_name(uint32_t id, char *name, size_t len)
{
	char letters[8], *p = letters + sizeof(letters) - 1;
	uint32_t disk, part;
	int kind;

	if (!decode(id, &kind, &disk, &part)) {
		snprintf(name, len, "%u", id);
		return;
	}
	*p = '\0';
	for (disk++; disk; disk = (disk - 1) / 26)
		*--p = (char)('a' + (disk - 1) % 26);
	if (part)
		snprintf(name, len, "%s%s%u", kinds[kind].prefix, p, part);
	else
		snprintf(name, len, "%s%s", kinds[kind].prefix, p);
}
