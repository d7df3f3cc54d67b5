#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An HVM guest with nopv and the suite's modules: disks of dom0's in-tree backend come and go, by each way of upcalls and events.
# timeout: 400
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# Processor 1 of the guest goes and comes back under reads of a disk, with the disk's interrupt on it: they go on, and are right.
# shellcheck disable=SC2016 # for the guest
hotplug='
irq=$(awk "/xpv-event/ && /queue-0/ { sub(\":\", \"\", \$1); print \$1 }" /proc/interrupts)
cpu=/sys/devices/system/cpu/cpu1/online
die()
{
	echo "round $round: $*: interrupt $irq on $(cat /proc/irq/$irq/effective_affinity_list), $(wc -c </tmp/reads) reads"
	kill $reader
	exit 1
}
on()
{
	[ "$(cat /proc/irq/$irq/effective_affinity_list)" = $1 ] || die "$2: not on processor $1"
}
moves()
{
	local from=$(wc -c </tmp/reads) n=0

	until [ $(wc -c </tmp/reads) -gt $((from + 2)) ]; do
		kill -0 $reader && [ $n -lt 200 ] || die "$1: no reads"
		n=$((n + 1))
		sleep 0.05
	done
}
[ "$irq" ] || { cat /proc/interrupts; exit 1; }
dd if=/dev/xvda of=/tmp/first bs=4k count=16 iflag=direct 2>/dev/null
while dd if=/dev/xvda bs=4k count=16 iflag=direct 2>/dev/null | cmp - /tmp/first; do
	printf .
done >/tmp/reads &
reader=$!
for round in 1 2 3; do
	echo 1 >/proc/irq/$irq/smp_affinity_list || die "moving"
	on 1 moved
	moves moved
	echo 0 >$cpu || die "offline"
	on 0 offline
	moves offline
	echo 1 >$cpu || die "online"
	moves online
done
kill $reader'

# obeyed PARAMETER...: the provider does what was asked for
obeyed()
{
	local p

	for p; do
		case $p in
		hypercall=page) guest_run g "dmesg | grep hypercalls | tail -n 1 | grep page" ;;
		shared_vcpus=*) guest_run g "grep xpv-vcpus /proc/iomem" ;;
		frames=bar) guest_run g "grep xpv-frames /proc/iomem" ;;
		esac || fail "$p does not take effect"
	done
}

# one EVENTS ASKED GOT [MORE [PARAMETER...]]: all modules in, a disk attached, filled, MORE, detached, all modules out
one()
{
	local out start=$SECONDS

	out=$(xpv_load g -e "$1" upcall="$2" "${@:5}") || fail "$2: loading: $out"
	obeyed "${@:5}"
	out=$(guest_run g "dmesg | grep -o 'upcalls by .*' | tail -n 1")
	[ "$out" = "upcalls by $3" ] || fail "upcall=$2: $out"
	out=$(guest_run g 'xenstore-read name') || fail "$2: xenstore-read: $out"
	[ "$out" = g ] || fail "$2: the name is $out"
	disk_attach g "$dev" xvda || fail "$2: attach"
	out=$(guest_run g 'cat /proc/interrupts' | grep -i -e xpv -e CPU0)
	[[ $out == *-"$1 "*queue-0* ]] || fail "events=$1: $out"
	disk_compare g "$dev"
	[ ! "${4:-}" ] || out=$(guest_run g -t 90 "$4") || fail "$2, $1: $out"
	note "$(guest_run g 'cat /proc/interrupts' | grep -i -e xpv -e CPU0)"
	disk_detach g xvda || fail "$2: detach"
	out=$(xpv_unload g) || fail "$2: unloading: $out"
	note "upcall=$2 events=$1 ${*:5}: $((SECONDS - start)) s"
}

try()
{
	local free

	guest_create g hvm-nopv "$1" -v 2 -b xenstore-read -l xpv-blkfront
	free=$(guest_run g "grep MemFree /proc/meminfo")
	if [ "$1" = 6.1 ] || [ "${XPV_FULL:-}" ]; then
		one 2l poll poll "" hypercall=page frames=bar
		one fifo vector vector "$hotplug"
	fi
	if [ "$1" != 6.1 ] || [ "${XPV_FULL:-}" ]; then
		one fifo intx intx
		# virtual CPU 1 does as those do that shared_info has no room for
		one 2l vector vector "$hotplug" shared_vcpus=1
		# a vector that was set, and a registration, cannot be taken back: they are there when the module comes again
		one fifo intx vector "$(xpv_moved 1)"
	fi
	note "before: $free; now: $(guest_run g "grep MemFree /proc/meminfo")"
	! guest_run g 'dmesg | grep "page is lost"' || fail "a page was lost"
	guest_destroy g || fail "destroying g"
}

dev=$(disk_null pci 64) || fail "no null_blk"
failed=0
for kernel in ${XPV_GUEST_KERNELS:-6.1 6.12}; do
	again_if_lost try "$kernel" || { failed=1; note "$kernel: failed"; guest_dmesg g | tail -n 40; guest_destroy g; }
done
exit $failed
