#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A driver domain without Xen code of its kernel: blkback over platform-pci serves another guest's in-tree frontend.
# guest: 6.1 -m brd
# timeout: 300
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

# What libxl writes for a disk; here by hand, because it would want its own daemon in the driver domain.
disk_make()
{
	local b=/local/domain/$1/backend/vbd/$2/51712 f=/local/domain/$2/device/vbd/51712

	xenstore-write "$b/frontend" "$f" "$b/frontend-id" "$2" "$b/online" 1 "$b/mode" w "$b/type" phy "$b/dev" xvda \
		"$b/params" /dev/ram0 "$b/physical-device" "$3" &&
		xenstore-write "$f/backend" "$b" "$f/backend-id" "$1" "$f/virtual-device" 51712 "$f/device-type" disk &&
		xenstore-chmod -r "$b" "n$1" "r$2" &&
		xenstore-chmod -r "$f" "n$2" "r$1" &&
		xenstore-write "$b/state" 1 "$f/state" 1	# last, with the permissions of what they are in
}

show()
{
	guest_run drv 'cat /sys/bus/xpv-backend/devices/*/status; dmesg | tail -n 20'
	guest_run g 'dmesg | tail -n 10'
	xenstore-ls -f | grep -E '/vbd/|/error/'
}

die()
{
	show
	fail "$@"
}

# sum GUEST DEVICE SKIP: of 2 MiB, read from the device itself
sum()
{
	guest_run "$1" "echo 3 >/proc/sys/vm/drop_caches; dd if=$2 bs=64k skip=$3 count=32 2>/dev/null | md5sum"
}

# fill GUEST DEVICE SEEK: prints the checksum of what is written
fill()
{
	guest_run "$1" "dd if=/dev/urandom of=/tmp/data bs=64k count=32 2>/dev/null &&
		dd if=/tmp/data of=$2 bs=64k seek=$3 conv=fsync 2>/dev/null && md5sum </tmp/data"
}

# same TEXT SUM SKIP: both sides read it there
same()
{
	[ "$2" ] || die "$1: it cannot write"
	[ "$(sum g /dev/xvda "$3")" = "$2" ] || die "$1: the guest reads something else"
	[ "$(sum drv /dev/ram0 "$3")" = "$2" ] || die "$1: the driver domain reads something else"
}

guest_create drv hvm-nopv "${XPV_DRIVER_KERNEL:-6.1}" -m brd -l xpv-platform-pci -l xpv-blkback
guest_create g pv 6.1 -m xen-blkfront
guest_run drv 'modprobe xpv-platform-pci && modprobe xpv-blkback' || die "modprobe in the driver domain"
numbers=$(guest_run drv 'stat -c %t:%T /dev/ram0')
back=$(xl domid drv)
front=$(xl domid g)
for round in 1 2; do
	disk_make "$back" "$front" "$numbers" || die "xenstore"
	# shellcheck disable=SC2016 # for the guest
	guest_run g 'n=0; until [ -b /dev/xvda ]; do n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.1; done' || die "no disk in the guest"
	same "the guest wrote" "$(fill g /dev/xvda 0)" 0
	guest_run g 'blockdev --flushbufs /dev/xvda'
	same "the driver domain wrote" "$(fill drv /dev/ram0 64)" 64
	b=/local/domain/$back/backend/vbd/$front/51712
	xenstore-write "$b/online" 0 "$b/state" 5
	wait_for 20 sh -c "[ \"\$(xenstore-read $b/state)\" = 6 ]" || die "the backend does not close"
	xenstore-rm "$b"
	xenstore-rm "/local/domain/$front/device/vbd/51712"
	# shellcheck disable=SC2016 # for the guest
	guest_run g 'n=0; while [ -b /dev/xvda ]; do n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.1; done' || die "the disk stays"
	note "round $round"
done
guest_run drv 'rmmod xpv_blkback xpv_platform_pci xpv_xenbus' || die "rmmod in the driver domain"
! guest_run drv 'dmesg | grep -e "page is lost" -e "place is lost" -e "cannot unmap"' || die "a page was lost"
guest_destroy g || fail "g"
guest_destroy drv || fail "drv"
