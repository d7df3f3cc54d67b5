#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that passes.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

pass "a pass"
check "a check" true
refuse 3 "text" "a refusal" sh -c "echo a text; exit 3"
wait_for 2 "a wait" true
