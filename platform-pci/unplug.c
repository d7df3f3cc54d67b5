// SPDX-License-Identifier: GPL-2.0
/*
 * Unplugging emulated devices, which would show the same disks a second time.
 *
 * The device model listens at two ports. This module comes when the kernel may have found the devices already; so they
 * are taken from their drivers first, and then unplugged:
 *  - a disk behind an IDE controller vanishes from it, its CD-ROMs stay: the controller's driver is unbound meanwhile;
 *  - SCSI controllers and network cards vanish as a whole: they are removed from the bus first.
 *
 * A device that is passed through is none of the device model's. What it emulates itself names its maker as the
 * subsystem's vendor.
 *
 * Runs when the module is loaded, outside of any device's probe: it waits for the probing of others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/async.h>
#include <linux/blkdev.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/utsname.h>
#include "platform.h"
#include "unplug-decide.h"

#define PORT_MAGIC	0x10	/* read: magic; written 16 bits: mask; written 32 bits: our build number */
#define PORT_PROTOCOL	0x12	/* read: version; written 16 bits: our product number */
#define PRODUCT		0xffff	/* of drivers that have none */
#define BUILD		1

#define EMULATED_QEMU	0x1af4
#define EMULATED_XEN	0x5853
#define DEPTH_MAX	16

static char *unplug = "ide-disks";
module_param(unplug, charp, 0444);
MODULE_PARM_DESC(unplug, "emulated devices to unplug when none of their kind is in use: never, ide-disks (default), nics, all");

/* What the device model was told to unplug. */
static u16 unplugged;

/* --- The kernel's devices ------------------------------------------------------------------------------------- */

/**
 * struct tally - what is below a PCI function
 * @disks: disks
 * @busy:  disks, CD-ROMs and network interfaces that are in use
 * @depth: of the walk
 */
struct tally {
	unsigned int disks;
	unsigned int busy;
	unsigned int depth;
};

static bool is_a(const struct device *dev, const char *class, const char *type)
{
	if (!dev->class || strcmp(dev->class->name, class))
		return false;
	return !type || (dev->type && dev->type->name && !strcmp(dev->type->name, type));
}

static int tally_device(struct device *dev, void *data)
{
	struct tally *t = data;

	if (is_a(dev, "block", "disk")) {
		struct gendisk *disk = dev_to_disk(dev);

		t->disks += !(disk->flags & GENHD_FL_REMOVABLE);
		t->busy += !!disk_openers(disk);
	} else if (is_a(dev, "net", NULL)) {
		t->busy += !!(to_net_dev(dev)->flags & IFF_UP);
	}
	if (t->depth < DEPTH_MAX) {
		t->depth++;
		device_for_each_child(dev, t, tally_device);
		t->depth--;
	}
	return 0;
}

static bool emulated(const struct pci_dev *pdev)
{
	return pdev->subsystem_vendor == EMULATED_QEMU || pdev->subsystem_vendor == EMULATED_XEN;
}

static unsigned int class_of(const struct pci_dev *pdev)
{
	return emulated(pdev) ? pdev->class >> 8 : 0;
}

/* Without a driver nobody has looked for disks yet. */
static void count(struct unplug_facts *f)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		struct tally t = {};

		device_for_each_child(&pdev->dev, &t, tally_device);
		switch (class_of(pdev)) {
		case PCI_CLASS_STORAGE_IDE:
		case PCI_CLASS_STORAGE_SCSI:
			f->disks.present += t.disks + !pdev->dev.driver;
			f->disks.busy += t.busy;
			break;
		case PCI_CLASS_NETWORK_ETHERNET:
			f->nics.present++;
			f->nics.busy += t.busy;
			break;
		}
	}
}

static bool to_be_removed(const struct pci_dev *pdev, u16 mask)
{
	switch (class_of(pdev)) {
	case PCI_CLASS_STORAGE_SCSI:
		return mask & UNPLUG_IDE_DISKS;
	case PCI_CLASS_NETWORK_ETHERNET:
		return mask & UNPLUG_NICS;
	default:
		return false;
	}
}

static void remove_one(struct pci_dev *pdev)
{
	pr_info("removing the emulated %s\n", pci_name(pdev));
	pci_stop_and_remove_bus_device_locked(pdev);
}

/* The walk holds the device that it stands on: step on before it goes. */
static void remove_devices(u16 mask)
{
	struct pci_dev *pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL), *next;

	while (pdev) {
		pci_dev_get(pdev);
		next = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, pdev);	/* puts one reference */
		if (to_be_removed(pdev, mask))
			remove_one(pdev);
		pci_dev_put(pdev);
		pdev = next;
	}
}

static bool has_disk(struct pci_dev *pdev)
{
	struct tally t = {};

	if (class_of(pdev) != PCI_CLASS_STORAGE_IDE || !pdev->dev.driver)
		return false;
	device_for_each_child(&pdev->dev, &t, tally_device);
	return t.disks;
}

/* Returns the IDE controller that was unbound, referenced, or NULL. The device model has no more than one. */
static struct pci_dev *ide_unbind(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (has_disk(pdev)) {
			pr_info("taking the emulated disks from %s\n", pci_name(pdev));
			device_release_driver(&pdev->dev);
			return pdev;
		}
	}
	return NULL;
}

/* --- The device model's ports --------------------------------------------------------------------------------- */

static void introduce(struct unplug_facts *f)
{
	f->magic = inw(PORT_MAGIC);
	f->after = f->magic;
	if (f->magic != UNPLUG_MAGIC || !inb(PORT_PROTOCOL))
		return;
	outw(PRODUCT, PORT_PROTOCOL);
	outl(BUILD, PORT_MAGIC);
	f->after = inw(PORT_MAGIC);
}

static void do_unplug(u16 mask)
{
	struct pci_dev *ide = mask & UNPLUG_IDE_DISKS ? ide_unbind() : NULL;

	remove_devices(mask);
	outw(mask, PORT_MAGIC);
	unplugged = mask;
	if (!ide)
		return;
	if (device_attach(&ide->dev) < 1)
		pr_warn("%s did not get its driver back\n", pci_name(ide));
	pci_dev_put(ide);
}

/* The kernel does not see them as long as nobody looks again. */
void plat_unplug_again(void)
{
	struct unplug_facts facts = { .wanted = unplugged };

	if (!unplugged)
		return;
	introduce(&facts);
	if (facts.after == UNPLUG_MAGIC)
		outw(unplugged, PORT_MAGIC);
	else
		pr_warn("the new device model does not unplug what the old one has unplugged\n");
}

void __init plat_unplug(void)
{
	struct unplug_facts facts = {};
	struct unplug_plan plan;
	int wanted = unplug_wanted(unplug);

	if (wanted < 0) {
		pr_warn("unplug=%s: never, ide-disks, nics or all; nothing is unplugged\n", unplug);
		wanted = 0;
	}
	facts.wanted = wanted;
	if (wanted) {
		introduce(&facts);
		async_synchronize_full();	/* disks that are being found */
		count(&facts);
	}
	plan = unplug_decide(&facts);
	if (plan.busy)
		pr_notice("emulated %s stay, some are in use\n",
			  plan.busy & UNPLUG_IDE_DISKS ? plan.busy & UNPLUG_NICS ? "disks and network cards" : "disks" :
			  "network cards");
	if (plan.why)
		pr_info("nothing is unplugged: %s\n", plan.why);
	else
		do_unplug(plan.mask);
}
