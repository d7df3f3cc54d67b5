#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a disk costs a guest: emulated, PV on HVM and PV, our drivers and the in-tree ones. Called by tests/bench-xen.
# guest: 6.1 -b fio
# timeout: 6000
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# Each combination of kind of guest and frontend is a guest of its own, with a disk of its own; those whose turn it is not are paused.
# Small requests: fio is started in all guests, then they run in turn, for slices of a third of a second, many of each, while the
# backend's statistics are read (slices.c). So what disturbs the host, even for less than a second, disturbs all of them alike. Large
# requests and the emulated disk: each guest does its job, one after the other, in the first three rounds only. A job is done with the
# one backend, then with the other: there can be one at a time only, which takes over all disks in between.
#
# What is not the drivers' is to cost as little as possible. The disk is a null_blk that keeps nothing and has no queue of its own. fio
# uses io_uring, with buffers and file registered, and leaves its buffers alone; it submits as many requests at once as the depth says,
# and waits for all of them: one at a time, its system calls, which go through Xen in a PV guest, would cost more than the drivers, and
# how many requests go together would be up to Xen's scheduler. It reads the time for each request, from the processor itself: the
# kernel's clock is a system call more in a PV guest. XPV_BENCH_FIO="--ioengine=libaio" gives other options instead.
#
# Each line of the result:
#	ROUND GUEST BACK FRONT JOB IOPS MIBPS IOS EVENTS-IN-DOM0 IOS-IN-GUEST EVENTS-IN-GUEST YARDSTICK
# where events are the disk's interrupts while there were so many requests, and the yardstick is how fast dom0 was at requests and
# changes of processes of its own between the slices (1 where there are none). In the first round, what a request costs is counted
# before, with Xen's own trace. Each line of counts.tsv, of requests at depth 1 and 32:
#	GUEST BACK FRONT JOB IOS HYPERCALLS EXITS
# of all domains: hypercalls of PV kernels (dom0, and the guest if it is one), exits of HVM guests. They are those of a run of so many
# requests less those of one with a quarter of them: starting a program takes more of them than many requests. XPV_BENCH_ROUNDS,
# XPV_BENCH_SLICES (of each guest, job and backend in a round), XPV_BENCH_SECONDS (of other jobs), XPV_BENCH_KERNEL (of guests),
# XPV_BENCH_GUESTS ("hvm pv": with both frontends; hvm brings hvm-nopv, with ours and the emulated disk; "hvm/intree": with that one
# alone), XPV_BENCH_TRACE=0: without Xen's trace.

rounds=${XPV_BENCH_ROUNDS:-5}
slices=${XPV_BENCH_SLICES:-20}
slice_ms=300
seconds=${XPV_BENCH_SECONDS:-1}
kernel=${XPV_BENCH_KERNEL:-6.1}
guests=${XPV_BENCH_GUESTS:-hvm pv}
trace=${XPV_BENCH_TRACE:-1}
result=$XPV_LOGS/result.tsv
counts=$XPV_LOGS/counts.tsv
xentrace=/usr/lib/xen-4.17/bin/xentrace
has_back=intree

die()
{
	dmesg | tail -n 10
	xenstore-ls -f 2>/dev/null | grep -E '/error|/vbd/.*(state|hotplug-status) ' | head -n 30
	fail "$@"
}

# fio's options of each job; an emulated disk takes long for each request, time bounds them all
lean='--ioengine=io_uring --fixedbufs --registerfiles --scramble_buffers=0 --gtod_reduce=1 --clocksource=cpu'
job_options()
{
	local word=${1#*-} depth=${1##*-qd} batch=--iodepth_batch

	echo "--rw=${1%%-*} --bs=${word%%-*} --iodepth=$depth" \
		"${XPV_BENCH_FIO:-$lean ${batch}_submit=$depth ${batch}_complete_min=$depth ${batch}_complete_max=$depth}"
}
jobs='randread-4k-qd1 randread-4k-qd32 randwrite-4k-qd1 randwrite-4k-qd32'
large='read-128k-qd8 read-1m-qd4'

# interrupts: of disks, in dom0; in a guest the same words are used
# shellcheck disable=SC2016 # for awk
count='/blkif|vbd/ { for (i = 2; i <= n + 1; i++) sum += $i } /CPU0/ { n = NF } END { print sum + 0 }'
interrupts()
{
	awk "$count" /proc/interrupts
}

# fio's command line: JOB DISK SECONDS, or MIBm for so much data
fio_command()
{
	local until="--time_based --runtime=$3"

	[[ $3 != *m ]] || until=--io_size=$3
	echo "fio --minimal --name=b --allow_file_create=0 --filename=/dev/$2 --direct=1 --norandommap --randrepeat=0 $until" \
		"$(job_options "$1")"
}

# Hypercalls and exits in a file of xentrace: a record is a word with event, number of words, and whether there is a time.
# shellcheck disable=SC2016 # for perl
count_trace='
	local $/; open(F, "<:raw", shift) or die; my $data = <F>; my ($at, $calls, $exits) = (0, 0, 0);
	while ($at + 4 <= length $data) {
		my $word = unpack("V", substr($data, $at, 4)); my $event = $word & 0xfffffff;
		$at += 4 + 4 * (($word >> 28) & 7) + ($word >> 31 ? 8 : 0);
		$calls++ if $event == 0x201001 || $event == 0x20100d;
		$exits++ if $event == 0x81002 || $event == 0x81102;
	}
	print "$calls\t$exits\n"'

# A guest of the benchmark is TYPE/FRONT; its name as a domain:
domain()
{
	echo "${1/\//-}"
}

# traced GUEST JOB MIBm: requests, hypercalls and exits
traced()
{
	local ios pid trace=/run/xpv/trace

	"$xentrace" -D -s 20 -e 0x281000 "$trace" >/dev/null 2>&1 &
	pid=$!
	sleep 0.5
	ios=$(guest_run "$(domain "$1")" "$(fio_command "$2" xvda "$3") >/tmp/fio || exit 1
		awk -F ';' '/^3/ { printf \"%d\", (\$8 * \$9 + \$49 * \$50) / 1000 }' /tmp/fio") || die "$1, count: $ios"
	kill -INT $pid
	wait $pid
	printf '%s\t%s\n' "$ios" "$(perl -e "$count_trace" "$trace")"
	rm -f "$trace"
}

# count GUEST BACK: what the requests of two jobs cost
count()
{
	local job short long front=${1#*/}

	for job in randread-4k-qd1 randread-4k-qd32; do
		short=$(traced "$1" $job 8m) || die "$short"
		long=$(traced "$1" $job 32m) || die "$long"
		printf '%s\t%s\t%s\t%s\t%s\n' "${1%/*}" "$2" "$front" "$job" "$(printf '%s\n%s\n' "$short" "$long" |
			awk 'NR == 1 { i = $1; h = $2; e = $3 } END { printf "%d\t%d\t%d", $1 - i, $2 - h, $3 - e }')" >>"$counts"
	done
	note "counted: $1, back $2: $(tail -n 2 "$counts" | cut -f 5- | tr '\t\n' ' ;')"
}

# measure ROUND GUEST BACK JOB [FRONT DISK]. Of fio's terse output: kB, kB/s, IOPS and ms, read and written.
measure()
{
	local before out iops rate ios events name front=${5:-${2#*/}}

	name=$(domain "$2")
	before=$(interrupts)
	out=$(guest_run "$name" "
		before=\$(awk '$count' /proc/interrupts)
		$(fio_command "$4" "${6:-xvda}" "$seconds") >/tmp/fio || exit 1
		awk -F ';' '/^3/ { printf \"%d %.2f %d \", \$8 + \$49, (\$7 + \$48) / 1024, (\$8 * \$9 + \$49 * \$50) / 1000 }' /tmp/fio
		echo \$((\$(awk '$count' /proc/interrupts) - before))") || die "$name, $3, $4: $out"
	read -r iops rate ios events <<<"$out"
	[ "${ios:-0}" -gt 0 ] || die "$name, $3, $4: $out"
	written "$1" "${2%/*}" "$3" "$front" "$4" "$iops" "$rate" "$ios" $(($(interrupts) - before)) "$ios" "$events" 1
}

# written FIELD...: a line of the result
written()
{
	(IFS=$'\t'; printf '%s\n' "$*") >>"$result"
}

# --- Slices. What happens in a subshell ends it when a guest is lost ------------------------------------------------------

# in_guest GUEST SCRIPT: of a guest that is paused otherwise
in_guest()
{
	local name rc

	name=$(domain "$1")
	xl unpause "$name"
	guest_run "$name" "$2"
	rc=$?
	xl pause "$name"
	return $rc
}

# what the guest has counted, requests and events
guest_counts="awk '{ printf \"%d \", \$1 + \$5 }' /sys/block/xvda/stat; awk '$count' /proc/interrupts"

# fio_begins GUEST JOB: prints the guest's counts when it is at work
fio_begins()
{
	in_guest "$1" "rm -f /tmp/fio.status
		requests() { awk '{ print \$1 + \$5 }' /sys/block/xvda/stat; }
		least=\$((\$(requests) + 200))
		($(fio_command "$2" xvda 36000) >/tmp/fio 2>&1; echo \$? >/tmp/fio.status) &
		until [ \$(requests) -gt \$least ]; do
			[ ! -s /tmp/fio.status ] || { cat /tmp/fio; exit 1; }
			sleep 0.1
		done
		$guest_counts"
}

# fio_ends GUEST: the same at its end; an error of fio's is one of ours
fio_ends()
{
	in_guest "$1" "$guest_counts
		killall fio
		until [ -s /tmp/fio.status ]; do sleep 0.1; done
		awk -F ';' '/^3;/ { good = \$5 == 0 } END { exit !good }' /tmp/fio || { cat /tmp/fio; exit 1; }"
}

# sliced ROUND BACK JOB
sliced()
{
	local g id out ios ns every events yardstick devices=/sys/bus/xen-backend/devices
	local -A first=()
	local args=() begun ended

	for g in "${all[@]}"; do
		first[$g]=$(fio_begins "$g" "$3") || die "$g, $2, $3: ${first[$g]}"
		id=$(xl domid "$(domain "$g")")
		args+=("$id:$devices/vbd-$id-51712/statistics")
	done
	"$XPV_TOP/out/xen/cache/slices" $slice_ms "$slices" "$emulated" "${args[@]}" >"$XPV_LOGS/slices" || die "$2, $3: no slices"
	exec 3<"$XPV_LOGS/slices"
	read -r -u 3 yardstick
	for g in "${all[@]}"; do
		read -r -u 3 ios ns every events
		read -r -a begun <<<"${first[$g]}"
		out=$(fio_ends "$g") || die "$g, $2, $3: $out"
		read -r -a ended <<<"$out"
		[ "$ios" -gt 0 ] || die "$g, $2, $3: no requests"
		written "$1" "${g%/*}" "$2" "${g#*/}" "$3" $((ios * 1000000000 / ns)) \
			"$(bc <<<"scale=2; $ios * 4 * 1000000000 / $ns / 1024")" "$every" "$events" \
			$((ended[0] - begun[0])) $((ended[1] - begun[1])) "$yardstick"
	done
}

# --- Guests ---------------------------------------------------------------------------------------------------------------

# attach, detach: the disk of a guest
attach()
{
	disk_attach "$(domain "$1")" "${disk[$1]}" xvda || die "$1: attach"
}

detach()
{
	disk_detach "$(domain "$1")" xvda || die "$1: detach"
}

# start GUEST: an emulated disk is there from the beginning
start()
{
	local name type=${1%/*} options=(-l xen-blkfront -l xpv-blkfront -b fio)

	name=$(domain "$1")
	if [ "$type" = hvm-nopv ]; then
		options+=(-l xpv-platform-pci -m ata_piix -m sd_mod -d "vdev=hdc,format=raw,backendtype=qdisk,target=$emulated")
	else
		options+=(-l xpv-hv-native)
	fi
	guest_create "$name" "$type" "$kernel" "${options[@]}"
	# paused for minutes, for which RCU and the watchdog would blame a processor
	guest_run "$name" 'echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress && echo 0 >/proc/sys/kernel/soft_watchdog' ||
		die "$1: RCU or the watchdog"
	# the emulated disk stays
	[ "$type" != hvm-nopv ] || guest_run "$name" 'modprobe xpv-xenbus && modprobe xpv-platform-pci unplug=never' ||
		die "$1: platform-pci"
	xpv_frontend "$name" "${1#*/}" || die "$1: no frontend"
	[ ! "${attached[$1]:-}" ] || attach "$1"
	xl pause "$name"
}

# tries GUESTS COMMAND...: again, with new guests and without what was written of them, where the emulation has lost one of these
tries()
{
	local those=$1 g

	shift
	for _ in 1 2 3; do
		cp "$result" "$result.before"
		cp "$counts" "$counts.before"
		("$@") && return
		[ "$(guests_lost)" -gt "$lost" ] || exit 1
		note "$those: one was lost by the emulation, once more"
		mv "$result.before" "$result"
		mv "$counts.before" "$counts"
		for g in $those; do
			# the lost one may have left another at work
			xl unpause "$(domain "$g")" 2>/dev/null
			guest_destroy "$(domain "$g")"
		done
		lost=$(guests_lost)
		for g in $those; do
			start "$g"
		done
	done
	exit 1
}

# turn GUEST COMMAND...: the only one that runs
turn()
{
	tries "$1" at_work "$@"
}

at_work()
{
	xl unpause "$(domain "$1")"
	"${@:2}" || return
	xl pause "$(domain "$1")"
}

# disks attach|detach: of all guests
disks()
{
	local g

	for g in "${all[@]}"; do
		turn "$g" "$1" "$g"
		attached[$g]=${1#detach}
	done
}

# back ours|intree: for all disks
back()
{
	[ "$1" != "$has_back" ] || return 0
	disks detach
	has_back=$1
	xpv_backend "$1" || die "the backend $1"
	disks attach
}

# job_done ROUND BACK JOB: in all guests
job_done()
{
	local g before

	before=$(wc -l <"$result")
	if [ "$3" = count ]; then
		for g in "${all[@]}"; do
			turn "$g" count "$g" "$2"
		done
		return
	elif [[ $3 == *-4k-* ]]; then
		tries "${all[*]}" sliced "$1" "$2" "$3"
	else
		for g in "${all[@]}"; do
			turn "$g" measure "$1" "$g" "$2" "$3"
		done
	fi
	[ "$1" -gt 3 ] || [ "$2" = ours ] || [[ " ${all[*]} " != *' hvm-nopv/'* ]] ||
		turn hvm-nopv/ours measure "$1" hvm-nopv/ours qemu "$3" ide sda
	note "round $1, back $2, $3, IOPS:$(tail -n "+$((before + 1))" "$result" | awk -F '\t' '{ printf " %s/%s %s", $2, $4, $6 }')"
}

# jobs_of ROUND
jobs_of()
{
	[ "$1$trace" != 11 ] || echo count
	echo "$jobs"
	[ "$1" -gt 3 ] || echo "$large"
}

declare -A disk=() attached=()
all=()
for g in $guests; do
	case $g in
	*/*) all+=("$g") ;;
	pv) all+=(pv/intree pv/ours) ;;
	*) all+=("$g/intree" "$g/ours" hvm-nopv/ours) ;;
	esac
done
null=(1024 memory_backed=0 irqmode=0 queue_mode=0)
emulated=$(disk_null emulated "${null[@]}") || fail "$emulated"
: >"$result"
: >"$counts"
for g in "${all[@]}"; do
	disk[$g]=$(disk_null "$(domain "$g")" "${null[@]}") || fail "${disk[$g]}"
	start "$g"
done
lost=$(guests_lost)
disks attach
for round in $(seq "$rounds"); do
	for job in $(jobs_of "$round"); do
		# the backend that is there first: half as many changes
		[ "$has_back" = intree ] && backs='intree ours' || backs='ours intree'
		for b in $backs; do
			back "$b"
			job_done "$round" "$b" "$job"
		done
	done
done
disks detach
xpv_backend intree || die "the in-tree backend"
for g in "${all[@]}"; do
	xl unpause "$(domain "$g")"
	guest_destroy "$(domain "$g")" || fail "$g"
done
