// SPDX-License-Identifier: GPL-2.0
/*
 * What the stub says when it is asked which Xen it is: XENVER_*, and so /sys/hypervisor.
 *
 * Xen's own tools go by the version: Debian's wrapper runs those in /usr/lib/xen-<version>, and nothing without a
 * /sys/hypervisor. The feature "dom0" tells programs that this is no guest, which the machine need not be.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <xen/interface/xen.h>
#include <xen/interface/version.h>
#include "hv.h"

static char *xen_version = "4.17";
module_param(xen_version, charp, 0444);
MODULE_PARM_DESC(xen_version, "the version of Xen to pass for, in /sys/hypervisor; \"none\": nothing there");

static int number;	/* as XENVER_version gives it, or an errno */

int stub_version_init(void)
{
	unsigned int major, minor;
	char end;

	number = -ENOSYS;
	if (!strcmp(xen_version, "none"))
		return 0;
	if (sscanf(xen_version, "%u.%u%c", &major, &minor, &end) != 2 || major > S16_MAX || minor > U16_MAX) {
		pr_err("xen_version=%s is no version as 4.17 is\n", xen_version);
		return -EINVAL;
	}
	number = major << 16 | minor;
	return 0;
}

static int compile_info(struct xen_compile_info *info)
{
	memset(info, 0, sizeof(*info));
	strscpy(info->compiler, "software domains of xpv-hv-stub", sizeof(info->compiler));
	strscpy(info->compile_by, "xpv", sizeof(info->compile_by));
	return 0;
}

static int features(struct xen_feature_info *info)
{
	if (info->submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	info->submap = info->submap_idx ? 0 : BIT(XENFEAT_dom0);
	return 0;
}

/* A text in place of a structure, which is nothing but that text. */
static int put_text(void *arg, size_t len, const char *text)
{
	memset(arg, 0, len);
	strscpy(arg, text, len);
	return 0;
}

/* The domain's uuid is nothing but zeros, as that of Xen's Domain-0. */
int stub_xen_version(void *hv, int cmd, void *arg)
{
	switch (cmd) {
	case XENVER_version:
		return number;
	case XENVER_extraversion:
		return put_text(arg, sizeof(struct xen_extraversion), "-xpv-stub");
	case XENVER_compile_info:
		return compile_info(arg);
	case XENVER_capabilities:
		return put_text(arg, sizeof(struct xen_capabilities_info), "xen-3.0-x86_64");
	case XENVER_changeset:
		return put_text(arg, sizeof(struct xen_changeset_info), "unavailable");
	case XENVER_platform_parameters:
		memset(arg, 0, sizeof(struct xen_platform_parameters));
		return 0;
	case XENVER_get_features:
		return features(arg);
	case XENVER_pagesize:
		return PAGE_SIZE;
	case XENVER_guest_handle:
		memset(arg, 0, sizeof(xen_domain_handle_t));
		return 0;
	default:
		return -ENOSYS;
	}
}
