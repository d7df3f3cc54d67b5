#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An HVM guest with nopv starts another kernel by kexec, under I/O: that one finds everything as if it were the first.
# guest: 6.1 -b kexec -k
# timeout: 240
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

is_another()
{
	guest_run g -t 5 '[ ! -e /run/before ]'
}

dev=$(disk_null kexec 64) || fail "no null_blk"
guest_create g hvm-nopv 6.1 -v 2 -M 512 -b kexec -k -l xpv-blkfront
xpv_load g || die "load"
disk_attach g "$dev" xvda || die "attach"
disk_compare g "$dev"

# The new kernel's user space is this one's. It is put, and stays, below the memory that talk uses, of which kexec takes no heed.
# shellcheck disable=SC2016 # for the guest
guest_run g '
	set -e
	cd /
	find . -xdev ! -path ./kernel | cpio -o -H newc >/tmp/initrd 2>/dev/null
	kexec -l /kernel --initrd=/tmp/initrd --mem-max=0x18000000 --command-line="$(cat /proc/cmdline) nokaslr"
	touch /run/before' || die "kexec -l"
guest_run g '
	while dd if=/dev/xvda of=/dev/null bs=64k iflag=direct; do :; done >/dev/null 2>&1 </dev/null &
	(sleep 1; exec kexec -e) >/dev/null 2>&1 </dev/null &' || die "kexec -e"
sleep 1
wait_for 90 is_another || die "no other kernel comes up"

xpv_load g || die "load in the second kernel"
disk_wait g xvda || die "the disk does not come back"
disk_compare g "$dev"
! guest_run g 'dmesg | grep "of a kernel before"' || die "something was left behind"
disk_detach g xvda || die "detach"
xpv_unload g || die "unload"
guest_destroy g || fail "destroying g"
