// SPDX-License-Identifier: GPL-2.0
/*
 * Upcalls by an interrupt vector for each virtual CPU, which the hypervisor raises in the local APIC.
 *
 *	XPV-UPCALL (here)  ->  x86 vector domain  ->  local APIC
 *
 * An interrupt domain on top of the kernel's own vector domain has one interrupt a CPU, "managed": it is bound to its
 * CPU for good, is shut down when that goes offline and started again when it is back. Each time it is started or
 * moved its vector may be another one, and is told to the hypervisor. For a CPU that is not online yet the vector is
 * only reserved.
 *
 * The hypervisor raises an upcall when it is told, so whatever came while the CPU was away is seen.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <asm/irqdomain.h>
#include <xen/interface/hvm/hvm_op.h>
#include "platform.h"

static struct fwnode_handle *fwnode;
static struct irq_domain *vectors;
static DEFINE_PER_CPU(unsigned int, virq);

/* Under the interrupt's lock. On its own CPU, which may be new, its number is asked for, and it is registered. */
static int program(struct irq_data *d)
{
	unsigned int cpu = irqd_to_hwirq(d);
	struct xen_hvm_evtchn_upcall_vector op = { .vector = irqd_cfg(d)->vector };

	if (cpu == raw_smp_processor_id()) {
		plat_vcpu_note();
		plat_vcpu_online(d->domain->host_data);
	}
	op.vcpu = plat_vcpu(cpu);
	return plat_hvm_op(HVMOP_set_evtchn_upcall_vector, &op);
}

/* --- The domain ----------------------------------------------------------------------------------------------- */

static int set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	int ret = irq_chip_set_affinity_parent(d, mask, force);

	if (ret < 0 || ret == IRQ_SET_MASK_OK_DONE)
		return ret;
	return program(d) ?: ret;
}

/* The hypervisor masks ports, not upcalls. */
static void no_mask(struct irq_data *d)
{
}

static struct irq_chip chip = {
	.name = "XPV-UPCALL",
	.irq_mask = no_mask,
	.irq_unmask = no_mask,
	.irq_ack = irq_chip_ack_parent,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.irq_set_affinity = set_affinity,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int vectors_alloc(struct irq_domain *dom, unsigned int irq, unsigned int n, void *arg)
{
	struct irq_alloc_info *info = arg;
	int err = irq_domain_alloc_irqs_parent(dom, irq, n, arg);

	if (err)
		return err;
	irq_domain_set_info(dom, irq, info->hwirq, &chip, NULL, handle_edge_irq, NULL, "edge");
	return 0;
}

static int vectors_activate(struct irq_domain *dom, struct irq_data *d, bool reserve)
{
	return reserve ? 0 : program(d);
}

static const struct irq_domain_ops vectors_ops = {
	.alloc = vectors_alloc,
	.free = irq_domain_free_irqs_common,
	.activate = vectors_activate,
};

static int vectors_create(struct platform *p)
{
	fwnode = irq_domain_alloc_named_fwnode("xpv-upcall");
	if (!fwnode)
		return -ENOMEM;
	vectors = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, fwnode, &vectors_ops, p);
	if (!vectors) {
		irq_domain_free_fwnode(fwnode);
		return -ENOMEM;
	}
	return 0;
}

static void vectors_destroy(void)
{
	irq_domain_remove(vectors);
	irq_domain_free_fwnode(fwnode);
}

/* --- CPUs ----------------------------------------------------------------------------------------------------- */

static irqreturn_t handler(int irq, void *arg)
{
	plat_upcall(arg);
	return IRQ_HANDLED;
}

static int cpu_start(struct platform *p, unsigned int cpu)
{
	struct irq_alloc_info info = { .hwirq = cpu };
	struct irq_affinity_desc affinity = { .is_managed = 1 };
	int irq, err;

	cpumask_copy(&affinity.mask, cpumask_of(cpu));
	irq = __irq_domain_alloc_irqs(vectors, -1, 1, cpu_to_node(cpu), &info, false, &affinity);
	if (irq < 0)
		return irq;
	err = request_irq(irq, handler, IRQF_NOBALANCING, "xpv-upcall", p);
	if (err) {
		irq_dispose_mapping(irq);
		return err;
	}
	per_cpu(virq, cpu) = irq;
	return 0;
}

static void cpus_stop(struct platform *p)
{
	unsigned int cpu, irq;

	for_each_possible_cpu(cpu) {
		irq = per_cpu(virq, cpu);
		if (!irq)
			continue;
		per_cpu(virq, cpu) = 0;
		free_irq(irq, p);
		irq_dispose_mapping(irq);
	}
}

static int vector_start(struct platform *p)
{
	unsigned int cpu;
	int err;

	err = vectors_create(p);
	if (err)
		return err;
	for_each_possible_cpu(cpu) {
		err = cpu_start(p, cpu);
		if (err)
			goto err_cpus;
	}
	return 0;

err_cpus:
	cpus_stop(p);
	vectors_destroy();
	return err;
}

static void vector_stop(struct platform *p)
{
	cpus_stop(p);
	vectors_destroy();
}

const struct plat_upcall_way plat_upcall_vector = {
	.name = "vector",
	.all_vcpus = true,
	.start = vector_start,
	.stop = vector_stop,
};
