// SPDX-License-Identifier: GPL-2.0
/*
 * Upcalls by the platform device's own interrupt. It stands for virtual CPU 0 alone: events of others raise nothing.
 * The line is up as long as that one's upcall is pending.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <xen/interface/hvm/params.h>
#include "platform.h"

#define VIA_SHIFT	56
#define VIA_DOMAIN	32
#define VIA_BUS		16
#define VIA_DEVFN	8

static int via(struct pci_dev *pdev, u64 *value)
{
	u8 pin;
	int err = pci_read_config_byte(pdev, PCI_INTERRUPT_PIN, &pin);

	if (err)
		return pcibios_err_to_errno(err);
	if (!pin || !pdev->irq)
		return -ENXIO;
	*value = (u64)HVM_PARAM_CALLBACK_TYPE_PCI_INTX << VIA_SHIFT | (u64)pci_domain_nr(pdev->bus) << VIA_DOMAIN |
		 pdev->bus->number << VIA_BUS | pdev->devfn << VIA_DEVFN | (pin - 1);
	return 0;
}

static irqreturn_t handler(int irq, void *arg)
{
	return plat_upcall_first(arg) ? IRQ_HANDLED : IRQ_NONE;
}

static int intx_start(struct platform *p)
{
	u64 value;
	int err;

	if (plat_vcpu(p->cpu))
		return -ENXIO;
	err = via(p->pdev, &value);
	if (err)
		return err;
	err = request_irq(p->pdev->irq, handler, IRQF_SHARED | IRQF_NOBALANCING, "xpv-upcall", p);
	if (err)
		return err;
	/* Only to save the way from another CPU to that one. */
	irq_set_affinity(p->pdev->irq, cpumask_of(p->cpu));
	err = plat_param_set(HVM_PARAM_CALLBACK_IRQ, value);
	if (err)
		free_irq(p->pdev->irq, p);
	return err;
}

static void intx_stop(struct platform *p)
{
	plat_param_set(HVM_PARAM_CALLBACK_IRQ, 0);
	free_irq(p->pdev->irq, p);
}

const struct plat_upcall_way plat_upcall_intx = {
	.name = "intx",
	.start = intx_start,
	.stop = intx_stop,
};
