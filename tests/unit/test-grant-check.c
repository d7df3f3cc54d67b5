/* sources: hv-stub/grant-check.c */
// SPDX-License-Identifier: GPL-2.0
/* What the stub decides about grants: map flags, entries, pins, handles, copies. */
#include "hv-stub/grant-check.h"
#include "ktap.h"

#define ME	7
#define OTHER	8

static u32 word(u16 flags, domid_t domid)
{
	return flags | (u32)domid << 16;
}

static void map_flags(void)
{
	CHECK_EQ(stub_check_map_flags(0), GNTST_bad_gntref);
	CHECK_EQ(stub_check_map_flags(GNTMAP_readonly), GNTST_bad_gntref);
	CHECK_EQ(stub_check_map_flags(GNTMAP_host_map), GNTST_okay);
	CHECK_EQ(stub_check_map_flags(GNTMAP_host_map | GNTMAP_readonly), GNTST_okay);
	CHECK_EQ(stub_check_map_flags(GNTMAP_host_map | GNTMAP_guest_avail_mask), GNTST_okay);
	CHECK_EQ(stub_check_map_flags(GNTMAP_device_map), GNTST_general_error);
	CHECK_EQ(stub_check_map_flags(GNTMAP_host_map | GNTMAP_device_map), GNTST_general_error);
	CHECK_EQ(stub_check_map_flags(GNTMAP_host_map | GNTMAP_application_map), GNTST_general_error);
	CHECK_EQ(stub_check_map_flags(GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
}

/* Every pair of type and bearer: only a permit for the asking domain passes. */
static void entry_type_and_domain(void)
{
	u16 type;

	for (type = GTF_invalid; type <= GTF_type_mask; type++) {
		s16 want = type == GTF_permit_access ? GNTST_okay : GNTST_general_error;
		u32 marked = 0xdead;

		CHECK_EQ(stub_check_entry(word(type, ME), false, ME, STUB_USE_READ, &marked), want);
		if (want != GNTST_okay)
			CHECK_EQ(marked, 0xdead);
		CHECK_EQ(stub_check_entry(word(type, OTHER), false, ME, STUB_USE_READ, &marked),
			 GNTST_general_error);
	}
}

static void entry_marks(void)
{
	u32 in = word(GTF_permit_access, ME), marked;

	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_READ, &marked), GNTST_okay);
	CHECK_EQ(marked, in | GTF_reading);
	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_WRITE, &marked), GNTST_okay);
	CHECK_EQ(marked, in | GTF_reading | GTF_writing);

	/* Bits that are not ours stay as they are. */
	in |= GTF_PWT | GTF_PCD | GTF_PAT;
	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_WRITE | STUB_USE_MAP, &marked), GNTST_okay);
	CHECK_EQ(marked, in | GTF_reading | GTF_writing);
}

static void entry_readonly(void)
{
	u32 in = word(GTF_permit_access | GTF_readonly, ME), marked;

	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_READ, &marked), GNTST_okay);
	CHECK_EQ(marked, in | GTF_reading);
	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_WRITE, &marked), GNTST_general_error);
	CHECK_EQ(stub_check_entry(in, true, ME, STUB_USE_WRITE, &marked), GNTST_general_error);
}

static void entry_sub_page(void)
{
	u32 in = word(GTF_permit_access | GTF_sub_page, ME), marked;

	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_READ | STUB_USE_MAP, &marked), GNTST_general_error);
	CHECK_EQ(stub_check_entry(in, false, ME, STUB_USE_READ, &marked), GNTST_okay);
}

/* In use, the entry's type and domain are the owner's scribbles: what is pinned counts. */
static void entry_changed_under_use(void)
{
	u32 marked;

	CHECK_EQ(stub_check_entry(word(GTF_invalid, OTHER), true, ME, STUB_USE_WRITE, &marked), GNTST_okay);
	CHECK_EQ(marked, word(GTF_reading | GTF_writing, OTHER));
}

static void pin_counts(void)
{
	struct stub_pin pin = { .frame = 1, .domid = ME };

	CHECK(!stub_pinned(&pin));
	CHECK(stub_must_mark(&pin, STUB_USE_READ));
	stub_pin_add(&pin, STUB_USE_READ | STUB_USE_MAP);
	CHECK(stub_pinned(&pin));
	CHECK(!stub_must_mark(&pin, STUB_USE_READ));
	CHECK(stub_must_mark(&pin, STUB_USE_WRITE));
	stub_pin_add(&pin, STUB_USE_WRITE);
	CHECK(!stub_must_mark(&pin, STUB_USE_WRITE));
	stub_pin_add(&pin, STUB_USE_WRITE);

	CHECK_EQ(stub_pin_drop(&pin, STUB_USE_WRITE), 0);
	CHECK_EQ(stub_pin_drop(&pin, STUB_USE_WRITE), GTF_writing);
	CHECK_EQ(stub_pin_drop(&pin, STUB_USE_READ), GTF_reading);
	CHECK(!stub_pinned(&pin));

	stub_pin_add(&pin, STUB_USE_WRITE);
	CHECK_EQ(stub_pin_drop(&pin, STUB_USE_WRITE), GTF_writing | GTF_reading);
}

/* The reader goes first: the writer's use keeps both bits. */
static void pin_writer_outlives_reader(void)
{
	struct stub_pin pin = { .domid = ME };

	stub_pin_add(&pin, STUB_USE_WRITE);
	stub_pin_add(&pin, STUB_USE_READ);
	CHECK_EQ(stub_pin_drop(&pin, STUB_USE_READ), 0);
	CHECK_EQ(stub_pin_drop(&pin, STUB_USE_WRITE), GTF_writing | GTF_reading);
}

/* A use that failed after the entry was marked takes back no more than what it set. */
static void idle_flags(void)
{
	struct stub_pin pin = { .domid = ME };

	CHECK_EQ(stub_idle_flags(&pin, STUB_USE_READ), GTF_reading);
	CHECK_EQ(stub_idle_flags(&pin, STUB_USE_WRITE), GTF_reading | GTF_writing);
	pin.readers = 1;
	CHECK_EQ(stub_idle_flags(&pin, STUB_USE_READ), 0);
	CHECK_EQ(stub_idle_flags(&pin, STUB_USE_WRITE), GTF_writing);
	pin.writers = 1;
	CHECK_EQ(stub_idle_flags(&pin, STUB_USE_WRITE), 0);
}

static void pin_domain_and_limit(void)
{
	struct stub_pin pin = { .domid = OTHER };

	CHECK_EQ(stub_check_pin(&pin, ME), GNTST_okay);	/* stale: not in use */
	pin.readers = 1;
	CHECK_EQ(stub_check_pin(&pin, ME), GNTST_general_error);
	CHECK_EQ(stub_check_pin(&pin, OTHER), GNTST_okay);
	pin.readers = STUB_PIN_MAX - 2;
	pin.writers = 1;
	CHECK_EQ(stub_check_pin(&pin, OTHER), GNTST_okay);
	pin.writers = 2;
	CHECK_EQ(stub_check_pin(&pin, OTHER), GNTST_general_error);
}

static void handles(void)
{
	CHECK_EQ(stub_check_handle(0, 0, false), GNTST_bad_handle);
	CHECK_EQ(stub_check_handle(0, 256, true), GNTST_okay);
	CHECK_EQ(stub_check_handle(255, 256, true), GNTST_okay);
	CHECK_EQ(stub_check_handle(255, 256, false), GNTST_bad_handle);
	CHECK_EQ(stub_check_handle(256, 256, true), GNTST_bad_handle);
	CHECK_EQ(stub_check_handle(~0U, 256, true), GNTST_bad_handle);
}

static void copy_ends(void)
{
	CHECK_EQ(stub_check_copy_end(DOMID_SELF, false), GNTST_okay);
	CHECK_EQ(stub_check_copy_end(DOMID_SELF, true), GNTST_okay);
	CHECK_EQ(stub_check_copy_end(OTHER, true), GNTST_okay);
	CHECK_EQ(stub_check_copy_end(OTHER, false), GNTST_permission_denied);
	CHECK_EQ(stub_check_copy_end(0, false), GNTST_permission_denied);
}

static void copy_bounds(void)
{
	static const struct {
		u16 source, dest, len;
		bool ok;
	} t[] = {
		{ 0, 0, 0, true },
		{ 0, 0, 4096, true },
		{ 0, 0, 4097, false },
		{ 4095, 0, 1, true },
		{ 0, 4095, 1, true },
		{ 4095, 0, 2, false },
		{ 0, 4095, 2, false },
		{ 4096, 0, 0, true },
		{ 4096, 0, 1, false },
		{ 0, 4096, 1, false },
		{ 4097, 0, 0, false },
		{ 0xffff, 0, 1, false },	/* no wrap at 16 bits */
		{ 0, 0xffff, 0xffff, false },
		{ 2048, 2048, 2048, true },
		{ 2048, 2049, 2048, false },
	};
	unsigned int n;

	for (n = 0; n < sizeof(t) / sizeof(t[0]); n++) {
		struct gnttab_copy op = {
			.source.offset = t[n].source, .dest.offset = t[n].dest, .len = t[n].len,
		};

		CHECK_EQ(stub_check_copy(&op), t[n].ok ? GNTST_okay : GNTST_bad_copy_arg);
	}
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(map_flags),
		KTAP(entry_type_and_domain),
		KTAP(entry_marks),
		KTAP(entry_readonly),
		KTAP(entry_sub_page),
		KTAP(entry_changed_under_use),
		KTAP(pin_counts),
		KTAP(pin_writer_outlives_reader),
		KTAP(idle_flags),
		KTAP(pin_domain_and_limit),
		KTAP(handles),
		KTAP(copy_ends),
		KTAP(copy_bounds),
		{}
	});
}
