// SPDX-License-Identifier: GPL-2.0
/*
 * block-detach: ask the backend to close, which asks the frontend; when the backend is Closed
 * nothing is in use any more and the nodes go. A disk that the guest uses stays, and asked to
 * close: the frontend lets go when its last user has.
 */
#include <errno.h>
#include <string.h>

#include "xpvctl.h"

#define FORCE_SECONDS 2

static bool ask_to_close(struct ctl *ctl, xs_transaction_t t, void *arg)
{
	struct vbd *vbd = arg;
	char state[STORE_PATH];

	if (!format(state, sizeof(state), "%s/state", vbd->be.dir))
		return false;
	if (!store_exists(ctl, t, state))
		return true;
	return store_write(ctl, t, vbd->be.dir, "online", "0") &&
	       (vbd->be.state == 6 || store_write(ctl, t, vbd->be.dir, "state", "5"));
}

/* Closed, never there, or nobody there who could close. */
static enum verdict judge_detach(const struct vbd *vbd)
{
	if (vbd->be.state == 6 || vbd->be.state == -1 || !vbd->be.driver)
		return VERDICT_DONE;
	return VERDICT_WAIT;
}

static enum ctl_exit wait_closed(struct ctl *ctl, struct vbd *vbd)
{
	bool force = ctl->force;
	enum ctl_exit code;
	char why[1400];

	code = wait_for(ctl, vbd, judge_detach,
			force && ctl->timeout > FORCE_SECONDS ? FORCE_SECONDS : ctl->timeout);
	if (code == CTL_OK || (force && code == CTL_TIMEOUT))
		return CTL_OK;
	wait_explain(vbd, why, sizeof(why));
	if (code == CTL_TIMEOUT)
		failed("%s: not closed after %u s: %s", vbd->vdev.name, ctl->timeout, why);
	else
		failed("%s: interrupted: %s", vbd->vdev.name, why);
	return code;
}

enum ctl_exit block_detach(struct ctl *ctl)
{
	unsigned int domid;
	enum ctl_exit code;
	struct vdev vdev;
	struct vbd vbd;

	if (!vdev_parse(ctl->argv[1], &vdev))
		return usage(ctl, "block-detach: '%s' is not a virtual disk, try xvda",
			     ctl->argv[1]);
	if (!domain_find(ctl, ctl->argv[0], &domid))
		return CTL_FAILED;
	vbd_init(&vbd, domid, &vdev);
	if (!store_exists(ctl, XBT_NULL, vbd.fe.dir) && !store_exists(ctl, XBT_NULL, vbd.be.dir))
		return failed("domain %s has no disk %s (device %u)", ctl->argv[0], vdev.name,
			      vdev.id);
	vbd_look(ctl, &vbd);
	if (!store_transact(ctl, ask_to_close, &vbd))
		return failed("%s: cannot ask the backend to close: %s", vdev.name,
			      strerror(errno));
	code = wait_closed(ctl, &vbd);
	if (code != CTL_OK)
		return code;
	if (block_remove(ctl, &vbd))
		return CTL_OK;
	if (errno != ETIMEDOUT)
		return failed("%s: cannot remove its nodes: %s", vdev.name, strerror(errno));
	failed("%s: its nodes are removed, but %s is still there", vdev.name,
	       vbd.be.device ? vbd.be.sysfs : vbd.fe.sysfs);
	return CTL_TIMEOUT;
}
