#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Persistent grants: where the backend says that it keeps what it has mapped, data goes through pages that stay granted. They are
# right, bounded, used again, and go with the connection, whoever ends it and however.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

id=51712
most=$((32 * 11 + 1))	# all slots with all segments, and the ring

stat_of() { cat "$(fe_sysfs "$domid" $id)/statistics/$1"; }
grants() { sed -n 's/^grants: //p' "$(fe_sysfs "$domid" $id)/resources"; }
within() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ]; }

# offered DISK: a disk whose backend offers it
offered()
{
	write_vbd "$domid" $id "$1" feature-persistent=1
	soon 20 "connected" connected "$domid" $id
	soon 10 "the disk" test -b /dev/xvda
}

io()
{
	fio --name=io --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite \
		--bsrange=4k-64k --offset=32m --size=16m --time_based --runtime=60 --verify=crc32c --verify_backlog=64 --verify_fatal=1 \
		--verify_state_save=0 --minimal >/run/persistent.fio 2>&1 &
	fio=$!
	sleep 1
}

# more COUNTER NUMBER: it has gone on from there
more() { [ "$(stat_of "$1")" -gt "$2" ]; }

suite_load
disk 64
domain persist
offered "$disk"
same "the frontend wants it" 1 "$(node "$(fe "$domid" $id)/feature-persistent")"
verified "$(few 12m 3m)" "data"
check "all requests with data went through such pages" [ "$(stat_of persistent)" -gt 100 ]
same "none went through others" 0 "$(stat_of bounced)"
check "they stay granted: $(grants)" within 12 "$(grants)" $most
before=$(grants)
dd if=/dev/xvda of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null
same "and are used again" "$before" "$(grants)"

# the connection ends in every way under I/O, which goes on
for how in backend-driver frontend-driver backend-driver; do
	[ $how = frontend-driver ] || io
	kill_side $how persist "$domid" || fail "$how"
	soon 20 "connected after $how" connected "$domid" $id
	if [ $how = frontend-driver ]; then
		wait "$fio" && fail "fio succeeded without a disk"
		soon 10 "a disk after $how" test -b /dev/xvda
		verified "$(few 12m 3m)" "$how: data"
		continue
	fi
	[ "$(node "$(be "$domid" $id)/feature-persistent")" = 1 ] || fail "$how: it is not offered any more"
	wait_for 20 "$how: I/O goes on through such pages" more persistent "$(stat_of persistent)"
done
for what in suspend resume; do
	/bin/echo $what >"$stub/persist/control" || fail "$what"
done
soon 20 "connected after a suspend" connected "$domid" $id
wait_for 20 "suspend: I/O goes on through such pages" more persistent "$(stat_of persistent)"
kill -INT "$fio"
wait "$fio"
same "what was written is what was read" 0 "$(tail -n 1 /run/persistent.fio | cut -d ';' -f 5)"
check "not more pages than there can be: $(grants)" within 12 "$(grants)" $most

# not asked for
param=/sys/module/xpv_blkfront/parameters/persistent
echo 0 >$param
rebind "$(fe_sysfs "$domid" $id)" || fail "rebind"
soon 20 "connected without" connected "$domid" $id
soon 10 "the disk without" test -b /dev/xvda
same "the frontend does not want it" 0 "$(node "$(fe "$domid" $id)/feature-persistent")"
verified "$(few 12m 3m)" "data without"
same "no such page" "0 1" "$(stat_of persistent) $(grants)"
echo 1 >$param

# the domain dies with it
rebind "$(fe_sysfs "$domid" $id)" || fail "rebind"
soon 20 "connected again" connected "$domid" $id
soon 10 "the disk again" test -b /dev/xvda
io
kill_side domain persist "$domid"
soon 30 "fio ends" not kill -0 "$fio"
wait "$fio" && fail "fio succeeded without a disk"
soon 20 "the domain leaves the store" not xenstore-exists "/local/domain/$domid"
remove_vbd "$domid" $id
prune_dom0 "$domid"
prune_shared
counters_check "$case_counters"
check "unload" suite_unload
