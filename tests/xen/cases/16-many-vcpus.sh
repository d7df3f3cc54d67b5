#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An HVM guest has more virtual CPUs than shared_info has room for: the last of them is registered, and a disk's events reach it.
# It comes online after the modules, and then is there before them. Under emulation it takes minutes to start 34 virtual CPUs, so
# only the first and the last are online.
# timeout: 180
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

online()
{
	# shellcheck disable=SC2016 # for the guest
	guest_run g 'echo 1 >/sys/devices/system/cpu/cpu33/online && [ $(cat /sys/devices/system/cpu/online) = 0,33 ]' || die "online"
}

# one EVENTS [COMMAND]: all modules in, COMMAND, a disk attached and detached, all modules out
one()
{
	local out

	xpv_load g -e "$1" upcall=vector || die "$1: loading"
	${2:-}
	disk_attach g "$dev" xvda || die "$1: attach"
	disk_compare g "$dev"
	out=$(guest_run g "$(xpv_moved 33)") || die "$1, the last processor: $out"
	note "$(guest_run g 'cat /proc/interrupts' | grep -e xpv -e CPU0)"
	disk_detach g xvda || die "$1: detach"
	xpv_unload g || die "$1: unloading"
}

try()
{
	guest_create g hvm-nopv 6.12 -v 34 -a maxcpus=1 -l xpv-blkfront
	one fifo online
	# a registration cannot be taken back: it is there when the modules come again
	one 2l
	guest_destroy g || die "destroying g"
}

dev=$(disk_null many 64) || fail "no null_blk"
again_if_lost try || die "34 virtual CPUs"
