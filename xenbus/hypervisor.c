// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/hypervisor: what the hypervisor says of itself, where the kernel does not, having no Xen code that is active.
 * Programs look there before they do anything else. Names and formats are those that the kernel documents for Xen in
 * Documentation/ABI/stable/sysfs-hypervisor-xen.
 *
 *	type uuid
 *	version/	major minor extra
 *	compilation/	compiler compiled_by compile_date
 *	properties/	capabilities changeset features pagesize virtual_start
 *
 * The domain that answers is the toolstack's, as with /dev/xen/xenbus. Nothing is cached: each read is a hypercall. The
 * attributes go before the domain does, and their removal waits for whoever is reading, so a reader has a domain.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <xen/interface/xen.h>
#include <xen/interface/version.h>
#include "../compat/sysfs.h"
#include "domain.h"

static DEFINE_MUTEX(lock);		/* protects shown */
static struct xpv_domain *shown;	/* while there are attributes */
static struct kobject *dir;		/* the directory, then */

static int ask(int cmd, void *arg)
{
	return shown->hc->xen_version(shown->hv, cmd, arg);
}

/* --- Texts ---------------------------------------------------------------------------------------------------- */

union answer {
	struct xen_extraversion extraversion;
	struct xen_compile_info compile;
	struct xen_capabilities_info capabilities;
	struct xen_changeset_info changeset;
};

/**
 * struct text_attribute - one whose value is a text
 * @attr: as sysfs has it
 * @cmd:  XENVER_* that gives it
 * @at:   where it is in the answer
 * @len:  how long it can be there; it need not have an end
 */
struct text_attribute {
	struct kobj_attribute attr;
	int cmd;
	size_t at;
	size_t len;
};

static ssize_t text_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct text_attribute *ta = container_of(attr, struct text_attribute, attr);
	union answer *a = kzalloc(sizeof(*a), GFP_KERNEL);
	ssize_t n;

	if (!a)
		return -ENOMEM;
	n = ask(ta->cmd, a);
	if (n >= 0)
		n = sysfs_emit(buf, "%.*s\n", (int)ta->len, (const char *)a + ta->at);
	kfree(a);
	return n;
}

#define TEXT_ATTR(name, command, member)				\
static struct text_attribute text_##name = {				\
	.attr = __ATTR(name, 0444, text_show, NULL),			\
	.cmd = command,							\
	.at = offsetof(union answer, member),				\
	.len = sizeof(((union answer *)NULL)->member),			\
}

TEXT_ATTR(extra, XENVER_extraversion, extraversion.extraversion);
TEXT_ATTR(compiler, XENVER_compile_info, compile.compiler);
TEXT_ATTR(compiled_by, XENVER_compile_info, compile.compile_by);
TEXT_ATTR(compile_date, XENVER_compile_info, compile.compile_date);
TEXT_ATTR(capabilities, XENVER_capabilities, capabilities.info);
TEXT_ATTR(changeset, XENVER_changeset, changeset.info);

/* --- Others --------------------------------------------------------------------------------------------------- */

static ssize_t type_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "xen\n");
}

static ssize_t uuid_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	xen_domain_handle_t uuid;
	int err = ask(XENVER_guest_handle, &uuid);

	return err < 0 ? err : sysfs_emit(buf, "%pU\n", uuid);
}

static ssize_t major_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int version = ask(XENVER_version, NULL);

	return version < 0 ? version : sysfs_emit(buf, "%d\n", version >> 16);
}

static ssize_t minor_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int version = ask(XENVER_version, NULL);

	return version < 0 ? version : sysfs_emit(buf, "%d\n", version & 0xffff);
}

static ssize_t features_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct xen_feature_info info = {};
	int err, n = 0;

	for (; info.submap_idx < XENFEAT_NR_SUBMAPS; info.submap_idx++) {
		err = ask(XENVER_get_features, &info);
		if (err < 0)
			return err;
		n += sysfs_emit_at(buf, n, "%08x", info.submap);
	}
	return n + sysfs_emit_at(buf, n, "\n");
}

static ssize_t pagesize_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int size = ask(XENVER_pagesize, NULL);

	return size < 0 ? size : sysfs_emit(buf, "%x\n", size);
}

static ssize_t virtual_start_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct xen_platform_parameters p = {};
	int err = ask(XENVER_platform_parameters, &p);

	return err < 0 ? err : sysfs_emit(buf, "%lx\n", (unsigned long)p.virt_start);
}

/* --- All of them ---------------------------------------------------------------------------------------------- */

static struct kobj_attribute attr_type = __ATTR_RO(type);
static struct kobj_attribute attr_uuid = __ATTR_RO(uuid);
static struct kobj_attribute attr_major = __ATTR_RO(major);
static struct kobj_attribute attr_minor = __ATTR_RO(minor);
static struct kobj_attribute attr_features = __ATTR_RO(features);
static struct kobj_attribute attr_pagesize = __ATTR_RO(pagesize);
static struct kobj_attribute attr_virtual_start = __ATTR_RO(virtual_start);

static struct attribute *top_attrs[] = { &attr_type.attr, &attr_uuid.attr, NULL };
static struct attribute *version_attrs[] = { &attr_major.attr, &attr_minor.attr, &text_extra.attr.attr, NULL };

static struct attribute *compilation_attrs[] = {
	&text_compiler.attr.attr, &text_compiled_by.attr.attr, &text_compile_date.attr.attr, NULL
};

static struct attribute *properties_attrs[] = {
	&text_capabilities.attr.attr, &text_changeset.attr.attr, &attr_features.attr, &attr_pagesize.attr,
	&attr_virtual_start.attr, NULL
};

static const struct attribute_group top = { .attrs = top_attrs };
static const struct attribute_group version = { .name = "version", .attrs = version_attrs };
static const struct attribute_group compilation = { .name = "compilation", .attrs = compilation_attrs };
static const struct attribute_group properties = { .name = "properties", .attrs = properties_attrs };
static const struct attribute_group *groups[] = { &top, &version, &compilation, &properties, NULL };

static bool exists(struct kobject *kobj, const char *name)
{
	struct kernfs_node *kn = sysfs_get_dirent(kobj->sd, name);

	sysfs_put(kn);
	return kn;
}

/* Are there attributes of somebody else's: the kernel's, or a domain's whose end is under way? */
static bool taken(struct kobject *kobj)
{
	return shown || exists(kobj, "type") || exists(kobj, "uuid") || exists(kobj, version.name) ||
	       exists(kobj, compilation.name) || exists(kobj, properties.name);
}

static int show(struct kobject *kobj, struct xpv_domain *dom)
{
	int err;

	if (taken(kobj))
		return -EEXIST;
	shown = dom;
	dir = kobj;
	err = sysfs_create_groups(kobj, groups);
	if (err)
		shown = NULL;
	return err;
}

/**
 * xpv_hypervisor_show() - make the attributes, if the domain is the toolstack's and its hypervisor answers
 * @dom: the domain, registered. It works as well without them: there is no error
 */
void xpv_hypervisor_show(struct xpv_domain *dom)
{
	struct kobject *kobj;
	int err;

	if (!dom->toolstack || !dom->hc || !dom->hc->xen_version ||
	    dom->hc->xen_version(dom->hv, XENVER_version, NULL) < 0)
		return;
	kobj = xpv_hypervisor_kobj_get();
	if (!kobj)
		return;
	mutex_lock(&lock);
	err = show(kobj, dom);
	mutex_unlock(&lock);
	if (err)
		xpv_hypervisor_kobj_put(kobj);
	if (err == -EEXIST)
		pr_info("/sys/hypervisor is in use, and left as it is\n");
	else if (err)
		pr_warn("no attributes in /sys/hypervisor: error %d\n", err);
}

/** xpv_hypervisor_hide() - mirror. No-op for a domain that has none */
void xpv_hypervisor_hide(struct xpv_domain *dom)
{
	mutex_lock(&lock);
	if (shown == dom) {
		sysfs_remove_groups(dir, groups);
		xpv_hypervisor_kobj_put(dir);
		shown = NULL;
	}
	mutex_unlock(&lock);
}
