#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Persistent grants: where the backend keeps what it has mapped, data goes through pages that stay granted and mapped. They are right,
# bounded, used again, and go with the connection, whoever ends it and however. Not unless both sides want it.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

id=51712
most=$((32 * 11 + 1))	# all slots with all segments, and the ring

back=/sys/module/xpv_blkback/parameters/persistent
front=/sys/module/xpv_blkfront/parameters/persistent

stat_of() { cat "$(fe_sysfs "$domid" $id)/statistics/$1"; }
kept_by_backend() { cat "$(be_sysfs "$domid" $id)/statistics/persistent"; }
mapped() { sed -n 's/^mapped: //p' "$(be_sysfs "$domid" $id)/resources"; }
grants() { sed -n 's/^grants: //p' "$(fe_sysfs "$domid" $id)/resources"; }
within() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ]; }

# has_disk DISK: and it is connected
has_disk()
{
	write_vbd "$domid" $id "$1"
	soon 20 "connected" connected "$domid" $id
	soon 10 "the disk" opens xvda
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

# not offered, which is best here
has_disk "$disk"
same "the frontend wants it, the backend does not offer it" "1 0" \
	"$(node "$(fe "$domid" $id)/feature-persistent") $(node "$(be "$domid" $id)/feature-persistent")"
verified "$(few 6m 2m)" "data when it is not offered"
same "no such page, nothing but the ring stays mapped" "0 0 1" "$(stat_of persistent) $(kept_by_backend) $(mapped)"
remove_vbd "$domid" $id

echo 1 >$back
has_disk "$disk"
same "both sides want it" "1 1" \
	"$(node "$(fe "$domid" $id)/feature-persistent") $(node "$(be "$domid" $id)/feature-persistent")"
verified "$(few 12m 3m)" "data"
check "all requests with data went through such pages" [ "$(stat_of persistent)" -gt 100 ]
same "none went through others" 0 "$(stat_of bounced)"
check "they stay granted: $(grants)" within 12 "$(grants)" $most
same "and mapped, each of them" "$(grants)" "$(mapped)"
same "as many requests went through them on either side" "$(stat_of persistent)" "$(kept_by_backend)"
before=$(grants)
dd if=/dev/xvda of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null
same "and are used again" "$before $before" "$(grants) $(mapped)"

# the connection ends in every way under I/O, which goes on
for how in backend-driver frontend-driver backend-driver; do
	[ $how = frontend-driver ] || io
	kill_side $how persist "$domid" || fail "$how"
	soon 20 "connected after $how" connected "$domid" $id
	if [ $how = frontend-driver ]; then
		wait "$fio" && fail "fio succeeded without a disk"
		soon 10 "a disk after $how" opens xvda
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
echo 0 >$front
rebind "$(fe_sysfs "$domid" $id)" || fail "rebind"
soon 20 "connected without" connected "$domid" $id
soon 10 "the disk without" opens xvda
same "the frontend does not want it" 0 "$(node "$(fe "$domid" $id)/feature-persistent")"
verified "$(few 12m 3m)" "data without"
same "no such page, here or there" "0 1 1" "$(stat_of persistent) $(grants) $(mapped)"
echo 1 >$front

# the domain dies with it
rebind "$(fe_sysfs "$domid" $id)" || fail "rebind"
soon 20 "connected again" connected "$domid" $id
soon 10 "the disk again" opens xvda
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
