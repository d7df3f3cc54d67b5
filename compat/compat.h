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

#endif /* XPV_COMPAT_H */
