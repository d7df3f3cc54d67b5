/* SPDX-License-Identifier: GPL-2.0 */
/* What to unplug: pure, see unplug-decide.c. */
#ifndef XPV_UNPLUG_DECIDE_H
#define XPV_UNPLUG_DECIDE_H

#include <linux/types.h>

/* The protocol's numbers. */
#define UNPLUG_MAGIC		0x49d2
#define UNPLUG_BLACKLISTED	0xd249
#define UNPLUG_IDE_DISKS	0x1	/* SCSI disks as well */
#define UNPLUG_NICS		0x2

/**
 * struct unplug_class - emulated devices of one kind
 * @present: how many there are
 * @busy:    how many of them are in use
 */
struct unplug_class {
	unsigned int present;
	unsigned int busy;
};

/**
 * struct unplug_facts - what the decision is made of
 * @wanted:   UNPLUG_*, that the administrator allows
 * @magic:    what the first port said ...
 * @after:    ... and what it said when our product had introduced itself
 * @disks:    disks, and controllers that have not been looked at yet
 * @nics:     network cards
 */
struct unplug_facts {
	u16 wanted;
	u16 magic;
	u16 after;
	struct unplug_class disks;
	struct unplug_class nics;
};

/**
 * struct unplug_plan - the decision
 * @mask:  UNPLUG_* to do
 * @why:   the reason when nothing is done, or NULL
 * @busy:  UNPLUG_* that are not done because some are in use
 */
struct unplug_plan {
	u16 mask;
	u16 busy;
	const char *why;
};

/* unplug_wanted() - the value of the parameter. Returns UNPLUG_*, or -EINVAL */
int unplug_wanted(const char *text);
struct unplug_plan unplug_decide(const struct unplug_facts *f);

#endif /* XPV_UNPLUG_DECIDE_H */
