#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A domain is destroyed with disks connected, mounted and under I/O: by xpvctl, and by a plain rmdir that leaves the backend's
# nodes. I/O fails, nothing hangs, dom0's device is free again.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 64
dev=$disk

io()
{
	fio --name=io --allow_file_create=0 --filename="$1" --direct=1 --ioengine=libaio --iodepth=16 --rw=randrw --bs=16k \
		--time_based --runtime=120 >/run/death.fio 2>&1 &
	fio=$!
	sleep 1
}

ends()
{
	soon 30 "fio ends" not kill -0 $fio
	wait $fio && die "fio succeeded without a disk"
	soon 10 "the disk goes" test ! -e "$1"
}

gone_or_closed() { state_is "$(be "$1" 51712)" 6 || [ ! -e "$(be_sysfs "$1" 51712)" ]; }

is_free() { xpvctl block-attach probe "phy:$dev" xvdz w && xpvctl block-detach probe xvdz; }

xpvctl create -q probe
for how in xpvctl rmdir; do
	domain death
	dom=$domid
	xpvctl block-attach death "phy:$dev" xvda w || die "attach"
	io /dev/xvda
	if [ $how = xpvctl ]; then
		xpvctl destroy death || die "destroy"
	else
		rmdir /sys/kernel/config/hv-stub/death || die "rmdir"
		soon 10 "the domain leaves the store" not xenstore-exists "/local/domain/$dom"
		soon 20 "the backend notices" gone_or_closed "$dom"
		remove_vbd "$dom" 51712
		prune_dom0 "$dom"
		prune_shared
	fi
	ends /dev/xvda
	no_devices "$dom" 51712 || die "devices are left"
	is_free || die "the backing device is not free after $how"
done

# mounted, with dirty data
domain death
dom=$domid
xpvctl block-attach death "phy:$dev" xvda w || die "attach"
mkfs.ext4 -q /dev/xvda
mkdir -p /run/death
mount /dev/xvda /run/death || die "mount"
dd if=/dev/zero of=/run/death/file bs=1M count=8 2>/dev/null
start=$(date +%s)
xpvctl destroy death || die "destroy"
umount /run/death || die "umount"
[ $(($(date +%s) - start)) -le $((30 * slow)) ] || die "it took too long"
soon 10 "the disk goes" test ! -e /dev/xvda

# many domains at once, each with a disk
for i in 1 2 3 4 5 6; do
	xpvctl create -q "death$i"
	xpvctl block-attach "death$i" "phy:$dev" xvda r || die "attach"
done
for i in 1 2 3 4 5 6; do
	xpvctl destroy "death$i" &
done
wait
[ "$(xpvctl list | grep -c '^death')" = 0 ] || die "domains are left"

xpvctl destroy probe || die "destroy"
