#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The in-tree drivers on the testbed: guests of each type and kernel write and read a dom0 disk, both sides agree.
# timeout: 400
# dom0: 6.1 6.12
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

# 16 MiB that no cache of dom0's answers for: written in the guest, compared there after dropping its cache, and from dom0.
try_disk()
{
	local g=$1 there here

	disk_attach "$g" "$dev" xvda || fail "attach to $g"
	there=$(guest_run "$g" "
		set -e
		dd if=/dev/urandom of=/tmp/data bs=1M count=16 2>/dev/null
		dd if=/tmp/data of=/dev/xvda bs=64k oflag=direct 2>/dev/null
		echo 3 >/proc/sys/vm/drop_caches
		dd if=/dev/xvda bs=64k count=256 iflag=direct 2>/dev/null | cmp - /tmp/data
		md5sum </tmp/data") || fail "guest $g: $there"
	here=$(dd if="$dev" bs=64k count=256 iflag=direct 2>/dev/null | md5sum)
	[ "$there" = "$here" ] || fail "$g wrote $there, dom0 reads $here"
	dd if=/dev/urandom of="$dev" bs=1M count=16 seek=16 oflag=direct 2>/dev/null
	here=$(dd if="$dev" bs=64k count=256 skip=256 iflag=direct 2>/dev/null | md5sum)
	there=$(guest_run "$g" "dd if=/dev/xvda bs=64k count=256 skip=256 iflag=direct 2>/dev/null | md5sum")
	[ "$there" = "$here" ] || fail "dom0 wrote $here, $g reads $there"
	disk_detach "$g" xvda || fail "detach from $g"
}

# With nopv the kernel leaves Xen alone: nothing of it to be seen, the platform device is free for a driver.
try_nopv()
{
	guest_run "$1" '[ ! -e /sys/hypervisor/type ]' || fail "$1 uses Xen"
	# shellcheck disable=SC2016 # for the guest
	guest_run "$1" 'cd /sys/bus/pci/devices && set -- $(grep -l 0x5853 */vendor) &&
		[ "$(cat ${1%/*}/device)" = 0x0001 ] && [ ! -e ${1%/*}/driver ]' || fail "$1: the platform device is not free"
}

# try TYPE KERNEL: one guest from its beginning to its end
try()
{
	local g=$1-$2 start=$SECONDS up release

	guest_create "$g" "$1" "$2" -m xen-blkfront
	up=$((SECONDS - start))
	guest_run "$g" 'exit 7'
	[ $? = 7 ] || fail "the exit status does not come through"
	case $1 in
	hvm-nopv) try_nopv "$g" ;;
	*) try_disk "$g" ;;
	esac
	release=$(guest_run "$g" uname -r)
	guest_destroy "$g" || fail "destroying $g"
	note "$1 $release: up in $up s, done in $((SECONDS - start)) s"
}

dev=$(disk_null intree 64) || fail "no null_blk"
failed=0
guests='pv-6.1 pvh-6.12 hvm-6.1 hvm-nopv-6.12'
[[ $(uname -r) != 6.12* ]] || guests='pv-6.12 pvh-6.1 hvm-6.12'
[ ! "${XPV_FULL:-}" ] || guests='pv-6.1 pvh-6.1 hvm-6.1 hvm-nopv-6.1 pv-6.12 pvh-6.12 hvm-6.12 hvm-nopv-6.12'
for guest in $guests; do
	(try "${guest%-*}" "${guest##*-}") || { failed=1; note "$guest: failed"; guest_destroy "$guest"; }
done
exit $failed
