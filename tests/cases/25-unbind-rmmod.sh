#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Drivers come and go under I/O: sysfs unbind and bind of either side, rmmod and insmod of every module in every order. What is
# in use refuses to go; what goes comes back connected; the data is right.
# timeout: 400
# at once: debug
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 32
dev=$disk
domain unbind
dom=$domid
id=51712

# busy SECONDS: reads and writes that are allowed to fail, each of them bounded
busy()
{
	(
		end=$(($(date +%s) + $1))
		while [ "$(date +%s)" -lt $end ]; do
			timeout -s KILL 60 dd if=/dev/urandom of=/dev/xvda bs=16k count=64 oflag=direct conv=notrunc,nocreat 2>/dev/null
			timeout -s KILL 60 dd if=/dev/xvda of=/dev/null bs=64k count=64 iflag=direct 2>/dev/null
			sleep 0.5 # a moment in which the disk is closed and its module may go
		done
	) &
	busy=$!
}

works()
{
	soon 20 "connected again after $1" connected "$dom" $id
	soon 10 "a disk after $1" opens xvda
	dd if=/dev/urandom of=/run/unbind.in bs=64k count=4 2>/dev/null
	dd if=/run/unbind.in of=/dev/xvda bs=64k oflag=direct conv=fsync,nocreat 2>/dev/null || die "write after $1"
	dd if=/dev/xvda bs=64k count=4 iflag=direct 2>/dev/null | cmp -s - /run/unbind.in || die "read after $1"
}

driver() { basename "$(readlink "$1/driver")"; }

xpvctl block-attach unbind "phy:$dev" xvda w || die "attach"
fedev=$(fe_sysfs "$dom" $id) bedev=$(be_sysfs "$dom" $id)
fedrv=/sys/bus/xpv/drivers/$(driver "$fedev") bedrv=/sys/bus/xpv-backend/drivers/$(driver "$bedev")
works start

busy 25
for round in $(seq "$(few 5 2)"); do
	moment
	echo "${bedev##*/}" >"$bedrv/unbind" || die "unbind the backend"
	moment
	echo "${bedev##*/}" >"$bedrv/bind" || die "bind the backend"
	soon 20 "connected after the backend's round $round" connected "$dom" $id
	moment
	echo "${fedev##*/}" >"$fedrv/unbind" || die "unbind the frontend"
	moment
	echo "${fedev##*/}" >"$fedrv/bind" || die "bind the frontend"
	soon 20 "connected after the frontend's round $round" connected "$dom" $id
done
soon 60 "the I/O ends" not kill -0 $busy
works "unbind and bind"

# the drivers' modules under I/O; the provider and the bus are in use and refuse
busy 20
for order in 'xpv-blkfront xpv-blkback' 'xpv-blkback xpv-blkfront' 'xpv-blkback' 'xpv-blkfront'; do
	moment
	rmmod xpv-xenbus 2>/dev/null && die "xpv-xenbus went while in use"
	rmmod xpv-hv-stub 2>/dev/null && die "xpv-hv-stub went while it has domains"
	case $order in
	'xpv-blkback xpv-blkfront')
		# I/O that waits for the backend keeps the disk open: the frontend may refuse
		without xpv-blkback
		rmmod xpv-blkfront 2>/dev/null
		;;
	*)
		# shellcheck disable=SC2086 # words
		without $order
		;;
	esac
	moment
	# shellcheck disable=SC2086
	need $order || die "need $order"
	soon 20 "connected after rmmod $order" connected "$dom" $id
done
soon 60 "the I/O ends" not kill -0 $busy
works "rmmod"

# everything, in every order (or every fifth); a module that is in use stays until the others are gone
xpvctl block-detach unbind xvda || die "detach"
n=0 nth=$(few 1 5)
for a in xpv-blkfront xpv-blkback xpv-hv-stub xpv-xenbus; do
for b in xpv-blkfront xpv-blkback xpv-hv-stub xpv-xenbus; do
for c in xpv-blkfront xpv-blkback xpv-hv-stub xpv-xenbus; do
	case $a$b$c in *"$a"*"$a"* | *"$b"*"$b"*) continue ;; esac
	n=$((n + 1))
	[ $((n % nth)) = 0 ] || continue
	xpvctl block-attach unbind "phy:$dev" xvda w || die "attach before $a $b $c"
	xpvctl destroy unbind &
	for m in $a $b $c; do
		rmmod "$m" 2>/dev/null
		moment
	done
	wait
	[ ! -d /sys/kernel/config/hv-stub/unbind ] || rmdir /sys/kernel/config/hv-stub/unbind
	without xpv-blkfront xpv-blkback xpv-hv-stub xpv-xenbus
	need xpv-xenbus xpv-hv-stub xpv-blkback xpv-blkfront || die "load"
	domain unbind
	dom=$domid
done
done
done
pass "$((n / nth)) orders of rmmod"
xpvctl block-attach unbind "phy:$dev" xvda w || die "attach"
works "all orders"
xpvctl block-detach unbind xvda || die "detach"
xpvctl destroy unbind || die "destroy"
