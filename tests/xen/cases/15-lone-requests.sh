#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On one processor with dom0, a guest's lone requests are answered without an event, unless the guest has something else to do.
# guest: 6.1 -b fio
# timeout: 300
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# In the guest: 1024 writes and as many reads, verified: DEPTH. Prints how many requests there were of what kind: in all, answered
# promptly, events, spurious events.
# shellcheck disable=SC2016 # for the guest
work='
cd /sys/bus/xpv/devices/*vbd*/ || exit
numbers()
{
	echo $(cat statistics/requests statistics/prompt) $(sed -n "s/.* \([0-9]*\) events, \([0-9]*\) spurious.*/\1 \2/p" resources)
}
before=$(numbers)
fio --name=v --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=$depth --rw=randwrite --bs=4k --size=4m \
	--verify=crc32c --verify_state_save=0 >/tmp/fio || { tail -n 20 /tmp/fio; exit 1; }
echo $before $(numbers) | awk "{ print \$5 - \$1, \$6 - \$2, \$7 - \$3, \$8 - \$4 }"'

# works TEXT SETUP DEPTH: into requests, prompt, events, spurious
works()
{
	local out

	out=$(guest_run g "$2; depth=$3; $work") || die "$1: $out"
	read -r requests prompt events spurious <<<"$out"
	note "$1: $requests requests, $prompt prompt, $events events, $spurious spurious"
	[ "${requests:-0}" -ge 2048 ] || die "$1: fewer requests than fio made"
	[ "$spurious" -le $((events / 10 + 5)) ] || die "$1: spurious events"
}

# one GUEST-TYPE BACKEND
one()
{
	xpv_backend "$2" || die "$2: backend"
	guest_create g "$1" 6.1 -b fio -l xpv-blkfront -l xpv-platform-pci -l xpv-hv-native
	xpv_frontend g ours || die "$1: frontend"
	disk_attach g "$disk" xvda || die "$1: attach"
	works "$1, $2" : 1
	[ $((2 * prompt)) -gt "$requests" ] && [ $((2 * events)) -lt "$requests" ] ||
		die "$1, $2: most of the requests had to be waited for"
	works "$1, $2, 32 deep" : 32
	works "$1, $2, busy" 'while :; do :; done & trap "kill $!" EXIT' 1
	# where dom0 has its turn just then, the answer is prompt all the same: what tells is that there are events
	[ $((10 * events)) -gt "$requests" ] || die "$1, $2: a busy guest gave its processor away"
	disk_detach g xvda || die "$1: detach"
	guest_destroy g
}

disk=$(disk_null lone 64) || fail "$disk"
one hvm-nopv intree
one pv ours
xpv_backend intree
