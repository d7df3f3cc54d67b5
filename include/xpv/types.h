/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types and constants that both sides of the hypervisor boundary use: grant references that sparse can tell
 * from other numbers, and the records of the batched grant operations.
 *
 * The wire formats themselves are the kernel's <xen/interface/...>; nothing of them is repeated here.
 */
#ifndef XPV_TYPES_H
#define XPV_TYPES_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/event_channel.h>

struct page;

/**
 * typedef xpv_gref_t - a grant reference of this domain's own table
 *
 * A number that names an entry in the grant table of the domain that owns the device. References that came from
 * the peer stay plain &grant_ref_t: they name entries of the peer's table, and sparse keeps the two apart.
 */
typedef u32 __bitwise xpv_gref_t;

#define XPV_GREF_NONE ((__force xpv_gref_t)~0U)

/** xpv_gref_wire() - the number to put into a ring slot or a store key */
static inline grant_ref_t xpv_gref_wire(xpv_gref_t ref)
{
	return (__force grant_ref_t)ref;
}

/** xpv_gref_make() - a reference from a bare number; for the grant allocator and for reading back one's own slot */
static inline xpv_gref_t xpv_gref_make(u32 number)
{
	return (__force xpv_gref_t)number;
}

/* Flags of a grant or of a mapping. */
#define XPV_GRANT_RW		0
#define XPV_GRANT_READONLY	BIT(0)

/**
 * struct xpv_grant_map - one page of the peer to map, or mapped
 * @gref:   in: the peer's grant reference
 * @flags:  in: %XPV_GRANT_RW or %XPV_GRANT_READONLY
 * @status: out: a GNTST_* code, %GNTST_okay when the three fields below are valid
 * @handle: out: the hypervisor's handle of the mapping
 * @page:   out: the mapped page, of the provider's choosing (never a page of the caller's). Its contents belong
 *          to the peer and change at any time. The caller may put it into a bio or an skb while it is mapped.
 * @vaddr:  out: the kernel address of @page
 */
struct xpv_grant_map {
	grant_ref_t gref;
	u32 flags;
	s16 status;
	grant_handle_t handle;
	struct page *page;
	void *vaddr;
};

/**
 * struct xpv_grant_copy - one copy between a page of the peer and local memory
 * @gref:      in: the peer's grant reference
 * @offset:    in: byte offset in the granted page
 * @len:       in: bytes; neither side may cross a page
 * @to_peer:   in: true to write the granted page, false to read it
 * @local:     in: local memory in the kernel's linear map
 * @status:    out: a GNTST_* code
 */
struct xpv_grant_copy {
	grant_ref_t gref;
	u16 offset;
	u16 len;
	bool to_peer;
	void *local;
	s16 status;
};

#endif /* XPV_TYPES_H */
