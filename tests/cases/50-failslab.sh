#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory that is not there: allocations that each module asks for fail at random while disks are attached, used and detached, domains
# come and go, and the store is written. What fails says so; no warning, no leak, and everything works afterwards.
# kernels: debug
# allocations: fail
# timeout: 300
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

debugfs=/sys/kernel/debug
[ -d $debugfs/failslab ] || skip "no failslab in this kernel"
[ -e $debugfs/failslab/require-start ] || skip "no stack trace filter in this kernel"

suite_load
disk 16
dev=$disk

# address NAME: of a function of the kernel
address() { awk -v name="$1" '$3 == name { print "0x" $1 }' /proc/kallsyms | head -1; }

irq_core_start=$(address irq_kobj_release)
irq_core_end=$(address show_interrupts)
[ "$irq_core_start" ] && [ "$irq_core_end" ] || die "no addresses of the interrupt core"

# inject KNOB PERCENT MODULE: of the allocations that the module's functions ask for
inject()
{
	start=$(cat "/sys/module/$(echo "$3" | tr - _)/sections/.text")
	size=$(awk -v m="$(echo "$3" | tr - _)" '$1 == m { print $2 }' /proc/modules)
	{
		echo "$start" >"$1/require-start"
		# modules are in the last 2 GiB; the shell cannot count that far
		printf '0xffffffff%08x\n' $((0x${start#0xffffffff} + size)) >"$1/require-end"
		echo 32 >"$1/stacktrace-depth"
		echo 0 >"$1/verbose"
		echo N >"$1/ignore-gfp-wait"
		# the interrupt core goes on without an interrupt's /proc and /sys entries, and warns when it removes them
		echo "$irq_core_start" >"$1/reject-start"
		echo "$irq_core_end" >"$1/reject-end"
		[ ! -e "$1/min-order" ] || echo 0 >"$1/min-order"
		echo 1 >"$1/interval"
		echo 0 >"$1/space"
		echo -1 >"$1/times"
		echo "$2" >"$1/probability"
	} || die "cannot set $1"
}

no_inject()
{
	local each

	for each in failslab fail_page_alloc; do
		[ ! -d $debugfs/$each ] || echo 0 >$debugfs/$each/probability
	done
}

# everything that the suite does, each step allowed to fail but not to hang
exercise()
{
	timeout 20 xpvctl create -q fault
	timeout 20 xpvctl block-attach -q -t 3 fault "phy:$dev" xvda w
	[ ! -b /dev/xvda ] || {
		timeout 20 dd if=/dev/urandom of=/dev/xvda bs=64k count=8 oflag=direct conv=nocreat
		timeout 20 dd if=/dev/xvda of=/dev/null bs=64k count=8 iflag=direct
	}
	timeout 10 xenstore-write data/fault 1
	timeout 10 xenstore-ls -f
	timeout 20 xpvctl block-detach -q -t 3 fault xvda || timeout 20 xpvctl block-detach -qf fault xvda
	timeout 30 xpvctl destroy -q fault
}

# nothing in the way of the next round
clean_up()
{
	[ ! -d "$stub/fault" ] || xpvctl destroy -q fault || die "destroy after $1"
	for id in $(xenstore-list $BACKENDS 2>/dev/null); do
		xenstore-rm "$BACKENDS/$id"
		prune_dom0 "$id"
	done
	prune_shared
	xenstore-rm data/fault 2>/dev/null
	for side in xpv xpv-backend; do
		soon 30 "the devices go after $1" not ls -d /sys/bus/$side/devices/d*
	done
}

for module in $suite_modules; do
	for knob in failslab fail_page_alloc; do
		[ -d $debugfs/$knob ] || continue
		inject $debugfs/$knob 15 "$module"
		exercise >"$case_tmp/exercise" 2>&1
		no_inject
		clean_up "$module $knob"
		counters_check "$case_counters"
	done
	domain after
	attach after "$dev" xvda
	check "reads after failures in $module" dd if=/dev/xvda of=/dev/null bs=64k count=16 iflag=direct
	detach after xvda
	xpvctl destroy after || die "destroy"
done

# the modules' own init: the N-th allocation of insmod fails
for knob in failslab fail_page_alloc; do
	[ ! -d $debugfs/$knob ] || echo 0 >$debugfs/$knob/stacktrace-depth
done
for module in xpv-blkfront xpv-blkback; do
	nth=7
	while [ $nth -lt 400 ]; do
		without $module
		# shellcheck disable=SC2016 # for the inner shell
		sh -c 'echo $1 >/proc/self/fail-nth && exec insmod "$2"' sh $nth "$build/$module.ko" >/dev/null 2>&1
		nth=$((nth + 41))
	done
	need $module || die "load $module"
done
pass "modules load or not, without a trace"
