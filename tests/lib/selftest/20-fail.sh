#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A check that fails.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

check "a check" false
pass "the case went on"
