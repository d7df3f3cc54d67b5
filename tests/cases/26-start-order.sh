#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# It always ends connected, in whatever order the provider with its domain (S), the backend's driver (B), the frontend's
# driver (F) and the device's nodes (N, after S) appear.
# timeout: 300
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 16
dev=$disk
id=51712

S() { need xpv-hv-stub && domain order && dom=$domid; }
B() { need xpv-blkback; }
F() { need xpv-blkfront; }
N() { write_vbd "$dom" $id "$dev"; }

n=0
for order in $(few "SBFN SFBN SBNF SFNB SNBF SNFB BSFN BSNF FSBN FSNB BFSN FBSN" "SBFN SNFB BSNF FSBN FBSN"); do
	without xpv-blkfront xpv-blkback xpv-hv-stub
	for step in $(echo "$order" | sed 's/./& /g'); do
		$step || die "$order: step $step"
		[ $((n % 2)) = 0 ] || sleep 0.2
	done
	soon 20 "$order ends connected" connected "$dom" $id
	soon 10 "$order has a disk" opens xvda
	dd if=/dev/xvda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null || die "$order: read"
	xpvctl block-detach order xvda || die "$order: detach"
	xpvctl destroy order || die "$order: destroy"
	n=$((n + 1))
done
pass "$n orders"
