#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Our drivers on a kernel with Xen support of its own: both halves, each with the in-tree peer and with each other.
# timeout: 240
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

mods=$XPV_TOP/out/build/$(uname -r)

# What there is to know when something is wrong.
show()
{
	local f

	dmesg | tail -n 15
	for f in /sys/bus/xpv-backend/devices/*vbd*/status; do
		[ ! -e "$f" ] || { echo "$f:"; cat "$f"; }
	done
	xenstore-ls -f 2>/dev/null | grep -E '/(vbd|error)/' | head -n 60
	guest_run g 'dmesg | tail -n 15; cat /sys/bus/xpv/devices/*vbd*/status'
}

die()
{
	show
	fail "$@"
}

# back ours|intree: which backend dom0 has
back()
{
	[ "$1" != "$has_back" ] || return 0
	has_back=$1
	if [ "$1" = ours ]; then
		modprobe -r xen-blkback || die "xen-blkback stays"
		for m in xpv-xenbus xpv-hv-native xpv-blkback; do
			insmod "$mods/$m.ko" || die "insmod $m"
		done
	else
		rmmod xpv-blkback xpv-hv-native xpv-xenbus || die "rmmod in dom0"
		modprobe xen-blkback || die "no xen-blkback"
	fi
}

# front ours|intree: which frontend the guest has
front()
{
	local had=$has_front

	[ "$1" != "$has_front" ] || return 0
	has_front=$1
	if [ "$1" = ours ]; then
		guest_run g "rmmod xen-blkfront 2>/dev/null; modprobe xpv-hv-native && modprobe xpv-blkfront" || die "modprobe in the guest"
	else
		[ "$had" = none ] || guest_run g 'rmmod xpv-blkfront xpv-hv-native xpv-xenbus' || die "rmmod in the guest"
		guest_run g 'modprobe xen-blkfront' || die "modprobe in the guest"
	fi
}

# verify VDEV: written by the guest, read by both; written by dom0, read by both
verify()
{
	local there here

	there=$(guest_run g "
		set -e
		dd if=/dev/urandom of=/tmp/data bs=1M count=2 2>/dev/null
		dd if=/tmp/data of=/dev/$1 bs=64k oflag=direct 2>/dev/null
		echo 3 >/proc/sys/vm/drop_caches
		dd if=/dev/$1 bs=64k count=32 iflag=direct 2>/dev/null | cmp - /tmp/data
		md5sum </tmp/data") || die "the guest: $there"
	here=$(dd if="$dev" bs=64k count=32 iflag=direct 2>/dev/null | md5sum)
	[ "$there" = "$here" ] || die "the guest wrote $there, dom0 reads $here"
	dd if=/dev/urandom of="$dev" bs=1M count=2 seek=16 oflag=direct 2>/dev/null
	here=$(dd if="$dev" bs=64k count=32 skip=256 iflag=direct 2>/dev/null | md5sum)
	there=$(guest_run g "dd if=/dev/$1 bs=64k count=32 skip=256 iflag=direct 2>/dev/null | md5sum")
	[ "$there" = "$here" ] || die "dom0 wrote $here, the guest reads $there"
}

# The kernel's own device has what xentop reads, and it counts.
check_sysfs()
{
	local d

	d=$(echo /sys/bus/xen-backend/devices/vbd-*)
	[ "$(cat "$d/mode")" = w ] || die "$d/mode"
	[ "$(cat "$d/physical_device")" = "$(stat -c %t:%T "$dev")" ] || die "$d/physical_device"
	[ "$(cat "$d/statistics/wr_req")" -gt 0 ] || die "$d/statistics/wr_req"
	[ "$(cat "$d/statistics/rd_sect")" -ge 4096 ] || die "$d/statistics/rd_sect"
	[ "$(xenstore-read "backend/vbd/$(xl domid g)/51712/hotplug-status")" = connected ] || die "hotplug-status"
}

check_clean()
{
	! ls /sys/bus/xen-backend/devices/vbd-* >/dev/null 2>&1 || die "the kernel's device is still there"
	! xenstore-ls -f error 2>/dev/null | grep vbd || die "an error node is left"
	! ls /sys/bus/xpv-backend/devices/d0-vbd-* >/dev/null 2>&1 || die "our device is still there"
}

# round BACK FRONT
round()
{
	local start=$SECONDS

	back "$1"
	front "$2"
	disk_attach g "$dev" xvda || die "attach"
	verify xvda
	[ "$1" = intree ] || check_sysfs
	disk_detach g xvda || die "detach"
	[ "$1" = intree ] || check_clean
	note "back $1, front $2: $((SECONDS - start)) s"
}

dev=$(disk_null native 64) || fail "no null_blk"
has_back=intree
for kernel in ${XPV_GUEST_KERNELS:-6.1 6.12}; do
	for type in ${XPV_GUEST_TYPES:-pv}; do
		guest_create g "$type" "$kernel" -l xen-blkfront -l xpv-blkfront
		note "$type, $kernel"
		has_front=none
		for pair in ${XPV_PAIRS:-intree/ours ours/ours ours/ours ours/intree ours/ours}; do
			round "${pair%/*}" "${pair#*/}"
		done
		guest_destroy g || fail "destroying g"
		dmesg | grep xpv
	done
done
