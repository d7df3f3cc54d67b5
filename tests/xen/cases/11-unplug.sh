#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Emulated disks are unplugged when nobody uses them, only then, and do not come back; their twin xvda takes over.
# timeout: 300
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# said TEXT: the last thing that the module has said of unplugging
said()
{
	guest_run g "dmesg | grep -e 'unplugged' -e 'some are in use' -e 'taking the emulated' | tail -n 2" | grep -q "$1"
}

there()
{
	guest_run g '[ -b /dev/sda ]'
}

try()
{
	guest_create g hvm-nopv "$1" -m ata_piix -m sd_mod -l xpv-blkfront -d "vdev=hda,format=raw,target=$dev"
	wait_for 60 there || fail "no emulated disk"

	guest_run g 'modprobe xpv-platform-pci unplug=never' || fail "never: loading"
	said 'switched off' && there || fail "never: no disk, or not said"
	guest_run g 'rmmod xpv_platform_pci' || fail "never: unloading"

	# shellcheck disable=SC2016 # for the guest's shell
	guest_run g 'sleep 1000 </dev/sda >/dev/null 2>&1 & echo $! >/tmp/pid; sleep 1; modprobe xpv-platform-pci' ||
		fail "in use: loading"
	said 'some are in use' && there || fail "in use: no disk, or not said"
	guest_run g 'dd if=/dev/sda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null' || fail "in use: not readable"
	# shellcheck disable=SC2016
	guest_run g 'kill $(cat /tmp/pid); rmmod xpv_platform_pci' || fail "in use: unloading"

	xpv_load g || fail "loading"
	said 'taking the emulated' || fail "not said"
	! there || fail "the emulated disk is still there"
	# shellcheck disable=SC2016
	guest_run g 'for h in /sys/class/scsi_host/*/scan; do echo "- - -" >$h; done; sleep 2'
	! there || fail "the emulated disk came back"
	wait_for 60 guest_run g '[ -b /dev/xvda ]' || fail "no xvda"
	disk_compare g "$dev"
	xpv_unload g || fail "unloading"
	xpv_load g || fail "loading again"
	said 'none there' || fail "again: not said"
	wait_for 60 guest_run g '[ -b /dev/xvda ]' || fail "again: no xvda"
	guest_destroy g || fail "destroying g"
}

dev=$(disk_null pci 64) || fail "no null_blk"
failed=0
for kernel in ${XPV_GUEST_KERNELS:-${XPV_FULL:+6.1} 6.12}; do
	(try "$kernel") || { failed=1; note "$kernel: failed"; guest_dmesg g | tail -n 40; guest_destroy g; }
done
exit $failed
