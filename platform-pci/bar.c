// SPDX-License-Identifier: GPL-2.0
/*
 * The device's own memory region, in two parts.
 *
 * The first pages can be the place for frames of the hypervisor (frames=bar). No page of the kernel's is given up. But
 * the firmware has declared the region uncached, so each access to a grant entry or to the bitmaps of events is a slow
 * one. For a kernel that cannot do without a page, or to compare. The last pages are for vcpus.c. Each part is claimed
 * by itself, so /proc/iomem tells which are in use.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include "platform.h"

#define REGION		1
#define PAGES_MAX	1024U	/* of the first part */

/**
 * struct bar - the region; there is one device
 * @lock: the two below
 * @used: pages that show a frame
 * @va:   where they are mapped
 * @gfn:  of the first page
 * @nr:   pages of the first part, 0: it is not used
 */
static struct bar {
	struct mutex lock;
	DECLARE_BITMAP(used, PAGES_MAX);
	void *va[PAGES_MAX];
	unsigned long gfn;
	unsigned int nr;
} bar = { .lock = __MUTEX_INITIALIZER(bar.lock) };

static unsigned long pages_of(struct pci_dev *pdev)
{
	if (!(pci_resource_flags(pdev, REGION) & IORESOURCE_MEM))
		return 0;
	return pci_resource_len(pdev, REGION) >> PAGE_SHIFT;
}

static int claim(unsigned long gfn, unsigned int pages, const char *name)
{
	return request_mem_region(PFN_PHYS(gfn), PFN_PHYS(pages), name) ? 0 : -EBUSY;
}

static void unclaim(unsigned long gfn, unsigned int pages)
{
	release_mem_region(PFN_PHYS(gfn), PFN_PHYS(pages));
}

int plat_bar_start(struct pci_dev *pdev)
{
	unsigned int nr = min_t(unsigned long, pages_of(pdev), PAGES_MAX);
	int err;

	if (!nr)
		return -ENXIO;
	bar.gfn = PHYS_PFN(pci_resource_start(pdev, REGION));
	err = claim(bar.gfn, nr, "xpv-frames");
	if (!err)
		bar.nr = nr;
	return err;
}

void plat_bar_stop(void)
{
	if (bar.nr)
		unclaim(bar.gfn, bar.nr);
	bar.nr = 0;
}

int plat_bar_tail_take(struct pci_dev *pdev, unsigned int pages, unsigned long *gfn)
{
	if (pages_of(pdev) < PAGES_MAX + pages)
		return -ENXIO;
	*gfn = PHYS_PFN(pci_resource_end(pdev, REGION) + 1) - pages;
	return claim(*gfn, pages, "xpv-vcpus");
}

void plat_bar_tail_give(unsigned long gfn, unsigned int pages)
{
	unclaim(gfn, pages);
}

bool plat_bar_used(void)
{
	return bar.nr;
}

int plat_bar_take(unsigned long *gfn, void **va)
{
	unsigned int n;
	int err = 0;

	mutex_lock(&bar.lock);
	n = find_first_zero_bit(bar.used, bar.nr);
	if (n == bar.nr)
		err = -ENOSPC;
	else
		bar.va[n] = memremap(PFN_PHYS(bar.gfn + n), PAGE_SIZE, MEMREMAP_WB);
	if (!err && !bar.va[n])
		err = -ENOMEM;
	if (!err) {
		__set_bit(n, bar.used);
		*gfn = bar.gfn + n;
		*va = bar.va[n];
	}
	mutex_unlock(&bar.lock);
	return err;
}

static unsigned int find(const void *va)
{
	unsigned int n;

	lockdep_assert_held(&bar.lock);
	for_each_set_bit(n, bar.used, bar.nr)
		if (bar.va[n] == va)
			return n;
	return bar.nr;
}

unsigned long plat_bar_gfn(const void *va)
{
	unsigned int n;

	mutex_lock(&bar.lock);
	n = find(va);
	mutex_unlock(&bar.lock);
	return bar.gfn + n;
}

void plat_bar_give(void *va)
{
	unsigned int n;

	mutex_lock(&bar.lock);
	n = find(va);
	if (n < bar.nr)
		__clear_bit(n, bar.used);
	mutex_unlock(&bar.lock);
	memunmap(va);
}
