// SPDX-License-Identifier: GPL-2.0
/* Domains: found through the store, made and destroyed through configfs. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "xpvctl.h"

#define CONFIGFS	"/sys/kernel/config"
#define STUB		CONFIGFS "/hv-stub"
#define NAME_MAX_LEN	63

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool is_name(const char *text)
{
	size_t i;

	if (!isalnum((unsigned char)text[0]) || is_number(text) || strlen(text) > NAME_MAX_LEN)
		return false;
	for (i = 0; text[i]; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("._-+:", text[i]))
			return false;
	}
	return true;
}

/* Read an attribute of a domain of the stub as one line. */
static bool read_attribute(const char *domain, const char *name, char *buf, size_t len)
{
	char path[256];
	ssize_t n;
	int fd;

	if (!format(path, sizeof(path), STUB "/%s/%s", domain, name))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, len - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

static int compare_domids(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

/* The numbers below /local/domain, sorted, in an array from malloc(). */
static unsigned int *all_domids(struct ctl *ctl, unsigned int *n)
{
	unsigned int i, *ids, count = 0;
	char **names = xs_directory(ctl->xs, XBT_NULL, "/local/domain", &count);

	*n = 0;
	ids = names ? calloc(count + 1, sizeof(*ids)) : NULL;
	for (i = 0; ids && i < count; i++) {
		if (is_number(names[i]))
			ids[(*n)++] = (unsigned int)strtoul(names[i], NULL, 10);
	}
	free(names);
	if (ids)
		qsort(ids, *n, sizeof(*ids), compare_domids);
	return ids;
}

static bool find_by_number(struct ctl *ctl, const char *text, unsigned int *domid)
{
	unsigned long id;
	char home[64];

	errno = 0;
	id = strtoul(text, NULL, 10);
	if (errno || id > UINT16_MAX)
		return false;
	format(home, sizeof(home), "/local/domain/%lu", id);
	*domid = (unsigned int)id;
	return store_exists(ctl, XBT_NULL, home);
}

static bool find_by_name(struct ctl *ctl, const char *text, unsigned int *domid)
{
	unsigned int i, n, *ids = all_domids(ctl, &n);
	bool found = false;

	for (i = 0; ids && i < n && !found; i++) {
		char *name = store_read(ctl, XBT_NULL, "/local/domain/%u/name", ids[i]);

		found = name && !strcmp(name, text);
		if (found)
			*domid = ids[i];
		free(name);
	}
	free(ids);
	return found;
}

bool domain_find(struct ctl *ctl, const char *text, unsigned int *domid)
{
	if (is_number(text) ? find_by_number(ctl, text, domid) : find_by_name(ctl, text, domid))
		return true;
	failed("there is no domain '%s'", text);
	return false;
}

enum ctl_exit domain_create(struct ctl *ctl)
{
	const char *name = ctl->argv[0];
	char path[256], domid[32];

	if (!is_name(name))
		return usage(ctl,
			     "create: '%s' is not a name (%d letters, digits, ._-+:, no number)",
			     name, NAME_MAX_LEN);
	if (!format(path, sizeof(path), STUB "/%s", name))
		return failed("%s: %s", name, strerror(errno));
	if (mkdir(path, 0755)) {
		if (errno == EEXIST)
			return failed("there is already a domain '%s'", name);
		if (access(STUB, F_OK))
			return failed("no %s: is configfs mounted and xpv-hv-stub loaded?", STUB);
		return failed("cannot create domain '%s': %s", name, strerror(errno));
	}
	if (!read_attribute(name, "domid", domid, sizeof(domid))) {
		failed("domain '%s' has no number", name);
		rmdir(path);
		return CTL_FAILED;
	}
	if (!ctl->quiet)
		say("%s\n", domid);
	return CTL_OK;
}

static void remove_disks(struct ctl *ctl, unsigned int domid)
{
	size_t i, n;
	uint32_t *ids = vbd_ids(ctl, domid, &n);

	for (i = 0; i < n; i++) {
		struct vdev vdev = { .id = ids[i] };
		struct vbd vbd;

		vdev_name(ids[i], vdev.name, sizeof(vdev.name));
		vbd_init(&vbd, domid, &vdev);
		if (!block_remove(ctl, &vbd))
			failed("%s: %s", vdev.name, strerror(errno));
	}
	free(ids);
}

/* Is a domain dying, or dead with pages that others have mapped? Which one, the stub does not say. */
static bool any_dying(void)
{
	char line[64];
	int n = 0;
	FILE *f = fopen(STUB "/counters", "re");

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "zombies %d", &n) != 1)
		;
	if (f)
		fclose(f);
	return n > 0;
}

/*
 * The domain has left the store. Until its memory is freed xpv-hv-stub cannot be unloaded, and who comes next may want
 * to: that is a moment, unless a backing device holds on to a request.
 */
static void wait_freed(void)
{
	struct timespec tick = { .tv_nsec = 20000000 };
	unsigned int ticks = 100;

	while (ticks-- && !interrupted && any_dying())
		nanosleep(&tick, NULL);
}

/* The directory is gone at once, the domain dies in the background. */
static enum ctl_exit wait_dead(struct ctl *ctl, unsigned int domid)
{
	struct timespec tick = { .tv_nsec = 20000000 };
	unsigned int ticks = ctl->timeout * 50;
	char home[64];

	format(home, sizeof(home), "/local/domain/%u", domid);
	while (store_exists(ctl, XBT_NULL, home)) {
		if (!ticks-- || interrupted) {
			failed("domain %s is still in the store", ctl->argv[0]);
			return interrupted ? CTL_FAILED : CTL_TIMEOUT;
		}
		nanosleep(&tick, NULL);
	}
	wait_freed();
	return CTL_OK;
}

enum ctl_exit domain_destroy(struct ctl *ctl)
{
	unsigned int domid;
	char path[256], *name;
	bool fits;

	if (!domain_find(ctl, ctl->argv[0], &domid))
		return CTL_FAILED;
	if (!domid)
		return failed("domain 0 is not to be destroyed, unload xpv-hv-stub instead");
	name = store_read(ctl, XBT_NULL, "/local/domain/%u/name", domid);
	if (!name)
		return failed("domain %u has no name: %s", domid, strerror(errno));
	fits = is_name(name) && format(path, sizeof(path), STUB "/%s", name);
	free(name);
	if (!fits || access(path, F_OK))
		return failed("domain %s is not one that xpvctl created", ctl->argv[0]);
	remove_disks(ctl, domid);
	if (rmdir(path))
		return failed("cannot destroy domain %s: %s", ctl->argv[0], strerror(errno));
	return wait_dead(ctl, domid);
}

/* What the stub counts for each domain: attributes of its directory in configfs. */
static const char *const counters[] = { "grants", "ports", "maps", "nodes", "watches" };

static void list_domain(struct ctl *ctl, unsigned int domid)
{
	char *name = store_read(ctl, XBT_NULL, "/local/domain/%u/name", domid);
	char value[64] = "";
	size_t i;

	say("%-32s %5u ", name ? name : "-", domid);
	if (!name || !is_name(name) || !read_attribute(name, "state", value, sizeof(value)))
		snprintf(value, sizeof(value), "%s",
			 xs_is_domain_introduced(ctl->xs, domid) ? "running" : "-");
	say("%-9s", value);
	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		if (!name || !is_name(name) ||
		    !read_attribute(name, counters[i], value, sizeof(value)))
			snprintf(value, sizeof(value), "-");
		say(" %8s", value);
	}
	say("\n");
	free(name);
}

enum ctl_exit domain_list(struct ctl *ctl)
{
	unsigned int i, n = 1, domid, *ids = NULL;

	if (ctl->argc && !domain_find(ctl, ctl->argv[0], &domid))
		return CTL_FAILED;
	if (!ctl->argc) {
		ids = all_domids(ctl, &n);
		if (!ids)
			return failed("cannot list /local/domain: %s", strerror(errno));
	}
	say("%-32s %5s %-9s", "Name", "ID", "State");
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		say(" %8s", counters[i]);
	say("\n");
	for (i = 0; i < n; i++)
		list_domain(ctl, ids ? ids[i] : domid);
	free(ids);
	return CTL_OK;
}
