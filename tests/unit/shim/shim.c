// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the shim that is not inline: the counting allocator, and string helpers under the
 * kernel's names.
 */
#include <shim.h>

/* --- memory ----------------------------------------------------------------------------------- */

struct block {
	size_t size;
	char data[] __attribute__((aligned(16)));
};

static unsigned long alive, alive_bytes, fail_in;
static bool failed;

void shim_fail_at(unsigned long n)
{
	fail_in = n;
	failed = false;
}

bool shim_failed(void)
{
	return failed;
}

unsigned long shim_alive(void)
{
	return alive;
}

unsigned long shim_alive_bytes(void)
{
	return alive_bytes;
}

void *shim_alloc(size_t size, gfp_t gfp)
{
	struct block *b;

	if (fail_in && !--fail_in) {
		failed = true;
		return NULL;
	}
	b = malloc(sizeof(*b) + size);
	if (!b)
		abort();
	memset(b->data, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	b->size = size;
	alive++;
	alive_bytes += size;
	return b->data;
}

void shim_free(const void *p)
{
	struct block *b;

	if (!p)
		return;
	b = container_of((char (*)[])p, struct block, data);
	alive--;
	alive_bytes -= b->size;
	free(b);
}

void *shim_realloc(const void *p, size_t size)
{
	void *n = shim_alloc(size, 0);

	if (n && p) {
		memcpy(n, p, min(size, container_of((char (*)[])p, struct block, data)->size));
		shim_free(p);
	}
	return n;
}

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = shim_alloc(len, gfp);

	return p ? memcpy(p, src, len) : NULL;
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *p = shim_alloc(len + 1, gfp);

	if (p) {
		memcpy(p, s, len);
		p[len] = '\0';
	}
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? kmemdup_nul(s, strlen(s), gfp) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? kmemdup_nul(s, strnlen(s, max), gfp) : NULL;
}

char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap)
{
	va_list ap2;
	char *p;
	int n;

	va_copy(ap2, ap);
	n = vsnprintf(NULL, 0, fmt, ap2);
	va_end(ap2);
	p = shim_alloc(n + 1, gfp);
	if (p)
		vsnprintf(p, n + 1, fmt, ap);
	return p;
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = kvasprintf(gfp, fmt, ap);
	va_end(ap);
	return p;
}

/* --- messages --------------------------------------------------------------------------------- */

int shim_printk(const char *fmt, ...)
{
	va_list ap;

	if (!getenv("UNIT_VERBOSE"))
		return 0;
	va_start(ap, fmt);
	fputs("# ", stdout);
	vprintf(fmt, ap);
	va_end(ap);
	return 0;
}

void shim_warn(const char *file, int line, const char *what)
{
	printf("# %s:%d: WARN: %s\nBail out! the code warns about itself\n", file, line, what);
	fflush(stdout);
	abort();
}

/* --- strings ---------------------------------------------------------------------------------- */

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len;

	if (!size)
		return -E2BIG;
	len = strnlen(src, size);
	if (len < size) {
		memcpy(dst, src, len + 1);
		return len;
	}
	memcpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return -E2BIG;
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);

	if (!size)
		return 0;
	return n < (int)size ? n : (int)size - 1;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vscnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

char *skip_spaces(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return (char *)s;
}

char *strim(char *s)
{
	size_t n = strlen(s);

	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return skip_spaces(s);
}

bool sysfs_streq(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	n -= n && a[n - 1] == '\n';
	m -= m && b[m - 1] == '\n';
	return n == m && !memcmp(a, b, n);
}

int match_string(const char *const *array, size_t n, const char *string)
{
	size_t i;

	for (i = 0; i < n && array[i]; i++)
		if (!strcmp(array[i], string))
			return i;
	return -EINVAL;
}

void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *b = p;

	for (; n; n--, b++)
		if (*b != (u8)c)
			return (void *)b;
	return NULL;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static int parse(const char *s, unsigned int base, bool *negative, unsigned long long *res)
{
	unsigned long long v;
	char *end;

	*negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (!isxdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, base);
	if (end == s || (*end && strcmp(end, "\n")))
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*res = v;
	return 0;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	unsigned long long v;
	bool neg;
	int err = parse(s, base, &neg, &v);

	if (err)
		return err;
	if (neg)
		return -EINVAL;
	*res = v;
	return 0;
}

int kstrtoll(const char *s, unsigned int base, long long *res)
{
	unsigned long long v;
	bool neg;
	int err = parse(s, base, &neg, &v);

	if (err)
		return err;
	if (v > (u64)S64_MAX + neg)
		return -ERANGE;
	*res = neg ? -(long long)(v - 1) - 1 : (long long)v;
	return 0;
}

#define UNSIGNED_PARSER(name, type, top)					\
int name(const char *s, unsigned int base, type *res)				\
{										\
	unsigned long long v;							\
	int err = kstrtoull(s, base, &v);					\
										\
	if (err)								\
		return err;							\
	if (v > (top))								\
		return -ERANGE;							\
	*res = v;								\
	return 0;								\
}

UNSIGNED_PARSER(kstrtou64, u64, U64_MAX)
UNSIGNED_PARSER(kstrtoul, unsigned long, ULONG_MAX)
UNSIGNED_PARSER(kstrtouint, unsigned int, UINT_MAX)
UNSIGNED_PARSER(kstrtou32, u32, U32_MAX)
UNSIGNED_PARSER(kstrtou16, u16, U16_MAX)
UNSIGNED_PARSER(kstrtou8, u8, U8_MAX)

int kstrtoint(const char *s, unsigned int base, int *res)
{
	long long v;
	int err = kstrtoll(s, base, &v);

	if (err)
		return err;
	if (v < INT_MIN || v > INT_MAX)
		return -ERANGE;
	*res = v;
	return 0;
}

int kstrtobool(const char *s, bool *res)
{
	if (strchr("yY1tT", *s) && *s)
		*res = true;
	else if (strchr("nN0fF", *s) && *s)
		*res = false;
	else
		return -EINVAL;
	return 0;
}

/* --- hashing and chance: FNV-1a, and a fixed sequence so that failures repeat ----------------- */

u32 jhash(const void *key, u32 length, u32 initval)
{
	const u8 *p = key;
	u32 h = 2166136261u ^ initval;

	while (length--)
		h = (h ^ *p++) * 16777619u;
	return h ^ h >> 15;
}

u64 get_random_u64(void)
{
	static u64 state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

u32 get_random_u32(void)
{
	return get_random_u64() >> 32;
}

u32 get_random_u32_below(u32 ceil)
{
	return get_random_u32() % ceil;
}
