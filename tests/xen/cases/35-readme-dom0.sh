#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What README says of dom0, step by step: make install, the blacklist, modprobe, a disk by xl for a guest, and how to go back.
# timeout: 400
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"

# driver MODULE: which one modprobe loads by that name
driver()
{
	modprobe --show-depends "$1" | sed -n 's,.*/\([^/ ]*\)\.ko.*,\1,p; s/^install //p' | tail -n 1 | sed 's/ *$//'
}

# few_modules MODULE...: in this kernel's folder are only what is loaded, these, and what they need: depmod reads each module that
# is there, which takes a minute and more under emulation
few_modules()
{
	local dir f loaded

	mapfile -t loaded < <(lsmod | awk 'NR > 1 { print $1 }')
	dir=/lib/modules/$(uname -r)
	mkdir /run/xpv/few && mount -t tmpfs few /run/xpv/few || return
	for f in "$dir"/{build,source,modules.order,modules.builtin*} \
		$(modprobe -D -a "$@" "${loaded[@]}" 2>/dev/null | awk '$1 == "insmod" { print $2 }'); do
		[ -e "$f" ] || continue
		mkdir -p "/run/xpv/few${f%/*}" && cp -a "$f" "/run/xpv/few$f" || return
	done
	mount --bind "/run/xpv/few$dir" "$dir" && depmod -a
}

many_modules()
{
	umount "/lib/modules/$(uname -r)"
	umount /run/xpv/few && rmdir /run/xpv/few
}

dev=$(disk_null readme 64) || fail "no null_blk"
guest_create g pvh 6.1 -m xen-blkfront
few_modules xen-blkback || fail "no module tree"
trap 'rm -f /etc/modprobe.d/xpv-dom0.conf; many_modules' EXIT

cd "$XPV_TOP" || fail "$XPV_TOP"
make install KERNELS="$(uname -r)" >/tmp/install.log 2>&1 || { tail -n 20 /tmp/install.log; fail "make install"; }
cp tools/modprobe/xpv-dom0.conf /etc/modprobe.d/
rmmod xen-blkback || fail "rmmod xen-blkback"
modprobe xpv-blkback || fail "modprobe xpv-blkback"
wait_for 20 [ -d /sys/module/xpv_hv_native ] || fail "the provider did not come with the first driver"
[ "$(driver xen-blkback)" = "/sbin/modprobe xpv-blkback" ] || fail "modprobe xen-blkback would be: $(driver xen-blkback)"

disk_attach g "$dev" xvda || fail "attach"
disk_compare g "$dev"
xl block-list g | grep -q 51712 || fail "xl block-list does not show it"
[ "$(basename "$(readlink -f /sys/bus/xpv-backend/devices/d0-vbd-*/driver)")" = xpv-blkback ] || fail "not our backend"
disk_detach g xvda || fail "detach"

# back
rmmod xpv-blkback xpv-hv-native xpv-xenbus || fail "rmmod"
rm /etc/modprobe.d/xpv-dom0.conf
modprobe xen-blkback || fail "modprobe xen-blkback"
disk_attach g "$dev" xvda || fail "attach to the in-tree backend"
disk_compare g "$dev"
disk_detach g xvda || fail "detach from the in-tree backend"
guest_destroy g || fail "g"
rm -r "/lib/modules/$(uname -r)/extra/xpv" && depmod -a || fail "removing"
