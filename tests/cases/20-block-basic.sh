#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The straight path: attach, partition-less ext4, files by checksum, fio with verification, read-only mode, flush, detach,
# attach again, and the data from dom0's side.
# timeout: 240
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 96
dev=$disk
domain basic
dom=$domid
mnt=/run/basic
mkdir -p $mnt

xpvctl block-attach basic "phy:$dev" xvda w || die "attach"
[ -b /dev/xvda ] || die "no /dev/xvda"
[ "$(blockdev --getsize64 /dev/xvda)" = "$(blockdev --getsize64 "$dev")" ] || die "size"
[ "$(blockdev --getss /dev/xvda)" = "$(blockdev --getss "$dev")" ] || die "sector size"
[ "$(cat /sys/block/xvda/ro)" = 0 ] || die "read-only"
connected "$dom" 51712 || die "not connected"
for side in fe be; do
	for file in devtype nodename modalias state status resources; do
		[ -r "$("${side}_sysfs" "$dom" 51712)/$file" ] || die "no attribute $file of the $side"
	done
done

mkfs.ext4 -q /dev/xvda || die "mkfs"
mount /dev/xvda $mnt || die "mount"
mkdir $mnt/data
cp -r /usr/share/perl5/Debconf $mnt/data
for letter in $(few "a b c d" a); do
	cp -r /usr/bin/"$letter"* $mnt/data 2>/dev/null
done
dd if=/dev/urandom of=$mnt/random bs=1M count="$(few 16 4)" 2>/dev/null
(cd $mnt && find . -type f -print0 | sort -z | xargs -0 md5sum) >/run/basic.sums
[ "$(wc -l </run/basic.sums)" -gt 20 ] || die "too few files"
sync
umount $mnt
echo 3 >/proc/sys/vm/drop_caches
mount /dev/xvda $mnt
(cd $mnt && md5sum --quiet -c /run/basic.sums) || die "checksums through the pair"
umount $mnt
xpvctl block-detach basic xvda || die "detach"
[ ! -e /dev/xvda ] || die "/dev/xvda is still there"

# from dom0's side
mount -o ro "$dev" $mnt || die "mount in dom0"
(cd $mnt && md5sum --quiet -c /run/basic.sums) || die "checksums in dom0"
umount $mnt

# read-only: the frontend refuses, and the data stays
xpvctl block-attach basic "phy:$dev" xvda r || die "attach read-only"
[ "$(cat /sys/block/xvda/ro)" = 1 ] || die "not read-only"
dd if=/dev/zero of=/dev/xvda bs=4k count=1 oflag=direct conv=nocreat 2>/dev/null && die "a write to a read-only disk succeeded"
mount -o ro,noload /dev/xvda $mnt || die "mount read-only"
(cd $mnt && md5sum --quiet -c /run/basic.sums) || die "checksums read-only"
umount $mnt
xpvctl block-detach basic xvda || die "detach"

# again, with other shapes of I/O, verified: the backend maps all of it, or copies small requests, or all
shapes()
{
	xpvctl block-attach basic "phy:$dev" xvda w || die "attach again"
	fio --name=verify --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=32 --rw=randwrite \
		--bsrange=512-128k --size=64m --io_size="$(few 24m 6m)" --verify=crc32c --do_verify=1 --verify_fatal=1 --fsync=64 --randseed=1 \
		--minimal >/run/basic.fio 2>&1 || die "fio: $(tail -3 /run/basic.fio)"
	for bytes in 512 1024 4096 45056 65536 1048576; do
		dd if=/dev/urandom of=/run/basic.in bs=$bytes count=3 2>/dev/null
		dd if=/run/basic.in of=/dev/xvda bs=$bytes seek=5 oflag=direct conv=fsync,nocreat 2>/dev/null || die "write $bytes"
		dd if=/dev/xvda bs=$bytes skip=5 count=3 iflag=direct 2>/dev/null | cmp -s - /run/basic.in || die "read $bytes"
	done
	dd if=/run/basic.in of=/dev/xvda bs=1M count=1 oflag=direct,sync conv=nocreat 2>/dev/null || die "synchronous write"
	blockdev --flushbufs /dev/xvda
	sum=$(md5sum </dev/xvda)
	copied=$(cat "$(be_sysfs "$dom" 51712)/statistics/copied")
	requests=$(cat "$(be_sysfs "$dom" 51712)"/statistics/??_req | paste -s -d+ | bc)
	prompt=$(cat "$(fe_sysfs "$dom" 51712)/statistics/prompt")
	events=$(sed -n 's/.* \([0-9]*\) events, .*/\1/p' "$(fe_sysfs "$dom" 51712)/resources")
	spurious=$(sed -n 's/.* \([0-9]*\) spurious, .*/\1/p' "$(fe_sysfs "$dom" 51712)/resources")
	xpvctl block-detach basic xvda || die "detach"
	# one whose responses have been taken before it came is none
	[ "$spurious" -le $((events / 20)) ] || die "$spurious of $events events were spurious"
	[ "$(md5sum <"$dev")" = "$sum" ] || die "the backing device differs from what the guest read"
}

for segs in 0 2 11; do
	echo $segs >/sys/module/xpv_blkback/parameters/copy_segs
	shapes
	note "up to $segs segments are copied: $copied of $requests requests; $prompt answers without an event, $events events, $spurious spurious"
	case $segs in
	0) [ "$copied" = 0 ] || die "copied without being asked to" ;;
	2) [ "$copied" -gt 0 ] && [ "$copied" -lt "$requests" ] || die "not small requests alone" ;;
	11) [ "$copied" -gt $((requests / 2)) ] || die "not all" ;;
	esac
done

xpvctl destroy basic || die "destroy"
