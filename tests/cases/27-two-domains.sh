#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Several domains side by side, each with its own disk of the same name: no data crosses over, and the death of one leaves
# the others alone.
# timeout: 240
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load

# of domain N, in files: its backing device and its disk
backing() { cat "/run/two.dev$1"; }
blk() { cat "/run/two.blk$1"; }

domids=
for n in 1 2 3 4; do
	disk 32
	domain two$n
	domids="$domids $domid"
	check "attach $n" xpvctl block-attach -q two$n "phy:$disk" xvda w || exit 1
	echo "$disk" >/run/two.dev$n
	echo "/dev/$(basename "$(echo "$(fe_sysfs "$domid" 51712)"/block/*)")" >/run/two.blk$n
	[ -b "$(blk $n)" ] || die "no disk of domain $n: $(blk $n)"
done
same "the first domain's disk has the plain name" /dev/xvda "$(blk 1)"
same "four disks with four names" 4 "$(cat /run/two.blk? | sort -u | wc -l)"
expect 0 "^51712 " xpvctl block-list two1 two2 two3 two4
same "block-list shows all" 5 "$(xpvctl block-list two1 two2 two3 two4 | wc -l)"

# all at once, each its own pattern
pattern_of() { yes "domain $1" | head -c 1048576; }

pids=
for n in 1 2 3 4; do
	(
		fio --name=side --allow_file_create=0 --filename="$(blk $n)" --direct=1 --ioengine=libaio --iodepth=8 --rw=randwrite --bs=8k \
			--size=24m --io_size=8m --verify=crc32c --do_verify=1 --verify_fatal=1 --randseed=$n \
			--minimal >/run/two.fio$n 2>&1 || exit 1
		pattern_of $n | dd of="$(blk $n)" bs=64k seek=400 iflag=fullblock oflag=direct conv=fsync status=none
	) &
	pids="$pids $!"
done
for p in $pids; do
	wait "$p" || fail "verified I/O side by side: $(tail -2 /run/two.fio?)"
done
for n in 1 2 3 4; do
	same "domain $n's data are on its backing device" "$(pattern_of $n | md5sum)" \
		"$(dd if="$(backing $n)" bs=64k skip=400 count=16 iflag=direct status=none | md5sum)"
done

# one dies and one is detached under another's I/O
fio --name=live --allow_file_create=0 --filename="$(blk 2)" --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=8k --size=24m \
	--time_based --runtime=6 >/run/two.live 2>&1 &
live=$!
sleep 1
check "destroy one" xpvctl destroy two1
check "detach another's" xpvctl block-detach two3 xvda
wait $live || fail "the second domain's I/O suffered: $(tail -3 /run/two.live)"
check "the fourth domain's disk reads" dd if="$(blk 4)" of=/dev/null bs=64k count=16 iflag=direct
