/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the supported kernels, and nothing else. Force-included into every object. The code outside this
 * folder reads as if written for the newest kernel; what an older one lacks is supplied here, under the newest name.
 */
#ifndef XPV_COMPAT_H
#define XPV_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "xpv: kernels before 6.1 are not supported"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "xpv: kernels after 6.12 are not supported yet"
#endif

/* v6.10 (2c92ca849fcc): __assign_str() lost its source argument */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define xpv_assign_str(dst, src) __assign_str(dst)
#else
#define xpv_assign_str(dst, src) __assign_str(dst, src)
#endif

/* v6.11 (d69d804845985): bus_type.match takes a const driver */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define XPV_MATCH_CONST const
#else
#define XPV_MATCH_CONST
#endif

/* v6.3 (2a81ada32f0e5): bus_type.uevent takes a const device */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define XPV_UEVENT_CONST const
#else
#define XPV_UEVENT_CONST
#endif

/* v6.2 (ff62b8e6588fb): class.devnode takes a const device */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define XPV_DEVNODE_CONST const
#else
#define XPV_DEVNODE_CONST
#endif

#endif /* XPV_COMPAT_H */
