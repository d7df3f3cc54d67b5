// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of the hypervisor in the guest's address space.
 *
 * They are shown in place of ordinary pages, whose own frames are given up: so they are write-back memory in the
 * kernel's linear map, which the device's BAR is not (a variable MTRR makes it uncached). The steps, and their mirror:
 *
 *	alloc_page()                         __free_page()
 *	XENMEM_decrease_reservation          XENMEM_populate_physmap
 *	XENMEM_add_to_physmap                XENMEM_remove_from_physmap
 *
 * What the hypervisor shows keeps its contents while nobody has it mapped, so each frame is cleaned when mapped: the
 * user before may have been another kernel. A page that cannot have a frame again must never be used: it is lost.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <asm/sync_bitops.h>
#include <xen/interface/hvm/params.h>
#include <xen/interface/io/xs_wire.h>
#include <xen/interface/memory.h>
#include "platform.h"

static char *frames = "memory";
module_param(frames, charp, 0444);
MODULE_PARM_DESC(frames, "where the hypervisor shows its frames: memory (in place of pages of the kernel's; default) or bar (the device's region)");

#define FRAME_ENTRIES	(PAGE_SIZE / sizeof(struct grant_entry_v1))

/* Change the reservation by the one page @gfn. */
static int reservation(unsigned int cmd, xen_pfn_t gfn)
{
	struct xen_memory_reservation op = { .nr_extents = 1, .domid = DOMID_SELF };
	int n;

	set_xen_guest_handle(op.extent_start, &gfn);
	n = plat_memory_op(cmd, &op);
	return n == 1 ? 0 : n < 0 ? n : -ENOMEM;
}

int plat_frame_populate(unsigned long gfn)
{
	return reservation(XENMEM_populate_physmap, gfn);
}

struct page *plat_page_hole(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return NULL;
	if (reservation(XENMEM_decrease_reservation, page_to_pfn(page))) {
		__free_page(page);
		return NULL;
	}
	return page;
}

void plat_page_fill(struct page *page)
{
	int err = plat_frame_populate(page_to_pfn(page));

	if (err)
		pr_warn("a page is lost: Xen gives no memory for it (%d)\n", err);
	else
		__free_page(page);
}

/* A place for a frame: without one now, or one of the device's. */
static int place_take(unsigned long *gfn, void **va)
{
	struct page *page;

	if (plat_bar_used())
		return plat_bar_take(gfn, va);
	page = plat_page_hole();
	if (!page)
		return -ENOMEM;
	*gfn = page_to_pfn(page);
	*va = page_address(page);
	return 0;
}

static void place_give(void *va)
{
	if (plat_bar_used())
		plat_bar_give(va);
	else
		plat_page_fill(virt_to_page(va));
}

static unsigned long gfn_of(const void *va)
{
	return plat_bar_used() ? plat_bar_gfn(va) : page_to_pfn(virt_to_page(va));
}

/* What was there goes: a frame that is shown somewhere else moves. */
static int show(unsigned int space, unsigned long idx, unsigned long gfn)
{
	struct xen_add_to_physmap op = { .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = gfn };

	return plat_memory_op(XENMEM_add_to_physmap, &op);
}

int plat_frame_map(unsigned int space, unsigned long idx, void **va)
{
	unsigned long gfn;
	int err;

	err = place_take(&gfn, va);
	if (err)
		return err;
	err = show(space, idx, gfn);
	if (err)
		place_give(*va);
	return err;
}

void plat_frame_unmap(void *va)
{
	struct xen_remove_from_physmap op = { .domid = DOMID_SELF, .gpfn = gfn_of(va) };
	int err = plat_memory_op(XENMEM_remove_from_physmap, &op);

	if (err)
		pr_warn("a page is lost: Xen does not take its own out of it (%d)\n", err);
	else
		place_give(va);
}

int plat_frames_start(struct pci_dev *pdev)
{
	if (sysfs_streq(frames, "bar"))
		return plat_bar_start(pdev);
	if (!sysfs_streq(frames, "memory"))
		pr_warn("frames=%s: memory or bar\n", frames);
	return 0;
}

void plat_frames_stop(void)
{
	plat_bar_stop();
}

/* --- The grant table ------------------------------------------------------------------------------------------ */

/*
 * The reserved entries are the toolstack's. An entry that shows its page in use is of a kernel that went without
 * asking its peers; what they have mapped cannot be taken from them.
 */
static void grants_clean(struct grant_entry_v1 *entries, unsigned int idx)
{
	unsigned int i, used = 0;

	for (i = idx ? 0 : GNTTAB_NR_RESERVED_ENTRIES; i < FRAME_ENTRIES; i++) {
		used += !!(READ_ONCE(entries[i].flags) & (GTF_reading | GTF_writing));
		WRITE_ONCE(entries[i].flags, 0);
	}
	if (used)
		pr_warn("%u grants of a kernel before this one are in use by other domains\n", used);
}

/*
 * One that was there before a suspend is shown in the same place again. In a new domain there is memory now, of which
 * the hypervisor gets rid, and the entries are new and empty; else they are as they were.
 */
static int grant_frame_map(struct platform *p, unsigned int idx, void **va)
{
	int err;

	if (idx >= p->max_frames)
		return -ENOSPC;
	if (*va)
		return show(XENMAPSPACE_grant_table, idx, gfn_of(*va));
	err = plat_frame_map(XENMAPSPACE_grant_table, idx, va);
	if (!err)
		grants_clean(*va, idx);
	return err;
}

/* --- shared_info ---------------------------------------------------------------------------------------------- */

/*
 * Masked first, so that nothing becomes pending for the virtual CPUs; a port's own pending bit may come again at any
 * time, and is looked at when it is unmasked. A selector or upcall bit that was left set would suppress all upcalls.
 */
static void shared_clean(struct shared_info *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->evtchn_mask); i++)
		WRITE_ONCE(s->evtchn_mask[i], ~0UL);
	virt_mb();
	for (i = 0; i < PLAT_SHARED_VCPUS; i++) {
		xchg(&s->vcpu_info[i].evtchn_pending_sel, 0);
		WRITE_ONCE(s->vcpu_info[i].evtchn_upcall_pending, 0);
	}
	virt_mb();
}

int plat_shared_map(struct platform *p)
{
	void *va;
	int err = plat_frame_map(XENMAPSPACE_shared_info, 0, &va);

	if (err)
		return err;
	p->shared = va;
	shared_clean(p->shared);
	return 0;
}

void plat_shared_unmap(struct platform *p)
{
	shared_clean(p->shared);
	plat_frame_unmap(p->shared);
	p->shared = NULL;
}

/* --- The store's ring ----------------------------------------------------------------------------------------- */

/* A page that the toolstack has put above the guest's memory. */
static int store_map(void **va)
{
	u64 gfn;
	int err = plat_param_get(HVM_PARAM_STORE_PFN, &gfn);

	if (err)
		return err;
	if (!gfn)
		return -ENXIO;
	*va = memremap(PFN_PHYS(gfn), PAGE_SIZE, MEMREMAP_WB);
	return *va ? 0 : -ENOMEM;
}

int plat_map_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void **va)
{
	struct platform *p = hv;

	if (space != XPV_FRAME_GRANT && idx)
		return -EINVAL;
	switch (space) {
	case XPV_FRAME_SHARED_INFO:
		*va = p->shared;
		return 0;
	case XPV_FRAME_GRANT:
		return grant_frame_map(p, idx, va);
	case XPV_FRAME_STORE:
		return store_map(va);
	default:
		return -EINVAL;
	}
}

void plat_unmap_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void *va)
{
	switch (space) {
	case XPV_FRAME_GRANT:
		plat_frame_unmap(va);
		break;
	case XPV_FRAME_STORE:
		memunmap(va);
		break;
	default:
		break;	/* shared_info is the platform's until its end */
	}
}
