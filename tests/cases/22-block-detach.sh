#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Detaching a disk in use: xpvctl says who uses it and ends in time; the disk works on and goes with its last user. By force
# it goes at once: I/O fails, nothing hangs, nothing is left.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 64
dev=$disk
domain detach
dom=$domid
mnt=/run/detach
mkdir -p $mnt

xpvctl block-attach detach "phy:$dev" xvda w || die "attach"
mkfs.ext4 -q /dev/xvda
mount /dev/xvda $mnt || die "mount"
dd if=/dev/urandom of=$mnt/file bs=1M count=4 conv=fsync 2>/dev/null
sum=$(md5sum <$mnt/file)

start=$(date +%s)
expect 3 'xvda: not closed after 2 s: .*frontend.*(open|use|busy|mounted)' xpvctl block-detach -t 2 detach xvda
[ $(($(date +%s) - start)) -le $((10 * slow)) ] || die "detach took too long"
status_of fe "$dom" 51712 | grep -Eiq 'open|use|busy' || die "status: $(status_of fe "$dom" 51712)"

# it still works, and goes when it is unmounted
echo 3 >/proc/sys/vm/drop_caches
[ "$(md5sum <$mnt/file)" = "$sum" ] || die "data of a disk that is asked to close"
dd if=/dev/urandom of=$mnt/more bs=1M count=2 conv=fsync 2>/dev/null || die "write to a disk that is asked to close"
umount $mnt
soon 10 "the backend closes after umount" state_is "$(be "$dom" 51712)" 6
xpvctl block-detach detach xvda || die "second detach"
[ ! -e /dev/xvda ] || die "/dev/xvda is still there"
[ -z "$(xpvctl block-list detach | tail -n +2)" ] || die "nodes are left"

# by force: mounted, and with I/O in flight
xpvctl block-attach detach "phy:$dev" xvda w || die "attach"
fio --name=io --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=16 --rw=randrw --bs=4k --offset=32m \
	--time_based --runtime=60 >/run/detach.fio 2>&1 &
fio=$!
sleep 1
start=$(date +%s)
xpvctl block-detach --force detach xvda || die "forced detach"
[ $(($(date +%s) - start)) -le $((15 * slow)) ] || die "forced detach took too long"
soon 20 "fio ends with I/O errors" not kill -0 $fio
wait $fio && die "fio succeeded without a disk"
[ ! -e /dev/xvda ] || die "/dev/xvda is still there"
no_devices "$dom" 51712 || die "devices are still there"
! xenstore-exists "$(fe "$dom" 51712)" || die "frontend nodes are left"
! xenstore-exists "$(be "$dom" 51712)" || die "backend nodes are left"

# a file that stays open does not keep the domain's device
xpvctl block-attach detach "phy:$dev" xvda w || die "attach after force"
exec 9</dev/xvda
xpvctl block-detach --force detach xvda || die "forced detach of an open disk"
same "nothing can be read from a disk that is gone" 0 "$(dd bs=4k count=1 iflag=direct <&9 2>/dev/null | wc -c)"
xpvctl block-attach detach "phy:$dev" xvdb w || die "attach while the old one is open"
exec 9<&-
xpvctl block-detach detach xvdb || die "detach"

# several at once
for v in xvda xvdb xvdc; do
	xpvctl block-attach detach "phy:$dev" $v r || die "attach $v"
done
for v in xvda xvdb xvdc; do
	xpvctl block-detach detach $v &
done
wait
[ -z "$(xpvctl block-list detach | tail -n +2)" ] || die "nodes are left"

# what somebody else has begun to remove is removed to the end
xpvctl block-attach detach "phy:$dev" xvda w || die "attach before the backend's directories go"
xenstore-rm "$BACKENDS/$dom"
xpvctl block-detach --force detach xvda || die "detach what is left"
! xenstore-exists /local/domain/0/backend || die "directories of the backend's are left: $(xenstore-ls /local/domain/0/backend)"

xpvctl destroy detach || die "destroy"
