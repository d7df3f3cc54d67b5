#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A case that takes the machine along.
# timeout: 30

# shellcheck source=tests/lib/case.sh
. "$(dirname "$0")/../case.sh"

echo c >/proc/sysrq-trigger
sleep 20
