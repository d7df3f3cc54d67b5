// SPDX-License-Identifier: GPL-2.0
/*
 * Where the hypervisor notes that a virtual CPU has events: its vcpu_info.
 *
 * shared_info has those of the first 32. Another one has to be registered, and that is once and for all: Xen takes no
 * registration back, and goes on writing there whoever has the memory. So they lie where no kernel's memory can be, in
 * the last pages of the device's region, which get memory of their own and keep it. Who comes later, after rmmod or
 * kexec, finds the mark that says so, and who is registered.
 *
 * A restored domain has the pages, with the mark, but no registrations: so each is tried, and one that is refused is
 * believed to be there if the mark says so. Whether it really is, the trial of the upcalls shows.
 *
 * A virtual CPU can be registered by itself alone. One that is offline has its place from the start all the same, so
 * that whoever asks gets the same answer always, and is registered when it comes online, before it gets a vector.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/module.h>
#include <xen/interface/xen.h>	/* first: the others need its types */
#include <xen/interface/vcpu.h>
#include "platform.h"

#define AREA_MARK	0x6f666e692d767078ULL	/* "xpv-info" */

static unsigned int shared_vcpus = PLAT_SHARED_VCPUS;
module_param(shared_vcpus, uint, 0444);
MODULE_PARM_DESC(shared_vcpus, "how many virtual CPUs use shared_info (default and maximum: 32); fewer is for tests of what the others do");

/**
 * struct area - the pages
 * @mark:       they are what they seem to be
 * @registered: virtual CPUs that have been registered here, some time
 * @info:       of each of them
 */
struct area {
	u64 mark;
	DECLARE_BITMAP(registered, PLAT_VCPUS);
	struct vcpu_info info[PLAT_VCPUS] __aligned(64);	/* none crosses a page */
};

#define AREA_PAGES	DIV_ROUND_UP(sizeof(struct area), PAGE_SIZE)

static_assert(sizeof(struct vcpu_info) == 64);

/* --- The pages ------------------------------------------------------------------------------------------------ */

static bool area_exists(struct platform *p)
{
	return READ_ONCE(p->area->mark) == AREA_MARK;
}

/*
 * Memory for them. A domain may usually have a little more than it was given; else pages of the kernel's are given up,
 * for good.
 */
static int area_make(struct platform *p)
{
	unsigned int i;
	int err;

	for (i = 0; i < AREA_PAGES; i++) {
		err = plat_frame_populate(p->area_gfn + i);
		if (err && plat_page_hole())
			err = plat_frame_populate(p->area_gfn + i);
		if (err)
			return err;
	}
	memset(p->area, 0, sizeof(*p->area));
	WRITE_ONCE(p->area->mark, AREA_MARK);
	return 0;
}

static int area_map(struct platform *p)
{
	int err = plat_bar_tail_take(p->pdev, AREA_PAGES, &p->area_gfn);

	if (err)
		return err;
	p->area = memremap(PFN_PHYS(p->area_gfn), AREA_PAGES * PAGE_SIZE, MEMREMAP_WB);
	if (p->area)
		return 0;
	plat_bar_tail_give(p->area_gfn, AREA_PAGES);
	return -ENOMEM;
}

static void area_unmap(struct platform *p)
{
	if (!p->area)
		return;
	memunmap(p->area);
	p->area = NULL;
	plat_bar_tail_give(p->area_gfn, AREA_PAGES);
}

/* --- Virtual CPUs --------------------------------------------------------------------------------------------- */

static void info_clean(struct vcpu_info *vi)
{
	xchg(&vi->evtchn_pending_sel, 0);
	WRITE_ONCE(vi->evtchn_upcall_pending, 0);
	virt_mb();
}

/* Whether it is the area where it looks for its events. One that was registered once can have them nowhere else. */
static bool area_serves(struct platform *p, unsigned int vcpu)
{
	return p->area && vcpu < PLAT_VCPUS && (vcpu >= shared_vcpus || test_bit(vcpu, p->area->registered));
}

static int info_register(struct platform *p, unsigned int vcpu)
{
	struct vcpu_register_vcpu_info op = {
		.mfn = p->area_gfn + PHYS_PFN(offsetof(struct area, info[vcpu])),
		.offset = offset_in_page(offsetof(struct area, info[vcpu])),
	};
	int err = plat_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &op);

	if (err && !test_bit(vcpu, p->area->registered))
		return err;
	set_bit(vcpu, p->area->registered);
	return 0;
}

/* What is pending stays: ports may be bound to the CPU since it came online. */
void plat_vcpu_online(struct platform *p)
{
	unsigned int vcpu = plat_vcpu(smp_processor_id());

	if (!area_serves(p, vcpu) || !plat_vcpu_info(p, vcpu))
		return;
	if (info_register(p, vcpu))
		WRITE_ONCE(p->info[vcpu], NULL);
}

/* On the CPU, with interrupts off. What is pending may be wiped away: all ports are masked. */
static void register_this(void *arg)
{
	struct platform *p = arg;
	unsigned int vcpu = plat_vcpu(smp_processor_id());

	plat_vcpu_online(p);
	if (area_serves(p, vcpu))
		info_clean(&p->area->info[vcpu]);
}

/* Virtual CPUs that have no place for their events. */
static unsigned int deaf(struct platform *p)
{
	unsigned int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += !plat_vcpu_info(p, plat_vcpu(cpu));
	return n;
}

static void shared_use(struct platform *p)
{
	unsigned int i;

	shared_vcpus = min_t(unsigned int, shared_vcpus, PLAT_SHARED_VCPUS);
	for (i = 0; i < PLAT_VCPUS; i++)
		p->info[i] = i < shared_vcpus ? &p->shared->vcpu_info[i] : NULL;
}

static void area_use(struct platform *p)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, num_possible_cpus(), PLAT_VCPUS); i++) {
		if (!area_serves(p, i))
			continue;
		info_clean(&p->area->info[i]);
		p->info[i] = &p->area->info[i];
	}
	on_each_cpu(register_this, p, 1);
}

/* CPUs stay as they are meanwhile. Virtual CPUs that cannot be helped get no events. */
void plat_vcpus_start(struct platform *p)
{
	int err;

	shared_use(p);
	err = area_map(p);
	if (!err && !area_exists(p))
		err = deaf(p) ? area_make(p) : -ENOENT;
	if (err)
		area_unmap(p);
	else
		area_use(p);
	if (deaf(p))
		dev_warn(&p->pdev->dev, "%u virtual CPUs get no events (%d)\n", deaf(p), err);
}

void plat_vcpus_stop(struct platform *p)
{
	unsigned int i;

	for (i = 0; i < PLAT_VCPUS; i++) {
		if (p->info[i])
			info_clean(p->info[i]);
		p->info[i] = NULL;
	}
	area_unmap(p);
}

struct vcpu_info *plat_vcpu_info(void *hv, unsigned int vcpu)
{
	struct platform *p = hv;

	return vcpu < PLAT_VCPUS ? READ_ONCE(p->info[vcpu]) : NULL;
}
