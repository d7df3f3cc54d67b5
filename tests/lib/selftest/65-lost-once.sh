#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that takes the machine along the first time, with what the emulation leaves when it was its fault.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

once=$(dirname "$0")/../../../out/tests/lost-once
if [ ! -e "$once" ]; then
	: >"$once"
	sync
	echo "Oops: double fault: 0000 [#1] PREEMPT SMP NOPTI" >/dev/kmsg
	echo "RSP: 0018:ffffcaa5408036c0 EFLAGS: c62e8b02" >/dev/kmsg
	echo c >/proc/sysrq-trigger
	sleep 20
fi
pass "the second time it is well"
