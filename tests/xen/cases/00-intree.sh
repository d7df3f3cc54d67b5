#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The in-tree drivers on the testbed: guests write and read a dom0 disk, both sides agree. XPV_FULL=1: guests of each type and kernel.
# timeout: 400
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

try_disk()
{
	disk_attach "$1" "$dev" xvda || fail "attach to $1"
	disk_compare "$1" "$dev"
	disk_detach "$1" xvda || fail "detach from $1"
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
guests='pv-6.1 hvm-nopv-6.12'	# 30-pairings has the others
[ ! "${XPV_FULL:-}" ] || guests='pv-6.1 pvh-6.1 hvm-6.1 hvm-nopv-6.1 pv-6.12 pvh-6.12 hvm-6.12 hvm-nopv-6.12'
for guest in $guests; do
	again_if_lost try "${guest%-*}" "${guest##*-}" || { failed=1; note "$guest: failed"; guest_destroy "$guest"; }
done
exit $failed
