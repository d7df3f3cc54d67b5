#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel says of allocations that a case made fail.
# allocations: fail
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

for line in "kobject: kobject_add_internal failed for nothing (error: -12 parent: runner)" \
	"nothing: vmalloc error: size 4096, page order 0, allocation failed" "Call Trace:" "</TASK>"; do
	echo "$line (made by a test of the runner)" >/dev/kmsg
done
pass "nothing is wrong"
