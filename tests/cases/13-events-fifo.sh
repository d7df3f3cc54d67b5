#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Both ABIs of event channels carry the block pair: FIFO, 2-level, and one on either side; ports with high numbers; interrupts
# that are moved and CPUs that go under I/O; death under I/O; 2-level where the hypervisor knows no FIFO.
# timeout: 300
# at once: debug
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

param=/sys/module/xpv_xenbus/parameters/events

events_of() { cat "$stub/$1/events"; }

# ports_of fe|be DOMID: of its disk
ports_of() { sed -n 's/^port \([0-9]*\):.*/\1/p' "$("$1_sysfs" "$2" 51712)/resources"; }

# irqs: the numbers of all interrupts of disks
irqs() { sed -n 's/^ *\([0-9]*\):.*vbd.*/\1/p' /proc/interrupts; }

# io SECONDS: verified I/O in the background; io_ends: and its end
io()
{
	fio --name=io --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --bs=4k \
		--size=16m --time_based --runtime="$1" --verify=crc32c --verify_backlog=256 --verify_fatal=1 \
		--minimal >/run/fifo.fio 2>&1 &
	fio=$!
}

io_ends() { wait $fio || fail "$1: $(tail -2 /run/fifo.fio)"; }

# --- one of them everywhere -------------------------------------------------------------------------------------------

for mode in fifo 2l; do
	load xpv-xenbus events=$mode || die "insmod xpv-xenbus events=$mode"
	suite_load
	[ -n "${disk:-}" ] || disk 32
	same "dom0 uses $mode" $mode "$(events_of Domain-0)"
	domain pair
	same "a domain uses $mode" $mode "$(events_of pair)"
	attach pair "$disk" xvda
	same "the interrupts of both sides say so" 2 "$(grep -c "xpv-event.*-$mode .*vbd" /proc/interrupts)"
	verified "$(few 6m 2m)" "$mode: data"

	io 60
	sleep 1
	check "$mode: the domain dies under I/O" rmdir "$stub/pair"
	soon 30 "fio ends" not kill -0 $fio
	wait $fio && fail "fio succeeded without a disk"
	soon 20 "the domain leaves the store" not xenstore-exists "/local/domain/$domid"
	remove_vbd "$domid" 51712
	prune_dom0 "$domid"
	prune_shared
	counters_check "$case_counters"
	check "$mode: unload" suite_unload
done

# --- one on either side -----------------------------------------------------------------------------------------------

load xpv-xenbus || die "insmod xpv-xenbus"
same "FIFO is the default" fifo "$(cat $param)"
refuse any "rror|Invalid" "another word is refused" sh -c "echo 3l >$param"
for mode in fifo 2l; do
	other=$([ $mode = fifo ] && echo 2l || echo fifo)
	echo $mode >$param
	suite_load
	echo "$other" >$param
	domain mixed
	same "dom0 uses $mode, the domain $other" "$mode $other" "$(events_of Domain-0) $(events_of mixed)"
	attach mixed "$disk" xvda
	verified "$(few 6m 2m)" "$mode and $other"
	detach mixed xvda
	check "destroy" xpvctl destroy mixed
	counters_check "$case_counters"
	[ $mode = 2l ] || check "unload the stub" unload xpv-hv-stub
done
check "unload" suite_unload

# --- a hypervisor without FIFO ----------------------------------------------------------------------------------------

load xpv-xenbus events=fifo || die "insmod xpv-xenbus"
load xpv-hv-stub fifo=0 || die "insmod xpv-hv-stub fifo=0"
same "2-level where there is no FIFO" 2l "$(events_of Domain-0)"
same "which is logged once" 1 "$(dmesg | grep -c 'no FIFO event channels')"
check "unload" suite_unload

# --- FIFO alone -------------------------------------------------------------------------------------------------------

load xpv-xenbus events=fifo || die "insmod xpv-xenbus"
suite_load
domain high
n=0 many=$(few 20 5)
while [ $n -lt "$many" ]; do
	xpvctl create -q many$n || die "create many$n"
	n=$((n + 1))
done
same "many domains, all FIFO" "$many" "$(cat "$stub"/many*/events | grep -c fifo)"
echo 16000 >"$stub/Domain-0/first_port"
echo 9000 >"$stub/high/first_port"
attach high "$disk" xvda
same "port numbers beyond 2-level's" "9000 16000" "$(ports_of fe "$domid") $(ports_of be "$domid")"
verified "$(few 6m 2m)" "high ports"

# interrupts that are moved to and fro, while the store is asked
io 12
for n in 1 2 1 2 1 2 1 2 1 2 1 2 3; do
	for i in $(irqs); do
		echo $n >"/proc/irq/$i/smp_affinity" || fail "move interrupt $i"
	done
	xenstore-ls /local/domain >/dev/null || fail "the store does not answer"
	sleep 0.3
done
io_ends "moved interrupts"
pass "interrupts that are moved"
if [ -w /sys/devices/system/cpu/cpu1/online ]; then
	io 15
	for n in 0 1 0 1 0 1; do
		echo $n >/sys/devices/system/cpu/cpu1/online || fail "CPU 1: $n"
		[ $n = 0 ] || for i in $(irqs); do
			echo 2 >"/proc/irq/$i/smp_affinity"
		done
		sleep 0.7
		xenstore-ls /local/domain >/dev/null || fail "the store does not answer"
	done
	io_ends "a CPU that comes and goes"
	pass "a CPU that comes and goes"
fi
verified "$(few 6m 2m)" "after that"
detach high xvda
echo 1 >"$stub/Domain-0/first_port"
check "destroy" xpvctl destroy high
n=0
while [ $n -lt "$many" ]; do
	rmdir "$stub/many$n" || fail "rmdir many$n"
	n=$((n + 1))
done
# dom0's words stay until it leaves FIFO: 15 pages more than there were, for port 16000
fifo_pages() { sed -n 's/^fifo_pages //p'; }
left=$(($(echo "$case_counters" | fifo_pages) + 15))
pages_are() { [ "$(fifo_pages <"$stub/counters")" = "$1" ]; }
wait_for 10 "the pages of the domains are given back" pages_are $left
case_counters=$(echo "$case_counters" | sed "s/^fifo_pages .*/fifo_pages $left/")
