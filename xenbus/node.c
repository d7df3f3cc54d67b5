// SPDX-License-Identifier: GPL-2.0
/*
 * Names of device directories, and whose they are. Pure: also built in user space.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <xen/interface/xen.h>
#include "node.h"
#include "store-msg.h"

/*
 * xpv_node_split() - the device directory in the path of a watch event
 * @path:    relative to the domain's home
 * @backend: below "backend", else below "device"
 * @len:     how much of @path is the device's directory
 * @key:     what follows after a slash, "" for the directory itself
 *
 * Return: false if the path is above any device's.
 */
bool xpv_node_split(const char *path, bool backend, size_t *len, const char **key)
{
	unsigned int slashes = backend ? 3 : 2;
	const char *p = path;

	while (slashes--) {
		p = strchr(p, '/');
		if (!p)
			return false;
		p++;
	}
	*len = p - path + strcspn(p, "/");
	*key = path[*len] ? path + *len + 1 : path + *len;
	return true;
}

/*
 * Copy one component up to the next slash or the end. Return: what follows, or NULL. There is no dash in one: it
 * separates them in the device's name in sysfs, which has to be unique.
 */
static const char *component(const char *p, char name[XPV_NODE_NAME_MAX])
{
	size_t len = strcspn(p, "/"), i;

	if (!len || len >= XPV_NODE_NAME_MAX)
		return NULL;
	for (i = 0; i < len; i++) {
		if (!(isascii(p[i]) && isalnum(p[i])) && p[i] != '_')
			return NULL;
		name[i] = p[i];
	}
	name[len] = 0;
	return p[len] ? p + len + 1 : p + len;
}

static int domid_parse(const char *text, size_t len, u16 *domid)
{
	u64 value;

	if (xpv_msg_number(text, len, DOMID_FIRST_RESERVED - 1, &value))
		return -EINVAL;
	*domid = value;
	return 0;
}

/** xpv_node_parse() - take a device directory's name apart. Return: 0 or -EINVAL. */
int xpv_node_parse(const char *nodename, bool backend, struct xpv_node *node)
{
	const char *root = backend ? "backend/" : "device/";
	char domid[XPV_NODE_NAME_MAX];
	const char *p = nodename;

	*node = (struct xpv_node) { .backend = backend };
	if (strncmp(p, root, strlen(root)))
		return -EINVAL;
	p = component(p + strlen(root), node->type);
	if (p && backend) {
		p = component(p, domid);
		if (p && domid_parse(domid, strlen(domid), &node->domid))
			p = NULL;
	}
	if (p)
		p = component(p, node->id);
	return p && !*p ? 0 : -EINVAL;
}

/*
 * xpv_node_otherend() - check what the store says about the other end
 * @path:   the other end's directory; must be below /local/domain/<@id>/
 * @id:     its domid as text, @id_len bytes
 * @domid:  out: the same as number
 *
 * Return: NULL if all is well, or what is wrong.
 */
const char *xpv_node_otherend(const struct xpv_node *node, const char *path, const char *id,
			      size_t id_len, u16 *domid)
{
	char home[40];
	int len;

	if (domid_parse(id, id_len, domid))
		return node->backend ? "frontend-id is not a domid" : "backend-id is not a domid";
	if (node->backend && *domid != node->domid)
		return "frontend-id is not the domid of the directory";
	/* Room is needed for the keys in it. */
	if (!xpv_msg_path_ok(path) || strlen(path) > 1024)
		return node->backend ? "frontend is not a path" : "backend is not a path";
	len = snprintf(home, sizeof(home), "/local/domain/%u/", *domid);
	if (strncmp(path, home, len))
		return node->backend ? "frontend is not in the home of frontend-id" :
				       "backend is not in the home of backend-id";
	return NULL;
}
