#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case after the end of the machine.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

pass "runs"
