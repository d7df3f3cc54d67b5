#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An HVM guest with nopv and the suite's modules: disks of dom0's in-tree backend come and go, by each way of upcalls.
# timeout: 400
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# one ASKED GOT: all modules in, a disk attached, filled, detached, all modules out
one()
{
	local out start=$SECONDS

	out=$(xpv_load g upcall="$1") || fail "$1: loading: $out"
	out=$(guest_run g "dmesg | grep -o 'upcalls by .*' | tail -n 1")
	[ "$out" = "upcalls by $2" ] || fail "upcall=$1: $out"
	out=$(guest_run g 'xenstore-read name') || fail "$1: xenstore-read: $out"
	[ "$out" = g ] || fail "$1: the name is $out"
	disk_attach g "$dev" xvda || fail "$1: attach"
	xpv_copy g "$dev"
	disk_detach g xvda || fail "$1: detach"
	out=$(guest_run g 'cat /proc/interrupts' | grep -i -e xpv -e CPU0)
	note "$out"
	out=$(xpv_unload g) || fail "$1: unloading: $out"
	note "upcall=$1: $((SECONDS - start)) s"
}

try()
{
	local free

	guest_create g hvm-nopv "$1" -v 2 -b xenstore-read -l xpv-blkfront
	free=$(guest_run g "grep MemFree /proc/meminfo")
	one poll poll
	one intx intx
	one vector vector
	one vector vector
	# a vector that was set cannot be taken back: the interrupt is dead from then on
	one intx vector
	note "before: $free; now: $(guest_run g "grep MemFree /proc/meminfo")"
	! guest_run g 'dmesg | grep "page is lost"' || fail "a page was lost"
	guest_destroy g || fail "destroying g"
}

dev=$(disk_null pci 64) || fail "no null_blk"
failed=0
for kernel in ${XPV_GUEST_KERNELS:-6.1 6.12}; do
	(try "$kernel") || { failed=1; note "$kernel: failed"; guest_dmesg g | tail -n 40; guest_destroy g; }
done
exit $failed
