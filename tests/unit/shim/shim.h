/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's vocabulary in user space, as far as the pure files use it. Forced into every object
 * of a unit test; the headers in linux/ and asm/ only see to it that #include <linux/...> finds
 * something, most of them lead back here.
 *
 * Memory: kmalloc() and its kin count what is alive (shim_alive()) and fail on demand
 * (shim_fail_at()).
 */
#ifndef SHIM_H
#define SHIM_H

#define _GNU_SOURCE
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <errno.h>
#include <limits.h>
#include <ctype.h>
#include <linux/types.h>

/* --- types ------------------------------------------------------------------------------------ */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned int gfp_t;
typedef u64 sector_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef unsigned long pgoff_t;

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

#define U8_MAX	((u8)~0U)
#define U16_MAX	((u16)~0U)
#define S16_MAX	((s16)(U16_MAX >> 1))
#define U32_MAX	((u32)~0U)
#define S32_MAX	((s32)(U32_MAX >> 1))
#define U64_MAX	((u64)~0ULL)
#define S64_MAX	((s64)(U64_MAX >> 1))

#ifndef SIZE_MAX
#define SIZE_MAX (~(size_t)0)
#endif
#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define SECTOR_SHIFT	9
#define SECTOR_SIZE	(1 << SECTOR_SHIFT)
#define BITS_PER_LONG	64
#define BITS_PER_BYTE	8

/* --- compiler --------------------------------------------------------------------------------- */

#define __force
#define __user
#define __iomem
#define __rcu
#define __percpu
#define __init
#define __exit
#define __read_mostly
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#ifndef __bitwise
#define __bitwise
#endif
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#define noinline	__attribute__((noinline))
#define __must_check	__attribute__((warn_unused_result))
#define __maybe_unused	__attribute__((unused))
#define __always_unused	__attribute__((unused))
#define __packed	__attribute__((packed))
#define __aligned(x)	__attribute__((aligned(x)))
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __nonstring	__attribute__((nonstring))
#define fallthrough	__attribute__((fallthrough))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define barrier()	__asm__ __volatile__("" : : : "memory")

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define mb()		__sync_synchronize()
#define rmb()		mb()
#define wmb()		mb()
#define smp_mb()	mb()
#define smp_rmb()	mb()
#define smp_wmb()	mb()
#define virt_mb()	mb()
#define virt_rmb()	mb()
#define virt_wmb()	mb()
#define virt_store_mb(x, v)	do { WRITE_ONCE(x, v); mb(); } while (0)
#define smp_load_acquire(p)	({ __typeof__(*(p)) v_ = READ_ONCE(*(p)); mb(); v_; })
#define smp_store_release(p, v)	do { mb(); WRITE_ONCE(*(p), v); } while (0)
#define virt_load_acquire	smp_load_acquire
#define virt_store_release	smp_store_release

#define sync_cmpxchg(p, o, n)	__sync_val_compare_and_swap(p, o, n)
#define cmpxchg(p, o, n)	__sync_val_compare_and_swap(p, o, n)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

#define static_assert(expr, ...)	_Static_assert(expr, #expr)
#define BUILD_BUG_ON(cond)		_Static_assert(!(cond), #cond)
#define BUILD_BUG_ON_ZERO(cond)		(0 * sizeof(struct { int : (-!!(cond)) ; }))

#ifndef offsetof
#define offsetof(t, m)		__builtin_offsetof(t, m)
#endif
#define offsetofend(t, m)	(offsetof(t, m) + sizeof(((t *)0)->m))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define struct_size(p, m, n)	(sizeof(*(p)) + sizeof(*(p)->m) * (size_t)(n))
#define flex_array_size(p, m, n) (sizeof(*(p)->m) * (size_t)(n))
#define array_size(a, b)	((size_t)(a) * (size_t)(b))
#define size_add(a, b)		((size_t)(a) + (size_t)(b))
#define __stringify(x...)	#x

#define min(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(t, a, b)	({ t a_ = (a); t b_ = (b); a_ < b_ ? a_ : b_; })
#define max_t(t, a, b)	({ t a_ = (a); t b_ = (b); a_ > b_ ? a_ : b_; })
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define swap(a, b)	do { __typeof__(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define abs_diff(a, b)	((a) > (b) ? (a) - (b) : (b) - (a))

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(h, l)		((~0UL << (l)) & (~0UL >> (63 - (h))))
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a)		((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define round_up(x, y)		ALIGN(x, y)
#define round_down(x, y)	ALIGN_DOWN(x, y)
#define upper_32_bits(n)	((u32)((u64)(n) >> 32))
#define lower_32_bits(n)	((u32)(n))
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

static inline bool is_power_of_2(unsigned long n) { return n && !(n & (n - 1)); }
static inline int fls(unsigned int x) { return x ? 32 - __builtin_clz(x) : 0; }
static inline unsigned long __ffs(unsigned long x) { return __builtin_ctzl(x); }
static inline int ilog2(u64 n) { return 63 - __builtin_clzll(n); }
static inline unsigned int hweight32(u32 v) { return __builtin_popcount(v); }
static inline unsigned long roundup_pow_of_two(unsigned long n) { return n <= 1 ? 1 : 1UL << (64 - __builtin_clzl(n - 1)); }
static inline unsigned long rounddown_pow_of_two(unsigned long n) { return 1UL << (63 - __builtin_clzl(n)); }

#define DECLARE_BITMAP(name, n)	unsigned long name[((n) + 63) / 64]
static inline void __set_bit(unsigned long n, unsigned long *m) { m[n / 64] |= 1UL << (n % 64); }
static inline void __clear_bit(unsigned long n, unsigned long *m) { m[n / 64] &= ~(1UL << (n % 64)); }
static inline bool test_bit(unsigned long n, const unsigned long *m) { return m[n / 64] >> (n % 64) & 1; }
#define set_bit __set_bit
#define clear_bit __clear_bit
static inline void sync_set_bit(unsigned long n, unsigned long *m) { __sync_fetch_and_or(m + n / 64, 1UL << (n % 64)); }
static inline void sync_clear_bit(unsigned long n, unsigned long *m) { __sync_fetch_and_and(m + n / 64, ~(1UL << (n % 64))); }
static inline bool sync_test_bit(unsigned long n, const unsigned long *m) { return test_bit(n, m); }
static inline bool sync_test_and_set_bit(unsigned long n, unsigned long *m) { return __sync_fetch_and_or(m + n / 64, 1UL << (n % 64)) >> (n % 64) & 1; }

/* --- errors ----------------------------------------------------------------------------------- */

#define MAX_ERRNO	4095
static inline void *ERR_PTR(long e) { return (void *)e; }
static inline long PTR_ERR(const void *p) { return (long)p; }
static inline bool IS_ERR(const void *p) { return (unsigned long)p >= (unsigned long)-MAX_ERRNO; }
static inline bool IS_ERR_OR_NULL(const void *p) { return !p || IS_ERR(p); }
static inline void *ERR_CAST(const void *p) { return (void *)p; }
static inline int PTR_ERR_OR_ZERO(const void *p) { return IS_ERR(p) ? PTR_ERR(p) : 0; }

#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif
#ifndef ERESTARTSYS
#define ERESTARTSYS 512
#endif

/* A warning is our own bug: the test dies of it. */
#define WARN(cond, fmt...)	({ bool w_ = !!(cond); if (w_) shim_warn(__FILE__, __LINE__, #cond); w_; })
#define WARN_ON(cond)		WARN(cond, "")
#define WARN_ON_ONCE(cond)	WARN(cond, "")
#define WARN_ONCE(cond, fmt...)	WARN(cond, fmt)
void shim_warn(const char *file, int line, const char *what);

/* --- messages: silent unless UNIT_VERBOSE is set ---------------------------------------------- */

#define KERN_ERR ""
#define KERN_WARNING ""
#define KERN_INFO ""
__printf(1, 2) int shim_printk(const char *fmt, ...);
#define printk		shim_printk
#define pr_err		shim_printk
#define pr_warn		shim_printk
#define pr_notice	shim_printk
#define pr_info		shim_printk
#define pr_debug	shim_printk
#define pr_err_ratelimited	shim_printk
#define pr_warn_ratelimited	shim_printk
#define pr_info_ratelimited	shim_printk
#define pr_warn_once	shim_printk

/* --- memory ----------------------------------------------------------------------------------- */

#define GFP_KERNEL	0u
#define GFP_ATOMIC	0u
#define GFP_NOWAIT	0u
#define GFP_NOIO	0u
#define GFP_KERNEL_ACCOUNT 0u
#define __GFP_NOWARN	0u
#define __GFP_ZERO	1u
#define __GFP_NORETRY	0u

void *shim_alloc(size_t size, gfp_t gfp);
void shim_free(const void *p);
void *shim_realloc(const void *p, size_t size);

/*
 * shim_fail_at() - the @n-th allocation from now on fails, once (0: none). shim_failed() - whether
 * it did.
 */
void shim_fail_at(unsigned long n);
bool shim_failed(void);
/* shim_alive() - allocations not freed yet; shim_alive_bytes() - their size */
unsigned long shim_alive(void);
unsigned long shim_alive_bytes(void);

#define kmalloc(s, g)		shim_alloc(s, g)
#define kzalloc(s, g)		shim_alloc(s, (g) | __GFP_ZERO)
#define kmalloc_array(n, s, g)	shim_alloc(array_size(n, s), g)
#define kcalloc(n, s, g)	shim_alloc(array_size(n, s), (g) | __GFP_ZERO)
#define krealloc(p, s, g)	shim_realloc(p, s)
#define kfree(p)		shim_free(p)
#define kfree_sensitive(p)	shim_free(p)
#define kvmalloc(s, g)		shim_alloc(s, g)
#define kvzalloc(s, g)		shim_alloc(s, (g) | __GFP_ZERO)
#define kvmalloc_array		kmalloc_array
#define kvcalloc(n, s, g)	kcalloc(n, s, g)
#define kvfree(p)		shim_free(p)
#define vmalloc(s)		shim_alloc(s, 0)
#define vzalloc(s)		shim_alloc(s, __GFP_ZERO)
#define vfree(p)		shim_free(p)
#define kfree_const(p)		shim_free(p)

void *kmemdup(const void *src, size_t len, gfp_t gfp);
char *kmemdup_nul(const char *s, size_t len, gfp_t gfp);
char *kstrdup(const char *s, gfp_t gfp);
char *kstrndup(const char *s, size_t max, gfp_t gfp);
__printf(2, 3) char *kasprintf(gfp_t gfp, const char *fmt, ...);
char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap);

/* --- strings and numbers ---------------------------------------------------------------------- */

ssize_t strscpy(char *dst, const char *src, size_t size);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap);
char *skip_spaces(const char *s);
char *strim(char *s);
bool sysfs_streq(const char *a, const char *b);
int match_string(const char *const *array, size_t n, const char *string);
void *memchr_inv(const void *p, int c, size_t n);
int kstrtoull(const char *s, unsigned int base, unsigned long long *res);
int kstrtoll(const char *s, unsigned int base, long long *res);
int kstrtou64(const char *s, unsigned int base, u64 *res);
int kstrtouint(const char *s, unsigned int base, unsigned int *res);
int kstrtou32(const char *s, unsigned int base, u32 *res);
int kstrtoul(const char *s, unsigned int base, unsigned long *res);
int kstrtoint(const char *s, unsigned int base, int *res);
int kstrtou16(const char *s, unsigned int base, u16 *res);
int kstrtou8(const char *s, unsigned int base, u8 *res);
int kstrtobool(const char *s, bool *res);
static inline bool strstarts(const char *s, const char *prefix) { return !strncmp(s, prefix, strlen(prefix)); }
static inline size_t str_has_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? 0 : n;
}

/* --- hashing and chance ----------------------------------------------------------------------- */

u32 jhash(const void *key, u32 length, u32 initval);
static inline u32 jhash_1word(u32 a, u32 init) { return jhash(&a, sizeof(a), init); }
static inline u32 jhash_2words(u32 a, u32 b, u32 init) { u32 w[2] = { a, b }; return jhash(w, sizeof(w), init); }
static inline u32 hash_64(u64 v, unsigned int bits) { return (v * 0x61C8864680B583EBull) >> (64 - bits); }
static inline u32 hash_32(u32 v, unsigned int bits) { return (v * 0x61C88647u) >> (32 - bits); }
static inline u32 hash_long(unsigned long v, unsigned int bits) { return hash_64(v, bits); }
static inline u32 hash_ptr(const void *p, unsigned int bits) { return hash_64((unsigned long)p, bits); }
u32 get_random_u32(void);
u64 get_random_u64(void);
u32 get_random_u32_below(u32 ceil);

/* --- locks, contexts: one thread, nothing to do ----------------------------------------------- */

struct mutex { int locked; };
typedef struct { int locked; } spinlock_t;
#define DEFINE_MUTEX(m)		struct mutex m = { 0 }
#define DEFINE_SPINLOCK(l)	spinlock_t l = { 0 }
static inline void mutex_init(struct mutex *m) { m->locked = 0; }
static inline void mutex_destroy(struct mutex *m) { WARN_ON(m->locked); }
static inline void mutex_lock(struct mutex *m) { WARN_ON(m->locked); m->locked = 1; }
static inline void mutex_unlock(struct mutex *m) { WARN_ON(!m->locked); m->locked = 0; }
static inline void spin_lock_init(spinlock_t *l) { l->locked = 0; }
static inline void spin_lock(spinlock_t *l) { WARN_ON(l->locked); l->locked = 1; }
static inline void spin_unlock(spinlock_t *l) { WARN_ON(!l->locked); l->locked = 0; }
#define spin_lock_irqsave(l, f)		do { (f) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f)	do { (void)(f); spin_unlock(l); } while (0)
#define spin_lock_irq(l)		spin_lock(l)
#define spin_unlock_irq(l)		spin_unlock(l)
#define lockdep_assert_held(l)		do { (void)(l); } while (0)
#define might_sleep()			do { } while (0)
#define cond_resched()			do { } while (0)
#define in_interrupt()			0

#define ATOMIC_INIT(n)	{ n }
static inline int atomic_read(const atomic_t *a) { return a->counter; }
static inline void atomic_set(atomic_t *a, int v) { a->counter = v; }
static inline void atomic_inc(atomic_t *a) { a->counter++; }
static inline void atomic_dec(atomic_t *a) { a->counter--; }
static inline void atomic_add(int n, atomic_t *a) { a->counter += n; }
static inline void atomic_sub(int n, atomic_t *a) { a->counter -= n; }
static inline int atomic_inc_return(atomic_t *a) { return ++a->counter; }
static inline bool atomic_dec_and_test(atomic_t *a) { return --a->counter == 0; }
static inline s64 atomic64_read(const atomic64_t *a) { return a->counter; }
static inline void atomic64_inc(atomic64_t *a) { a->counter++; }

typedef struct { int refs; } refcount_t;
static inline void refcount_set(refcount_t *r, int n) { r->refs = n; }
static inline int refcount_read(const refcount_t *r) { return r->refs; }
static inline void refcount_inc(refcount_t *r) { WARN_ON(r->refs <= 0); r->refs++; }
static inline bool refcount_dec_and_test(refcount_t *r) { WARN_ON(r->refs <= 0); return --r->refs == 0; }

struct kref { refcount_t refcount; };
static inline void kref_init(struct kref *k) { refcount_set(&k->refcount, 1); }
static inline void kref_get(struct kref *k) { refcount_inc(&k->refcount); }
static inline int kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (!refcount_dec_and_test(&k->refcount))
		return 0;
	release(k);
	return 1;
}

/* --- modules ---------------------------------------------------------------------------------- */

struct module;
#define THIS_MODULE		((struct module *)NULL)
#define EXPORT_SYMBOL_GPL(s)	extern int shim_exported_##s
#define MODULE_LICENSE(s)	extern int shim_module
#define MODULE_DESCRIPTION(s)	extern int shim_module
#define MODULE_ALIAS(s)		extern int shim_module
#define module_param(a, b, c)	extern int shim_module
#define MODULE_PARM_DESC(a, b)	extern int shim_module

#include <linux/list.h>

#endif /* SHIM_H */
