// SPDX-License-Identifier: GPL-2.0
/*
 * The gendisk: its name, its life, who has it open.
 *
 * Names: many domains may live in this kernel, each with its own xvda. The plain name and its minor
 * numbers belong to whoever comes first; the disk of another domain gets the domain's number
 * appended ("xvda.d2", its first partition "xvda.d2p1") and minor numbers of the block layer's
 * choosing. A name that is taken within the same domain is an error. Where major 202 is another
 * driver's, so may be the plain names: all get the domain's number then.
 */
#include <linux/slab.h>
#include "blkfront.h"

static LIST_HEAD(claims);
static DEFINE_MUTEX(claims_lock);	/* protects claims */
static bool have_major;

int blkfront_disk_init(void)
{
	have_major = !register_blkdev(BLKFRONT_MAJOR, "xvd");
	if (!have_major)
		pr_info("major number %d is in use: disks are named after their domain\n",
			BLKFRONT_MAJOR);
	return 0;
}

void blkfront_disk_exit(void)
{
	if (have_major)
		unregister_blkdev(BLKFRONT_MAJOR, "xvd");
}

static struct blkfront_dev *find_claim(const char *text)
{
	struct blkfront_dev *fd;

	lockdep_assert_held(&claims_lock);
	list_for_each_entry(fd, &claims, claim)
		if (!strcmp(fd->text, text))
			return fd;
	return NULL;
}

static bool minors_free(const struct blkfront_name *n)
{
	struct blkfront_dev *fd;

	lockdep_assert_held(&claims_lock);
	if (!have_major || n->minor + n->minors > 1U << MINORBITS)
		return false;
	list_for_each_entry(fd, &claims, claim)
		if (fd->minors && n->minor < fd->name.minor + fd->name.minors &&
		    fd->name.minor < n->minor + n->minors)
			return false;
	return true;
}

static int choose_name(struct blkfront_dev *fd)
{
	struct blkfront_dev *other;
	int err;

	err = blkfront_name_format(&fd->name, have_major ? -1 : fd->domid,
				   fd->text, sizeof(fd->text));
	if (err)
		return err;
	other = find_claim(fd->text);
	if (!other)
		return 0;
	if (other->domid == fd->domid)
		return -EEXIST;
	err = blkfront_name_format(&fd->name, fd->domid, fd->text, sizeof(fd->text));
	if (err)
		return err;
	return find_claim(fd->text) ? -EEXIST : 0;
}

/**
 * blkfront_claim_name() - fd->text and minor numbers for fd->name
 * @fd: the device
 *
 * Return: 0; -EEXIST, fd->text is the name in use.
 */
int blkfront_claim_name(struct blkfront_dev *fd)
{
	int err;

	mutex_lock(&claims_lock);
	err = choose_name(fd);
	if (!err) {
		fd->minors = minors_free(&fd->name);
		list_add_tail(&fd->claim, &claims);
	}
	mutex_unlock(&claims_lock);
	return err;
}

/* Mirror, for a disk that has gone from sysfs and /dev. No-op without a claim. */
static void release_name(struct blkfront_dev *fd)
{
	mutex_lock(&claims_lock);
	list_del_init(&fd->claim);
	mutex_unlock(&claims_lock);
}

static int disk_open(XPV_DISK_OPEN_ARGS)
{
	struct blkfront_dev *fd = XPV_DISK_OPENED->private_data;

	if (READ_ONCE(fd->state) == BLKFRONT_DEAD || READ_ONCE(fd->closing))
		return -ENXIO;
	return 0;
}

/* The last user of a disk that somebody wants closed. The bus device may be gone already. */
static void disk_release(XPV_DISK_RELEASE_ARGS)
{
	struct blkfront_dev *fd = disk->private_data;

	if (!fd->kick || disk_openers(disk))
		return;
	fd->kick = false;
	spin_lock(&fd->life);
	if (fd->xdev)
		xpv_device_kick(fd->xdev);
	spin_unlock(&fd->life);
}

static void disk_free(struct gendisk *disk)
{
	kfree(disk->private_data);
}

static const struct block_device_operations disk_ops = {
	.owner = THIS_MODULE,
	.open = disk_open,
	.release = disk_release,
	.free_disk = disk_free,
};

/* Reads the disk for partitions, as long as the backend takes to answer. */
static void add_work(struct work_struct *work)
{
	struct blkfront_dev *fd = container_of(work, struct blkfront_dev, add_work);
	int err = device_add_disk(&fd->xdev->dev, fd->disk, NULL);

	if (err)
		xpv_device_fatal(fd->xdev, err, "no disk %s", fd->text);
	else
		WRITE_ONCE(fd->added, true);
}

static void kick_work(struct work_struct *work)
{
	struct delayed_work *dw = to_delayed_work(work);
	struct blkfront_dev *fd = container_of(dw, struct blkfront_dev, kick_work);

	xpv_device_kick(fd->xdev);
}

static int tags_alloc(struct blkfront_dev *fd)
{
	struct blk_mq_tag_set *tags = &fd->tags;

	tags->ops = &blkfront_mq_ops;
	tags->nr_hw_queues = fd->nr_queues;
	tags->queue_depth = BLKFRONT_SLOTS;
	tags->numa_node = NUMA_NO_NODE;
	tags->cmd_size = sizeof(struct blkfront_req);
	/* Order is the backing device's affair; merging under a plug works without a scheduler. */
	tags->flags = BLK_MQ_F_SHOULD_MERGE | BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	tags->driver_data = fd;
	return blk_mq_alloc_tag_set(tags);
}

static void disk_fill(struct blkfront_dev *fd)
{
	struct gendisk *disk = fd->disk;

	if (fd->minors) {
		disk->major = BLKFRONT_MAJOR;
		disk->first_minor = fd->name.minor;
		disk->minors = fd->name.minors;
	}
	if (fd->geo.info & (VDISK_REMOVABLE | VDISK_CDROM))
		disk->flags |= GENHD_FL_REMOVABLE;
	if (fd->name.partition)
		disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &disk_ops;
	disk->private_data = fd;
	strscpy(disk->disk_name, fd->text, sizeof(disk->disk_name));
}

/**
 * blkfront_disk_create() - the disk, not visible yet
 * @fd: the device
 *
 * Holds fd->lock; fd->geo is known. The block layer's queue is quiesced, as the state
 * %BLKFRONT_OFFLINE wants it.
 */
int blkfront_disk_create(struct blkfront_dev *fd)
{
	struct xpv_disk_limits l;
	struct gendisk *disk;
	int err;

	lockdep_assert_held(&fd->lock);
	err = tags_alloc(fd);
	if (err)
		return err;
	blkfront_limits(fd, &l);
	disk = xpv_disk_alloc(&fd->tags, &l, fd);
	if (IS_ERR(disk)) {
		blk_mq_free_tag_set(&fd->tags);
		return PTR_ERR(disk);
	}
	fd->disk = disk;
	disk_fill(fd);
	INIT_WORK(&fd->add_work, add_work);
	INIT_WORK(&fd->limits_work, blkfront_limits_work);
	INIT_DELAYED_WORK(&fd->kick_work, kick_work);
	blk_mq_quiesce_queue(disk->queue);
	return 0;
}

/** blkfront_disk_live() - I/O runs from here on, what waited first. Holds fd->lock. */
void blkfront_disk_live(struct blkfront_dev *fd)
{
	lockdep_assert_held(&fd->lock);
	WRITE_ONCE(fd->closing, false);
	WRITE_ONCE(fd->state, BLKFRONT_LIVE);
	blk_mq_unquiesce_queue(fd->disk->queue);
	blk_mq_kick_requeue_list(fd->disk->queue);
	if (!fd->adding)
		queue_work(system_unbound_wq, &fd->add_work);
	fd->adding = true;
}

/**
 * blkfront_disk_offline() - no request is on its way to the ring, and none will be
 * @fd: the device
 *
 * Holds fd->lock.
 */
void blkfront_disk_offline(struct blkfront_dev *fd)
{
	lockdep_assert_held(&fd->lock);
	if (fd->state != BLKFRONT_LIVE)
		return;
	WRITE_ONCE(fd->state, BLKFRONT_OFFLINE);
	blk_mq_quiesce_queue(fd->disk->queue);
}

/**
 * blkfront_disk_die() - all I/O fails, what waited and what comes
 * @fd: the device
 *
 * State is %BLKFRONT_DEAD, the rings are closed. First the requests, then the disk: marking it dead
 * may make a file system write, and must not wait for a request that waits for us.
 */
void blkfront_disk_die(struct blkfront_dev *fd)
{
	if (!fd->disk)
		return;
	blk_mq_unquiesce_queue(fd->disk->queue);
	blk_mq_kick_requeue_list(fd->disk->queue);
	cancel_work_sync(&fd->add_work);
	cancel_work_sync(&fd->limits_work);
	cancel_delayed_work_sync(&fd->kick_work);
	if (fd->added)
		blk_mark_disk_dead(fd->disk);
}

/**
 * blkfront_disk_destroy() - mirror of create, after blkfront_disk_die()
 * @fd: the device
 *
 * Releases its name, for another domain's disk to have. Frees @fd, now or with the last user.
 */
void blkfront_disk_destroy(struct blkfront_dev *fd)
{
	struct gendisk *disk = fd->disk;

	if (disk && fd->added) {
		del_gendisk(disk);
		release_name(fd);
		blk_mq_free_tag_set(&fd->tags);
		blkfront_queues_free(fd);
		put_disk(disk);	/* disk_free() */
		return;
	}
	release_name(fd);
	if (disk) {
		put_disk(disk);
		blk_mq_free_tag_set(&fd->tags);
	}
	blkfront_queues_free(fd);
	kfree(fd);
}

/**
 * blkfront_disk_close() - no new user, if there is none
 * @fd: the device
 *
 * Does not wait for disk->open_mutex: whoever scans for partitions has it as long as the backend
 * takes to answer, and the caller is the one that notices the backend's end.
 *
 * Return: 0; or the number of users, or one of them that comes or goes just now.
 */
int blkfront_disk_close(struct blkfront_dev *fd)
{
	int users;

	if (!fd->disk)
		return 0;
	if (!mutex_trylock(&fd->disk->open_mutex)) {
		schedule_delayed_work(&fd->kick_work, HZ / 10);
		return 1;
	}
	users = disk_openers(fd->disk);
	fd->kick = users;
	WRITE_ONCE(fd->closing, !users);
	mutex_unlock(&fd->disk->open_mutex);
	return users;
}
