#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A domain dies while the disk below its backend answers nothing: the pages of its requests stay, the stub says so and cannot be
# unloaded, at once and not after a wait. When the disk has answered, all of it goes.
# timeout: 120
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

fs=/run/held-fs
frozen=

end()
{
	[ -z "$frozen" ] || fsfreeze -u $fs
	[ -z "${loop:-}" ] || { until_true 20 losetup -d "$loop"; }
	! mountpoint -q $fs || { sleep 1; umount $fs; }
}
# shellcheck disable=SC2154 # rc is assigned there
trap 'rc=$?; end; (exit $rc); case_end' EXIT

counter() { sed -n "s/^$1 //p" $stub/counters; }
counter_is() { [ "$(counter "$1")" = "$2" ]; }

suite_load
# writes to a loop device wait while the file system of its file is frozen
disk 16
mke2fs -q -t ext2 -N 16 "$disk" || die "mke2fs"
mkdir -p $fs
mount "$disk" $fs || die "mount"
truncate -s 8M $fs/image
modprobe -q loop
loop=$(losetup -f --show $fs/image) || die "losetup"
domain held
attach held "$loop" xvda
fsfreeze -f $fs || die "fsfreeze"
frozen=1
dd if=/dev/zero of=/dev/xvda bs=64k count=1 oflag=direct conv=nocreat status=none 2>/dev/null &
writer=$!
soon 10 "the request has its pages mapped" not counter_is maps 1
sleep 1

check "rmdir returns" rmdir $stub/held
wait_for 10 "who writes has his error" not kill -0 $writer
same "the domain is dead, and held" 1 "$(counter zombies)"
# in the background: were it to wait, nothing could stop it
{ unload xpv-hv-stub >"$case_tmp/rmmod" 2>&1; echo $? >"$case_tmp/rmmod.status"; } &
if wait_for 5 "rmmod ends at once" test -s "$case_tmp/rmmod.status"; then
	same "the stub cannot be unloaded" 1 "$(cat "$case_tmp/rmmod.status")"
	check "and rmmod says why" grep "in use" "$case_tmp/rmmod"
fi
soon 10 "the kernel log says why" sh -c 'dmesg | grep -q "is dead, but others have .* pages of it mapped"'
check "the store answers" xenstore-read domid

fsfreeze -u $fs && frozen=
wait_for 20 "the domain goes when the disk has answered" counter_is zombies 0
remove_vbd "$domid" 51712
prune_dom0 "$domid"
prune_shared
soon 20 "the loop device is free" losetup -d "$loop"
loop=
umount $fs || die "umount"
