/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a virtual device number means. Pure: also built in user space by tests/unit.
 */
#ifndef BLKFRONT_NAMING_H
#define BLKFRONT_NAMING_H

#include <linux/types.h>

#define BLKFRONT_MAJOR		202
#define BLKFRONT_NAME_LEN	32	/* that of a gendisk */

/**
 * struct blkfront_name - a virtual device number taken apart
 * @disk:      0 for xvda, 1 for xvdb ...
 * @partition: 0 for a whole disk; else the disk that this is presents one partition only
 * @minors:    how many minor numbers belong to the disk with its partitions: 16 or 256, 1 for a
 *             partition
 * @minor:     the first, under %BLKFRONT_MAJOR
 */
struct blkfront_name {
	unsigned int disk;
	unsigned int partition;
	unsigned int minors;
	unsigned int minor;
};

int blkfront_name_parse(unsigned long vdev, struct blkfront_name *name);
int blkfront_name_format(const struct blkfront_name *name, int domid, char *buf, unsigned int len);

#endif /* BLKFRONT_NAMING_H */
