/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KTAP for the unit tests. A test is a list of functions; each makes any number of CHECK()s and is
 * one result line.
 *
 *	static void adds(void) { CHECK(1 + 1 == 2); }
 *	int main(void) { return ktap_run((struct ktap_test[]){ KTAP(adds), {} }); }
 *
 * A failed check prints where, the rest of the function still runs; REQUIRE() leaves the function.
 */
#ifndef KTAP_H
#define KTAP_H

#include <stdio.h>
#include <stdbool.h>
#include <string.h>

struct ktap_test {
	const char *name;
	void (*fn)(void);
};

#define KTAP(fn) { #fn, fn }

static unsigned int ktap_bad;

static inline bool ktap_check(bool ok, const char *what, const char *file, int line)
{
	if (!ok) {
		ktap_bad++;
		printf("# %s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

static inline bool ktap_check_num(long long a, long long b, const char *what, const char *file, int line)
{
	if (a != b)
		printf("# %lld != %lld\n", a, b);
	return ktap_check(a == b, what, file, line);
}

static inline bool ktap_check_str(const char *a, const char *b, const char *what, const char *file, int line)
{
	bool same = a && b && !strcmp(a, b);

	if (!same)
		printf("# \"%s\" != \"%s\"\n", a ?: "(null)", b ?: "(null)");
	return ktap_check(same, what, file, line);
}

#define CHECK(cond)		ktap_check(!!(cond), #cond, __FILE__, __LINE__)
#define CHECK_EQ(a, b)		ktap_check_num((long long)(a), (long long)(b), #a " == " #b, __FILE__, __LINE__)
#define CHECK_STR(a, b)		ktap_check_str(a, b, #a " is " #b, __FILE__, __LINE__)
#define REQUIRE(cond)		do { if (!CHECK(cond)) return; } while (0)

static inline int ktap_run(const struct ktap_test *tests)
{
	unsigned int n, i, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (n = 0; tests[n].fn; n++)
		;
	printf("KTAP version 1\n1..%u\n", n);
	for (i = 0; i < n; i++) {
		ktap_bad = 0;
		tests[i].fn();
		printf("%s %u - %s\n", ktap_bad ? "not ok" : "ok", i + 1, tests[i].name);
		failed += !!ktap_bad;
	}
	return failed ? 1 : 0;
}

#endif /* KTAP_H */
