#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A domain is suspended and goes on: cancelled, restored under the same number and under another one, with either ABI of event
# channels, under verified I/O in a mounted file system. Its store clients go on too. A backend that does not fit is refused; a
# domain that is suspended can die.
# timeout: 240
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

param=/sys/module/xpv_xenbus/parameters/events
mnt=/run/suspend
mkdir -p $mnt

control() { /bin/echo "$2" >"$stub/$1/control"; }
guest() { env "XENSTORED_PATH=/dev/xen/xenbus-$domid" "$@"; }
mapped() { cat "$stub/$1/mapped_by_others"; }
requeued() { cat "$disk_sysfs/statistics/requeued"; }
responses() { cat "$disk_sysfs/statistics/responses"; }
responses_are() { [ "$(responses)" = "$1" ]; }

# save NAME: suspend it, and remove its disk from the store as a toolstack does
save()
{
	control "$1" suspend || { fail "suspend"; return 1; }
	xenstore-rm "$(fe "$domid" 51712)"
	xenstore-rm "$(be "$domid" 51712)"
	xenstore-rm "$BACKENDS/$domid"
}

# restore NAME "restore"|"restore new" BACKING: the mirror; sets $domid
restore()
{
	control "$1" "$2" || { fail "$2"; return 1; }
	domid=$(cat "$stub/$1/domid")
	write_vbd "$domid" 51712 "$3"
	control "$1" resume || fail "resume"
}

# again TEXT: connected, and I/O goes on
again()
{
	soon 20 "$1: connected again" connected "$domid" 51712
	a_before=$(responses)
	soon 10 "$1: I/O goes on" not responses_are "$a_before"
	pass "$1"
}

load xpv-xenbus || die "insmod xpv-xenbus"
suite_load
disk 96
backing=$disk
domain mig
first=$domid
disk_sysfs=$(fe_sysfs "$domid" 51712)

# --- under I/O --------------------------------------------------------------------------------------------------------

attach mig "$backing" xvda
mkfs.ext4 -q /dev/xvda
mount /dev/xvda $mnt || die "mount"
dd if=/dev/urandom of=$mnt/before bs=1M count=4 conv=fsync status=none
sum=$(md5sum <$mnt/before)
fio --name=io --filename=$mnt/io --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --bsrange=4k-32k --size=24m \
	--time_based --runtime=3600 --verify=crc32c --verify_backlog=128 --verify_fatal=1 --fsync=64 --verify_state_save=0 --minimal >/run/suspend.fio 2>&1 &
fio=$!
sleep 1

for mode in 2l fifo; do
	echo $mode >$param
	# what the backend does not hear of is in flight for sure
	echo 1000000 >"$stub/Domain-0/drop_events"
	sleep 0.5
	control mig suspend || fail "suspend"
	echo 0 >"$stub/Domain-0/drop_events"
	same "it says so" suspended "$(cat "$stub/mig/control")"
	same "it has no port but the store's" 1 "$(cat "$stub/mig/ports")"
	status_of fe "$first" 51712 | grep -q suspended || fail "status: $(status_of fe "$first" 51712)"
	sleep 0.5
	control mig resume || fail "resume"
	again "$mode: a suspend that is cancelled"
	same "the choice of events is made again" $mode "$(cat "$stub/mig/events")"

	save mig
	restore mig "restore" "$backing"
	again "$mode: restored under the same number"

	old=$domid
	save mig
	restore mig "restore new" "$backing"
	again "$mode: restored under another number"
	[ "$domid" != "$old" ] || fail "the number is $domid still"
	[ -c "/dev/xen/xenbus-$domid" ] && [ ! -e "/dev/xen/xenbus-$old" ] || fail "/dev/xen/xenbus-$domid"
	same "its home is that of the new number" "mig $domid" "$(guest xenstore-read name domid | tr '\n' ' ' | sed 's/ $//')"
	dd if=/dev/urandom of=$mnt/while bs=64k count=4 conv=fsync status=none || fail "a write after it"
done
again=$(requeued)
[ "$again" -gt 0 ] && pass "requests that were in flight have been sent again: $again" || fail "no request has been sent again"

kill -INT $fio
wait $fio
grep -Eq 'verify|error|crc32c' /run/suspend.fio && fail "fio: $(tail -3 /run/suspend.fio)"
[ "$(cut -d';' -f5 /run/suspend.fio | tail -1)" = 0 ] || fail "fio: $(tail -3 /run/suspend.fio)"
echo 3 >/proc/sys/vm/drop_caches
same "what was written before is there" "$sum" "$(md5sum <$mnt/before)"

# --- the store --------------------------------------------------------------------------------------------------------

mkfifo /run/suspend.go
guest stdbuf -oL xenstore-watch data/watched >/run/suspend.watch 2>&1 &
watch=$!
xsraw "/dev/xen/xenbus-$domid" across </run/suspend.go >/run/suspend.tx 2>&1 &
across=$!
exec 8>/run/suspend.go
soon 10 "the transaction starts" grep -q started /run/suspend.tx
soon 10 "the watch is set" grep -q watched /run/suspend.watch
control mig suspend || fail "suspend"
guest xenstore-read domid >/run/suspend.read 2>&1 &
reader=$!
sleep 0.5
kill -0 $reader 2>/dev/null || fail "a request does not wait: $(cat /run/suspend.read)"
xenstore-rm "$(fe "$domid" 51712)"
xenstore-rm "$(be "$domid" 51712)"
xenstore-rm "$BACKENDS/$domid"
restore mig "restore new" "$backing"
check "a request that waited is answered" wait $reader
same "by the new store" "$domid" "$(cat /run/suspend.read)"
sleep 1
fired=$(grep -c watched /run/suspend.watch)
[ "$fired" -gt 1 ] || fail "a watch that is set again does not fire"
fired_again() { [ "$(grep -c watched /run/suspend.watch)" -gt "$fired" ]; }
guest xenstore-write data/watched 1
wait_for 10 "a watch of before fires" fired_again
echo >&8
wait_for 10 "a transaction of before is over" not kill -0 $across
same "what it gave" "started ok write EAGAIN end EAGAIN start ok commit ok" "$(tr '\n' ' ' </run/suspend.tx | sed 's/ $//')"
exec 8>&-
kill $watch
wait $watch 2>/dev/null
soon 20 "connected again" connected "$domid" 51712

# --- what does not fit ------------------------------------------------------------------------------------------------

refuse any "busy" "a domain that runs is not resumed" control mig resume
refuse any "busy" "nor restored" control mig restore
refuse any "nvalid" "no such word" control mig sleep
refuse any "ermitted" "Domain-0 is not suspended" control Domain-0 suspend

control mig suspend || fail "suspend"
refuse any "busy" "not twice" control mig suspend
refuse any "busy" "not restored while the backend has pages of it" control mig restore
[ "$(mapped mig)" -gt 0 ] || fail "nothing is mapped"
control mig resume || fail "resume"
soon 20 "connected again" connected "$domid" 51712

disk 96 blocksize=4096
save mig
restore mig "restore new" "$disk"
refused() { error_of fe "$domid" 51712 | grep -q 'sector-size is 4096 and was 512'; }
wait_for 20 "a backend with larger sectors is refused" refused
(dd if=/dev/urandom of=$mnt/waits bs=64k count=4 conv=fsync status=none) &
writer=$!
sleep 0.5
kill -0 $writer 2>/dev/null || fail "I/O does not wait for a backend that fits"
save mig
restore mig "restore" "$backing"
check "and goes on with one that does" wait $writer
umount $mnt || fail "umount"
check "the file system is sound" fsck.ext4 -fn /dev/xvda
detach mig xvda
prune_dom0 "$domid"

# --- what the toolstack asks ------------------------------------------------------------------------------------------

control_node() { node "/local/domain/$domid/control/$1"; }
control_is() { [ "$(control_node "$1")" = "$2" ]; }
asked_is() { [ "$(cat "$stub/mig/asked")" = "$1" ]; }
runs_is() { [ "$(cat "$stub/mig/control")" = "$1" ]; }

for word in poweroff reboot suspend; do
	same "feature-$word" 1 "$(control_node feature-$word)"
done
same "nothing has been asked" nothing "$(cat "$stub/mig/asked")"
for word in poweroff reboot halt; do
	xenstore-write "/local/domain/$domid/control/shutdown" $word
	wait_for 10 "$word is heard" asked_is $word
	wait_for 10 "and acknowledged" control_is shutdown ""
done
xenstore-write "/local/domain/$domid/control/shutdown" crash
sleep 1
same "what cannot be obeyed is left" crash "$(control_node shutdown)"
xenstore-write "/local/domain/$domid/control/shutdown" suspend
wait_for 10 "a domain suspends itself" runs_is suspended
control mig "restore new" || fail "restore"
domid=$(cat "$stub/mig/domid")
control mig resume || fail "resume"
wait_for 10 "the new home is told what can be obeyed" control_is feature-suspend 1

# --- death ------------------------------------------------------------------------------------------------------------

for step in suspended restored; do
	attach mig "$backing" xvda
	disk_sysfs=$(fe_sysfs "$domid" 51712)
	dev_sysfs="$(fe_sysfs "$first" 51712) $disk_sysfs"
	before=$(responses)
	dd if=/dev/zero of=/dev/xvda bs=64k count=1500 oflag=direct conv=nocreat status=none 2>/dev/null &
	writer=$!
	soon 10 "it writes" not responses_are "$before"
	save mig
	[ $step = suspended ] || control mig restore || fail "restore"
	same "$step" $step "$(cat "$stub/mig/control")"
	check "a domain that is $step dies" rmdir "$stub/mig"
	soon 20 "its I/O ends" not kill -0 $writer
	for d in $dev_sysfs; do
		soon 20 "its device goes" not test -e "$d"
	done
	prune_dom0 "$domid"
	domain mig
	first=$domid
done
attach mig "$backing" xvda
control mig suspend || fail "suspend"
check "the driver goes while the domain is suspended" unload xpv-blkfront
control mig resume || fail "resume"
check "and comes back after" load xpv-blkfront
wait_for 20 "connected" connected "$domid" 51712
detach mig xvda
