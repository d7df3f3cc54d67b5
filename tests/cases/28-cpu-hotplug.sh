#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Processors go and come back under I/O: interrupts of event channels move away and can be moved back, no event is lost, the
# data is right.
# timeout: 120
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

cpu=/sys/devices/system/cpu/cpu1
[ -w $cpu/online ] || skip "processor 1 cannot be taken offline"

suite_load
disk 32
domain hotplug
attach hotplug "$disk" xvda

# irqs: numbers of the queues' interrupts of both sides
irqs() { awk '/xpv-event/ && /queue-0/ { sub(":", "", $1); print $1 }' /proc/interrupts; }

# irqs_on CPU: all of them are handled there
irqs_on()
{
	for i in $(irqs); do
		[ "$(cat "/proc/irq/$i/effective_affinity_list")" = "$1" ] || return 1
	done
}

same "each side has one interrupt" 2 "$(irqs | wc -l)"

fio --name=hotplug --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=8k \
	--size=16m --io_size=1g --time_based --runtime=$((12 * slow)) --verify=crc32c --verify_backlog=64 >"$case_tmp/fio" 2>&1 &
fio=$!
rounds=$(few 5 2)
for round in $(seq "$rounds"); do
	for i in $(irqs); do
		echo 1 >"/proc/irq/$i/smp_affinity_list" || die "round $round: interrupt $i cannot be moved to processor 1"
	done
	soon 5 "round $round: the interrupts are on processor 1" irqs_on 1
	moment
	echo 0 >$cpu/online || die "round $round: offline"
	irqs_on 0 || die "round $round: an interrupt did not leave: $(grep . /proc/irq/*/effective_affinity_list)"
	moment
	echo 1 >$cpu/online || die "round $round: online"
	moment
done
kill -0 $fio || die "fio ended too early: $(cat "$case_tmp/fio")"
pass "$rounds rounds"
check "fio ends without an error" wait $fio || cat "$case_tmp/fio"
detach hotplug xvda
