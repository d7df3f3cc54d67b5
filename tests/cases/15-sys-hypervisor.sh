#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# /sys/hypervisor says which Xen the stub passes for, as the kernel would on Xen; it goes with the stub, whoever is reading it.
# timeout: 120
. "$(dirname "$0")/../lib/case.sh"

sys=/sys/hypervisor

# is ATTRIBUTE VALUE
is() { same "$1" "$2" "$(cat $sys/"$1")"; }

entries() { ls -A $sys 2>/dev/null; }

read_all() { while :; do cat $sys/type $sys/uuid $sys/*/* >/dev/null 2>&1; done; }

same "nothing of it before" "" "$(entries)"
suite_load
is type xen
is uuid 00000000-0000-0000-0000-000000000000
is version/major 4
is version/minor 17
is version/extra -xpv-stub
is compilation/compiled_by xpv
is properties/pagesize 1000
is properties/virtual_start 0
is properties/features 00000800
is properties/changeset unavailable
is properties/capabilities xen-3.0-x86_64
check "all can be read" cat $sys/type $sys/uuid $sys/*/*
if [ -x /usr/lib/xen-common/bin/xen-version ]; then
	same "Xen's wrapper of programs believes it" 4.17 "$(/usr/lib/xen-common/bin/xen-version)"
fi
case_counters=
suite_unload || die "unload"
same "nothing of it afterwards" "" "$(entries)"

load xpv-xenbus
refuse any "Invalid" "a version that is none" load xpv-hv-stub xen_version=4
refuse any "Invalid" "nor this" load xpv-hv-stub xen_version=4.17x
same "nothing of it" "" "$(entries)"
load xpv-hv-stub xen_version=5.2
is version/major 5
is version/minor 2
unload xpv-hv-stub
load xpv-hv-stub xen_version=none
same "nothing of it if that is wanted" "" "$(entries)"
unload xpv-hv-stub

read_all &
reader=$!
n=0
while [ $n -lt "$(few 6 2)" ]; do
	load xpv-hv-stub || die "insmod"
	until_true 10 test -e $sys/type || die "no attributes"
	unload xpv-hv-stub || die "rmmod"
	n=$((n + 1))
done
kill $reader
wait $reader 2>/dev/null
pass "loaded and unloaded $n times under somebody who reads"
