// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded waiting with a progress line. Watches on both directories wake it at once; what sysfs
 * says changes without a watch, so it looks anyway, soon at first and four times a second later.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xpvctl.h"

#define TICK_MS		250	/* between looks, at most */
#define PLAIN_LINE_MS	5000	/* between progress lines where there is no terminal */

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct progress {
	long start, shown;
	bool tty, any;
};

static void show(struct progress *p, const struct ctl *ctl, const struct vbd *vbd)
{
	long now = now_ms();

	if (ctl->quiet || now - p->shown < (p->tty ? 1000 : PLAIN_LINE_MS))
		return;
	fprintf(stderr, "%swaiting for %s: backend %s, frontend %s (%ld s)%s",
		p->tty ? "\r\033[K" : "", vbd->vdev.name, vbd_state_name(vbd->be.state),
		vbd_state_name(vbd->fe.state), (now - p->start) / 1000, p->tty ? "" : "\n");
	fflush(stderr);
	p->shown = now;
	p->any = true;
}

static void show_end(const struct progress *p)
{
	if (p->tty && p->any)
		fputs("\r\033[K", stderr);
}

/* Until a watch fires, or @ms have passed. */
static void pause_for_change(struct ctl *ctl, long ms)
{
	struct pollfd pfd = { .fd = xs_fileno(ctl->xs), .events = POLLIN };
	char **event;

	if (poll(&pfd, 1, (int)ms) <= 0)
		return;
	while ((event = xs_check_watch(ctl->xs)))
		free(event);
}

enum ctl_exit wait_for(struct ctl *ctl, struct vbd *vbd,
		       enum verdict (*judge)(const struct vbd *vbd), unsigned int seconds)
{
	struct progress p = { .start = now_ms(), .tty = isatty(STDERR_FILENO) };
	long end = p.start + 1000L * seconds, tick = 10;
	enum ctl_exit result = CTL_TIMEOUT;

	p.shown = p.start;
	xs_watch(ctl->xs, vbd->be.dir, "be");
	xs_watch(ctl->xs, vbd->fe.dir, "fe");
	for (;;) {
		enum verdict verdict;

		vbd_look(ctl, vbd);
		verdict = judge(vbd);
		if (verdict != VERDICT_WAIT) {
			result = verdict == VERDICT_DONE ? CTL_OK : CTL_FAILED;
			break;
		}
		if (interrupted) {
			result = CTL_FAILED;
			break;
		}
		if (now_ms() >= end)
			break;
		show(&p, ctl, vbd);
		pause_for_change(ctl, tick);
		tick = tick < TICK_MS / 2 ? 2 * tick : TICK_MS;
	}
	xs_unwatch(ctl->xs, vbd->be.dir, "be");
	xs_unwatch(ctl->xs, vbd->fe.dir, "fe");
	show_end(&p);
	return result;
}

static void explain_side(const struct vbd_side *side, char *text, size_t len)
{
	int n = snprintf(text, len, "%s (domain %u) is %s", side->what, side->domid,
			 vbd_state_name(side->state));

	if (n < 0 || (size_t)n >= len)
		return;
	text += n;
	len -= (size_t)n;
	if (side->error[0])
		snprintf(text, len, ", error '%s'", side->error);
	else if (side->waits[0] && side->driver)
		snprintf(text, len, ", waits for %s", side->waits);
	else if (!side->device)
		snprintf(text, len, ", not on the bus");
	else if (!side->driver)
		snprintf(text, len, ", no driver is bound (is xpv-blk%s loaded?)",
			 !strcmp(side->what, "backend") ? "back" : "front");
}

void wait_explain(const struct vbd *vbd, char *text, size_t len)
{
	char be[640], fe[640];

	explain_side(&vbd->be, be, sizeof(be));
	explain_side(&vbd->fe, fe, sizeof(fe));
	snprintf(text, len, "%s; %s", be, fe);
}
