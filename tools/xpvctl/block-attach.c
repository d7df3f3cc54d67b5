// SPDX-License-Identifier: GPL-2.0
/*
 * block-attach: both directories are written in one transaction, as libxl does, so that drivers
 * never see half of them. What was written is removed again when the two sides do not connect in
 * time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "spec.h"
#include "xpvctl.h"

#define UNDO_SECONDS 5

struct attach {
	struct vbd *vbd;
	const struct disk_spec *spec;
	dev_t backing;
	bool exists, no_domain;
};

static bool write_frontend(struct ctl *ctl, xs_transaction_t t, const struct vbd *vbd)
{
	const char *dir = vbd->fe.dir;

	return store_write(ctl, t, dir, "backend", "%s", vbd->be.dir) &&
	       store_write(ctl, t, dir, "backend-id", "%u", vbd->be.domid) &&
	       store_write(ctl, t, dir, "state", "1") &&
	       store_write(ctl, t, dir, "virtual-device", "%u", vbd->vdev.id) &&
	       store_write(ctl, t, dir, "device-type", "disk");
}

static bool write_backend(struct ctl *ctl, xs_transaction_t t, const struct attach *a)
{
	const struct disk_spec *spec = a->spec;
	const char *dir = a->vbd->be.dir;

	return store_write(ctl, t, dir, "frontend", "%s", a->vbd->fe.dir) &&
	       store_write(ctl, t, dir, "frontend-id", "%u", a->vbd->domid) &&
	       store_write(ctl, t, dir, "online", "1") &&
	       store_write(ctl, t, dir, "removable", "0") &&
	       store_write(ctl, t, dir, "bootable", "1") &&
	       store_write(ctl, t, dir, "state", "1") &&
	       store_write(ctl, t, dir, "dev", "%s", spec->vdev.name) &&
	       store_write(ctl, t, dir, "type", "phy") &&
	       store_write(ctl, t, dir, "mode", "%s", spec->readonly ? "r" : "w") &&
	       store_write(ctl, t, dir, "device-type", "disk") &&
	       store_write(ctl, t, dir, "direct-io-safe", "%d", spec->direct_io_safe) &&
	       store_write(ctl, t, dir, "discard-enable", "%d", spec->discard) &&
	       store_write(ctl, t, dir, "params", "%s", spec->target) &&
	       store_write(ctl, t, dir, "physical-device", "%x:%x", major(a->backing),
			   minor(a->backing));
}

/* A directory that @owner has and @reader may read; nodes made below it inherit that. */
static bool make_dir(struct ctl *ctl, xs_transaction_t t, const char *dir, unsigned int owner,
		     unsigned int reader)
{
	struct xs_permissions perms[2] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};

	return xs_mkdir(ctl->xs, t, dir) && xs_set_permissions(ctl->xs, t, dir, perms, 2);
}

static bool write_nodes(struct ctl *ctl, xs_transaction_t t, void *arg)
{
	struct attach *a = arg;
	struct vbd *vbd = a->vbd;
	char home[64];

	format(home, sizeof(home), "/local/domain/%u", vbd->domid);
	a->no_domain = !store_exists(ctl, t, home);
	a->exists = store_exists(ctl, t, vbd->fe.dir) || store_exists(ctl, t, vbd->be.dir);
	if (a->no_domain || a->exists)
		return false;
	return store_prune(ctl, t, vbd->fe.error_dir) && store_prune(ctl, t, vbd->be.error_dir) &&
	       make_dir(ctl, t, vbd->fe.dir, vbd->domid, vbd->be.domid) &&
	       make_dir(ctl, t, vbd->be.dir, vbd->be.domid, vbd->domid) &&
	       write_frontend(ctl, t, vbd) && write_backend(ctl, t, a);
}

/* The backend checks all this again; here it makes an error before anything is written. */
static bool check_backing(const struct disk_spec *spec, dev_t *dev)
{
	struct stat st;
	int fd;

	if (stat(spec->target, &st)) {
		failed("%s: %s", spec->target, strerror(errno));
		return false;
	}
	if (!S_ISBLK(st.st_mode)) {
		failed("%s: not a block device", spec->target);
		return false;
	}
	fd = open(spec->target, (spec->readonly ? O_RDONLY : O_RDWR | O_EXCL) | O_CLOEXEC);
	if (fd < 0) {
		failed("%s: %s", spec->target,
		       errno == EBUSY ? "the block device is in use" : strerror(errno));
		return false;
	}
	close(fd);
	*dev = st.st_rdev;
	return true;
}

static bool is_closed(const struct vbd_side *side)
{
	return side->state == 5 || side->state == 6 || side->state == -1;
}

static enum verdict judge_attach(const struct vbd *vbd)
{
	if (vbd->be.state == 4 && vbd->fe.state == 4)
		return VERDICT_DONE;
	if (vbd->be.state == -1 && vbd->fe.state == -1)
		return VERDICT_FAILED;
	if ((vbd->be.error[0] && is_closed(&vbd->be)) || (vbd->fe.error[0] && is_closed(&vbd->fe)))
		return VERDICT_FAILED;
	return VERDICT_WAIT;
}

static enum ctl_exit connect_sides(struct ctl *ctl, struct vbd *vbd)
{
	enum ctl_exit code = wait_for(ctl, vbd, judge_attach, ctl->timeout);
	char why[1400];

	if (code == CTL_OK)
		return code;
	wait_explain(vbd, why, sizeof(why));
	if (code == CTL_TIMEOUT)
		failed("%s: not connected after %u s: %s", vbd->vdev.name, ctl->timeout, why);
	else
		failed("%s: %s: %s", vbd->vdev.name, interrupted ? "interrupted" : "cannot connect",
		       why);
	ctl->quiet = true;
	if (!block_remove(ctl, vbd))
		failed("%s: its nodes are left behind: %s", vbd->vdev.name, strerror(errno));
	return code;
}

enum ctl_exit block_attach(struct ctl *ctl)
{
	struct disk_spec spec;
	struct attach a = { .spec = &spec };
	unsigned int domid;
	struct vbd vbd;
	char error[160];

	if (!disk_spec_parse(ctl->argc - 1, ctl->argv + 1, &spec, error, sizeof(error)))
		return usage(ctl, "block-attach: %s", error);
	if (!domain_find(ctl, ctl->argv[0], &domid) || !check_backing(&spec, &a.backing))
		return CTL_FAILED;
	vbd_init(&vbd, domid, &spec.vdev);
	a.vbd = &vbd;
	if (!store_transact(ctl, write_nodes, &a)) {
		if (a.no_domain)
			return failed("domain %s is gone", ctl->argv[0]);
		if (a.exists)
			return failed("%s (device %u) is already in use in domain %s",
				      vbd.vdev.name, vbd.vdev.id, ctl->argv[0]);
		return failed("%s: cannot write its nodes: %s", vbd.vdev.name, strerror(errno));
	}
	return connect_sides(ctl, &vbd);
}

static enum verdict judge_gone(const struct vbd *vbd)
{
	return vbd->be.device || vbd->fe.device ? VERDICT_WAIT : VERDICT_DONE;
}

bool block_remove(struct ctl *ctl, struct vbd *vbd)
{
	if (!vbd_remove_nodes(ctl, vbd))
		return false;
	if (wait_for(ctl, vbd, judge_gone, UNDO_SECONDS) != CTL_TIMEOUT)
		return true;
	errno = ETIMEDOUT;
	return false;
}
