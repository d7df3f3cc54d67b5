// SPDX-License-Identifier: GPL-2.0
/*
 * What the hypervisor decides about grants: data in, status out. The codes are those that Xen
 * returns to an HVM domain.
 */
#include "grant-check.h"

s16 stub_check_map_flags(u32 flags)
{
	if (!(flags & (GNTMAP_device_map | GNTMAP_host_map)))
		return GNTST_bad_gntref;
	if (flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte))
		return GNTST_general_error;
	return GNTST_okay;
}

s16 stub_check_pin(const struct stub_pin *pin, domid_t domid)
{
	if (!stub_pinned(pin))
		return GNTST_okay;
	if (pin->domid != domid || pin->readers + pin->writers >= STUB_PIN_MAX)
		return GNTST_general_error;
	return GNTST_okay;
}

bool stub_must_mark(const struct stub_pin *pin, u32 use)
{
	return !stub_pinned(pin) || ((use & STUB_USE_WRITE) && !pin->writers);
}

s16 stub_check_entry(u32 word, bool pinned, domid_t domid, u32 use, u32 *marked)
{
	u16 flags = word & 0xffff;
	u16 mask = GTF_type_mask;

	/*
	 * A v1 entry has no sub-pages; an owner that sets the bit anyway has granted nothing that
	 * can be mapped.
	 */
	if (use & STUB_USE_MAP)
		mask |= GTF_sub_page;

	if (!pinned && ((flags & mask) != GTF_permit_access || word >> 16 != domid))
		return GNTST_general_error;
	if ((use & STUB_USE_WRITE) && (flags & GTF_readonly))
		return GNTST_general_error;

	*marked = word | GTF_reading;
	if (use & STUB_USE_WRITE)
		*marked |= GTF_writing;
	return GNTST_okay;
}

void stub_pin_add(struct stub_pin *pin, u32 use)
{
	if (use & STUB_USE_WRITE)
		pin->writers++;
	else
		pin->readers++;
}

u16 stub_pin_drop(struct stub_pin *pin, u32 use)
{
	if (use & STUB_USE_WRITE)
		pin->writers--;
	else
		pin->readers--;
	return stub_idle_flags(pin, use);
}

u16 stub_idle_flags(const struct stub_pin *pin, u32 use)
{
	u16 flags = 0;

	if ((use & STUB_USE_WRITE) && !pin->writers)
		flags |= GTF_writing;
	if (!stub_pinned(pin))
		flags |= GTF_reading;
	return flags;
}

s16 stub_check_handle(grant_handle_t handle, u32 nr, bool used)
{
	return handle < nr && used ? GNTST_okay : GNTST_bad_handle;
}

s16 stub_check_copy_end(domid_t domid, bool is_gref)
{
	return is_gref || domid == DOMID_SELF ? GNTST_okay : GNTST_permission_denied;
}

s16 stub_check_copy(const struct gnttab_copy *op)
{
	if ((u32)op->source.offset + op->len > STUB_PAGE_SIZE ||
	    (u32)op->dest.offset + op->len > STUB_PAGE_SIZE)
		return GNTST_bad_copy_arg;
	return GNTST_okay;
}
