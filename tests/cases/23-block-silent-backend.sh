#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A side that never answers: attaching ends in time, says which side waits for what, and leaves nothing; device status says the
# same meanwhile; the bus and the store are not held up.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 16
dev=$disk
domain silent
dom=$domid
id=51712
before=$(xenstore-ls -f)

# attach_fails PATTERN: in time, and everything is as before
attach_fails()
{
	start=$(date +%s)
	expect 3 "$1" xpvctl block-attach -t 2 silent "phy:$dev" xvda w
	[ $(($(date +%s) - start)) -le $((9 * slow)) ] || die "attach took too long"
	no_devices "$dom" $id || die "devices are left"
	[ "$(xenstore-ls -f | grep -c .)" -le "$(echo "$before" | grep -c . | awk '{ print $1 + 2 }')" ] ||
		die "nodes are left: $(xenstore-ls -f | grep vbd)"
	! xenstore-exists "$(fe "$dom" $id)" || die "frontend nodes are left"
	! xenstore-exists "$(be "$dom" $id)" || die "backend nodes are left"
}

without xpv-blkback
attach_fails 'not connected after 2 s: backend \(domain 0\) is Initialising, .*driver.*; frontend \(domain [0-9]+\) is Initialising'

# a backend that stops at InitWait: the frontend has its ring and waits
write_vbd "$dom" $id "$dev"
xenstore-write "$(be "$dom" $id)/state" 2
soon 10 "the frontend publishes" state_is "$(fe "$dom" $id)" 3
status_of fe "$dom" $id | grep -q 'backend' || die "status: $(status_of fe "$dom" $id)"
note "$(status_of fe "$dom" $id)"
[ ! -e /dev/xvda ] || die "a disk without a backend"

# meanwhile another disk of the same domain is not held up: it fails for the same reason only
start=$(date +%s)
expect 3 'backend' xpvctl block-attach -t 1 silent "phy:$dev" xvdb w
[ $(($(date +%s) - start)) -le $((7 * slow)) ] || die "another device is held up"

# a backend that answers and then dies silently under I/O is removed in time
need xpv-blkback || die "load"
soon 10 "a late backend connects" connected "$dom" $id
xpvctl block-detach silent xvda || die "detach"

without xpv-blkfront
attach_fails 'not connected after 2 s: backend \(domain 0\) is InitWait, .*; frontend \(domain [0-9]+\) is Initialising, .*driver'
need xpv-blkfront || die "load"

# a backend that is connected and never completes: force takes the disk away
without xpv-blkback
write_vbd "$dom" $id "$dev"
xenstore-write "$(be "$dom" $id)/state" 2
soon 10 "the frontend publishes" state_is "$(fe "$dom" $id)" 3
xenstore-write "$(be "$dom" $id)/sectors" 32768 "$(be "$dom" $id)/sector-size" 512 "$(be "$dom" $id)/info" 0 \
	"$(be "$dom" $id)/state" 4
soon 10 "the frontend connects" state_is "$(fe "$dom" $id)" 4
soon 10 "there is a disk" test -b /dev/xvda
dd if=/dev/xvda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &
dd=$!
sleep 1
kill -0 $dd || die "a read without a backend ended"
xpvctl block-detach --force silent xvda || die "forced detach"
soon 20 "the read fails" not kill -0 $dd
wait $dd && die "a read without a backend succeeded"
need xpv-blkback || die "load"

xpvctl destroy silent || die "destroy"
