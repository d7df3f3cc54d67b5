# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For cases whose guests run the suite's own modules; after lib.sh.
#
#   xpv_load NAME [-e fifo|2l] [PARAMETER...]  load bus, provider (with these parameters) and blkfront in an HVM guest with nopv
#   xpv_unload NAME             the other way round
#   xpv_backend ours|intree     which blkback dom0 has; ours is loaded anew. No disk may be attached
#   xpv_frontend GUEST ours|intree [fifo|2l]  which blkfront a guest has, whatever its type; without Xen support of its own also
#                               which event channels
#   xpv_frontend_again GUEST    unload ours under its disk xvda, load it, and wait for the disk
#   xpv_moved CPU               print a script for a guest whose disk is xvda: its interrupt on that processor, the second one of those
#                               that are online, with data; and virtual CPUs are registered
#   die TEXT...                 fail, after what dom0, the store and the guest g have to say about it

die()
{
	dmesg | tail -n 15
	tail -n +1 /sys/bus/xpv-backend/devices/*vbd*/status 2>/dev/null
	xenstore-ls -f 2>/dev/null | grep -E '/(vbd|qdisk|error|control)/' | head -n 60
	[ ! -e "$XPV_LOGS/xl.log" ] || tail -n 20 "$XPV_LOGS/xl.log"
	! guest_alive g || guest_run g 'dmesg | tail -n 25; cat /sys/bus/xpv/devices/*vbd*/status /tmp/fio' 2>/dev/null
	fail "$@"
}

xpv_load()
{
	local name=$1 events=

	shift
	[ "${1:-}" != -e ] || { events="events=$2"; shift 2; }
	guest_run "$name" "modprobe xpv-xenbus $events && modprobe xpv-platform-pci $* && modprobe xpv-blkfront"
}

xpv_unload()
{
	guest_run "$1" 'rmmod xpv_blkfront && rmmod xpv_platform_pci && rmmod xpv_xenbus'
}

xpv_backend()
{
	local m mods

	mods=$XPV_TOP/out/build/$(uname -r)
	if [ "$1" = intree ]; then
		[ ! -d /sys/module/xpv_xenbus ] || rmmod xpv-blkback xpv-hv-native xpv-xenbus || return
		modprobe xen-blkback
		return
	fi
	[ ! -d /sys/module/xen_blkback ] || modprobe -r xen-blkback || return
	if [ -d /sys/module/xpv_blkback ]; then
		rmmod xpv-blkback && insmod "$mods/xpv-blkback.ko"
		return
	fi
	for m in xpv-xenbus xpv-hv-native xpv-blkback; do
		insmod "$mods/$m.ko" || return
	done
}

xpv_frontend()
{
	if [ "$2" = intree ]; then
		guest_run "$1" '[ ! -d /sys/module/xpv_xenbus ] || rmmod xpv-blkfront xpv-hv-native xpv-xenbus
			modprobe xen-blkfront'
		return
	fi
	guest_run "$1" "
		[ ! -d /sys/module/xpv_blkfront ] || exit 0
		[ ! -d /sys/module/xen_blkfront ] || rmmod xen-blkfront || exit
		if grep -qw nopv /proc/cmdline; then
			modprobe xpv-xenbus events=${3:-fifo} && modprobe xpv-platform-pci
		else
			modprobe xpv-hv-native
		fi && modprobe xpv-blkfront"
}

xpv_frontend_again()
{
	guest_run "$1" "rmmod xpv-blkfront && modprobe xpv-blkfront" && disk_wait "$1" xvda
}

xpv_moved()
{
	echo "cpu=$1"
	# shellcheck disable=SC2016 # for the guest
	echo '
irq=$(awk "/xpv-event/ && /queue-0/ { sub(\":\", \"\", \$1); print \$1 }" /proc/interrupts)
echo $cpu >/proc/irq/$irq/smp_affinity_list || exit 1
dd if=/dev/xvda of=/tmp/first bs=64k count=64 iflag=direct 2>/dev/null
dd if=/dev/xvda bs=64k count=64 iflag=direct 2>/dev/null | cmp - /tmp/first || exit 1
grep -q "CPU0  *CPU$cpu" /proc/interrupts || exit 1
set -- $(grep "^ *$irq:" /proc/interrupts)
[ "$3" -gt 10 ] || { echo "$*"; exit 1; }
grep xpv-vcpus /proc/iomem || { echo "virtual CPU $cpu is not registered"; exit 1; }'
}
