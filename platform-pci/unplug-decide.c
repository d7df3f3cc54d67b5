// SPDX-License-Identifier: GPL-2.0
/*
 * What to unplug, as a table of reasons; no device is touched here.
 *
 * The protocol knows kinds of devices, not single ones: so one that is in use keeps all of its kind. What is not there
 * is not unplugged either, which makes a second loading of the module do nothing.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "unplug-decide.h"

static const struct {
	const char *text;
	u16 wanted;
} values[] = {
	{ "never", 0 },
	{ "ide-disks", UNPLUG_IDE_DISKS },
	{ "nics", UNPLUG_NICS },
	{ "all", UNPLUG_IDE_DISKS | UNPLUG_NICS },
};

int unplug_wanted(const char *text)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (!strcmp(text, values[i].text))
			return values[i].wanted;
	return -EINVAL;
}

static void decide_class(struct unplug_plan *plan, u16 bit, const struct unplug_class *c)
{
	if (c->busy)
		plan->busy |= bit;
	else if (c->present)
		plan->mask |= bit;
}

struct unplug_plan unplug_decide(const struct unplug_facts *f)
{
	struct unplug_plan plan = {};

	if (!f->wanted)
		plan.why = "switched off";
	else if (f->magic == UNPLUG_BLACKLISTED || f->after == UNPLUG_BLACKLISTED)
		plan.why = "the host has this driver on its blacklist";
	else if (f->magic != UNPLUG_MAGIC || f->after != UNPLUG_MAGIC)
		plan.why = "the host cannot";
	if (plan.why)
		return plan;

	if (f->wanted & UNPLUG_IDE_DISKS)
		decide_class(&plan, UNPLUG_IDE_DISKS, &f->disks);
	if (f->wanted & UNPLUG_NICS)
		decide_class(&plan, UNPLUG_NICS, &f->nics);
	if (!plan.mask)
		plan.why = plan.busy ? "in use" : "none there";
	return plan;
}
