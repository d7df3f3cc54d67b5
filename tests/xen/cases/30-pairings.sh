#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Frontends and backends in pairs, ours and in-tree ones, in guests of each type and kernel: data both ways, hot attach, reload.
# timeout: 900
# dom0: 6.1 6.12
#
# A short table is the default; -e XPV_FULL=1 has all of it, -e 'XPV_PAIRINGS=pvh 6.1 1 fifo ours/qdisk' that line.
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# A line: type and kernel of the guest, virtual CPUs, event channels, pairs FRONTEND/BACKEND. Backends: ours; the in-tree one on
# a block device (intree) and on a loop device (loop); QEMU's own, on a file with a format of its own (qdisk).
table()
{
	local kernel type

	if [ "${XPV_PAIRINGS:-}" ]; then
		echo "$XPV_PAIRINGS"
	elif [ "${XPV_FULL:-}" ]; then
		for kernel in 6.1 6.12; do
			for type in pv pvh hvm; do
				echo "$type $kernel 1 fifo ours/intree ours/loop ours/qdisk ours/ours intree/ours intree/qdisk"
				echo "$type $kernel 2 2l ours/intree ours/ours intree/ours"
			done
			echo "hvm-nopv $kernel 1 2l ours/intree ours/loop ours/qdisk ours/ours"
			echo "hvm-nopv $kernel 2 fifo ours/intree ours/qdisk ours/ours"
		done
		echo 'hvm-nopv debug 2 fifo ours/intree ours/ours'
	elif [[ $(uname -r) == 6.12* ]]; then
		echo 'pv 6.1 1 fifo ours/intree ours/ours intree/ours'
		echo 'hvm-nopv 6.12 2 fifo ours/ours'
	else
		echo 'pv 6.12 2 2l ours/intree ours/loop ours/ours intree/ours'
		echo 'pv 6.1 1 fifo ours/intree ours/qdisk ours/ours intree/ours intree/qdisk'
		echo 'pvh 6.1 1 fifo intree/intree ours/intree ours/qdisk ours/ours intree/ours'
		echo 'pvh 6.12 2 2l ours/loop ours/ours intree/ours'
		echo 'hvm 6.12 2 fifo intree/intree ours/intree ours/ours intree/ours'
		echo 'hvm 6.1 1 2l ours/loop ours/qdisk ours/ours intree/ours'
		echo 'hvm-nopv 6.12 1 fifo ours/intree ours/loop ours/qdisk ours/ours'
		echo 'hvm-nopv 6.1 2 2l ours/intree ours/ours'
		echo 'hvm-nopv debug 1 fifo ours/intree ours/ours'
	fi
}

files=/run/xpv/pairings
MIB=2		# of the disk is written by each side

# --- A disk's data as dom0 has it. What is written and read there goes past its caches ---------------------------------

sum_of()
{
	head -c $((MIB << 20)) | md5sum
}

# fill BACKEND: new data for the first part of the disk; prints its checksum
fill()
{
	dd if=/dev/urandom of="$files/data" bs=1M count="$MIB" 2>/dev/null
	case $1 in
	qdisk)
		truncate -s 16M "$files/data"
		qemu-img convert -f raw -O qcow2 "$files/data" "$files/image" || return
		;;
	loop) dd if="$files/data" of="$loop" bs=64k oflag=direct 2>/dev/null ;;
	*) dd if="$files/data" of="$null" bs=64k oflag=direct 2>/dev/null ;;
	esac
	sum_of <"$files/data"
}

# sums BACKEND: checksums of both parts
sums()
{
	local disk=$null n

	[ "$1" != loop ] || disk=$loop
	if [ "$1" = qdisk ]; then
		disk=$files/raw
		qemu-img convert -f qcow2 -O raw "$files/image" "$disk" || return
	fi
	for n in 0 1; do
		dd if="$disk" bs=1M skip=$((n * MIB)) count="$MIB" iflag="$([ "$1" = qdisk ] || echo direct,)fullblock" 2>/dev/null | sum_of
	done
}

disk_of()
{
	case $1 in
	qdisk) echo "format=qcow2,target=$files/image" ;;
	loop) echo "$loop" ;;
	*) echo "$null" ;;
	esac
}

# --- A disk's data as the guest has it ----------------------------------------------------------------------------------

# guest_sum PART
guest_sum()
{
	guest_run g "dd if=/dev/xvda bs=64k skip=$(($1 * MIB * 16)) count=$((MIB * 16)) iflag=direct 2>/dev/null | md5sum"
}

# New data for the second part of the disk; prints its checksum
guest_fill()
{
	guest_run g "
		set -e
		dd if=/dev/urandom of=/tmp/data bs=1M count=$MIB 2>/dev/null
		dd if=/tmp/data of=/dev/xvda bs=64k seek=$((MIB * 16)) oflag=direct 2>/dev/null
		md5sum </tmp/data
		rm /tmp/data"
}

# --- One pair -----------------------------------------------------------------------------------------------------------

# The kernel's own device has what xentop reads, and it counts.
check_sysfs()
{
	local d

	d=$(echo /sys/bus/xen-backend/devices/vbd-*)
	[ "$(cat "$d/mode")" = w ] || die "$d/mode"
	[ "$(cat "$d/physical_device")" = "$(stat -c %t:%T "$null")" ] || die "$d/physical_device"
	[ "$(cat "$d/statistics/wr_req")" -gt 0 ] || die "$d/statistics/wr_req"
	[ "$(cat "$d/statistics/rd_sect")" -ge $((MIB * 2048)) ] || die "$d/statistics/rd_sect"
	[ "$(xenstore-read "backend/vbd/$(xl domid g)/51712/hotplug-status")" = connected ] || die "hotplug-status"
}

check_clean()
{
	! ls -d /sys/bus/xen-backend/devices/vbd-* 2>/dev/null || die "the kernel's device is still there"
	! ls -d /sys/bus/xpv-backend/devices/d0-vbd-* 2>/dev/null || die "our device is still there"
	! xenstore-ls -f error 2>/dev/null | grep vbd || die "an error node is left"
	! guest_run g 'ls -d /sys/bus/xpv/devices/*vbd* 2>/dev/null' || die "the guest's device is still there"
}

# same WHAT EXPECTED GOT
same()
{
	[ "$2" = "$3" ] || die "$1: expected $2, got $3"
}

# pair FRONTEND BACKEND
pair()
{
	local here there start=$SECONDS

	xpv_backend "$([ "$2" = ours ] && echo ours || echo intree)" || die "the backend's modules"
	xpv_frontend g "$1" "$events" || die "the frontend's modules"
	here=$(fill "$2") || die "$2: no disk"
	disk_attach g "$(disk_of "$2")" xvda || die "attach"
	same "written by dom0, read by the guest" "$here" "$(guest_sum 0)"
	there=$(guest_fill) || die "writing: $there"
	same "read by the guest that wrote it" "$there" "$(guest_sum 1)"
	if [ "$2" = ours ]; then
		check_sysfs
	fi
	# the in-tree one does not connect a second time
	if [ "$1" = ours ]; then
		xpv_frontend_again g || die "the frontend does not come back"
		same "after the frontend was unloaded and loaded" "$there" "$(guest_sum 1)"
	fi
	disk_detach g xvda || die "detach"
	check_clean
	same "read by dom0" "$here
$there" "$(sums "$2")"
	note "$guest: $1/$2: $((SECONDS - start)) s"
}

# guest TYPE KERNEL VCPUS EVENTS PAIR...: QEMU is there for guests of the types that have no device model if a disk of its own
# is there from the beginning.
guest()
{
	local options=(-v "$3" -l xpv-blkfront) guest="$1 $2, $3 vcpus, $4" events=$4 p

	[[ $1 = hvm-nopv || $4 = fifo ]] || options+=(-a xen.fifo_events=0)
	[ "$1" = hvm-nopv ] || options+=(-m xen-blkfront)
	[[ $1 == hvm* || "$*" != */qdisk* ]] || options+=(-d "format=qcow2,vdev=xvdz,access=rw,target=$files/first")
	guest_create g "$1" "$2" "${options[@]}"
	if [[ "$*" == */qdisk* && $1 != hvm* ]]; then
		disk_wait g xvdz || die "no first disk"
		disk_detach g xvdz || die "detach of the first disk"
	fi
	for p in "${@:5}"; do
		pair "${p%/*}" "${p#*/}"
	done
	guest_destroy g || fail "destroying g"
}

mkdir -p "$files"
qemu-img create -q -f qcow2 "$files/first" 16M || fail "no qemu-img"
null=$(disk_null pairs 16) || fail "no null_blk"
loop=$(disk_loop "$files/loop" 16) || fail "no loop device"
failed=0
mapfile -t lines < <(table)
for line in "${lines[@]}"; do
	# shellcheck disable=SC2086 # words
	again_if_lost guest $line || { failed=1; note "$line: failed"; guest_destroy g; }
done
xpv_backend intree || failed=1
losetup -d "$loop"
rm -r "$files"
exit $failed
