// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls, by the instruction of the CPU's vendor.
 *
 * 64 bit: the number in rax, arguments in rdi, rsi, rdx; the result is in rax. Addresses are virtual, and the
 * hypervisor reads them through this kernel's page tables, so memory from vmalloc() and stacks will do. It continues
 * a long operation by returning to the instruction itself, with the registers changed: they are outputs as well.
 */
#include <asm/processor.h>
#include <xen/interface/hvm/hvm_op.h>
#include <xen/interface/hvm/params.h>
#include "platform.h"

static bool by_vmmcall __ro_after_init;

void __init plat_hypercall_init(void)
{
	by_vmmcall = boot_cpu_data.x86_vendor == X86_VENDOR_AMD || boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	if (by_vmmcall)
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
	return hypercall(__HYPERVISOR_memory_op, cmd, (unsigned long)arg, 0);
}

int plat_grant_table_op(void *hv, unsigned int cmd, void *ops, unsigned int count)
{
	return hypercall(__HYPERVISOR_grant_table_op, cmd, (unsigned long)ops, count);
}

int plat_event_channel_op(void *hv, int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg, 0);
}

int plat_hvm_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_hvm_op, cmd, (unsigned long)arg, 0);
}

int plat_sched_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_sched_op, cmd, (unsigned long)arg, 0);
}

int plat_xen_version(void *hv, int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_xen_version, cmd, (unsigned long)arg, 0);
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
