#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where the kernel's own Xen support is active the platform-pci provider refuses to load, says why, and harms nothing.
# timeout: 180
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

guest_create g hvm "6.12" -m xen-blkfront -l xpv-platform-pci
guest_run g 'modprobe xpv-platform-pci' && fail "it loads"
guest_run g 'dmesg | grep "own Xen support is active"' || fail "no reason is given"
dev=$(disk_null refuse 64) || fail "no null_blk"
disk_attach g "$dev" xvda || fail "attach"
guest_run g 'dd if=/dev/xvda of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null' || fail "the disk does not work"
disk_detach g xvda || fail "detach"
guest_destroy g || fail "destroying g"
