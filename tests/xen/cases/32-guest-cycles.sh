#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests with a disk of our backend are created and destroyed, at any moment: nothing of them is left in dom0 or in Xen.
# guest: 6.1 -m xen-blkfront
# timeout: 1800
#
# A hundred of them; -e XPV_CYCLES=5: five. What is left is looked at after every fifth.
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# What there is of guests: nodes of the store, ports of dom0, MiB that Xen has free, interrupts and devices of disks in dom0.
held()
{
	echo "nodes $(xenstore-ls -f | wc -l)"
	echo "ports $(/usr/lib/xen-4.17/bin/lsevtchn 0 | wc -l)"
	echo "free $(xl info free_memory)"
	echo "interrupts $(grep -c d0-vbd /proc/interrupts)"
	echo "devices $(find /sys/bus/xpv-backend/devices/ -name 'd0-vbd-*' | wc -l)"
}

as_before()
{
	[ "$(held)" = "$before" ]
}

disk_is_free()
{
	mkswap -f "$dev" >/dev/null 2>&1
}

# early N: a guest is destroyed on its way up, a bit later each time. There is nothing to be asked of it or to be kept.
early()
{
	xl create "$config" >"$XPV_LOGS/xl.log" 2>&1 || die "cycle $1: xl create: $(cat "$XPV_LOGS/xl.log")"
	sleep "0.$(($1 * 7 % 10))"
	timeout 60 xl destroy g || die "cycle $1: xl destroy"
}

# late N: in the middle of I/O
late()
{
	guest_create g pv "$kernel" -M 128 -m xen-blkfront -d "vdev=xvda,format=raw,target=$dev"
	cp "$XPV_GUESTS/g/config" "$config"
	disk_wait g xvda || die "cycle $1: no disk"
	guest_run g 'for i in 1 2 3 4; do dd if=/dev/zero of=/dev/xvda bs=64k oflag=direct 2>/dev/null & done; sleep 0.5' || :
	guest_destroy g || die "cycle $1: destroying g"
}

config=/run/xpv/cycle.config
kernel=${XPV_GUEST_KERNELS:-6.1}
cycles=${XPV_CYCLES:-100}
dev=$(disk_null cycles 64) || fail "no null_blk"
xpv_backend ours || die "the backend's modules"
late 1
sleep 1
before=$(held)
for n in $(seq 2 "$cycles"); do
	if [ $((n % 5)) = 1 ]; then late "$n"; else early "$n"; fi
	[ $((n % 5)) != 0 ] || wait_for 20 as_before || die "cycle $n: before: $before; now: $(held)"
	wait_for 20 disk_is_free || die "cycle $n: the disk is busy"
done
note "$before"
xpv_backend intree || die "the modules stay"
