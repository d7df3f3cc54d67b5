/* sources: tools/xpvctl/spec.c tools/xpvctl/vdev.c */
// SPDX-License-Identifier: GPL-2.0
/* The disk specification and the names of virtual disks, as xpvctl understands them. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/xpvctl/spec.h"
#include "ktap.h"

/* A line of a table, with what came out of it when that is wrong. */
static void report(bool good, const char *what, const char *detail)
{
	if (!good)
		printf("# %s: %s\n", what, detail);
	CHECK(good);
}

static const struct {
	const char *text;
	uint32_t id;		/* 0: refused */
	const char *name;	/* NULL: as the text */
} vdevs[] = {
	{ "xvda", 51712, NULL },
	{ "xvdb", 51728, NULL },
	{ "xvda1", 51713, NULL },
	{ "xvdp15", 51712 + 255, NULL },
	{ "xvda16", 1U << 28 | 16, NULL },
	{ "xvdq", 1U << 28 | 16 << 8, NULL },
	{ "xvdz", 1U << 28 | 25 << 8, NULL },
	{ "xvdaa", 1U << 28 | 26 << 8, NULL },
	{ "xvdtq37", 1U << 28 | 536 << 8 | 37, NULL },
	{ "d536p37", 1U << 28 | 536 << 8 | 37, "xvdtq37" },
	{ "d0", 51712, "xvda" },
	{ "d0p0", 51712, "xvda" },
	{ "d1p2", 51730, "xvdb2" },
	{ "d1048575p255", 1U << 28 | 1048575U << 8 | 255, "xvdbgqcv255" },
	{ "sda", 2048, NULL },
	{ "sdb3", 2067, NULL },
	{ "sdp15", 2303, NULL },
	{ "hda", 768, NULL },
	{ "hdb", 832, NULL },
	{ "hdc2", 22 << 8 | 2, NULL },
	{ "hdd63", 22 << 8 | 64 | 63, NULL },
	{ "51712", 51712, "xvda" },
	{ "0xca00", 51712, "xvda" },
	{ "0145000", 51712, "xvda" },
	{ "5", 5, "5" },
	{ "268435457", 1U << 28 | 1, "xvda1" },
	{ "", 0, NULL },
	{ "xvd", 0, NULL },
	{ "xvd1", 0, NULL },
	{ "xvda0", 0, NULL },
	{ "xvda01", 0, NULL },
	{ "xvda256", 0, NULL },
	{ "xvdA", 0, NULL },
	{ "xvda 1", 0, NULL },
	{ "xvda-1", 0, NULL },
	{ "xvdzzzzzzzzzzzzzzzzzzzz", 0, NULL },
	{ "xvda99999999999999999999", 0, NULL },
	{ "sdq", 0, NULL },
	{ "sda16", 0, NULL },
	{ "hde", 0, NULL },
	{ "hda64", 0, NULL },
	{ "d", 0, NULL },
	{ "dp1", 0, NULL },
	{ "d0p", 0, NULL },
	{ "d1048576", 0, NULL },
	{ "d0p256", 0, NULL },
	{ "d-1", 0, NULL },
	{ "d99999999999999999999", 0, NULL },
	{ "0", 0, NULL },
	{ "-1", 0, NULL },
	{ "+1", 0, NULL },
	{ " 51712", 0, NULL },
	{ "51712x", 0, NULL },
	{ "0x", 0, NULL },
	{ "536870912", 0, NULL },
	{ "4294967296", 0, NULL },
	{ "99999999999999999999999", 0, NULL },
	{ "/dev/xvda", 0, NULL },
};

static void vdevs_table(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vdevs); i++) {
		const char *name = vdevs[i].name ? vdevs[i].name : vdevs[i].text;
		struct vdev v = { .id = 77, .name = "untouched" };
		bool good = vdev_parse(vdevs[i].text, &v);
		char detail[96];

		snprintf(detail, sizeof(detail), "'%.40s' is %u %s", vdevs[i].text, v.id, v.name);
		if (vdevs[i].id)
			report(good && v.id == vdevs[i].id && !strcmp(v.name, name), "vdev", detail);
		else
			report(!good && v.id == 77, "vdev refused", detail);
	}
}

/* Whatever number stands in the store gets a name, and a name that is no number means it. */
static void all_numbers(void)
{
	uint64_t id;
	bool good = true;

	for (id = 1; id <= UINT32_MAX && good; id += id < 70000 ? 1 : 65521) {
		struct vdev v;
		char name[32];

		vdev_name((uint32_t)id, name, sizeof(name));
		if (*name >= '0' && *name <= '9')
			continue;
		/* a disk with a short form may stand in the store in its long form */
		good = vdev_parse(name, &v) && (v.id == id || (id & 1U << 28 && !strcmp(v.name, name)));
	}
	report(good, "every number has a name that means it", "");
}

static const struct {
	const char *args[5];
	const char *target;	/* NULL: refused */
	const char *vdev;	/* or a part of the error */
	char mode;
} specs[] = {
	{ { "phy:/dev/x", "xvda", "w" }, "/dev/x", "xvda", 'w' },
	{ { "phy:/dev/x", "xvda", "r" }, "/dev/x", "xvda", 'r' },
	{ { "phy:/dev/x", "xvda" }, "/dev/x", "xvda", 'w' },
	{ { "phy:/dev/x,xvda,w" }, "/dev/x", "xvda", 'w' },
	{ { "phy:x,xvda,ro" }, "/dev/x", "xvda", 'r' },
	{ { "phy:/dev/x,xvdb:disk,w" }, "/dev/x", "xvdb", 'w' },
	{ { "raw:/dev/x,hda,w" }, "/dev/x", "hda", 'w' },
	{ { "/dev/x,raw,xvda,rw" }, "/dev/x", "xvda", 'w' },
	{ { "/dev/x,,xvda" }, "/dev/x", "xvda", 'w' },
	{ { "/dev/x", "xvda" }, "/dev/x", "xvda", 'w' },
	{ { "/dev/x", "xvda", "r" }, "/dev/x", "xvda", 'r' },
	{ { "/dev/x,xvda,r" }, "/dev/x", "xvda", 'r' },
	{ { "vg/guest,raw,xvda" }, "/dev/vg/guest", "xvda", 'w' },
	{ { "format=raw,vdev=xvda,access=rw,target=/dev/x" }, "/dev/x", "xvda", 'w' },
	{ { "format=raw, vdev=xvda, access=ro, target=/dev/x" }, "/dev/x", "xvda", 'r' },
	{ { "format=raw", "vdev=xvda", "target=/dev/x" }, "/dev/x", "xvda", 'w' },
	{ { "vdev=xvda,target=/dev/a,b,c" }, "/dev/a,b,c", "xvda", 'w' },
	{ { "/dev/x,vdev=xvdc,access=r" }, "/dev/x", "xvdc", 'r' },
	{ { "/dev/a=b,,xvda" }, "/dev/a=b", "xvda", 'w' },
	{ { "vdev=xvda,backendtype=phy,backend=0,devtype=disk,target=x" }, "/dev/x", "xvda", 'w' },
	{ { "/dev/x,raw,xvda,rw,no-discard,direct-io-safe" }, "/dev/x", "xvda", 'w' },
	{ { "/dev/x,raw,51713" }, "/dev/x", "xvda1", 'w' },
	{ { "" }, NULL, "target", 0 },
	{ { ",,," }, NULL, "target", 0 },
	{ { "/dev/x" }, NULL, "vdev", 0 },
	{ { "phy:/dev/x,raw,xvda" }, NULL, "'raw' is not a virtual disk", 0 },
	{ { "phy:/dev/x", "nonsense" }, NULL, "'nonsense' is not a virtual disk", 0 },
	{ { "phy:/dev/x", "xvda", "x" }, NULL, "'x' is not a mode", 0 },
	{ { "phy:/dev/x", "xvda", "w", "more" }, NULL, "too many", 0 },
	{ { "/dev/x,qcow2,xvda" }, NULL, "format", 0 },
	{ { "file:/dev/x,xvda,w" }, NULL, "only phy", 0 },
	{ { "tap:aio:/dev/x,xvda,w" }, NULL, "only phy", 0 },
	{ { "/dev/x,raw,hdc:cdrom,r" }, NULL, "only disks", 0 },
	{ { "/dev/x,raw,hdc,r,cdrom" }, NULL, "devtype", 0 },
	{ { "vdev=xvda,devtype=cdrom,target=x" }, NULL, "devtype", 0 },
	{ { "vdev=xvda,backendtype=qdisk,target=x" }, NULL, "backendtype", 0 },
	{ { "vdev=xvda,backend=dom1,target=x" }, NULL, "dom1", 0 },
	{ { "vdev=xvda,vdev=xvdb,target=x" }, NULL, "vdev is given twice", 0 },
	{ { "/dev/x,raw,xvda,target=/dev/y" }, NULL, "target is given twice", 0 },
	{ { "vdev=xvda,colour=red,target=x" }, NULL, "unknown parameter", 0 },
	{ { "vdev=xvda,script=block-iscsi,target=x" }, NULL, "unknown parameter", 0 },
};

static void specs_table(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(specs); i++) {
		struct disk_spec spec;
		char error[160] = "";
		int argc = 0;
		bool good;

		while (argc < 5 && specs[i].args[argc])
			argc++;
		good = disk_spec_parse(argc, (char *const *)specs[i].args, &spec, error, sizeof(error));
		if (specs[i].target)
			report(good && !strcmp(spec.target, specs[i].target) &&
			       !strcmp(spec.vdev.name, specs[i].vdev) &&
			       spec.readonly == (specs[i].mode == 'r'), specs[i].args[0], error);
		else
			report(!good && strstr(error, specs[i].vdev) && !strchr(error, '\n'),
			       specs[i].args[0], error);
	}
}

static void flag_words(void)
{
	char *none[] = { "/dev/x,,xvda" }, *both[] = { "/dev/x,,xvda,,no-discard,direct-io-safe" };
	struct disk_spec spec;
	char error[160];

	report(disk_spec_parse(1, none, &spec, error, sizeof(error)) && spec.discard &&
	       !spec.direct_io_safe, "flags by default", "");
	report(disk_spec_parse(1, both, &spec, error, sizeof(error)) && !spec.discard &&
	       spec.direct_io_safe, "flags given", "");
}

/* Lengths around the limits: refused with a reason, or whole. */
static void target_lengths(void)
{
	static char arg[2 * DISK_TARGET_MAX];
	char *argv[] = { arg, "xvda" };
	struct disk_spec spec;
	bool good = true;
	size_t len;

	for (len = 1; len < sizeof(arg) - 1 && good; len++) {
		char error[160] = "";
		bool parsed;

		memset(arg, 'a', len);
		arg[0] = '/';
		arg[len] = '\0';
		parsed = disk_spec_parse(2, argv, &spec, error, sizeof(error));
		good = parsed ? !strcmp(spec.target, arg) && len < DISK_TARGET_MAX :
				error[0] && len >= DISK_TARGET_MAX;
	}
	report(good, "targets of all lengths", "");
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(vdevs_table), KTAP(all_numbers), KTAP(specs_table), KTAP(flag_words),
		KTAP(target_lengths), {}
	});
}
