// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls, by the instruction of the CPU's vendor, or through a page of code that the hypervisor makes.
 *
 * 64 bit: the number in rax, arguments in rdi, rsi, rdx; the result is in rax. Addresses are virtual, and the
 * hypervisor reads them through this kernel's page tables, so memory from vmalloc() and stacks will do. It continues
 * a long operation by returning to the instruction itself, with the registers changed: they are outputs as well.
 *
 * The page has 32 bytes for each hypercall, and is a part of this module's code. The hypervisor writes to it from
 * outside, so it may be read-only here. It is asked for once: what it says holds for as long as the memory is there,
 * a restored domain's included.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/objtool.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <xen/interface/hvm/hvm_op.h>
#include <xen/interface/hvm/params.h>
#include "platform.h"

#define ENTRY_SIZE	32

static char *hypercall = "instruction";
module_param(hypercall, charp, 0444);
MODULE_PARM_DESC(hypercall, "how hypercalls are made: instruction (default), or page");

asm(".pushsection .text.xpv_hypercall, \"ax\"\n\t"
	".balign 4096\n"
	"plat_hypercall_page:\n\t"
	ANNOTATE_NOENDBR
	".fill 4096, 1, 0xcc\n\t"
	".popsection");

static bool by_vmmcall __ro_after_init;
/* Address of the page that the hypervisor has filled, or 0. */
static unsigned long page __ro_after_init;

/* Its entries are no targets for indirect calls where the processor looks at that. */
static void __init page_fill(void)
{
	u32 msr = plat_hypercall_msr();

	if (!msr || cpu_feature_enabled(X86_FEATURE_IBT) ||
	    wrmsrl_safe(msr, PFN_PHYS(vmalloc_to_pfn(plat_hypercall_page))))
		return;
	if (READ_ONCE(plat_hypercall_page[0]) != 0xcc)
		page = (unsigned long)plat_hypercall_page;
}

void __init plat_hypercall_init(void)
{
	by_vmmcall = boot_cpu_data.x86_vendor == X86_VENDOR_AMD || boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
	if (sysfs_streq(hypercall, "page"))
		page_fill();
	else if (!sysfs_streq(hypercall, "instruction"))
		pr_warn("hypercall=%s: instruction or page\n", hypercall);
	pr_info("hypercalls by %s\n", page ? "page" : by_vmmcall ? "vmmcall" : "vmcall");
}

static long do_hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	if (page)
		asm volatile(CALL_NOSPEC
			     : "+a" (nr), "+D" (a1), "+S" (a2), "+d" (a3), ASM_CALL_CONSTRAINT
			     : THUNK_TARGET(page + nr * ENTRY_SIZE)
			     : "r8", "r9", "r10", "r11", "memory");
	else if (by_vmmcall)
		asm volatile("vmmcall"
			     : "+a" (nr), "+D" (a1), "+S" (a2), "+d" (a3)
			     :
			     : "r8", "r9", "r10", "r11", "memory");
	else
		asm volatile("vmcall"
			     : "+a" (nr), "+D" (a1), "+S" (a2), "+d" (a3)
			     :
			     : "r8", "r9", "r10", "r11", "memory");
	return nr;
}

int plat_memory_op(unsigned int cmd, void *arg)
{
	return do_hypercall(__HYPERVISOR_memory_op, cmd, (unsigned long)arg, 0);
}

int plat_grant_table_op(void *hv, unsigned int cmd, void *ops, unsigned int count)
{
	return do_hypercall(__HYPERVISOR_grant_table_op, cmd, (unsigned long)ops, count);
}

int plat_event_channel_op(void *hv, int cmd, void *arg)
{
	return do_hypercall(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg, 0);
}

int plat_hvm_op(unsigned int cmd, void *arg)
{
	return do_hypercall(__HYPERVISOR_hvm_op, cmd, (unsigned long)arg, 0);
}

int plat_sched_op(unsigned int cmd, void *arg)
{
	return do_hypercall(__HYPERVISOR_sched_op, cmd, (unsigned long)arg, 0);
}

int plat_vcpu_op(unsigned int cmd, unsigned int vcpu, void *arg)
{
	return do_hypercall(__HYPERVISOR_vcpu_op, cmd, vcpu, (unsigned long)arg);
}

int plat_xen_version(void *hv, int cmd, void *arg)
{
	return do_hypercall(__HYPERVISOR_xen_version, cmd, (unsigned long)arg, 0);
}

int plat_param_get(u32 index, u64 *value)
{
	struct xen_hvm_param op = { .domid = DOMID_SELF, .index = index };
	int err = plat_hvm_op(HVMOP_get_param, &op);

	if (!err)
		*value = op.value;
	return err;
}

int plat_param_set(u32 index, u64 value)
{
	struct xen_hvm_param op = { .domid = DOMID_SELF, .index = index, .value = value };

	return plat_hvm_op(HVMOP_set_param, &op);
}
