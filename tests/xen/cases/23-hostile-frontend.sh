#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A frontend asks our backend for what must not be: each request is refused, counted, and the next proper one is answered.
# timeout: 180
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# The frontend is a program in dom0, so it has a backend of its own domain. No toolstack has a hand in it.
back=/local/domain/0/backend/vbd/0/51712
front=/local/domain/0/data/hostile/51712
device=/sys/bus/xpv-backend/devices/d0-vbd-0-51712

# nodes DIRECTORY KEY VALUE...: at once, so that the driver sees them all
nodes()
{
	local dir=$1 args=()

	shift
	while [ $# -gt 0 ]; do
		args+=("$dir/$1" "$2")
		shift 2
	done
	xenstore-write "${args[@]}"
}

# attack COPY_SEGS PERSISTENT: requests of up to so many segments are copied, larger ones mapped; the frontend has persistent grants
attack()
{
	local counted errors out kept

	echo "$1" >/sys/module/xpv_blkback/parameters/copy_segs
	nodes "$front" backend "$back" backend-id 0 state 1
	nodes "$back" frontend "$front" frontend-id 0 online 1 params "$dev" mode w type phy \
		physical-device "$(stat -c '%Hr:%Lr' "$dev" | awk -F : '{ printf "%x:%x", $1, $2 }')" hotplug-status connected state 1
	out=$("$XPV_TOP/out/xen/cache/hostile" "$back" "$front" "$2" 2>&1) || die "copy_segs $1, persistent $2: $out"
	note "$out"
	errors=$(grep -c ': refused$' <<<"$out")
	counted=$(cat $device/statistics/errors)
	[ "$counted" = "$errors" ] || die "$errors errors, $counted are counted"
	kept=$(cat $device/statistics/persistent)
	[ $((kept > 0)) = "$2" ] || die "persistent $2: $kept requests went through pages that stay mapped"
	grep -q 'requests in a ring of' $device/status || die "status does not say what was wrong: $(cat $device/status)"
	xenstore-rm "$back"
	xenstore-rm "$front"
	wait_for 10 no_device || die "the device stays"
	mkswap -f "$dev" >/dev/null 2>&1 || die "the disk is busy"
}

no_device()
{
	[ ! -e $device ]
}

dev=$(disk_null hostile 64) || fail "no null_blk"
xpv_backend ours || die "the backend's modules"
attack 0 0
attack 11 0
attack 0 1
[ "$(dmesg | wc -l)" -lt 200 ] || die "a hostile frontend fills the log"
xpv_backend intree || die "the modules stay"
