#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests are saved and go on, are saved and restored, and migrated, under verified I/O; and are shut down by the toolstack.
# guest: 6.1 -b fio
# guest: 6.12 -b fio
# timeout: 420
#
# -e XPV_FULL=1 has all guests, -e 'XPV_SAVED=pvh 6.12 2 intree' that one.
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/lib.sh"
# shellcheck source=/dev/null
. "$XPV_TOP/tests/xen/xpv.sh"

# A line: type and kernel of the guest, virtual CPUs, backend.
table()
{
	local kernel type

	if [ "${XPV_SAVED:-}" ]; then
		echo "$XPV_SAVED"
	elif [ "${XPV_FULL:-}" ]; then
		for kernel in 6.1 6.12; do
			for type in hvm-nopv pv pvh hvm; do
				echo "$type $kernel 1 ours"
				echo "$type $kernel 2 intree"
			done
		done
	else
		echo 'hvm-nopv 6.12 2 intree'
		echo 'pv 6.1 1 ours'
	fi
}

image=$XPV_LOGS/saved
pipe=/run/xpv/saved

# quiet COMMAND...: its output goes to a log
quiet()
{
	echo "+ $*" >>"$XPV_LOGS/xl.log"
	timeout $((90 * ${XPV_SLOW:-1})) "$@" >>"$XPV_LOGS/xl.log" 2>&1
}

# save OPTION...: the guest. Its pages cannot be written to a file that is shared with the machine outside, but through a pipe.
save()
{
	local rc writer

	mkfifo "$pipe"
	cat "$pipe" >"$image" &
	writer=$!
	quiet xl save "$@" g "$pipe"
	rc=$?
	wait "$writer"
	rm "$pipe"
	return "$rc"
}

# What is written is read again at once; it ends by itself only where that fails.
io_start()
{
	guest_run g "
		(fio --name=v --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=8 --rw=randwrite --bsrange=4k-32k --size=8m \
			--allow_file_create=0 --time_based --runtime=3600 --verify=crc32c --verify_backlog=64 --verify_fatal=1 --verify_state_save=0 --minimal \
			>/tmp/fio 2>&1 & echo \$! >/tmp/fio.pid; wait \$!; echo \$? >/tmp/fio.status) >/dev/null 2>&1 </dev/null &
		sleep 1; [ ! -e /tmp/fio.status ]"
}

# io_goes_on: a hundred requests more
# shellcheck disable=SC2016 # for the guest
io_goes_on()
{
	guest_run g '
		ios() { awk "{ print \$1 + \$5 }" /sys/block/xvda/stat; }
		n=0 start=$(ios)
		until [ $(($(ios) - start)) -gt 100 ]; do
			n=$((n + 1))
			[ $n -lt 300 ] && [ ! -e /tmp/fio.status ] || exit 1
			sleep 0.1
		done'
}

# Only its first process is told. In the one that does the I/O a signal could cut short the wait for the last requests, and that of
# fio 3.33 then waits for some of them twice (mended in 3.35).
# shellcheck disable=SC2016 # for the guest
io_end()
{
	guest_run g '
		kill -INT "$(cat /tmp/fio.pid)"
		n=0
		until [ -e /tmp/fio.status ]; do n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.1; done
		[ "$(cut -d ";" -f 5 /tmp/fio | tail -n 1)" = 0 ] && ! grep -qi verify: /tmp/fio'
}

# The kernel's own client deadlocks when it is asked to take a watch back while it suspends (hv-native/watch.c): in which order
# things happen is recorded, because time rarely shows it.
trace_start()
{
	guest_run g '(
		mount -t tracefs none /sys/kernel/tracing
		cd /sys/kernel/tracing &&
		echo counter >trace_clock &&
		echo xpv_domain_suspend xs_resume xs_suspend_cancel unregister_xenbus_watch >set_ftrace_filter &&
		echo function >current_tracer)'
}

# Watches were taken back, but none from the beginning of a suspend to its end.
# shellcheck disable=SC2016 # for the guest
trace_check()
{
	guest_run g '
		awk "
			/ xpv_domain_suspend <-/ { suspends++; open = 1 }
			/ (xs_resume|xs_suspend_cancel) <-/ { open = 0 }
			/ unregister_xenbus_watch <-/ { watches++; bad += open }
			END {
				print suspends + 0 \" suspends, \" watches + 0 \" watches taken back, \" bad + 0 \" of them meanwhile\"
				exit !(suspends >= 2 && watches && !bad)
			}" /sys/kernel/tracing/trace'
}

# step TEXT: the guest is there, and its I/O goes on
step()
{
	guest_find g || die "$1: no guest"
	guest_wait g 60 || die "$1: the guest does not answer"
	io_goes_on || die "$1: I/O does not go on"
	# shellcheck disable=SC2016 # for the guest
	guest_run g '[ "$(xenstore-read name 2>/dev/null || echo g)" = g ]' || die "$1: another store"
	note "$guest: $1: domain $(xl domid g), $((SECONDS - start)) s"
	start=$SECONDS
}

# migrate TYPE: to this host. A Xen built without shadow page tables cannot migrate PV guests; then they go on.
migrate()
{
	if quiet xl migrate -s '' g 'exec xl migrate-receive'; then
		step "migrated"
	elif [ "$1" = pv ] && grep -q 'Failed to enable logdirty: .*95' "$XPV_LOGS/xl.log"; then
		step "not migrated, because this Xen cannot"
	else
		die "xl migrate"
	fi
}

# guest TYPE KERNEL VCPUS BACKEND
guest()
{
	local guest="$*" start=$SECONDS here there old

	xpv_backend "$4" || die "the backend's modules"
	guest_create g "$1" "$2" -v "$3" -M 256 -l xpv-blkfront -l xpv-platform-pci -l xpv-hv-native -b fio
	xpv_frontend g ours || die "the frontend's modules"
	disk_attach g "$dev" xvda || die "attach"
	io_start || die "fio"
	# its clock goes on, or jumps, while it is away, for which nobody is to be blamed; should it be stuck, its console says where
	guest_run g 'echo 10 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout && echo 8 >/proc/sys/kernel/printk' ||
		die "no parameters of the kernel"
	[ "$1" = hvm-nopv ] || trace_start || die "no trace"
	step "up"
	save -c || die "xl save -c"
	step "a save that is not the end"
	old=$(xl domid g)
	save || die "xl save"
	guest_gone g || die "saved, and there still"
	quiet xl restore "$image" || die "xl restore"
	rm "$image"
	[ "$(xl domid g)" != "$old" ] || die "the domain's number is the old one"
	step "restored"
	migrate "$1"
	[ "$1" = hvm-nopv ] || trace_check || die "watches are taken back in a suspend"

	io_end || die "fio found something"
	there=$(guest_run g 'dd if=/dev/xvda bs=64k count=128 iflag=direct 2>/dev/null | md5sum')
	here=$(dd if="$dev" bs=64k count=128 iflag=direct 2>/dev/null | md5sum)
	[ "$there" = "$here" ] || die "the guest reads $there, dom0 $here"
	disk_detach g xvda || die "detach"

	# its user space is one shell, which does not end when it is asked to
	guest_run g 'printf "#!/bin/sh\nexec /bin/busybox poweroff -f\n" >/sbin/poweroff; chmod +x /sbin/poweroff'
	guest_dmesg g >"$XPV_GUESTS/g/dmesg.log"
	quiet xl shutdown g || die "xl shutdown"
	guest_wait_gone g 30 || die "the guest does not hear that it is to end"
	guest_destroy g || fail "the guest's log"
	note "$guest: shut down: $((SECONDS - start)) s"
}

dev=$(disk_null saved 16) || fail "no null_blk"
failed=0
mapfile -t lines < <(table)
for line in "${lines[@]}"; do
	# shellcheck disable=SC2086 # words
	again_if_lost guest $line || { failed=1; note "$line: failed"; guest_destroy g; }
done
xpv_backend intree || failed=1
exit $failed
