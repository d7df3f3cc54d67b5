// SPDX-License-Identifier: GPL-2.0
/*
 * Suspending a domain, restoring it as a new one, and having it go on: what a toolstack does to save
 * or migrate it, in steps between which it does its own work.
 *
 *	suspend		the guest's side lets go of everything and does nothing any more
 *			[toolstack: the device directories go, on both sides; backends let go]
 *	restore [new]	the domain is a new one to the hypervisor and the store, with another number
 *			if it is to have one: no ports, an empty grant table, empty shared_info and
 *			ring, a home as it was when the domain was made
 *			[toolstack: the device directories come, for the new number]
 *	resume		the guest's side goes on
 *
 * Without a restore in between, the suspend was cancelled: the hypervisor's half is as it was, but
 * for what the guest's side has given up.
 *
 * A real domain leaves a copy of its memory behind, which its backends still have mapped. Here there
 * is one copy: a backend that went on with old requests would change the new domain's memory. So a
 * restore waits until nobody has pages of the domain mapped, and fails if that takes too long.
 *
 * A domain suspends itself as well when the toolstack writes that to control/shutdown. The other
 * words are obeyed by noting them (the attribute `asked`): nothing of this kernel ends with a domain.
 *
 * Domain-0 is what the others live from, and is not suspended.
 *
 * Lock: run_lock, outermost, between those who write `control`. The death of a domain is kept away
 * by configfs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include "hv.h"

#define LET_GO	(5 * HZ)

const char *stub_domain_run(struct stub_domain *d)
{
	static const char *const names[] = {
		[STUB_RUNNING] = "running", [STUB_SUSPENDED] = "suspended", [STUB_RESTORED] = "restored",
	};

	return names[READ_ONCE(d->run)];
}

static void set_run(struct stub_domain *d, enum stub_run run)
{
	lockdep_assert_held(&d->run_lock);
	WRITE_ONCE(d->run, run);
}

static int suspend(struct stub_domain *d, struct xpv_domain *xpv)
{
	int err = -EBUSY;

	mutex_lock(&d->run_lock);
	if (d->run == STUB_RUNNING)
		err = xpv_domain_suspend(xpv);
	if (!err)
		set_run(d, STUB_SUSPENDED);
	mutex_unlock(&d->run_lock);
	return err;
}

int stub_domain_suspend(struct stub_domain *d)
{
	return d->id ? suspend(d, d->xpv) : -EPERM;
}

void stub_domain_shutdown(struct xpv_domain *xpv, enum xpv_shutdown what)
{
	struct stub_domain *d = xpv_domain_hv(xpv);

	if (what == XPV_SHUTDOWN_SUSPEND)
		suspend(d, xpv);
	else
		WRITE_ONCE(d->asked, what);
}

static int wait_unmapped(struct stub_domain *d)
{
	unsigned long deadline = jiffies + LET_GO;
	int left;

	while ((left = atomic_read(&d->grants.mapped)) && time_before(jiffies, deadline))
		msleep(20);
	if (left)
		pr_info("domain %u (%s): not restored, others have %d of its pages mapped\n", d->id, d->name,
			left);
	return left ? -EBUSY : 0;
}

/* May be tried again when it fails. */
static int restore(struct stub_domain *d, bool renumber)
{
	unsigned int left;
	int err;

	err = wait_unmapped(d);
	if (err)
		return err;
	stub_events_reset(d);
	stub_store_leave(d->conn);
	left = stub_unmap_all(d);
	if (left)
		pr_warn("domain %u (%s) left %u pages of others mapped\n", d->id, d->name, left);
	stub_grants_reset(d);
	clear_page(d->ring);
	err = renumber ? stub_domain_renumber(d) : 0;
	return err ?: stub_domain_connect(d);
}

static int try_restore(struct stub_domain *d, bool renumber)
{
	int err = -EBUSY;

	mutex_lock(&d->run_lock);
	if (d->run == STUB_SUSPENDED)
		err = restore(d, renumber);
	if (!err)
		set_run(d, STUB_RESTORED);
	mutex_unlock(&d->run_lock);
	return err;
}

int stub_domain_restore(struct stub_domain *d)
{
	return try_restore(d, false);
}

int stub_domain_restore_new(struct stub_domain *d)
{
	return try_restore(d, true);
}

int stub_domain_resume(struct stub_domain *d)
{
	int err = -EBUSY;

	mutex_lock(&d->run_lock);
	if (d->run != STUB_RUNNING)
		err = xpv_domain_resume(d->xpv, d->id);
	if (!err)
		set_run(d, STUB_RUNNING);
	mutex_unlock(&d->run_lock);
	return err;
}
