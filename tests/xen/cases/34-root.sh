#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An HVM guest with nopv has its root file system on xvda, by an initramfs of initramfs-tools with what make install installs.
# timeout: 330
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

# The guest's only program, tests/install/root-init, leaves a message on its root and powers off. The disk is emulated too: only
# when that one has been unplugged there is one of the name.
image=$XPV_TOP/out/install/guest
[ -s "$image" ] || fail "no $image: tests/install/run --image"
root=$(mktemp -d)
mkdir "$root"/{bin,dev,proc,sys,run}
cp /bin/busybox "$root/bin/"
install -m 755 "$XPV_TOP/tests/install/root-init" "$root/init"
dev=$(disk_null root 64) || fail "no null_blk"
mke2fs -q -t ext4 -U 5853aaaa-0000-4000-8000-000000000001 -d "$root" "$dev" || fail "mke2fs"

guest_create g hvm-nopv 6.12 -R "$image" -d "vdev=xvda,format=raw,target=$dev" \
	-a "root=UUID=5853aaaa-0000-4000-8000-000000000001 rw init=/init"
if ! guest_wait_gone g 180; then
	guest_logs g
	tail -n 30 "$XPV_LOGS/g/serial.log"
	xenstore-ls -f | grep -E '/vbd/|/error/'
	fail "the guest does not end"
fi
sync
echo 3 >/proc/sys/vm/drop_caches
said=$(debugfs -R 'cat /from-guest' "$dev" 2>/dev/null)
[ "$said" = "/dev/xvda is the root" ] || { tail -n 30 "$XPV_GUESTS/g/serial.log"; fail "the guest left '$said' on its root"; }
guest_destroy g || fail "g"
