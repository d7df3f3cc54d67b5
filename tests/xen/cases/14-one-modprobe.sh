#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One modprobe, of the frontend, finds Xen in an HVM guest with nopv; /sys/hypervisor says there what xl says here, and goes
# again. In dom0, where it is the kernel's, the stub leaves it alone.
# timeout: 200
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# info NAME: what xl says
info()
{
	xl info "$1" | sed 's/ *$//'
}

expected()
{
	echo xen
	info xen_major
	info xen_minor
	info xen_extra
	basename "$(xenstore-read "/local/domain/$(xl domid g)/vm")"
	info xen_caps
	info xen_changeset
}

kernels_own()
{
	(cd /sys/hypervisor && head -n 1 type uuid version/* properties/capabilities)
}

mods=$XPV_TOP/out/build/$(uname -r)
before=$(kernels_own) || fail "dom0 has no /sys/hypervisor"
insmod "$mods/xpv-xenbus.ko" && insmod "$mods/xpv-hv-stub.ko" || fail "the stub in dom0"
[ "$(kernels_own)" = "$before" ] || fail "with the stub: $(kernels_own)"
dmesg | grep "is in use, and left as it is" || fail "nothing about it in the log"
rmmod xpv-hv-stub xpv-xenbus || fail "the stub stays"
[ "$(kernels_own)" = "$before" ] || fail "after the stub: $(kernels_own)"

dev=$(disk_null one 64) || fail "no null_blk"
guest_create g hvm-nopv 6.12 -b xenstore-read -l xpv-blkfront
out=$(guest_run g 'ls -A /sys/hypervisor')
[ -z "$out" ] || fail "there is a /sys/hypervisor before: $out"
guest_run g 'ln -s /bin/busybox /sbin/modprobe; modprobe xpv-blkfront' || fail "modprobe"
# shellcheck disable=SC2016 # for the guest
guest_run g 'n=0; until [ "$(xenstore-read name 2>/dev/null)" = g ]; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.1; done' ||
	fail "the provider does not come"
disk_attach g "$dev" xvda || fail "attach"
disk_compare g "$dev"
out=$(guest_run g 'cd /sys/hypervisor && cat type version/* uuid properties/capabilities properties/changeset' | sed 's/ *$//')
# in the order of names: extra, major, minor
out=$(echo "$out" | awk 'NR == 2 { extra = $0; next } { print } NR == 4 { print extra }')
[ "$out" = "$(expected)" ] || fail "/sys/hypervisor: $out; xl: $(expected)"
guest_run g 'cat /sys/hypervisor/*/*' || fail "an attribute cannot be read"
disk_detach g xvda || fail "detach"
xpv_unload g || fail "unload"
out=$(guest_run g 'ls -A /sys/hypervisor')
[ -z "$out" ] || fail "left in /sys/hypervisor: $out"
guest_destroy g || fail "destroying g"
