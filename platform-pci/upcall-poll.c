// SPDX-License-Identifier: GPL-2.0
/*
 * Upcalls by looking, on the CPU that is virtual CPU 0: for want of anything better, or to tell what an interrupt does.
 */
#include <linux/jiffies.h>
#include "platform.h"

#define INTERVAL	TICK_NSEC

static enum hrtimer_restart look(struct hrtimer *timer)
{
	struct platform *p = container_of(timer, struct platform, timer);

	plat_upcall_first(p);
	hrtimer_forward_now(timer, INTERVAL);
	return HRTIMER_RESTART;
}

static void begin(void *arg)
{
	struct platform *p = arg;

	hrtimer_start(&p->timer, INTERVAL, HRTIMER_MODE_REL_PINNED_HARD);
}

static int poll_start(struct platform *p)
{
	hrtimer_init(&p->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	p->timer.function = look;
	return smp_call_function_single(p->cpu, begin, p, 1);
}

static void poll_stop(struct platform *p)
{
	hrtimer_cancel(&p->timer);
}

const struct plat_upcall_way plat_upcall_poll = {
	.name = "poll",
	.start = poll_start,
	.stop = poll_stop,
};
