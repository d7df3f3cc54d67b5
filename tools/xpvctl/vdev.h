/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of virtual disks and their numbers in the store, after xen-vbd-interface(7). Pure
 * functions.
 */
#ifndef VDEV_H
#define VDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct vdev - a virtual disk
 * @id:   the device number, which names its directories in the store
 * @name: the canonical name ("xvda1"), or the number in decimal when the number has no name
 */
struct vdev {
	uint32_t id;
	char name[32];
};

/**
 * vdev_parse() - understand "xvda", "sdb3", "hdc", "d0p1" or a number (decimal, 0x hexadecimal, 0
 * octal)
 *
 * Return: false for anything else, @v is not touched then.
 */
bool vdev_parse(const char *text, struct vdev *v);

/** vdev_name() - the canonical name of a number, see struct vdev */
void vdev_name(uint32_t id, char *name, size_t len);

#endif /* VDEV_H */
