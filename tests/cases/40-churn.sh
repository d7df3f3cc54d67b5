#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# 1,000 times attach and detach, 200 of them with fio running and one side killed at a random moment: the domain destroyed, either
# side's nodes removed, either driver unbound, or a forced detach. The counters and the kernel log are as before.
# timeout: 1500
# at once: debug
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

lanes=4
plain=$(few 800 40) kills=$(few 200 12)
note "$plain plain cycles and $kills with a kill, in $lanes domains side by side"

suite_load

# plain_cycle NAME DISK VDEV
plain_cycle()
{
	xpvctl block-attach -q -t 30 "$1" "phy:$2" xvda w || return 1
	xpvctl block-detach -q -t 30 "$1" xvda
}

# count_requests DISK: sets $k_done, how many have come back from the block device. Builtins only: a program is dear here.
count_requests()
{
	read -r k_reads _ _ _ k_writes _ <"/sys/block/$1/stat" || return
	k_done=$((k_reads + k_writes))
}

has_done_io() { count_requests "$1" && [ "$k_done" -gt "$2" ]; }

# kill_cycle HOW NAME DOMID DISK: sets $domid. Not before fio has the disk open and at work: were the disk killed first, fio
# would find another lane's under its name.
kill_cycle()
{
	xpvctl block-attach -q -t 30 "$2" "phy:$4" xvda w || die "$1: attach"
	# the second domain's disk has another name
	for k_disk in "$(fe_sysfs "$3" 51712)"/block/*; do
		k_disk=${k_disk##*/}
	done
	soon 30 "$1: $k_disk opens" opens "$k_disk"
	count_requests "$k_disk" || die "$1: no requests of $k_disk"
	k_requests=$k_done
	fio --name=churn --allow_file_create=0 --filename="/dev/$k_disk" --direct=1 --ioengine=libaio --iodepth=16 --rw=randrw \
		--bsrange=4k-64k --size=16m --time_based --runtime=300 >"$case_tmp/fio.$2" 2>&1 &
	k_fio=$!
	until_true 60 has_done_io "$k_disk" "$k_requests" ||
		die "$1: fio does not begin with $k_disk, $k_requests requests before, $k_done now: $(ls -l "/dev/$k_disk" "/sys/block/$k_disk" 2>&1;
			cat "/proc/$k_fio/stack" "$case_tmp/fio.$2" 2>&1)"
	moment
	kill_side "$1" "$2" "$3" >/dev/null 2>&1
	moment
	# where the pair came back, fio is still at it
	clear_side "$2" "$3"
	soon 60 "$1: fio ends" not kill -0 $k_fio
	wait $k_fio
	soon 30 "$1: the devices go" no_devices "$3" 51712
}

# lane N DISK: its share of the cycles, with a domain and a disk of its own
lane()
{
	name=churn$1
	domain "$name"
	i=0
	while [ $i -lt $((plain / lanes)) ]; do
		plain_cycle "$name" "$2" || die "lane $1: plain cycle $i"
		i=$((i + 1))
		[ $((i % 50)) != 0 ] || note "lane $1: $i plain cycles, $(cut -d' ' -f1 /proc/uptime) s"
	done
	i=0
	while [ $i -lt $((kills / lanes)) ]; do
		kill_cycle "$(way_to_kill $((i + 3 * $1)))" "$name" "$domid" "$2"
		i=$((i + 1))
		[ $((i % 12)) != 0 ] || note "lane $1: $i kills, $(cut -d' ' -f1 /proc/uptime) s"
	done
	xpvctl destroy -q "$name" || die "lane $1: destroy"
	echo "done" >"$case_tmp/lane$1"
}

disks=
for n in $(seq $lanes); do
	# slow enough that a kill always finds requests in flight, and that the lanes leave each other time
	disk 16 irqmode=2 completion_nsec=50000000
	disks="$disks $disk"
done
n=0
for d in $disks; do
	n=$((n + 1))
	(
		trap - EXIT
		lane $n "$d"
	) &
done
wait
for n in $(seq $lanes); do
	check "lane $n has done all its cycles" test -e "$case_tmp/lane$n"
done

# and it works as on the first day
prune_shared
domain churn
attach churn "$(echo "$disks" | awk '{ print $1 }')" xvda
check "read" dd if=/dev/xvda of=/dev/null bs=64k count=16 iflag=direct
detach churn xvda
