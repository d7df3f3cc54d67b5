// SPDX-License-Identifier: GPL-2.0
/*
 * Is this a Xen guest, and is Xen ours to talk to?
 *
 * CPUID says both who the hypervisor is and, on each CPU, which virtual CPU that is. What the kernel found when it
 * booted is no help: with nopv it names the hypervisor all the same, and then has nothing to do with it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/xen/cpuid.h>
#include <xen/xen.h>
#include "platform.h"

#define LEAF_END	0x40010000
#define LEAF_STEP	0x100
#define LEAF_VERSION	1
#define LEAF_PAGE	2
#define LEAF_HVM	4

static u32 base __ro_after_init;
static bool has_vcpu_id __ro_after_init;
/* By Linux CPU. One that has never been online is taken for the virtual CPU of the same number. */
static DEFINE_PER_CPU(unsigned int, vcpu);

static u32 __init find_base(void)
{
	u32 leaf, max, b, c, d;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return 0;
	for (leaf = XEN_CPUID_FIRST_LEAF; leaf < LEAF_END; leaf += LEAF_STEP) {
		cpuid(leaf, &max, &b, &c, &d);
		if (b == XEN_CPUID_SIGNATURE_EBX && c == XEN_CPUID_SIGNATURE_ECX &&
		    d == XEN_CPUID_SIGNATURE_EDX && max >= leaf + 2)
			return leaf;
	}
	return 0;
}

static u32 hvm_leaf(u32 *vcpu_id, u32 *domid)
{
	u32 features, d;

	if (cpuid_eax(base) < base + LEAF_HVM)
		return 0;
	cpuid_count(base + LEAF_HVM, 0, &features, vcpu_id, domid, &d);
	return features;
}

int __init plat_detect(void)
{
	u32 version, vcpu_id, domid;
	unsigned int cpu;

	if (xen_domain()) {
		pr_err("the kernel's own Xen support is active: boot with nopv, or use xpv-hv-native\n");
		return -EBUSY;
	}
	base = find_base();
	if (!base) {
		pr_err("no Xen here\n");
		return -ENODEV;
	}

	for_each_possible_cpu(cpu)
		per_cpu(vcpu, cpu) = cpu;
	has_vcpu_id = hvm_leaf(&vcpu_id, &domid) & XEN_HVM_CPUID_VCPU_ID_PRESENT;
	version = cpuid_eax(base + LEAF_VERSION);
	pr_info("Xen %u.%u\n", version >> 16, version & 0xffff);
	return 0;
}

u32 __init plat_hypercall_msr(void)
{
	u32 pages, msr, c, d;

	cpuid(base + LEAF_PAGE, &pages, &msr, &c, &d);
	return pages ? msr : 0;
}

/* An older Xen does not say it, but names the domain as the peer of a port that is for itself. */
static int domid_by_port(domid_t *domid)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_close close;
	int err = plat_event_channel_op(NULL, EVTCHNOP_alloc_unbound, &op);

	if (err)
		return err;
	status.port = op.port;
	err = plat_event_channel_op(NULL, EVTCHNOP_status, &status);
	close.port = op.port;
	plat_event_channel_op(NULL, EVTCHNOP_close, &close);
	if (err)
		return err;
	if (status.status != EVTCHNSTAT_unbound)
		return -ENXIO;
	*domid = status.u.unbound.dom;
	return 0;
}

int plat_domid(domid_t *domid)
{
	u32 vcpu_id, id;

	if (!(hvm_leaf(&vcpu_id, &id) & XEN_HVM_CPUID_DOMID_PRESENT))
		return domid_by_port(domid);
	*domid = id;
	return 0;
}

void plat_vcpu_note(void)
{
	u32 vcpu_id, domid;

	if (!has_vcpu_id)
		return;
	hvm_leaf(&vcpu_id, &domid);
	this_cpu_write(vcpu, vcpu_id);
}

unsigned int plat_vcpu(unsigned int cpu)
{
	return per_cpu(vcpu, cpu);
}

int plat_vcpu_cpu(unsigned int nr)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (per_cpu(vcpu, cpu) == nr)
			return cpu;
	return -ENODEV;
}
