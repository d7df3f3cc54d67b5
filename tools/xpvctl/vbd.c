// SPDX-License-Identifier: GPL-2.0
/* One virtual disk: where its nodes and its devices are, and how they stand. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xpvctl.h"

void vbd_init(struct vbd *vbd, unsigned int domid, const struct vdev *vdev)
{
	unsigned int id = vdev->id;

	memset(vbd, 0, sizeof(*vbd));
	vbd->domid = domid;
	vbd->vdev = *vdev;

	vbd->be.what = "backend";
	vbd->be.domid = 0;
	format(vbd->be.dir, STORE_PATH, "/local/domain/0/backend/vbd/%u/%u", domid, id);
	format(vbd->be.error_dir, STORE_PATH, "/local/domain/0/error/backend/vbd/%u/%u", domid, id);
	format(vbd->be.sysfs, sizeof(vbd->be.sysfs), "/sys/bus/xpv-backend/devices/d0-vbd-%u-%u",
	       domid, id);

	vbd->fe.what = "frontend";
	vbd->fe.domid = domid;
	format(vbd->fe.dir, STORE_PATH, "/local/domain/%u/device/vbd/%u", domid, id);
	format(vbd->fe.error_dir, STORE_PATH, "/local/domain/%u/error/device/vbd/%u", domid, id);
	format(vbd->fe.sysfs, sizeof(vbd->fe.sysfs), "/sys/bus/xpv/devices/d%u-vbd-%u", domid, id);
}

/* Make one printable line out of a text that somebody else wrote. */
static void one_line(char *text)
{
	size_t len;
	char *p;

	for (p = text; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = ' ';
	}
	for (len = strlen(text); len && text[len - 1] == ' '; len--)
		text[len - 1] = '\0';
}

/* The line of the attribute that says what the device waits for. */
static void read_waits(struct vbd_side *side)
{
	static const char key[] = "waits for: ";
	char path[160], text[1024], *line;
	ssize_t n;
	int fd;

	side->waits[0] = '\0';
	format(path, sizeof(path), "%s/status", side->sysfs);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, key);
	if (!line)
		return;
	line += sizeof(key) - 1;
	line[strcspn(line, "\n")] = '\0';
	snprintf(side->waits, sizeof(side->waits), "%.*s", (int)sizeof(side->waits) - 1, line);
	one_line(side->waits);
}

static void look_at_side(struct ctl *ctl, struct vbd_side *side)
{
	char path[160], *error;

	side->state = store_number(ctl, -1, "%s/state", side->dir);
	side->device = !access(side->sysfs, F_OK);
	format(path, sizeof(path), "%s/driver", side->sysfs);
	side->driver = !access(path, F_OK);
	read_waits(side);

	error = store_read(ctl, XBT_NULL, "%s/error", side->error_dir);
	snprintf(side->error, sizeof(side->error), "%s", error ? error : "");
	one_line(side->error);
	free(error);
}

void vbd_look(struct ctl *ctl, struct vbd *vbd)
{
	look_at_side(ctl, &vbd->be);
	look_at_side(ctl, &vbd->fe);
}

static bool remove_nodes(struct ctl *ctl, xs_transaction_t t, void *arg)
{
	struct vbd *vbd = arg;

	return store_prune(ctl, t, vbd->fe.dir) && store_prune(ctl, t, vbd->be.dir) &&
	       store_prune(ctl, t, vbd->fe.error_dir) && store_prune(ctl, t, vbd->be.error_dir);
}

bool vbd_remove_nodes(struct ctl *ctl, struct vbd *vbd)
{
	return store_transact(ctl, remove_nodes, vbd);
}

const char *vbd_state_name(long state)
{
	static const char *const names[] = {
		"Unknown", "Initialising", "InitWait", "Initialised", "Connected",
		"Closing", "Closed", "Reconfiguring", "Reconfigured",
	};

	if (state < 0)
		return "absent";
	return state < (long)ARRAY_SIZE(names) ? names[state] : "invalid";
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Add the children of @path that are numbers to what is there already. */
static size_t collect_ids(struct ctl *ctl, const char *path, uint32_t **ids, size_t n)
{
	unsigned int i, count = 0;
	char **names = xs_directory(ctl->xs, XBT_NULL, path, &count);
	uint32_t *more = names ? realloc(*ids, (n + count + 1) * sizeof(*more)) : NULL;

	if (!more) {
		free(names);
		return n;
	}
	*ids = more;
	for (i = 0; i < count; i++) {
		char *end;
		unsigned long id;

		errno = 0;
		id = strtoul(names[i], &end, 10);
		if (!errno && end != names[i] && !*end && id <= UINT32_MAX)
			more[n++] = (uint32_t)id;
	}
	free(names);
	return n;
}

uint32_t *vbd_ids(struct ctl *ctl, unsigned int domid, size_t *n)
{
	char path[STORE_PATH];
	uint32_t *ids = NULL;
	size_t i, all, kept = 0;

	format(path, sizeof(path), "/local/domain/0/backend/vbd/%u", domid);
	all = collect_ids(ctl, path, &ids, 0);
	format(path, sizeof(path), "/local/domain/%u/device/vbd", domid);
	all = collect_ids(ctl, path, &ids, all);
	if (all)
		qsort(ids, all, sizeof(*ids), compare_ids);
	for (i = 0; i < all; i++) {
		if (!kept || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	}
	*n = kept;
	return ids;
}
