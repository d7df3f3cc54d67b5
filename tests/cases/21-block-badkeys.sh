#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A toolstack, a frontend or a backend that writes nonsense, or not enough: the device ends with an error node and a status
# that name what is wrong, the kernel log stays clean, and afterwards a proper attach works.
# timeout: 400
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 16
dev=$disk
domain badkeys
dom=$domid
id=51712
fe=$(fe "$dom" $id) be=$(be "$dom" $id)

# told fe|be PATTERN: that side's error node or status says so
told()
{
	error_of "$1" "$dom" $id | grep -Eiq "$2" || status_of "$1" "$dom" $id | grep -Eiq "$2"
}

# complains fe|be WHAT PATTERN: it says so in time, and nobody is connected
complains()
{
	t_left=100
	until told "$1" "$3"; do
		t_left=$((t_left - 1))
		[ $t_left -gt 0 ] ||
			die "$2: the $1 says error '$(error_of "$1" "$dom" $id)' status '$(status_of "$1" "$dom" $id)', not /$3/"
		sleep 0.1
	done
	! connected "$dom" $id || die "$2: connected all the same"
	pass "$2: $(error_of "$1" "$dom" $id) / $(status_of "$1" "$dom" $id)"
	remove_vbd "$dom" $id
}

# in_dir DIRECTORY KEY=VALUE...
in_dir()
{
	dir=$1
	shift
	for kv; do
		shift
		set -- "$@" "$dir/$kv"
	done
	write_keys "$@"
}

# --- what the toolstack writes ----------------------------------------------------------------------------------------

bad_toolstack()
{
	what=$1 side=$2 pattern=$3
	shift 3
	write_vbd "$dom" $id "$dev" "$@"
	complains "$side" "$what" "$pattern"
}

bad_toolstack 'no physical-device and no params' be 'physical-device|params' physical-device= params=
bad_toolstack 'malformed physical-device' be 'physical-device' physical-device=nonsense
bad_toolstack 'half a physical-device' be 'physical-device' physical-device=fe
bad_toolstack 'a physical-device that is not there' be 'fff:1|6[,]? ?not|no such|found|open|ENXIO|-6' physical-device=fff:1
bad_toolstack 'no mode' be 'mode' mode=
bad_toolstack 'malformed mode' be 'mode' mode=sideways
bad_toolstack 'no virtual-device' fe 'virtual-device' f:virtual-device=
bad_toolstack 'malformed virtual-device' fe 'virtual-device' f:virtual-device=xvda

# a busy one: mounted in dom0
mkfs.ext4 -q "$dev"
mkdir -p /run/bad
mount "$dev" /run/bad
bad_toolstack 'a busy physical-device' be 'busy|in use|16'
umount /run/bad

# a tool removes the error node with the directory above it, in one transaction with the device: what is left goes all the same
no_errors() { [ -z "$(xenstore-list /local/domain/0/error)" ]; }
write_vbd "$dom" $id "$dev" mode=
soon 10 "no mode: an error node" xenstore-exists "/local/domain/0/error/backend/vbd/$dom/$id/error"
xenstore-rm "/local/domain/0/error/backend/vbd/$dom" "$be"
remove_vbd "$dom" $id
soon 10 "the directories above an error node go" no_errors
pass "nothing is left of an error node"

# keys without which there is no device at all: nothing may happen but silence, and they can come later
for key in f:backend f:backend-id f:state; do
	write_vbd "$dom" $id "$dev" $key=
	sleep 0.3
	! connected "$dom" $id || die "connected without $key"
	remove_vbd "$dom" $id
done
write_vbd "$dom" $id "$dev" f:backend-id=nonsense
sleep 0.3
remove_vbd "$dom" $id
write_vbd "$dom" $id "$dev" frontend-id=12345
sleep 0.3
remove_vbd "$dom" $id

# --- a frontend by hand -----------------------------------------------------------------------------------------------

without xpv-blkfront

bad_frontend()
{
	what=$1 pattern=$2
	shift 2
	write_vbd "$dom" $id "$dev"
	soon 10 "the backend announces InitWait" state_is "$be" 2
	in_dir "$fe" "$@" state=3
	complains be "$what" "$pattern"
}

good='event-channel=5 protocol=x86_64-abi ring-ref=8'
# shellcheck disable=SC2086 # words
{
bad_frontend 'no keys at all' 'ring|event|protocol'
bad_frontend 'no ring' 'ring-ref' event-channel=5 protocol=x86_64-abi
bad_frontend 'no event channel' 'event-channel' ring-ref=8 protocol=x86_64-abi
bad_frontend 'a ring reference that is no number' 'ring-ref' $good ring-ref=nonsense
bad_frontend 'a negative ring reference' 'ring-ref' $good ring-ref=-1
bad_frontend 'a ring reference that is not granted' 'ring|grant|map' $good
bad_frontend 'a ring reference beyond the table' 'ring|grant|map' $good ring-ref=4294967295
bad_frontend 'a ring reference that does not fit' 'ring-ref' $good ring-ref=99999999999999999999
bad_frontend 'a port that is no number' 'event-channel' $good event-channel=x
bad_frontend 'a port that does not fit' 'event-channel' $good event-channel=4294967296
bad_frontend 'an unknown protocol' 'protocol' $good protocol=z80-abi
bad_frontend 'an enormous protocol' 'protocol' $good "protocol=$(printf '%01500d' 0)"
bad_frontend 'a ring order that is no number' 'ring-page-order' $good ring-page-order=x ring-ref0=8
bad_frontend 'an enormous ring order' 'ring-page-order|ring-ref' $good ring-page-order=4000000000 ring-ref0=8
bad_frontend 'a feature that is no flag' 'feature-persistent' $good feature-persistent=2
}

# states that make no sense at all, at any time
write_vbd "$dom" $id "$dev"
soon 10 "the backend announces InitWait" state_is "$be" 2
for state in 4 8 2 99 -1 nonsense 5 6 1 3 7 6 1; do
	write_keys "$fe/state=$state"
	sleep 0.05
done
xenstore-write "$fe/state" 6
remove_vbd "$dom" $id
need xpv-blkfront || die "load"

# --- a backend by hand ------------------------------------------------------------------------------------------------

without xpv-blkback

bad_backend()
{
	what=$1 pattern=$2
	shift 2
	write_vbd "$dom" $id "$dev"
	xenstore-write "$be/state" 2
	soon 10 "the frontend publishes its ring" state_is "$fe" 3
	in_dir "$be" "$@" state=4
	complains fe "$what" "$pattern"
}

bad_backend 'no size' 'sectors'
bad_backend 'a size that is no number' 'sectors' sectors=x info=0 sector-size=512
bad_backend 'a size beyond the end' 'sectors' sectors=18446744073709551615 info=0 sector-size=512
bad_backend 'a sector size of 0' 'sector-size' sectors=2048 info=0 sector-size=0
bad_backend 'a sector size of 513' 'sector-size' sectors=2048 info=0 sector-size=513
bad_backend 'an enormous sector size' 'sector-size' sectors=2048 info=0 sector-size=1073741824
bad_backend 'a sector size that is no number' 'sector-size' sectors=2048 info=0 sector-size=-512
bad_backend 'a feature that is no flag' 'feature-persistent' sectors=2048 info=0 sector-size=512 feature-persistent=2

need xpv-blkback || die "load"

# and after all of it
xpvctl block-attach badkeys "phy:$dev" xvda w || die "attach"
dd if=/dev/xvda of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null || die "read"
xpvctl block-detach badkeys xvda || die "detach"
xpvctl destroy badkeys || die "destroy"
