#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that ends with an error of its own.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

pass "one"
exit 3
