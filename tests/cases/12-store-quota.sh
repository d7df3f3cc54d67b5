#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest's client cannot hurt the store: its watches, nodes and transactions are limited, half messages and nonsense cost
# it its own request at most, and another domain is answered quickly all the time.
# timeout: 180
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
domain greedy
a=$domid
domain modest
b=$domid
A=/dev/xen/xenbus-$a B=/dev/xen/xenbus-$b
[ -c "$A" ] || die "no $A"
[ -c "$B" ] || die "no $B"

# limited WHAT N MOST: at least one is granted, and MOST at most
limited()
{
	out=$(xsraw "$A" "$1" "$2") || die "xsraw $1: $out"
	# shellcheck disable=SC2086 # words
	set -- $out "$3"
	[ "$2" -ge 1 ] || die "$out"
	[ "$4" -ge 1 ] || die "$out"
	[ "$2" -le "$7" ] || die "quota of $7 exceeded: $out"
	note "$out"
}

# answered: the modest domain gets its answer within a second
answered()
{
	ms=$(xsraw "$B" ping) || die "the other domain gets no answer"
	[ "$ms" -lt 1000 ] || die "the other domain waited $ms ms"
}

answered
limited watches 10000 1000
answered
limited watches 10000 1000		# the first ones went with their file
limited transactions 200 100
answered
limited nodes 5000 5000
answered
xenstore-rm "/local/domain/$a/data/xsraw"

# half a message, several times, one of them held open while the same domain goes on
i=0
while [ $i -lt 20 ]; do
	xsraw "$A" half 0
	i=$((i + 1))
done
xsraw "$A" half 3 &
xsraw "$A" ping >/dev/null || die "half a message stops the domain's other clients"
answered
wait

expect 0 . xsraw "$A" oversized
answered
expect 0 '^64$' xsraw "$A" unread	# as many unread replies as a file may have
answered
for seed in 1 2 3 4; do
	expect 0 'sent [0-9]+' xsraw "$A" fuzz 500 $seed
	answered
done
xsraw "$A" ping >/dev/null || die "the domain's own client is dead after nonsense"

# several clients as fast as they can, and the other domain meanwhile
for i in 1 2 3; do
	xsraw "$A" flood 5 >/dev/null &
done
for i in 1 2 3 4 5 6 7 8; do
	answered
	sleep 0.3
done
wait

xenstore-ls -f >/dev/null || die "dom0"
xpvctl destroy greedy || die "destroy"
xpvctl destroy modest || die "destroy"
