#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that hangs.
# timeout: 3

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

sleep 100
