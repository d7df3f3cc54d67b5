#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that cannot run.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

skip "for a test"
