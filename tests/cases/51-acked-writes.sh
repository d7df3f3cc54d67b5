#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A write that was acknowledged and flushed is on the backing device, whichever side is killed and whenever: a writer stamps
# blocks and logs them after each flush, one side goes at a random moment, and dom0 compares the backing device with the log.
# timeout: 300
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

rounds=$(few 24 12)
blocks=2048

suite_load
disk 8
dev=$disk
domain acked
last=0
total=0

i=0
while [ $i -lt "$rounds" ]; do
	how=$(way_to_kill $i)
	xpvctl block-attach -q -t $((20 * slow)) acked "phy:$dev" xvda w || die "round $i: attach"
	soon 10 "there is a disk" opens xvda
	ackwrite write /dev/xvda "$case_tmp/log" $blocks "$last" 4 >"$case_tmp/writer" 2>&1 &
	writer=$!
	sleep 0.3
	moment
	kill_side "$how" acked "$domid" >/dev/null 2>&1
	[ "$how" != backend-driver ] || {
		soon 20 "connected again" connected "$domid" 51712
		soon 30 "the writer goes on to its end" not kill -0 $writer
	}
	clear_side acked "$domid"
	soon 60 "$how: the writer ends" not kill -0 $writer
	wait $writer || die "$how: $(cat "$case_tmp/writer")"
	# "last STAMP acknowledged N"
	# shellcheck disable=SC2046 # words
	set -- $(cat "$case_tmp/writer")
	last=$2
	total=$((total + $4))
	soon 20 "$how: the backing device is free" not fuser -s "$dev"
	refuse 0 'bad 0$' "round $i, $how: acknowledged writes are there" \
		ackwrite verify "$dev" "$case_tmp/log" $blocks "$last" || exit 1
	i=$((i + 1))
done
note "$total writes acknowledged in $rounds rounds"
[ $total -gt "$rounds" ] || fail "too few writes to prove anything"
