/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_HASHTABLE_H
#define SHIM_HASHTABLE_H

#define DECLARE_HASHTABLE(name, bits)	struct hlist_head name[1 << (bits)]
#define DEFINE_HASHTABLE(name, bits)	struct hlist_head name[1 << (bits)] = { }
#define HASH_SIZE(name)			ARRAY_SIZE(name)
#define HASH_BITS(name)			ilog2(HASH_SIZE(name))
#define hash_init(t)			memset(t, 0, sizeof(t))
#define hash_min(v, bits)		hash_64(v, bits)
#define hash_add(t, n, key)		hlist_add_head(n, &(t)[hash_64(key, HASH_BITS(t))])
#define hash_del(n)			hlist_del_init(n)
#define hash_hashed(n)			(!hlist_unhashed(n))
#define hash_for_each_possible(t, p, m, key) hlist_for_each_entry(p, &(t)[hash_64(key, HASH_BITS(t))], m)
#define hash_for_each(t, i, p, m) \
	for ((i) = 0, p = NULL; !p && (i) < HASH_SIZE(t); (i)++) hlist_for_each_entry(p, &(t)[i], m)
#define hash_for_each_safe(t, i, n, p, m) \
	for ((i) = 0, p = NULL; !p && (i) < HASH_SIZE(t); (i)++) hlist_for_each_entry_safe(p, n, &(t)[i], m)

#endif /* SHIM_HASHTABLE_H */
