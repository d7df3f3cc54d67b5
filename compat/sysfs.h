/* SPDX-License-Identifier: GPL-2.0 */
/* /sys/hypervisor, which not every kernel makes. */
#ifndef XPV_COMPAT_SYSFS_H
#define XPV_COMPAT_SYSFS_H

#include <linux/kobject.h>

/* CONFIG_SYS_HYPERVISOR: the directory is the kernel's, there from its start to its end */
#ifdef CONFIG_SYS_HYPERVISOR
static inline struct kobject *xpv_hypervisor_kobj_get(void)
{
	return hypervisor_kobj;
}

static inline void xpv_hypervisor_kobj_put(struct kobject *kobj)
{
}
#else
static inline struct kobject *xpv_hypervisor_kobj_get(void)
{
	return kobject_create_and_add("hypervisor", NULL);
}

static inline void xpv_hypervisor_kobj_put(struct kobject *kobj)
{
	kobject_put(kobj);
}
#endif

#endif /* XPV_COMPAT_SYSFS_H */
