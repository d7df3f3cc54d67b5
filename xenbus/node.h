/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of device directories and what the store says about whose they are, see node.c. Pure.
 */
#ifndef XPV_NODE_H
#define XPV_NODE_H

#include <linux/types.h>

#define XPV_NODE_NAME_MAX	32	/* of a type or an id */

/**
 * struct xpv_node - a device directory, "device/<type>/<id>" or "backend/<type>/<frontend's
 * domid>/<id>"
 * @backend: which of them
 * @type:    device type
 * @domid:   backend: the frontend's domid as the path has it
 * @id:      device id
 */
struct xpv_node {
	bool backend;
	u16 domid;
	char type[XPV_NODE_NAME_MAX];
	char id[XPV_NODE_NAME_MAX];
};

bool xpv_node_split(const char *path, bool backend, size_t *len, const char **key);
int xpv_node_parse(const char *nodename, bool backend, struct xpv_node *node);
const char *xpv_node_otherend(const struct xpv_node *node, const char *path, const char *id,
			      size_t id_len, u16 *domid);

#endif /* XPV_NODE_H */
