// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of others: mapped where there is no memory of ours, or copied.
 *
 * A mapping needs a page of address space without memory behind it. Those come from the kernel and are kept for the
 * next one; what was not needed for a while is given back. Operations go to the hypervisor in batches, whose records
 * are too large for the stack and must not fail: they are from a pool.
 *
 * A page is unmapped when nobody else holds it: a network below a disk may go on sending from it after the request
 * has ended. That is waited for, as the kernel's own backends do.
 */
#include <linux/mm.h>
#include "native.h"

#define BATCH		64U
#define BATCHES_MIN	4
#define PAGES_KEPT	1024
#define SHRINK_INTERVAL	(10 * HZ)

/**
 * struct batch - one hypercall's worth
 * @map:   one of them
 * @unmap: or
 * @copy:  or
 * @pages: where to map
 * @data:  for the unmapping
 */
struct batch {
	union {
		struct gnttab_map_grant_ref map[BATCH];
		struct gnttab_unmap_grant_ref unmap[BATCH];
		struct gnttab_copy copy[BATCH];
	};
	struct page *pages[BATCH];
	struct gntab_unmap_queue_data data;
};

/* --- Mapping -------------------------------------------------------------------------------------------------- */

static u32 map_flags(const struct xpv_grant_map *m)
{
	return GNTMAP_host_map | (m->flags & XPV_GRANT_READONLY ? GNTMAP_readonly : 0);
}

static phys_addr_t address_of(struct page *page)
{
	return (phys_addr_t)(uintptr_t)page_address(page);
}

/* Return: for how many of @maps there is a page. */
static unsigned int map_prepare(struct native *nat, struct batch *b, domid_t from,
				const struct xpv_grant_map *maps, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (gnttab_page_cache_get(&nat->pages, &b->pages[i]))
			break;
		gnttab_set_map_op(&b->map[i], address_of(b->pages[i]), map_flags(&maps[i]),
				  maps[i].gref, from);
		b->map[i].status = GNTST_general_error;
	}
	return i;
}

static void map_finish(struct native *nat, struct batch *b, struct xpv_grant_map *m, unsigned int i)
{
	m->status = b->map[i].status;
	if (m->status != GNTST_okay) {
		gnttab_page_cache_put(&nat->pages, &b->pages[i], 1);
		return;
	}
	m->handle = b->map[i].handle;
	m->page = b->pages[i];
	m->vaddr = page_address(m->page);
}

/* What the kernel's call returns adds nothing to the statuses. */
static unsigned int map_batch(struct native *nat, struct batch *b, domid_t from,
			      struct xpv_grant_map *maps, unsigned int n)
{
	unsigned int i, got = map_prepare(nat, b, from, maps, n), failed = n - got;

	if (got)
		gnttab_map_refs(b->map, NULL, b->pages, got);
	for (i = 0; i < got; i++) {
		map_finish(nat, b, &maps[i], i);
		failed += maps[i].status != GNTST_okay;
	}
	for (; i < n; i++)
		maps[i].status = GNTST_no_space;
	return failed;
}

unsigned int native_grant_map(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps,
			      unsigned int n)
{
	struct native *nat = to_native(dom);
	struct batch *b = mempool_alloc(nat->batches, GFP_NOIO);
	unsigned int i, failed = 0;

	for (i = 0; i < n; i += BATCH)
		failed += map_batch(nat, b, from, maps + i, min(n - i, BATCH));
	mempool_free(b, nat->batches);
	return failed;
}

/* --- Unmapping ------------------------------------------------------------------------------------------------ */

/* A page that is still mapped must not be used for anything else: better lost. */
static void unmap_finish(struct native *nat, struct batch *b, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (b->unmap[i].status == GNTST_okay)
			gnttab_page_cache_put(&nat->pages, &b->pages[i], 1);
		else
			pr_err_ratelimited("xpv-hv-native: a page cannot be unmapped, status %d\n",
					   b->unmap[i].status);
	}
	queue_delayed_work(system_wq, &nat->shrink, SHRINK_INTERVAL);
}

static void unmap_batch(struct native *nat, struct batch *b, unsigned int n)
{
	b->data = (struct gntab_unmap_queue_data) {
		.unmap_ops = b->unmap,
		.pages = b->pages,
		.count = n,
	};
	gnttab_unmap_refs_sync(&b->data);
	unmap_finish(nat, b, n);
}

void native_grant_unmap(struct xpv_domain *dom, struct xpv_grant_map *maps, unsigned int n)
{
	struct native *nat = to_native(dom);
	struct batch *b = mempool_alloc(nat->batches, GFP_NOIO);
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		struct xpv_grant_map *m = &maps[i];

		if (m->status == GNTST_okay) {
			b->pages[k] = m->page;
			gnttab_set_unmap_op(&b->unmap[k], address_of(m->page), map_flags(m),
					    m->handle);
			b->unmap[k++].status = GNTST_general_error;
			m->status = GNTST_bad_handle;
		}
		if (k == BATCH || (k && i == n - 1)) {
			unmap_batch(nat, b, k);
			k = 0;
		}
	}
	mempool_free(b, nat->batches);
}

/* --- Copying -------------------------------------------------------------------------------------------------- */

static unsigned long gfn_of(const void *local)
{
	return virt_to_gfn(local);
}

static unsigned int copy_batch(struct batch *b, domid_t peer, struct xpv_grant_copy *segs,
			       unsigned int n)
{
	unsigned int k = xpv_grant_copy_prepare(peer, segs, n, b->copy, gfn_of);

	if (k)
		gnttab_batch_copy(b->copy, k);
	return xpv_grant_copy_finish(segs, n, b->copy);
}

unsigned int native_grant_copy(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs,
			       unsigned int n)
{
	struct native *nat = to_native(dom);
	struct batch *b = mempool_alloc(nat->batches, GFP_NOIO);
	unsigned int i, failed = 0;

	for (i = 0; i < n; i += BATCH)
		failed += copy_batch(b, peer, segs + i, min(n - i, BATCH));
	mempool_free(b, nat->batches);
	return failed;
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

static void shrink(struct work_struct *work)
{
	struct native *nat = container_of(to_delayed_work(work), struct native, shrink);

	gnttab_page_cache_shrink(&nat->pages, PAGES_KEPT);
}

int native_map_start(struct native *nat)
{
	nat->batches = mempool_create_kmalloc_pool(BATCHES_MIN, sizeof(struct batch));
	if (!nat->batches)
		return -ENOMEM;
	gnttab_page_cache_init(&nat->pages);
	INIT_DELAYED_WORK(&nat->shrink, shrink);
	return 0;
}

void native_map_stop(struct native *nat)
{
	cancel_delayed_work_sync(&nat->shrink);
	gnttab_page_cache_shrink(&nat->pages, 0);
	mempool_destroy(nat->batches);
}
