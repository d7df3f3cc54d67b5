#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The modules load and unload in every order that their dependencies allow, again and again; what lacks its
# dependency is refused, what is in use is not unloaded, and nothing stays behind.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"

# names_left: what the suite leaves in the system while nothing of it is loaded
names_left()
{
	ls -d /sys/bus/xpv* /sys/module/xpv_* /sys/kernel/config/hv-stub /dev/xen/xenbus* /sys/hypervisor/type /sys/kernel/tracing/events/xpv* 2>/dev/null
	grep -n xpv /proc/interrupts /proc/devices /proc/misc
}

suite_unload_but_bus()
{
	unload xpv-blkfront && unload xpv-blkback && unload xpv-hv-stub
}

refuse any "Unknown symbol|No such file" "the stub without the bus" load xpv-hv-stub
refuse any "Unknown symbol|No such file" "blkfront without the bus" load xpv-blkfront
refuse any "Unknown symbol|No such file" "blkback without the bus" load xpv-blkback
dmesg -C

# the bus first and last; the other three in all their orders, unloaded in all of theirs (or in one)
downs=$(few 3 1)
for up in "hv-stub blkback blkfront" "blkfront hv-stub blkback" "blkback blkfront hv-stub"; do
	n=0
	for down in "blkfront blkback hv-stub" "hv-stub blkfront blkback" "blkback hv-stub blkfront"; do
		[ $n -lt "$downs" ] || break
		n=$((n + 1))
		load xpv-xenbus || die "insmod xpv-xenbus"
		for m in $up; do
			load "xpv-$m" || die "insmod xpv-$m, order $up"
		done
		until_true 10 test -e /dev/xen/xenbus || die "no /dev/xen/xenbus, order $up"
		[ "$(xenstore-read domid)" = 0 ] || die "the store does not answer, order $up"
		for m in $down; do
			unload "xpv-$m" || die "rmmod xpv-$m, order $down"
		done
		unload xpv-xenbus || die "rmmod xpv-xenbus, order $down"
	done
	pass "loaded in the order $up, unloaded in $downs of three orders"
done
same "nothing is left behind" "" "$(names_left)"

suite_load
refuse any "in use" "the bus is in use" unload xpv-xenbus
refuse any "File exists" "the bus twice" load xpv-xenbus
domain held
refuse any "in use|busy" "the stub has a domain" unload xpv-hv-stub
check "destroy" xpvctl destroy held
exec 3<>/dev/xen/xenbus
check "the stub goes while somebody has the store open" suite_unload_but_bus
refuse any "in use" "the bus stays, for the open file" unload xpv-xenbus
refuse any "." "the open file answers with an error" dd bs=16 count=1 if=/dev/zero status=none of=/dev/fd/3
exec 3>&-
check "the bus goes when it is closed" unload xpv-xenbus
same "nothing is left behind" "" "$(names_left)"

i=0
times=$(few 8 2)
while [ $i -lt "$times" ]; do
	suite_load
	suite_unload || die "unload $i"
	i=$((i + 1))
done
case_counters=
pass "$times times in a row"
