// SPDX-License-Identifier: GPL-2.0
/* block-list: the table that xl prints. */
#include <stdio.h>
#include <stdlib.h>

#include "xpvctl.h"

static void list_disk(struct ctl *ctl, unsigned int domid, uint32_t id)
{
	struct vdev vdev = { .id = id };
	struct vbd vbd;

	vdev_name(id, vdev.name, sizeof(vdev.name));
	vbd_init(&vbd, domid, &vdev);
	say("%-5u %-3ld %-6u %-5ld %-6ld %-8ld %-30s\n", id,
	    store_number(ctl, -1, "%s/backend-id", vbd.fe.dir), domid,
	    store_number(ctl, -1, "%s/state", vbd.fe.dir),
	    store_number(ctl, -1, "%s/event-channel", vbd.fe.dir),
	    store_number(ctl, -1, "%s/ring-ref", vbd.fe.dir), vbd.be.dir);
}

static void list_disks(struct ctl *ctl, unsigned int domid)
{
	size_t i, n;
	uint32_t *ids = vbd_ids(ctl, domid, &n);

	for (i = 0; i < n; i++)
		list_disk(ctl, domid, ids[i]);
	free(ids);
}

enum ctl_exit block_list(struct ctl *ctl)
{
	unsigned int *domids = calloc((size_t)ctl->argc, sizeof(*domids));
	enum ctl_exit code = CTL_OK;
	int i;

	if (!domids)
		return failed("out of memory");
	for (i = 0; i < ctl->argc && code == CTL_OK; i++) {
		if (!domain_find(ctl, ctl->argv[i], &domids[i]))
			code = CTL_FAILED;
	}
	if (code == CTL_OK)
		say("%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE", "handle", "state",
		    "evt-ch", "ring-ref", "BE-path");
	for (i = 0; i < ctl->argc && code == CTL_OK; i++)
		list_disks(ctl, domids[i]);
	free(domids);
	return code;
}
