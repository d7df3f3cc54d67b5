// SPDX-License-Identifier: GPL-2.0
/*
 * xpv-platform-pci: Xen for a HVM guest whose kernel runs no Xen code of its own (nopv, or built without).
 *
 * The platform device is how Xen shows itself to such a guest. A guest is in one domain, so one device is served.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "platform.h"

#define VENDOR_XENSOURCE	0x5853
#define DEVICE_PLATFORM		0x0001
#define DEVICE_PLATFORM_XS61	0x0002

static DEFINE_MUTEX(one);
static struct pci_dev *the_one;

static int take_the_one(struct pci_dev *pdev)
{
	int err = 0;

	mutex_lock(&one);
	if (the_one)
		err = -EBUSY;
	else
		the_one = pdev;
	mutex_unlock(&one);
	return err;
}

static void give_the_one(void)
{
	mutex_lock(&one);
	the_one = NULL;
	mutex_unlock(&one);
}

int plat_facilities_start(struct platform *p)
{
	int err;

	err = plat_domid(&p->domid);
	if (err)
		return err;
	err = plat_reset(p);
	if (err)
		return err;
	err = plat_shared_map(p);
	if (err)
		return err;
	err = plat_upcall_start(p);
	if (err)
		plat_shared_unmap(p);
	return err;
}

void plat_facilities_stop(struct platform *p)
{
	if (!p->shared)
		return;
	plat_upcall_stop(p);
	plat_shared_unmap(p);
}

static int bring_up(struct platform *p)
{
	int err;

	err = plat_facilities_start(p);
	if (err)
		return err;
	dev_info(&p->pdev->dev, "domain %u, upcalls by %s\n", p->domid, p->way->name);
	plat_space_init(&p->space);
	err = plat_domain_register(p);
	if (err)
		goto err_space;
	return 0;

err_space:
	plat_space_exit(&p->space);
	plat_facilities_stop(p);
	return err;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct platform *p;
	int err;

	err = take_the_one(pdev);
	if (err)
		return err;
	err = pci_enable_device(pdev);
	if (err)
		goto err_one;
	err = plat_frames_start(pdev);
	if (err)
		goto err_enable;

	err = -ENOMEM;
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		goto err_frames;
	p->pdev = pdev;
	init_completion(&p->released);
	err = bring_up(p);
	if (err)
		goto err_free;
	pci_set_drvdata(pdev, p);
	return 0;

err_free:
	kfree(p);
err_frames:
	plat_frames_stop();
err_enable:
	pci_disable_device(pdev);
err_one:
	give_the_one();
	return err;
}

static void remove(struct pci_dev *pdev)
{
	struct platform *p = pci_get_drvdata(pdev);

	plat_domain_unregister(p, true);
	plat_space_exit(&p->space);
	plat_facilities_stop(p);
	kfree(p);
	plat_frames_stop();
	pci_disable_device(pdev);
	give_the_one();
}

/* Leave nothing behind for a kernel that is started by kexec. The memory is its problem no more. */
static void shutdown(struct pci_dev *pdev)
{
	struct platform *p = pci_get_drvdata(pdev);

	plat_domain_unregister(p, false);
	plat_facilities_stop(p);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(VENDOR_XENSOURCE, DEVICE_PLATFORM) },
	{ PCI_DEVICE(VENDOR_XENSOURCE, DEVICE_PLATFORM_XS61) },
	{}
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = {
	.name = "xpv-platform-pci",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.shutdown = shutdown,
};

static int __init platform_init(void)
{
	int err;

	err = plat_detect();
	if (err)
		return err;
	plat_hypercall_init();
	plat_unplug();
	return pci_register_driver(&driver);
}

static void __exit platform_exit(void)
{
	pci_unregister_driver(&driver);
}

module_init(platform_init);
module_exit(platform_exit);

MODULE_DESCRIPTION("Xen for guests whose kernel runs no Xen code of its own");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xpv-provider:platform-pci");
MODULE_ALIAS(XPV_ALIAS_HYPERVISOR);
