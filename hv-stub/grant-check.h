/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the hypervisor decides about grants, as functions of data alone. Also built in user space,
 * by tests/unit/.
 */
#ifndef STUB_GRANT_CHECK_H
#define STUB_GRANT_CHECK_H

#include <linux/types.h>
#include <xen/interface/grant_table.h>

/* What the pages of a domain are: the unit of granting, of copying and of tables. */
#define STUB_PAGE_SIZE		4096U

/* How a grant is about to be used. */
#define STUB_USE_READ		0U
#define STUB_USE_WRITE		1U	/* not only read */
#define STUB_USE_MAP		2U	/* mapped, not only copied */

/**
 * struct stub_pin - the hypervisor's own memory of one grant entry, valid while the entry is in use
 * @frame:   the granted frame, read from the shared entry once, by the first use
 * @domid:   who uses it
 * @readers: uses that only read
 * @writers: other uses
 */
struct stub_pin {
	u32 frame;
	domid_t domid;
	u32 readers;
	u32 writers;
};

/* More uses of one entry at a time are refused. */
#define STUB_PIN_MAX		0xffffU

static inline bool stub_pinned(const struct stub_pin *pin)
{
	return pin->readers || pin->writers;
}

/**
 * stub_check_map_flags() - GNTMAP_* of a map request by a domain with its own page tables. Return:
 * GNTST_*.
 */
s16 stub_check_map_flags(u32 flags);

/**
 * stub_check_pin() - may @domid use an entry, by what is known of those who use it now? Return:
 * GNTST_*.
 */
s16 stub_check_pin(const struct stub_pin *pin, domid_t domid);

/** stub_must_mark() - does a new use have to be announced in the shared entry? */
bool stub_must_mark(const struct stub_pin *pin, u32 use);

/**
 * stub_check_entry() - may @domid use an entry, by what its owner wrote there?
 * @word:   flags (low half) and domid (high half) of the entry, read in one access
 * @pinned: the entry is in use already; then only the kind of access is looked at
 * @marked: out: the word to replace @word by, with the in-use bits
 *
 * Return: GNTST_*; @marked is only written with GNTST_okay.
 */
s16 stub_check_entry(u32 word, bool pinned, domid_t domid, u32 use, u32 *marked);

/** stub_pin_add() - count a use that passed the checks */
void stub_pin_add(struct stub_pin *pin, u32 use);

/** stub_pin_drop() - mirror. Return: GTF_* flags that are to be cleared in the shared entry. */
u16 stub_pin_drop(struct stub_pin *pin, u32 use);

/** stub_idle_flags() - the GTF_* flags of @use that no counted use needs */
u16 stub_idle_flags(const struct stub_pin *pin, u32 use);

/** stub_check_handle() - is @handle one of @nr, and @used? Return: GNTST_*. */
s16 stub_check_handle(grant_handle_t handle, u32 nr, bool used);

/**
 * stub_check_copy_end() - may one end of a copy be named like this? Only own memory goes by frame.
 * Return: GNTST_*.
 */
s16 stub_check_copy_end(domid_t domid, bool is_gref);

/** stub_check_copy() - do both ends stay within their pages? Return: GNTST_*. */
s16 stub_check_copy(const struct gnttab_copy *op);

#endif /* STUB_GRANT_CHECK_H */
