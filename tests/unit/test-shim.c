/* sources: */
// SPDX-License-Identifier: GPL-2.0
/*
 * The shim itself, as far as tests lean on it: the interface headers are reachable, allocations are
 * counted and fail.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/list.h>
#include <linux/hashtable.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/io/xs_wire.h>
#include <xen/interface/io/xenbus.h>
#include <xen/interface/io/blkif.h>
#include <xpv/types.h>
#include "ktap.h"

static void interface_headers(void)
{
	CHECK_EQ(sizeof(struct xenstore_domain_interface), 2048 + 7 * 4);
	CHECK_EQ(sizeof(struct grant_entry_v1), 8);
	CHECK_EQ(sizeof(struct shared_info) % 8, 0);
}

static void allocations(void)
{
	void *a, *b;

	CHECK_EQ(shim_alive(), 0);
	shim_fail_at(2);
	a = kmalloc(8, GFP_KERNEL);
	b = kmalloc(8, GFP_KERNEL);
	CHECK(a && !b && shim_failed());
	b = kzalloc(8, GFP_KERNEL);
	CHECK(b);
	CHECK_EQ(shim_alive(), 2);
	kfree(a);
	kfree(b);
	CHECK_EQ(shim_alive(), 0);
}

static void numbers(void)
{
	u16 v = 7;
	int i;

	CHECK_EQ(kstrtou16("65535", 10, &v), 0);
	CHECK_EQ(v, 65535);
	CHECK_EQ(kstrtou16("65536", 10, &v), -ERANGE);
	CHECK_EQ(kstrtou16("1x", 10, &v), -EINVAL);
	CHECK_EQ(kstrtou16("", 10, &v), -EINVAL);
	CHECK_EQ(kstrtoint("-5", 10, &i), 0);
	CHECK_EQ(i, -5);
}

static void lists(void)
{
	struct item { struct list_head list; int n; } it[3], *p;
	LIST_HEAD(h);
	int sum = 0, i;

	for (i = 0; i < 3; i++) {
		it[i].n = i;
		list_add_tail(&it[i].list, &h);
	}
	list_move(&it[2].list, &h);
	list_for_each_entry(p, &h, list)
		sum = sum * 10 + p->n;
	CHECK_EQ(sum, 201);
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(interface_headers), KTAP(allocations), KTAP(numbers), KTAP(lists), {}
	});
}
