// SPDX-License-Identifier: GPL-2.0
/* What the frontend counts, in sysfs: /sys/bus/xpv/devices/.../statistics/. */
#include <linux/sysfs.h>
#include "blkfront.h"

static ssize_t show(struct device *dev, char *buf, size_t field)
{
	struct blkfront_dev *fd = to_xpv_device(dev)->priv;
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < fd->nr_queues; i++)
		sum += *(u64 *)((void *)&fd->queues[i].stats + field);
	return sysfs_emit(buf, "%llu\n", sum);
}

#define COUNTER(name)									\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{											\
	return show(dev, buf, offsetof(struct blkfront_stats, name));			\
}											\
static DEVICE_ATTR_RO(name)

COUNTER(requests);
COUNTER(notifies);
COUNTER(responses);
COUNTER(prompt);
COUNTER(errors);
COUNTER(bounced);
COUNTER(persistent);
COUNTER(grant_waits);
COUNTER(requeued);

static struct attribute *attrs[] = {
	&dev_attr_requests.attr,
	&dev_attr_notifies.attr,
	&dev_attr_responses.attr,
	&dev_attr_prompt.attr,
	&dev_attr_errors.attr,
	&dev_attr_bounced.attr,
	&dev_attr_persistent.attr,
	&dev_attr_grant_waits.attr,
	&dev_attr_requeued.attr,
	NULL
};

static const struct attribute_group group = {
	.name = "statistics",
	.attrs = attrs,
};

const struct attribute_group *blkfront_groups[] = { &group, NULL };
