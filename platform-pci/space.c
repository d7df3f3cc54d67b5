// SPDX-License-Identifier: GPL-2.0
/*
 * Room in the guest's physical address space for pages that other domains grant.
 *
 * A foreign page is mapped at an address of the guest's. There it needs a struct page, to go into bios and skbs, and
 * should cost no memory: so addresses that nothing uses are made into device memory (ZONE_DEVICE), in chunks. Taking a
 * page must not sleep, so more are made in the background when few are left; backends hold a bounded number each.
 *
 * A page whose foreign frame could not be unmapped is never given back: then the chunks stay when the domain goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <asm/processor.h>
#include "platform.h"

#define FIRST_CHUNK	SZ_4M
#define CHUNK		SZ_16M
#define FEW		(3 * FIRST_CHUNK / 4 / PAGE_SIZE)
#define MOST		(SZ_1G / PAGE_SIZE)

struct space_chunk {
	struct list_head list;
	struct resource res;
	struct dev_pagemap pgmap;
};

/* In the upper half of what the processor can address: memory and devices that come later are put below. */
static int chunk_region(struct space_chunk *c, unsigned long size)
{
	u64 end = BIT_ULL(boot_cpu_data.x86_phys_bits) - 1;

	c->res.name = "xpv foreign pages";
	c->res.flags = IORESOURCE_MEM;
	return allocate_resource(&iomem_resource, &c->res, size, end / 2 + 1, end, SZ_4M, NULL, NULL);
}

static struct space_chunk *chunk_make(unsigned long size)
{
	struct space_chunk *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	if (chunk_region(c, size))
		goto err_chunk;
	c->pgmap.type = MEMORY_DEVICE_GENERIC;
	c->pgmap.range.start = c->res.start;
	c->pgmap.range.end = c->res.end;
	c->pgmap.nr_range = 1;
	if (IS_ERR(memremap_pages(&c->pgmap, NUMA_NO_NODE)))
		goto err_region;
	return c;

err_region:
	release_resource(&c->res);
err_chunk:
	kfree(c);
	return NULL;
}

static void chunk_free(struct space_chunk *c)
{
	memunmap_pages(&c->pgmap);
	release_resource(&c->res);
	kfree(c);
}

/* Make @size bytes more, in process context; one at a time. */
static int space_extend(struct plat_space *s, unsigned long size)
{
	unsigned long n = size / PAGE_SIZE, i, pfn;
	struct space_chunk *c = chunk_make(size);
	struct page **pages, **old;

	if (!c)
		return -ENOMEM;
	pages = kvmalloc_array(s->total + n, sizeof(*pages), GFP_KERNEL | __GFP_NOWARN);
	if (!pages) {
		chunk_free(c);
		return -ENOMEM;
	}
	pfn = PHYS_PFN(c->pgmap.range.start);
	list_add(&c->list, &s->chunks);

	spin_lock_irq(&s->lock);
	memcpy(pages, s->pages, s->free * sizeof(*pages));
	for (i = 0; i < n; i++)
		pages[s->free + i] = pfn_to_page(pfn + i);
	old = s->pages;
	s->pages = pages;
	s->free += n;
	s->total += n;
	spin_unlock_irq(&s->lock);
	kvfree(old);
	return 0;
}

static void space_more(struct work_struct *work)
{
	struct plat_space *s = container_of(work, struct plat_space, more);

	if (s->total < MOST && space_extend(s, CHUNK))
		pr_warn_ratelimited("no room for more pages of other domains than %lu\n", s->total);
}

struct page *plat_page_get(void *hv)
{
	struct plat_space *s = &((struct platform *)hv)->space;
	struct page *page = NULL;
	unsigned long flags;
	bool few;

	spin_lock_irqsave(&s->lock, flags);
	if (s->free)
		page = s->pages[--s->free];
	few = s->free < FEW && s->total && s->total < MOST;
	spin_unlock_irqrestore(&s->lock, flags);
	if (few)
		queue_work(system_unbound_wq, &s->more);
	return page;
}

void plat_page_put(void *hv, struct page *page)
{
	struct plat_space *s = &((struct platform *)hv)->space;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	s->pages[s->free++] = page;
	spin_unlock_irqrestore(&s->lock, flags);
}

/* Without room the domain can have no backends, and frontends need none of this. */
void plat_space_init(struct plat_space *s)
{
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->chunks);
	INIT_WORK(&s->more, space_more);
	if (space_extend(s, FIRST_CHUNK))
		pr_info("no room for pages of other domains: no backends here\n");
}

/* No device is left, so nobody takes pages. */
void plat_space_exit(struct plat_space *s)
{
	struct space_chunk *c, *next;

	cancel_work_sync(&s->more);
	if (s->free != s->total) {
		pr_warn("%lu pages of other domains could not be unmapped, their place is lost\n", s->total - s->free);
	} else {
		list_for_each_entry_safe(c, next, &s->chunks, list)
			chunk_free(c);
	}
	kvfree(s->pages);
}
