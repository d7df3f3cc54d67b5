/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The disk specification of xl-disk-configuration(5), as far as a block device of dom0 needs it.
 * Pure functions.
 */
#ifndef SPEC_H
#define SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "vdev.h"

#define DISK_TARGET_MAX	1024

/**
 * struct disk_spec - what to attach, where and how
 * @target:         absolute path of the backing block device
 * @vdev:           the virtual disk
 * @readonly:       the guest may only read
 * @discard:        the guest may discard
 * @direct_io_safe: passed to the backend as it is
 */
struct disk_spec {
	char target[DISK_TARGET_MAX];
	struct vdev vdev;
	bool readonly;
	bool discard;
	bool direct_io_safe;
};

/**
 * disk_spec_parse() - understand one or more arguments that together name a disk
 * @error: buffer of at least 128 bytes that gets one line without a full stop when the arguments
 * are wrong
 *
 * Accepted: "/dev/x,raw,xvda,rw", "format=raw,vdev=xvda,access=rw,target=/dev/x",
 * "phy:/dev/x,xvda,w", and each of them split into several arguments where the commas are. A target
 * without a format may be followed by the vdev at once.
 *
 * Return: false when they are wrong.
 */
bool disk_spec_parse(int argc, char *const argv[], struct disk_spec *spec, char *error, size_t len);

#endif /* SPEC_H */
