// SPDX-License-Identifier: GPL-2.0
/*
 * What the toolstack asks of the domain: to power off, to reboot, or to suspend itself, which is how it is saved and
 * migrated.
 *
 *	xpv_domain_suspend()		devices, store client and the guest's side let go
 *	plat_facilities_stop()		upcalls and shared_info, as when the module is unloaded
 *	SCHEDOP_shutdown		with all virtual CPUs stopped; returns in the restored domain, perhaps on
 *					another host, or in this one when the suspend was cancelled
 *	the mirror of all that
 *
 * Nothing of the hypervisor's is left in the memory that is saved but the frames of the grant table, whose place is
 * kept. So it makes no difference whether the domain is a new one.
 *
 * The kernel does not notice: its processors, timers and emulated devices are saved and restored with their states, and
 * programs go on in between two instructions. Its clocks run on meanwhile, or stand still, as the hypervisor likes: the
 * time of day may be late afterwards, and whoever watches for things that take too long must not take this for one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/nmi.h>
#include <linux/rcupdate.h>
#include <linux/reboot.h>
#include <linux/stop_machine.h>
#include <xen/interface/sched.h>
#include "../compat/rcu.h"
#include "platform.h"

#define RESUME_TRIES	10
#define RESUME_PAUSE_MS	1000

/**
 * struct absence - the time that the domain is away
 * @ret:  what the hypervisor said
 * @back: it has said it
 */
struct absence {
	int ret;
	bool back;
};

/*
 * On each CPU, with interrupts off; the first one leaves, the others wait for it. Before interrupts are on again, each
 * tells its watchdog that it is not stuck: its clock may have jumped. stop_machine() does so only of a CPU that it has
 * wait for another.
 */
static int leave(void *arg)
{
	struct sched_shutdown op = { .reason = SHUTDOWN_suspend };
	struct absence *a = arg;

	if (smp_processor_id() == cpumask_first(cpu_online_mask)) {
		a->ret = plat_sched_op(SCHEDOP_shutdown, &op);
		smp_store_release(&a->back, true);
	} else {
		while (!smp_load_acquire(&a->back))
			cpu_relax();
	}
	touch_softlockup_watchdog();
	return 0;
}

/*
 * The domain is away for a while, which the watchdogs of this kernel do not notice. RCU's looks at how long a grace
 * period takes, so it is off until the one that may be under way is over.
 */
static int go_away(void)
{
	struct absence a = {};
	int suppress = xpv_rcu_stall_suppress(1);
	int err = stop_machine(leave, &a, cpu_online_mask);

	reset_hung_task_detector();
	synchronize_rcu();
	xpv_rcu_stall_suppress(suppress);
	return err ?: a.ret;
}

/* Without memory it may be better the next time. */
static int resume(struct platform *p, struct xpv_domain *dom)
{
	int err = p->shared ? 0 : plat_facilities_start(p);

	return err ?: xpv_domain_resume(dom, p->domid);
}

static void resume_or_try_again(struct platform *p, struct xpv_domain *dom)
{
	unsigned int tries = RESUME_TRIES;
	int err;

	while ((err = resume(p, dom)) && --tries) {
		dev_warn(&p->pdev->dev, "the domain cannot go on (%d), once more\n", err);
		msleep(RESUME_PAUSE_MS);
	}
	if (err)
		dev_err(&p->pdev->dev, "the domain stays suspended (%d): its devices do nothing until this module is loaded anew\n",
			err);
	else
		dev_info(&p->pdev->dev, "domain %u goes on\n", p->domid);
}

static void suspend(struct platform *p, struct xpv_domain *dom)
{
	int ret = xpv_domain_suspend(dom);

	if (ret) {
		dev_err(&p->pdev->dev, "the domain cannot be suspended (%d)\n", ret);
		return;
	}
	plat_facilities_stop(p);
	ret = go_away();
	if (ret < 0)
		dev_err(&p->pdev->dev, "the hypervisor does not suspend the domain (%d)\n", ret);
	else
		plat_unplug_again();
	resume_or_try_again(p, dom);
}

void plat_shutdown(struct xpv_domain *dom, enum xpv_shutdown what)
{
	switch (what) {
	case XPV_SHUTDOWN_SUSPEND:
		suspend(xpv_domain_hv(dom), dom);
		break;
	case XPV_SHUTDOWN_REBOOT:
		orderly_reboot();
		break;
	default:
		orderly_poweroff(false);
		break;
	}
}
