// SPDX-License-Identifier: GPL-2.0
/* The store: paths that are formats, transactions with retry, removal with empty parents. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xpvctl.h"

#define TRANSACTION_TRIES 100
#define ENOENT_TRIES 5

bool store_open(struct ctl *ctl)
{
	ctl->xs = xs_open(0);
	if (!ctl->xs)
		failed("cannot open the store: %s (is a provider such as xpv-hv-stub loaded?)",
		       strerror(errno));
	return ctl->xs;
}

static bool make_path(char *path, const char *fmt, va_list ap)
{
	int n = vsnprintf(path, STORE_PATH, fmt, ap);

	if (n >= 0 && n < STORE_PATH)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

char *store_read(struct ctl *ctl, xs_transaction_t t, const char *fmt, ...)
{
	char path[STORE_PATH];
	unsigned int len;
	va_list ap;
	bool fits;

	va_start(ap, fmt);
	fits = make_path(path, fmt, ap);
	va_end(ap);
	return fits ? xs_read(ctl->xs, t, path, &len) : NULL;
}

long store_number(struct ctl *ctl, long missing, const char *fmt, ...)
{
	char path[STORE_PATH], *text, *end;
	unsigned int len;
	va_list ap;
	bool fits;
	long n;

	va_start(ap, fmt);
	fits = make_path(path, fmt, ap);
	va_end(ap);
	text = fits ? xs_read(ctl->xs, XBT_NULL, path, &len) : NULL;
	if (!text)
		return missing;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end)
		n = missing;
	free(text);
	return n;
}

bool store_exists(struct ctl *ctl, xs_transaction_t t, const char *path)
{
	unsigned int len;
	void *value = xs_read(ctl->xs, t, path, &len);

	free(value);
	return value;
}

bool store_write(struct ctl *ctl, xs_transaction_t t, const char *dir, const char *key,
		 const char *fmt, ...)
{
	char path[STORE_PATH], value[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(value)) {
		errno = E2BIG;
		return false;
	}
	return format(path, sizeof(path), "%s/%s", dir, key) &&
	       xs_write(ctl->xs, t, path, value, (unsigned int)n);
}

/* A directory that is not there: somebody else was here first, but may have stopped at this one. */
static bool is_empty(struct ctl *ctl, xs_transaction_t t, const char *path)
{
	unsigned int n = 0;
	char **names = xs_directory(ctl->xs, t, path, &n);
	bool empty = names ? !n : errno == ENOENT;

	free(names);
	return empty;
}

/* A domain is born with some nodes in its home, which stay; `backend` is not one of them. */
static bool may_prune(const char *path)
{
	unsigned int domid;
	int end = 0;

	if (sscanf(path, "/local/domain/%u/%n", &domid, &end) < 1 || !end)
		return false;
	return strchr(path + end, '/') || !strcmp(path + end, "backend");
}

bool store_prune(struct ctl *ctl, xs_transaction_t t, const char *path)
{
	char parent[STORE_PATH];

	if (!xs_rm(ctl->xs, t, path) && errno != ENOENT)
		return false;
	if (!format(parent, sizeof(parent), "%s", path))
		return false;
	for (;;) {
		*strrchr(parent, '/') = '\0';
		if (!may_prune(parent) || !is_empty(ctl, t, parent))
			return true;
		if (!xs_rm(ctl->xs, t, parent) && errno != ENOENT)
			return false;
	}
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

bool store_transact(struct ctl *ctl, bool (*body)(struct ctl *ctl, xs_transaction_t t, void *arg),
		    void *arg)
{
	int try, error;

	for (try = 0; try < TRANSACTION_TRIES; try++) {
		xs_transaction_t t = xs_transaction_start(ctl->xs);

		if (t == XBT_NULL)
			return false;
		if (!body(ctl, t, arg)) {
			error = errno;
			xs_transaction_end(ctl->xs, t, true);
			/*
			 * A transaction is no snapshot: a parent that somebody else has just removed as
			 * empty is missing in a transaction that would have ended in a conflict.
			 */
			if (error == ENOENT && try < ENOENT_TRIES) {
				pause_ms(rand() % 20);
				continue;
			}
			errno = error;
			return false;
		}
		if (xs_transaction_end(ctl->xs, t, false))
			return true;
		if (errno != EAGAIN)
			return false;
		pause_ms(rand() % (try < 20 ? try + 1 : 20));
	}
	errno = EAGAIN;
	return false;
}
