#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a disk costs a guest: emulated, PV on HVM and PV, our drivers and the in-tree ones. Called by tests/bench-xen.
# guest: 6.1 -b fio
# timeout: 3000
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# In each round each combination is measured once, one after the other, so that what disturbs the host disturbs all of them; guests
# whose turn it is not are paused. The disk is a null_blk that keeps nothing: what is left is the way there. Each line of the result:
#	ROUND GUEST BACK FRONT JOB IOPS MIBPS IOS EVENTS-IN-DOM0 EVENTS-IN-GUEST
# where events are the disk's interrupts while the job ran. Before the first round, what a request costs is counted, with Xen's own
# trace. Each line of counts.tsv, of requests at depth 1 and 32:
#	GUEST BACK FRONT JOB IOS HYPERCALLS EXITS
# of all domains: hypercalls of PV kernels (dom0, and the guest if it is one), exits of HVM guests. They are those of a run of three
# seconds less those of a run of one: starting a program takes more of them than many requests. XPV_BENCH_ROUNDS,
# XPV_BENCH_SECONDS, XPV_BENCH_KERNEL (of guests), XPV_BENCH_GUESTS ("hvm pv"; hvm brings hvm-nopv, with ours and the emulated disk).

rounds=${XPV_BENCH_ROUNDS:-3}
seconds=${XPV_BENCH_SECONDS:-3}
kernel=${XPV_BENCH_KERNEL:-6.1}
guests=${XPV_BENCH_GUESTS:-hvm pv}
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
job_options()
{
	local word

	word=${1#*-}
	echo "--rw=${1%%-*} --bs=${word%%-*} --iodepth=${1##*-qd}"
}
jobs='randread-4k-qd1 randread-4k-qd32 randwrite-4k-qd1 randwrite-4k-qd32 read-128k-qd8 read-1m-qd4'

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
	echo "fio --minimal --name=b --allow_file_create=0 --filename=/dev/$2 --direct=1 --ioengine=libaio --norandommap --randrepeat=0" \
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

# traced GUEST JOB DISK SECONDS: requests, hypercalls and exits
traced()
{
	local ios pid trace=/run/xpv/trace

	"$xentrace" -D -s 20 -e 0x281000 "$trace" >/dev/null 2>&1 &
	pid=$!
	sleep 0.5
	ios=$(guest_run "$1" "$(fio_command "$2" "$3" "$4") >/tmp/fio || exit 1
		awk -F ';' '/^3/ { printf \"%d\", (\$8 * \$9 + \$49 * \$50) / 1000 }' /tmp/fio") || die "$1, count: $ios"
	kill -INT $pid
	wait $pid
	printf '%s\t%s\n' "$ios" "$(perl -e "$count_trace" "$trace")"
	rm -f "$trace"
}

# count GUEST BACK FRONT DISK: what the requests of two jobs cost
count()
{
	local job short long

	for job in randread-4k-qd1 randread-4k-qd32; do
		short=$(traced "$1" $job "$4" 1) || die "$short"
		long=$(traced "$1" $job "$4" 3) || die "$long"
		printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$job" "$(printf '%s\n%s\n' "$short" "$long" |
			awk 'NR == 1 { i = $1; h = $2; e = $3 } END { printf "%d\t%d\t%d", $1 - i, $2 - h, $3 - e }')" >>"$counts"
	done
	note "counted: $1, back $2, front $3: $(tail -n 2 "$counts" | cut -f 5- | tr '\t\n' ' ;')"
}

# measure ROUND GUEST BACK FRONT DISK. Of fio's terse output: kB, kB/s, IOPS and ms, read and written.
measure()
{
	local job before out iops rate ios events time

	[ "$1" != 1 ] || count "$2" "$3" "$4" "$5"
	for job in $jobs; do
		time=$seconds
		# each request of these waits for two changes of domain, which vary most
		[[ $job != *-qd1 ]] || time=$((2 * seconds))
		before=$(interrupts)
		out=$(guest_run "$2" "
			before=\$(awk '$count' /proc/interrupts)
			$(fio_command "$job" "$5" "$time") >/tmp/fio || exit 1
			awk -F ';' '/^3/ { printf \"%d %.2f %d \", \$8 + \$49, (\$7 + \$48) / 1024, (\$8 * \$9 + \$49 * \$50) / 1000 }' /tmp/fio
			echo \$((\$(awk '$count' /proc/interrupts) - before))") || die "$2, $3/$4, $job: $out"
		read -r iops rate ios events <<<"$out"
		[ "${ios:-0}" -gt 0 ] || die "$2, $3/$4, $job: $out"
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$job" "$iops" "$rate" "$ios" \
			$(($(interrupts) - before)) "$events" >>"$result"
	done
	note "round $1: $2, back $3, front $4: $(tail -n 6 "$result" | cut -f 6 | tr '\n' ' ')IOPS"
}

# one ROUND GUEST FRONT
one()
{
	xpv_frontend "$2" "$3" || die "$2: the frontend $3"
	disk_attach "$2" "$dev" xvda || die "$2: attach"
	measure "$1" "$2" "$has_back" "$3" xvda
	disk_detach "$2" xvda || die "$2: detach"
}

# start TYPE: a guest of that name; an emulated disk is there from the beginning
start()
{
	local options=(-l xen-blkfront -l xpv-blkfront -b fio)

	if [ "$1" = hvm-nopv ]; then
		options+=(-l xpv-platform-pci -m ata_piix -m sd_mod -d "vdev=hdc,format=raw,backendtype=qdisk,target=$emulated")
	else
		options+=(-l xpv-hv-native)
	fi
	guest_create "$1" "$1" "$kernel" "${options[@]}"
	# paused for minutes, for which RCU would blame a processor
	guest_run "$1" 'echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress' || die "$1: no rcu_cpu_stall_suppress"
	# the emulated disk stays, for the next round
	[ "$1" != hvm-nopv ] || guest_run "$1" 'modprobe xpv-xenbus && modprobe xpv-platform-pci unplug=never' || die "$1: platform-pci"
	xl pause "$1"
}

# attempt GUEST COMMAND...: again, with a new guest and without what was written of it, where the emulation has lost the guest
attempt()
{
	local guest=$1

	shift
	for _ in 1 2 3; do
		cp "$result" "$result.before"
		cp "$counts" "$counts.before"
		xl unpause "$guest"
		("$@") && { xl pause "$guest"; return; }
		[ "$(guests_lost)" -gt "$lost" ] || exit 1
		note "$guest: lost by the emulation, once more"
		mv "$result.before" "$result"
		mv "$counts.before" "$counts"
		guest_destroy "$guest"
		lost=$(guests_lost)
		start "$guest"
	done
	exit 1
}

# null NAME: a null_blk of 1 GiB that answers at once
null()
{
	local d=/sys/kernel/config/nullb/$1

	modprobe null_blk nr_devices=0
	mkdir "$d" || return
	echo 1024 >"$d/size"
	echo 0 >"$d/irqmode"
	echo 1 >"$d/power"
	[ -b "/dev/$1" ] && echo "/dev/$1" || echo "/dev/nullb$(cat "$d/index")"
}

dev=$(null bench) || fail "$dev"
emulated=$(null emulated) || fail "$emulated"
: >"$result"
: >"$counts"
for g in $guests; do
	[ "$g" = pv ] || start hvm-nopv
	start "$g"
done
lost=$(guests_lost)
for round in $(seq "$rounds"); do
	for b in intree ours; do
		back $b
		for g in $guests; do
			attempt "$g" one "$round" "$g" intree
			attempt "$g" one "$round" "$g" ours
			[ "$g" = hvm ] || continue
			[ $b = ours ] || attempt hvm-nopv measure "$round" hvm-nopv qemu ide sda
			attempt hvm-nopv one "$round" hvm-nopv ours
		done
	done
done
back intree
for g in ${guests/hvm/hvm hvm-nopv}; do
	xl unpause "$g"
	guest_destroy "$g" || fail "$g"
done
