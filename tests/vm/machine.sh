# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What scripts that start virtual machines, or guests in one, have in common.

# The kernel parameters of every virtual machine: what takes time where it is emulated, and tells nothing of the drivers.
kernel_parameters()
{
	sed '/^#/d' "${BASH_SOURCE[0]%/*}/cmdline" | paste -s -d' '
}

# A machine has two processors; more machines at once than half the host's, and two, would only time out. File descriptor 9 is the place
# that the caller has, until the last process that has it open ends.
take_slot()
{
	local n slots=$(($(nproc) / 2 > 2 ? $(nproc) / 2 : 2))

	mkdir -p /run/lock
	while :; do
		for n in $(seq "$slots"); do
			exec 9>"/run/lock/xpv-vm.$n"
			flock -n 9 && return
		done
		sleep 1
	done
}
