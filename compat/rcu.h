/* SPDX-License-Identifier: GPL-2.0 */
/* RCU's complaints about CPUs that stand still, which not every kernel has. */
#ifndef XPV_COMPAT_RCU_H
#define XPV_COMPAT_RCU_H

#include <linux/atomic.h>

/* CONFIG_RCU_STALL_COMMON: exported to modules, but declared in a private header of RCU's */
#ifdef CONFIG_RCU_STALL_COMMON
extern int rcu_cpu_stall_suppress;

/* xpv_rcu_stall_suppress() - no complaints (1), or as before (what was returned) */
static inline int xpv_rcu_stall_suppress(int suppress)
{
	return xchg(&rcu_cpu_stall_suppress, suppress);
}
#else
static inline int xpv_rcu_stall_suppress(int suppress)
{
	return 0;
}
#endif

#endif /* XPV_COMPAT_RCU_H */
