// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs of a backend: physical_device, mode and statistics/ as the in-tree backend has them, and a
 * few more counters.
 */
#include <linux/sysfs.h>
#include "blkback.h"

static struct blkback_dev *to_bd(struct device *dev)
{
	return to_xpv_device(dev)->priv;
}

static ssize_t physical_device_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	dev_t devt = to_bd(dev)->devt;

	return sysfs_emit(buf, "%x:%x\n", MAJOR(devt), MINOR(devt));
}
static DEVICE_ATTR_RO(physical_device);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_bd(dev)->writable ? "w" : "r");
}
static DEVICE_ATTR_RO(mode);

static ssize_t inflight_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct blkback_dev *bd = to_bd(dev);
	unsigned int i, sum = 0;

	mutex_lock(&bd->lock);
	for (i = 0; i < bd->nr_queues; i++)
		sum += READ_ONCE(bd->queues[i].inflight);
	mutex_unlock(&bd->lock);
	return sysfs_emit(buf, "%u\n", sum);
}
static DEVICE_ATTR_RO(inflight);

/* All counters are u64: this and show() treat the struct as an array of them. */
#define NR_COUNTERS (sizeof(struct blkback_stats) / sizeof(u64))

/**
 * blkback_stats_add() - add up
 * @sum: is added to
 * @s:   what is added
 */
void blkback_stats_add(struct blkback_stats *sum, const struct blkback_stats *s)
{
	unsigned int i;

	for (i = 0; i < NR_COUNTERS; i++)
		((u64 *)sum)[i] += ((const u64 *)s)[i];
}

static ssize_t show(struct device *dev, char *buf, size_t field)
{
	struct blkback_dev *bd = to_bd(dev);
	struct blkback_stats sum;
	unsigned int i;

	mutex_lock(&bd->lock);
	sum = bd->past;
	for (i = 0; i < bd->nr_queues; i++)
		blkback_stats_add(&sum, &bd->queues[i].stats);
	mutex_unlock(&bd->lock);
	return sysfs_emit(buf, "%llu\n", *(u64 *)((void *)&sum + field));
}

#define COUNTER(name)									\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{											\
	return show(dev, buf, offsetof(struct blkback_stats, name));			\
}											\
static DEVICE_ATTR_RO(name)

COUNTER(oo_req);
COUNTER(rd_req);
COUNTER(wr_req);
COUNTER(f_req);
COUNTER(ds_req);
COUNTER(rd_sect);
COUNTER(wr_sect);
COUNTER(errors);
COUNTER(notifies);
COUNTER(copied);
COUNTER(persistent);

static struct attribute *counters[] = {
	&dev_attr_oo_req.attr,
	&dev_attr_rd_req.attr,
	&dev_attr_wr_req.attr,
	&dev_attr_f_req.attr,
	&dev_attr_ds_req.attr,
	&dev_attr_rd_sect.attr,
	&dev_attr_wr_sect.attr,
	&dev_attr_errors.attr,
	&dev_attr_notifies.attr,
	&dev_attr_copied.attr,
	&dev_attr_persistent.attr,
	&dev_attr_inflight.attr,
	NULL
};

static const struct attribute_group statistics = {
	.name = "statistics",
	.attrs = counters,
};

static struct attribute *attrs[] = {
	&dev_attr_physical_device.attr,
	&dev_attr_mode.attr,
	NULL
};

static const struct attribute_group group = {
	.attrs = attrs,
};

const struct attribute_group *blkback_groups[] = { &group, &statistics, NULL };
