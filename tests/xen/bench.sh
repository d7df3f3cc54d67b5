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
# Each job is done in one guest after the other, so that what disturbs the host for longer than some seconds disturbs all of them. A
# round is that with the one backend, then with the other. Many short rounds, because what disturbs it does so for seconds; requests
# that are large and the emulated disk are in the first three only.
#
# What is not the drivers' is to cost as little as possible. The disk is a null_blk that keeps nothing and has no queue of its own. fio
# uses io_uring, with buffers and file registered, and leaves its buffers and the clock alone; it submits as many requests at once as
# the depth says, and waits for all of them: one at a time, its system calls, which go through Xen in a PV guest, would cost more than
# the drivers, and how many requests go together would be up to Xen's scheduler. XPV_BENCH_FIO="--ioengine=libaio" gives other
# options instead.
#
# Each line of the result:
#	ROUND GUEST BACK FRONT JOB IOPS MIBPS IOS EVENTS-IN-DOM0 EVENTS-IN-GUEST
# where events are the disk's interrupts while the job ran. In the first round, what a request costs is counted before, with Xen's own
# trace. Each line of counts.tsv, of requests at depth 1 and 32:
#	GUEST BACK FRONT JOB IOS HYPERCALLS EXITS
# of all domains: hypercalls of PV kernels (dom0, and the guest if it is one), exits of HVM guests. They are those of a run of three
# seconds less those of a run of one: starting a program takes more of them than many requests. XPV_BENCH_ROUNDS,
# XPV_BENCH_SECONDS, XPV_BENCH_KERNEL (of guests), XPV_BENCH_GUESTS ("hvm pv"; hvm brings hvm-nopv, with ours and the emulated disk),
# XPV_BENCH_TRACE=0: without Xen's trace.

rounds=${XPV_BENCH_ROUNDS:-8}
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
lean='--ioengine=io_uring --fixedbufs --registerfiles --scramble_buffers=0 --gtod_reduce=1'
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

# back ours|intree
back()
{
	[ "$1" != "$has_back" ] || return 0
	has_back=$1
	xpv_backend "$1" || die "the backend $1"
}

# fio's command line: JOB DISK SECONDS
fio_command()
{
	echo "fio --minimal --name=b --allow_file_create=0 --filename=/dev/$2 --direct=1 --norandommap --randrepeat=0" \
		"--time_based --runtime=$3 $(job_options "$1")"
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

# traced GUEST JOB SECONDS: requests, hypercalls and exits
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
		short=$(traced "$1" $job 1) || die "$short"
		long=$(traced "$1" $job 3) || die "$long"
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
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "${2%/*}" "$3" "$front" "$4" "$iops" "$rate" "$ios" \
		$(($(interrupts) - before)) "$events" >>"$result"
}

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
	# paused for minutes, for which RCU would blame a processor
	guest_run "$name" 'echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress' || die "$1: no rcu_cpu_stall_suppress"
	# the emulated disk stays
	[ "$type" != hvm-nopv ] || guest_run "$name" 'modprobe xpv-xenbus && modprobe xpv-platform-pci unplug=never' ||
		die "$1: platform-pci"
	xpv_frontend "$name" "${1#*/}" || die "$1: no frontend"
	[ ! "${attached[$1]:-}" ] || attach "$1"
	xl pause "$name"
}

# turn GUEST COMMAND...: of a guest that is paused otherwise. Again, with a new guest and without what was written of it, where the
# emulation has lost the guest
turn()
{
	local guest=$1 name

	shift
	name=$(domain "$guest")
	for _ in 1 2 3; do
		cp "$result" "$result.before"
		cp "$counts" "$counts.before"
		xl unpause "$name"
		("$@") && { xl pause "$name"; return; }
		[ "$(guests_lost)" -gt "$lost" ] || exit 1
		note "$guest: lost by the emulation, once more"
		mv "$result.before" "$result"
		mv "$counts.before" "$counts"
		guest_destroy "$name"
		lost=$(guests_lost)
		start "$guest"
	done
	exit 1
}

# jobs_done ROUND BACK: the jobs of that round in all guests, which have their disks
jobs_done()
{
	local g job before few=

	[ "$1" -gt 3 ] || few=1
	for job in $jobs ${few:+$large}; do
		before=$(wc -l <"$result")
		for g in "${all[@]}"; do
			turn "$g" measure "$1" "$g" "$2" "$job"
		done
		[ ! "$few" ] || [ "$2" = ours ] || [[ " ${all[*]} " != *' hvm-nopv/'* ]] ||
			turn hvm-nopv/ours measure "$1" hvm-nopv/ours qemu "$job" ide sda
		note "round $1, back $2, $job, IOPS:$(tail -n "+$((before + 1))" "$result" | awk -F '\t' '{ printf " %s/%s %s", $2, $4, $6 }')"
	done
}

declare -A disk=() attached=()
all=()
for g in $guests; do
	all+=("$g/intree" "$g/ours")
	[ "$g" = pv ] || all+=(hvm-nopv/ours)
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
for round in $(seq "$rounds"); do
	for b in intree ours; do
		back $b
		for g in "${all[@]}"; do
			turn "$g" attach "$g"
			attached[$g]=1
			[ "$round$trace" != 11 ] || turn "$g" count "$g" $b
		done
		jobs_done "$round" $b
		for g in "${all[@]}"; do
			turn "$g" detach "$g"
			attached[$g]=
		done
	done
done
back intree
for g in "${all[@]}"; do
	xl unpause "$(domain "$g")"
	guest_destroy "$(domain "$g")" || fail "$g"
done
