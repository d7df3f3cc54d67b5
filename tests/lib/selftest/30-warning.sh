#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A kernel warning.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

echo "WARNING: CPU: 0 PID: 1 at nothing.c:1 (made by a test of the runner)" >/dev/kmsg
pass "nothing else is wrong"
