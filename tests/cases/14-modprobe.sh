#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Installed modules: one modprobe brings the stack up, udev loads the drivers when a device appears, modprobe -r takes it all down
# again. Without Xen the providers for it refuse to load and say why. (tests/install/run looks at the aliases themselves.)
# kernels: 6.1 6.12
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

rules=/usr/lib/udev/rules.d
udevd=

# Two mounts and a daemon are to go in any case.
end()
{
	[ -z "$udevd" ] || { kill "$udevd"; wait "$udevd"; }
	for m in $rules "/lib/modules/$release"; do
		! mountpoint -q "$m" || umount "$m"
	done
}
# shellcheck disable=SC2154 # rc is assigned there
trap 'rc=$?; end; (exit $rc); case_end' EXIT

# install_modules: the suite's and the few of the kernel's that are needed, in a tree of their own: depmod is slow here
install_modules()
{
	tree=/run/modprobe-tree
	mods=$tree/lib/modules/$release
	mkdir -p "$mods/extra/xpv" "$mods/kernel" && cp "$build"/*.ko "$mods/extra/xpv/" || return 1
	cp "/lib/modules/$release"/modules.builtin* "/lib/modules/$release/modules.order" "$mods/" || return 1
	modprobe -a --show-depends configfs null_blk | awk '$1 == "insmod" { print $2 }' | sort -u |
		while read -r m; do
			cp "$m" "$mods/kernel/" || return 1
		done
	depmod -b "$tree" "$release" && mount --bind "$mods" "/lib/modules/$release"
}

# said TEXT: how often the kernel has said that
said() { dmesg | grep -c "$1"; }
said_more() { [ "$(said "$1")" -gt "$2" ]; }

no_modprobe() { ! pgrep -x modprobe; }

start_udevd()
{
	cp $rules/80-drivers.rules "$case_tmp/" && mount -t tmpfs tmpfs $rules && cp "$case_tmp/80-drivers.rules" $rules/ || return 1
	/lib/systemd/systemd-udevd --resolve-names=never >"$case_tmp/udevd.log" 2>&1 &
	udevd=$!
	until_true 10 udevadm control --ping
}

check "install" install_modules || exit 1

# no Xen
refuse any "No such device" "platform-pci without Xen" modprobe xpv-platform-pci
refuse any "No such device" "hv-native without Xen" modprobe xpv-hv-native
plat=$(said "no Xen here")
native=$(said "runs no Xen code of its own")
check "a driver without a domain" modprobe xpv-blkfront
wait_for 20 "platform-pci is tried, and says why not" said_more "no Xen here" "$plat"
wait_for 20 "hv-native is tried, and says why not" said_more "runs no Xen code of its own" "$native"
soon 20 "modprobe ends" no_modprobe
check "the driver goes" modprobe -r xpv-blkfront
! loaded xpv-xenbus || fail "the bus stays, without a user"

# the stub, and all the rest by udev
check "udevd" start_udevd || exit 1
plat=$(said "no Xen here")
check "one modprobe" modprobe xpv-hv-stub
soon 10 "the store is there" test -e /dev/xen/xenbus
disk 16
domain alias
attach alias "$disk" xvda
for m in xpv-blkback xpv-blkfront; do
	loaded $m || fail "$m is not loaded"
done
pattern /dev/xvda 8 y
same "what was written there" "$(pattern_sum "$disk" 8)" "$(pattern_sum /dev/xvda 8)"
refuse any "in use" "everything is in use" modprobe -r xpv-hv-stub
detach alias xvda
check "destroy" xpvctl destroy alias
same "nobody looked for Xen" "$plat" "$(said "no Xen here")"
udevadm settle -t 20
check "modprobe -r" modprobe -r xpv-blkfront xpv-blkback xpv-hv-stub
for m in $suite_modules; do
	! loaded "$m" || fail "$m stays"
done
