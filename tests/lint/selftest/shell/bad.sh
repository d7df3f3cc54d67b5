#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
a=$1
rm $a # bad
[ "$a" == b ] # bad
