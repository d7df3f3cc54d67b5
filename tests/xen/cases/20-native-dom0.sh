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

# back ours|intree
back()
{
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

# front ours|intree
front()
{
	if [ "$1" = ours ]; then
		guest_run g 'rmmod xen-blkfront 2>/dev/null
			for m in xpv-xenbus xpv-hv-native xpv-blkfront; do insmod /$m.ko || exit; done' || die "insmod in the guest"
	else
		guest_run g 'rmmod xpv-blkfront xpv-hv-native xpv-xenbus && modprobe xen-blkfront' || die "rmmod in the guest"
	fi
}

# verify VDEV: written by the guest, read by both; written by dom0, read by both
verify()
{
	local there here

	there=$(guest_run g "
		set -e
		dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null
		dd if=/tmp/data of=/dev/$1 bs=64k oflag=direct 2>/dev/null
		echo 3 >/proc/sys/vm/drop_caches
		dd if=/dev/$1 bs=64k count=128 iflag=direct 2>/dev/null | cmp - /tmp/data
		md5sum </tmp/data") || die "the guest: $there"
	here=$(dd if="$dev" bs=64k count=128 iflag=direct 2>/dev/null | md5sum)
	[ "$there" = "$here" ] || die "the guest wrote $there, dom0 reads $here"
	dd if=/dev/urandom of="$dev" bs=1M count=8 seek=16 oflag=direct 2>/dev/null
	here=$(dd if="$dev" bs=64k count=128 skip=256 iflag=direct 2>/dev/null | md5sum)
	there=$(guest_run g "dd if=/dev/$1 bs=64k count=128 skip=256 iflag=direct 2>/dev/null | md5sum")
	[ "$there" = "$here" ] || die "dom0 wrote $here, the guest reads $there"
}

# The kernel's own device has what xentop reads, and it counts.
check_sysfs()
{
	local d

	d=$(echo /sys/bus/xen-backend/devices/vbd-*)
	[ "$(cat "$d/mode")" = w ] || die "$d/mode"
	[ "$(cat "$d/physical_device")" = "$(stat -c %t:%T "$dev")" ] || die "$d/physical_device"
	[ "$(cat "$d/statistics/wr_req")" -gt 0 ] && [ "$(cat "$d/statistics/rd_sect")" -ge 16384 ] || die "$d/statistics"
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

	disk_attach g "$dev" xvda || die "attach"
	verify xvda
	[ "$1" = intree ] || check_sysfs
	disk_detach g xvda || die "detach"
	[ "$1" = intree ] || check_clean
	note "back $1, front $2: $((SECONDS - start)) s"
}

dev=$(disk_null native 64) || fail "no null_blk"
for kernel in ${XPV_GUEST_KERNELS:-6.1 6.12}; do
	release=$(kernel_image "$kernel" | cut -d' ' -f2)
	gmods=$XPV_TOP/out/build/$release
	for type in ${XPV_GUEST_TYPES:-pv}; do
		guest_create g "$type" "$kernel" -l xen-blkfront -f "$gmods/xpv-xenbus.ko" -f "$gmods/xpv-hv-native.ko" \
			-f "$gmods/xpv-blkfront.ko"
		note "$type, $release"
		front ours
		round intree ours
		back ours
		round ours ours
		round ours ours
		front intree
		round ours intree
		front ours
		round ours ours
		back intree
		guest_destroy g || fail "destroying g"
	done
done
