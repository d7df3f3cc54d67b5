#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The unmodified xenstore tools of Debian work as dom0: read, write, list, ls, exists, rm, chmod, watch, transactions, a
# directory larger than a message, and the special watches.
# timeout: 120
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load

lines() { [ "$(grep -c "$2" "$3")" -ge "$1" ]; }

t=/local/domain/0/case11
xenstore-rm $t 2>/dev/null

xenstore-write $t/a one $t/b/c two
expect 0 '^one$' xenstore-read $t/a
expect 0 '^two$' xenstore-read case11/b/c		# relative to the home of dom0
expect 0 '^a$' xenstore-list $t
expect 0 "^$t/b/c = \"two\"" xenstore-ls -f $t
expect 0 'n0' xenstore-ls -fp $t
xenstore-exists $t/a || die "exists"
xenstore-exists $t/none && die "exists, but does not"
expect 1 . xenstore-read $t/none
expect 1 . xenstore-list $t/none
check "rm of a node that is not there, below one that is" xenstore-rm $t/none
expect 1 . xenstore-rm $t/none/none
expect 1 . xenstore-read "$t//a"
expect 1 . xenstore-read "$t/a/"
expect 1 . xenstore-read "$t/$(printf '%03072d' 0)"

# values: empty, with every kind of byte, and long
xenstore-write $t/empty ""
expect 0 '^$' xenstore-read $t/empty
xenstore-write $t/odd 'a b	c"\\=é'
[ "$(xenstore-read -R $t/odd 2>/dev/null || xenstore-read $t/odd)" != "" ] || die "odd bytes"
long=$(printf '%02000d' 7)
xenstore-write $t/long "$long"
[ "$(xenstore-read $t/long)" = "$long" ] || die "2000 bytes"
expect 1 . xenstore-write $t/toolong "$(printf '%05000d' 7)"

# a directory that needs more than one message
i=0
set --
while [ $i -lt 300 ]; do
	set -- "$@" "$t/large/node-with-a-longer-name-$i" "$i"
	i=$((i + 1))
	[ $((i % 50)) = 0 ] || continue
	xenstore-write "$@" || die "write 50 nodes"
	set --
done
[ "$(xenstore-list $t/large | wc -l)" = 300 ] || die "300 children are not listed"
[ "$(xenstore-ls -f $t/large | wc -l)" = 300 ] || die "300 children are not shown"

# permissions: what is set is shown, and children inherit
xenstore-write $t/perm x
xenstore-chmod $t/perm n0 r1 w2
expect 0 'n0,r1,w2' xenstore-ls -fp $t
xenstore-write $t/perm/child y
expect 0 "$t/perm/child.*n0,r1,w2" xenstore-ls -fp $t
xenstore-chmod -r $t/perm n0 b3
expect 0 "$t/perm/child.*n0,b3" xenstore-ls -fp $t

# watches: one event at once, one for each change at or below, none beside
xenstore-watch -n 4 $t/w >/run/case11 2>&1 &
watch=$!
soon 10 "the first event" grep -q . /run/case11
xenstore-write $t/w 1
soon 10 "the second event" grep -q "^$t/w$" /run/case11
xenstore-write $t/wide 1
xenstore-write $t/w/deep 1
soon 10 "an event from below" grep -q "^$t/w/deep$" /run/case11
xenstore-rm $t/w
soon 10 "the watcher ends" not kill -0 $watch
grep -q wide /run/case11 && die "an event of another node"

# domains come and go
xenstore-watch -n 3 @introduceDomain >/run/case11i 2>&1 &
xenstore-watch -n 2 @releaseDomain >/run/case11r 2>&1 &
soon 10 "watches" grep -q . /run/case11i
soon 10 "watches" grep -q . /run/case11r
domain case11
dom=$domid
expect 0 '^case11$' xenstore-read "/local/domain/$dom/name"
xpvctl create -q case11b
soon 10 "@introduceDomain twice" lines 3 introduceDomain /run/case11i
xpvctl destroy case11b
soon 10 "@releaseDomain" lines 2 releaseDomain /run/case11r
wait

# writers in each other's way: every transaction takes effect once
xenstore-write $t/turn 0
for w in 1 2 3 4; do
	(
		i=0
		while [ $i -lt 25 ]; do
			xenstore-write "$t/t/$w-$i" x "$t/t/last" "$w-$i" || exit 1
			i=$((i + 1))
		done
	) &
	eval "p$w=\$!"
done
# shellcheck disable=SC2154 # p1 to p4 by eval
for p in "$p1" "$p2" "$p3" "$p4"; do
	wait "$p" || die "a writer"
done
[ "$(xenstore-list $t/t | wc -l)" = 101 ] || die "a write got lost"

# a guest's own view
guest() { env "XENSTORED_PATH=/dev/xen/xenbus-$dom" "$@"; }
expect 0 "^$dom$" guest xenstore-read domid
check "a guest writes its own nodes" guest xenstore-write data/x 1
expect 1 . guest xenstore-write /local/domain/0/x 1
expect 1 . guest xenstore-read $t/a
expect 0 '^1$' xenstore-read "/local/domain/$dom/data/x"

xpvctl destroy case11 || die "destroy"
xenstore-rm $t
