#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that makes allocations fail, and a kernel that complains of something else.
# allocations: fail
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

echo "kobject: kobject_add_internal failed for nothing (error: -22 parent: a test of the runner)" >/dev/kmsg
pass "nothing else is wrong"
