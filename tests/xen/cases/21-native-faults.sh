#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Our backend in dom0 beside the in-tree one, unloaded under a guest, and with a guest destroyed in the middle of I/O.
# dom0: 6.1 6.12
# timeout: 240
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

mods=$XPV_TOP/out/build/$(uname -r)
ours=/sys/bus/xpv-backend/devices
theirs=/sys/bus/xen-backend/devices

load()
{
	local m

	for m in "$@"; do
		insmod "$mods/$m.ko" || die "insmod $m"
	done
}

# read_back: what the guest reads is what dom0 has
read_back()
{
	local here there

	dd if=/dev/urandom of="$dev" bs=1M count=1 oflag=direct 2>/dev/null
	here=$(dd if="$dev" bs=64k count=16 iflag=direct 2>/dev/null | md5sum)
	there=$(guest_run g 'dd if=/dev/xvda bs=64k count=16 iflag=direct 2>/dev/null | md5sum')
	[ "$here" = "$there" ] || die "$1: dom0 has $here, the guest reads $there"
}

# Nothing of the disk is left in dom0.
nothing_left()
{
	wait_for 20 no_device || die "$1: a device is left"
	! grep -q 'd0-vbd' /proc/interrupts || die "$1: an interrupt is left"
	! xenstore-ls -f error 2>/dev/null | grep vbd || die "$1: an error node is left"
	mkswap -f "$dev" >/dev/null 2>&1 || die "$1: the disk is busy"
}

no_device()
{
	! ls "$ours"/d0-vbd-* "$theirs"/vbd-* >/dev/null 2>&1
}

closed()
{
	[ "$(xenstore-read "backend/vbd/$(xl domid g)/51712/state")" = 6 ]
}

dev=$(disk_null faults 64) || fail "no null_blk"
guest_create g "${XPV_GUEST_TYPES:-pv}" "${XPV_GUEST_KERNELS:-6.1}" -m xen-blkfront

# The in-tree driver has a device: it keeps it, which is said.
disk_attach g "$dev" xvda || die "in-tree: attach"
load xpv-xenbus xpv-hv-native xpv-blkback
dmesg | grep -q 'own driver of vbd backends.*is loaded' || die "no word about xen-blkback"
wait_for 10 grep -q 'its own driver "vbd" has' "$ours"/d0-vbd-*/status || die "status does not name the other driver"
dmesg | grep 'left alone' || die "no word about the device"
read_back "beside the in-tree backend"
disk_detach g xvda || die "in-tree: detach"
modprobe -r xen-blkback || die "xen-blkback stays"
nothing_left "after the in-tree backend"

# Unloaded under a guest: closed at once, and the toolstack gets rid of the rest.
disk_attach g "$dev" xvda || die "attach"
read_back "our backend"
timeout 20 rmmod xpv-blkback || die "rmmod xpv-blkback"
closed || die "the backend's state is not Closed"
disk_detach g xvda || die "detach without a backend"
load xpv-blkback
nothing_left "after rmmod of the backend"

# The provider goes first.
disk_attach g "$dev" xvda || die "attach again"
read_back "our backend again"
timeout 20 rmmod xpv-hv-native || die "rmmod xpv-hv-native"
closed || die "the backend's state is not Closed without a provider"
disk_detach g xvda || die "detach without a provider"
load xpv-hv-native
nothing_left "after rmmod of the provider"

# A guest is destroyed in the middle of I/O.
disk_attach g "$dev" xvda || die "attach for the end"
guest_run g 'for i in 1 2 3 4; do dd if=/dev/zero of=/dev/xvda bs=64k oflag=direct 2>/dev/null & done; sleep 1' || :
guest_destroy g || fail "destroying g"
nothing_left "after the guest's end"
rmmod xpv-blkback xpv-hv-native xpv-xenbus || die "rmmod"
modprobe xen-blkback
