# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For cases whose guests run the suite's own modules; after lib.sh.
#
#   xpv_load NAME [PARAMETER...]  load bus, provider (with these parameters) and blkfront in an HVM guest with nopv
#   xpv_unload NAME             the other way round
#   xpv_copy GUEST DEVICE       16 MiB that no cache answers for: from guest to dom0 and back, checksums compared;
#                               the guest's disk is xvda

xpv_load()
{
	local name=$1

	shift
	guest_run "$name" "modprobe xpv-platform-pci $* && modprobe xpv-blkfront"
}

xpv_unload()
{
	guest_run "$1" 'rmmod xpv_blkfront && rmmod xpv_platform_pci && rmmod xpv_xenbus'
}

xpv_copy()
{
	local there here

	there=$(guest_run "$1" "
		set -e
		dd if=/dev/urandom of=/tmp/data bs=1M count=16 2>/dev/null
		dd if=/tmp/data of=/dev/xvda bs=64k oflag=direct 2>/dev/null
		echo 3 >/proc/sys/vm/drop_caches
		dd if=/dev/xvda bs=64k count=256 iflag=direct 2>/dev/null | cmp - /tmp/data
		md5sum </tmp/data
		rm /tmp/data") || fail "guest $1: $there"
	here=$(dd if="$2" bs=64k count=256 iflag=direct 2>/dev/null | md5sum)
	[ "$there" = "$here" ] || fail "$1 wrote $there, dom0 reads $here"
	dd if=/dev/urandom of="$2" bs=1M count=16 seek=16 oflag=direct 2>/dev/null
	here=$(dd if="$2" bs=64k count=256 skip=256 iflag=direct 2>/dev/null | md5sum)
	there=$(guest_run "$1" "dd if=/dev/xvda bs=64k count=256 skip=256 iflag=direct 2>/dev/null | md5sum")
	[ "$there" = "$here" ] || fail "dom0 wrote $here, $1 reads $there"
}
