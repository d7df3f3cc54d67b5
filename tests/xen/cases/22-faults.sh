#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Our frontend on our backend: a guest before its backend, wrong keys, a side that vanishes under writes, detach while mounted.
# guest: 6.12 -m crc32c_generic -m ext4
# timeout: 420
#
# Each time both sides end by themselves and say why, what was acknowledged is on dom0's disk, and the next disk works.
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

mods=$XPV_TOP/out/build/$(uname -r)

# --- A toolstack by hand ----------------------------------------------------------------------------------------------

# write_disk [KEY=VALUE...]: the nodes of xvda. f:KEY is one of the frontend's; later ones replace earlier ones, an empty value
# leaves the key out.
write_disk()
{
	local kv key
	local -A keys=()
	local -a args=()

	for kv in f:backend="$be" f:backend-id=0 f:state=1 f:virtual-device=51712 f:device-type=disk frontend="$fe" \
		frontend-id="$domid" online=1 state=1 type=phy mode=w dev=xvda device-type=disk params="$dev" \
		physical-device="$(stat -L -c %t:%T "$dev")" "$@"; do
		keys[${kv%%=*}]=${kv#*=}
	done
	for key in "${!keys[@]}"; do
		[ "${keys[$key]}" ] || continue
		case $key in
		f:*) args+=("$fe/${key#f:}" "${keys[$key]}") ;;
		*) args+=("$be/$key" "${keys[$key]}") ;;
		esac
	done
	xenstore-write "$be" "" "$fe" ""
	xenstore-chmod "$be" n0 "r$domid"
	xenstore-chmod "$fe" "n$domid" r0
	xenstore-write "${args[@]}"
}

gone()
{
	! ls -d /sys/bus/xpv-backend/devices/d0-vbd-* >/dev/null 2>&1 &&
		guest_run g '! ls -d /sys/bus/xpv/devices/*vbd* >/dev/null 2>&1'
}

remove_disk()
{
	xenstore-rm "$fe" 2>/dev/null
	xenstore-rm "$be" 2>/dev/null
	wait_for 20 gone || die "$1: a device is left"
	! grep -q 'd0-vbd' /proc/interrupts || die "$1: an interrupt is left in dom0"
	mkswap -f "$dev" >/dev/null 2>&1 || die "$1: the disk is busy"
	xenstore-rm error/backend/vbd 2>/dev/null
	xenstore-rm "/local/domain/$domid/error" 2>/dev/null
}

# says fe|be PATTERN: its status does
says()
{
	if [ "$1" = be ]; then
		cat /sys/bus/xpv-backend/devices/d0-vbd-*/status 2>/dev/null
	else
		guest_run g 'cat /sys/bus/xpv/devices/*vbd*/status'
	fi | grep -Eq "^(waits for|error): .*($2)"
}

# wrong WHAT fe|be PATTERN KEY=VALUE...: that side names what is wrong
wrong()
{
	local what=$1 side=$2 pattern=$3

	shift 3
	write_disk "$@"
	wait_for 10 says "$side" "$pattern" || die "$what: the $side does not say /$pattern/"
	[ "$(xenstore-read "$be/state" 2>/dev/null)" != 4 ] || die "$what: connected all the same"
	remove_disk "$what"
}

# --- Writes under which something happens -----------------------------------------------------------------------------

# writer: 64 KiB blocks, one after the other, all the same; each is counted when it has been acknowledged by the disk: when that has
# gone, dd makes a file by its name
writer()
{
	# shellcheck disable=SC2016 # for the guest
	guest_run g '
		rm -f /tmp/acked
		dd if=/dev/urandom of=/tmp/block bs=64k count=1 2>/dev/null
		(
			n=0
			while [ $n -lt 900 ] && dd if=/tmp/block of=/dev/xvda bs=64k seek=$n oflag=direct conv=notrunc && [ -b /dev/xvda ]; do
				n=$((n + 1))
				echo $n >/tmp/acked
			done
			[ -b /dev/xvda ] || rm -f /dev/xvda
			touch /tmp/ended
		) >/dev/null 2>&1 </dev/null &
		rm -f /tmp/ended
		until [ -s /tmp/acked ]; do sleep 0.1; done' || die "no writer"
}

# all_there WHAT: the writer ends, and what was acknowledged to it is on the disk
all_there()
{
	local acked block there

	wait_for 40 guest_run g '[ -e /tmp/ended ]' || die "$1: the writer does not end"
	acked=$(guest_run g 'cat /tmp/acked')
	block=$(guest_run g 'for i in 1 2 3 4 5 6 7 8; do cat /tmp/block; done | md5sum')
	[ "$acked" -ge 8 ] || die "$1: only $acked writes"
	acked=$((acked / 8 * 8))
	there=$(dd if="$dev" bs=64k count=$acked iflag=direct 2>/dev/null | split -b 512k --filter=md5sum | sort | uniq -c)
	[ "$there" = "$(printf '%7d %s' $((acked / 8)) "$block")" ] || die "$1: of $acked writes, $block, there is: $there"
	note "$1: $acked acknowledged writes are there"
}

works()
{
	disk_attach g "$dev" xvda || die "$1: attach"
	disk_compare g "$dev"
	disk_detach g xvda || die "$1: detach"
	wait_for 20 gone || die "$1: a device is left"
}

# ----------------------------------------------------------------------------------------------------------------------

dev=$(disk_null faults 64) || fail "no null_blk"
guest_create g hvm-nopv "${XPV_GUEST_KERNELS:-6.12}" -v 2 -m crc32c_generic -m ext4 -l xpv-blkfront
domid=$(xl domid g)
fe=/local/domain/$domid/device/vbd/51712 be=/local/domain/0/backend/vbd/$domid/51712
xpv_backend ours || die "the backend's modules"
xpv_load g || die "load in the guest"

# the guest is there before its backend
rmmod xpv-blkback || die "rmmod xpv-blkback"
write_disk
wait_for 10 says fe 'backend' || die "the frontend does not say that it waits for its backend"
insmod "$mods/xpv-blkback.ko" || die "insmod xpv-blkback"
disk_wait g xvda || die "no disk after the backend has come"
disk_compare g "$dev"
remove_disk "the backend came last"

wrong 'malformed physical-device' be physical-device physical-device=nonsense
wrong 'no mode' be mode mode=
wrong 'malformed mode' be mode mode=sideways
wrong 'no virtual-device' fe virtual-device f:virtual-device=
wrong 'malformed virtual-device' fe virtual-device f:virtual-device=xvda
works "after wrong keys"

# the backend's nodes vanish, then its module, then the frontend's nodes
for how in nodes module frontend; do
	disk_attach g "$dev" xvda || die "$how: attach"
	writer
	sleep 1
	case $how in
	nodes) xenstore-rm "$be" ;;
	module) timeout 20 rmmod xpv-blkback || die "rmmod xpv-blkback under writes" ;;
	frontend) xenstore-rm "$fe" ;;
	esac
	[ $how != module ] || insmod "$mods/xpv-blkback.ko" || die "insmod xpv-blkback"
	case $how in
	module) xl block-detach g xvda || die "$how: detach" ;;
	*) xl block-detach g xvda >/dev/null 2>&1 ;; # libxl finds half of it
	esac
	all_there "$how"
	remove_disk "$how"
	works "$how"
done

# the frontend's provider goes while the disk is connected: the backend hears of it, and the disk is there again with it
disk_attach g "$dev" xvda || die "attach before the provider goes"
guest_run g -t 20 'rmmod xpv_platform_pci' || die "rmmod xpv-platform-pci"
[ "$(xenstore-read "$fe/state")" = 6 ] || die "the frontend's state is not Closed"
guest_run g 'modprobe xpv-platform-pci' || die "xpv-platform-pci again"
disk_wait g xvda || die "no disk after xpv-platform-pci has come back"
disk_compare g "$dev"
disk_detach g xvda || die "detach after the provider"

# mounted: it is not torn away, and goes with the last user
mkfs.ext4 -q -O ^metadata_csum "$dev" || die "mkfs"
disk_attach g "$dev" xvda || die "attach to mount"
guest_run g 'mkdir -p /mnt && mount -t ext4 /dev/xvda /mnt && cp /tmp/block /mnt/a && sync' || die "mount"
timeout 90 xl block-detach g xvda >/dev/null 2>&1 && die "detached while mounted"
guest_run g 'cp /tmp/block /mnt/b && sync && cmp /mnt/a /mnt/b && umount /mnt' || die "the file system after a detach that was refused"
xl block-detach g xvda || die "detach after umount"
wait_for 20 gone || die "mounted: a device is left"
fsck.ext4 -fn "$dev" >/dev/null 2>&1 || die "the file system is damaged"
mkdir -p /run/faults
mount -o ro "$dev" /run/faults || die "mount in dom0"
[ "$(md5sum </run/faults/b)" = "$(guest_run g 'md5sum </tmp/block')" ] || die "dom0 sees something else"
umount /run/faults
works "after the mount"

xpv_unload g || die "unload in the guest"
guest_destroy g || fail "destroying g"
xpv_backend intree || die "the modules stay"
