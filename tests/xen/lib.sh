# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a case in dom0 of the Xen testbed can call; bash. A case begins with '. "$XPV_TOP/tests/xen/lib.sh"'.
#
#   guest_create NAME TYPE KERNEL [options]   boot a guest and wait until it takes commands; ends the case when it does not
#       TYPE     hvm-nopv (its kernel runs no Xen code: for platform-pci), hvm, pvh, pv
#       KERNEL   6.1, 6.12, debug (without any Xen code), or a release of /boot
#       -v N     vCPUs (1)                    -M MIB   memory (384; 768 for the debug kernel)
#       -a ARGS  more of a kernel command line
#       -m MOD   a module with what it depends on, loaded at boot: of the kernel, or of the suite (xpv-..., as built in
#                out/build/RELEASE); repeatable, as are the following
#       -l MOD   the same, only laid in: modprobe it there
#       -b PROG  a program of this machine with its libraries
#       -f FILE[:PATH]   a file, into / of the guest unless told
#       -k       the image of its kernel, as /kernel
#       -d DISK  an entry of xl's disk= list, as in 'vdev=xvda,format=raw,target=/dev/nullb0'
#       -x LINE  a line for xl's configuration
#       -R FILE  boot this initramfs instead: nothing of the above that goes into one is there, and no command is taken (-n)
#       -n       do not wait
#   guest_run NAME [-t SECONDS] SCRIPT    run it there, in busybox's sh; print what it prints, return its status;
#                                     124 when it did not end in time (60), 125 when the guest has gone or is stuck
#   guest_wait NAME [SECONDS]         wait until it takes commands
#   guest_put NAME FILE PATH          copy a (small) file there
#   guest_dmesg NAME                  its kernel log
#   guest_find NAME                   after xl restore or migrate: it is under a new domid
#   guest_alive NAME, guest_wait_gone NAME SECONDS
#   guest_destroy NAME                keep its logs and its dmesg, destroy it; fails if its kernel complained
#   disk_null NAME MIB [ATTRIBUTE=VALUE...]   a null_blk of dom0, memory-backed unless told; prints its device
#   disk_loop FILE MIB                a sparse file of dom0's tmpfs on a loop device; prints the device
#   disk_attach GUEST DEVICE VDEV [MODE]      xl block-attach, and wait for the disk in the guest; or the end of an entry of
#                                     xl's disk= list for DEVICE, as in 'format=qcow2,target=/tmp/image'
#   disk_wait GUEST VDEV              wait for the disk in the guest
#   disk_detach GUEST VDEV            xl block-detach, and wait until it is gone there
#   disk_compare GUEST DEVICE         16 MiB that no cache answers for: from guest to dom0 and back, checksums compared;
#                                     the guest's disk is xvda, dom0's DEVICE
#   again_if_lost COMMAND...          in a subshell; once more if the emulation of Xen's processor has lost a guest meanwhile
#   wait_for SECONDS COMMAND...       until the command succeeds
#   fail TEXT...                      end the case; note TEXT...
#
# All limits are multiplied by XPV_SLOW, for a host that is slow or has much else to do.
# $XPV_LOGS is where a case leaves files that are to be kept; what is left of a guest goes to $XPV_LOGS/NAME.

# shellcheck source=/dev/null
. "$XPV_TOP/tests/vm/machine.sh"

XPV_GUESTS=/run/xpv/guests
mkdir -p "$XPV_GUESTS"

note()
{
	printf '%s\n' "$*"
}

fail()
{
	printf 'FAIL: %s\n' "$*"
	exit 1
}

wait_for()
{
	local end=$((SECONDS + $1 * ${XPV_SLOW:-1}))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# --- Making a guest --------------------------------------------------------------------------------------------------

# kernel_image KERNEL: its file and release
kernel_image()
{
	local dir

	case $1 in
	debug)
		dir=$("$XPV_TOP/tests/vm/debug-kernel" --path)
		echo "$dir/arch/x86/boot/bzImage $("$XPV_TOP/tests/lib/release" "$dir")"
		return
		;;
	esac
	set -- "$1" "$(find /boot -name "vmlinuz-$1" -o -name "vmlinuz-$1[.-]*" | sort -V | tail -1)"
	[ "$2" ] && echo "$2 ${2#/boot/vmlinuz-}"
}

# local_copy FILE: in dom0's memory. xl maps a kernel, and each page fault on the shared file system would be a message.
local_copy()
{
	local to=/run/xpv/${1##*/}

	[ -e "$to" ] || cp "$1" "$to"
	echo "$to"
}

# once COMMAND...: what it prints, from the second time on as it was in this boot's first: under emulation, to find out that nothing
# has changed takes seconds
once()
{
	local file

	[ "${XPV_ONCE:-}" ] || { "$@"; return; }
	file=$XPV_ONCE/$(echo "$*" | md5sum | cut -c1-16)
	[ -s "$file" ] || "$@" >"$file" || { rm -f "$file"; return 1; }
	cat "$file"
}

# list NAME [STRING...]: for xl's configuration
list()
{
	local name=$1

	shift
	[ $# = 0 ] || { printf '%s = [\n' "$name"; printf "  '%s',\n" "$@"; printf ']\n'; }
}

# The configuration of a guest, from the variables of guest_create. The time stamp counter is not to be emulated: that is slow,
# and QEMU's emulation of such a processor has traps. An HVM guest's kernel does not come with kernel=, see boot.S.
guest_config()
{
	local boot vmlinux

	vmlinux=$(local_copy "$(once "$XPV_TOP/tests/xen/vmlinux" "$image")")
	cat <<-END
		name = "$name"
		type = "${type%-nopv}"
		memory = $memory
		vcpus = $vcpus
		tsc_mode = "native"
		on_poweroff = "destroy"
		on_reboot = "destroy"
		on_crash = "destroy"
	END
	if [[ $type == hvm* ]]; then
		mapfile -t boot < <("$XPV_TOP/tests/xen/hvm-boot" "$dir" "$vmlinux" "$ramdisk" "$memory" "$cmdline")
		list device_model_args_hvm "${boot[@]}"
		cat <<-END
			boot = "a"
			vga = "none"
			vnc = 0
			nographic = 1
			serial = "file:$dir/serial.log"
		END
	else
		cat <<-END
			kernel = "$vmlinux"
			ramdisk = "$ramdisk"
			cmdline = "$cmdline"
		END
	fi
	list disk ${disks[0]+"${disks[@]}"}
	printf '%s\n' ${lines[0]+"${lines[@]}"}
}

# The kernel command line, from the variables of guest_create. A PV guest's console carries commands: nothing else goes there. A
# serial port is slow: errors only. Each access to a device that QEMU emulates in dom0 takes a millisecond or several: no early
# search of 256 buses. A kernel with nopv does not trust the time stamp counter, and measures it against clocks that are emulated:
# on a busy host that fails, it makes do with such a clock, and its ticks come faster than it can handle them.
guest_cmdline()
{
	local mbox

	mbox=$(printf '0x%x' $(((memory - 24) << 20)))
	printf 'panic=-1 %s %s ' "${load:+xpv.load=${load#,}}" "$(once kernel_parameters)"
	case $type in
	pv) printf 'console=hvc0 loglevel=1 xpv.agent=hvc0' ;;
	pvh) printf 'console=hvc0 loglevel=5' ;;
	hvm) printf 'console=hvc0 loglevel=5 pci=noearly' ;;
	hvm-nopv)
		printf 'console=ttyS0 loglevel=4 nopv pci=noearly tsc=reliable clocksource=tsc tsc_early_khz=%s' "$XPV_TSC_KHZ"
		;;
	esac
	if [ "$type" != pv ]; then
		echo "$mbox" >"$dir/way"
		printf ' xpv.agent=%s memmap=64K$%s' "$mbox" "$mbox"
	fi
	printf ' %s' "$args"
}

guest_create()
{
	local name=$1 type=$2 kernel=$3 dir=$XPV_GUESTS/$1 OPTIND=1 opt
	local vcpus=1 memory=384 args='' load='' image release ramdisk='' cmdline wait=1 n lost counted
	local initramfs=() disks=() lines=()

	[ "$kernel" != debug ] || memory=768
	shift 3
	while getopts v:M:a:m:l:b:f:d:x:R:kn opt; do
		case $opt in
		v) vcpus=$OPTARG ;;
		M) memory=$OPTARG ;;
		a) args=$OPTARG ;;
		m) initramfs+=(-m "$OPTARG") load=$load,$OPTARG ;;
		l) initramfs+=(-m "$OPTARG") ;;
		b | f) initramfs+=("-$opt" "$OPTARG") ;;
		k) initramfs+=(-k) ;;
		d) disks+=("$OPTARG") ;;
		x) lines+=("$OPTARG") ;;
		R) ramdisk=$OPTARG wait= ;;
		n) wait= ;;
		*) fail "guest_create: wrong option" ;;
		esac
	done
	guest_alive "$name" && fail "guest $name exists"
	read -r image release < <(once kernel_image "$kernel") || fail "no kernel $kernel"
	: "${ramdisk:=$(once "$XPV_TOP/tests/xen/initramfs" "$release" ${initramfs[0]+"${initramfs[@]}"})}"
	[ -s "$ramdisk" ] || fail "no initramfs"
	ramdisk=$(local_copy "$ramdisk")

	rm -rf "$dir"
	mkdir -p "$dir"
	cmdline=$(guest_cmdline)
	guest_config >"$dir/config"
	# without a module of ours in it, whatever it dies of is not ours
	case $load in
	*xpv-*) counted=guests_lost ;;
	*) counted=triple_faults ;;
	esac
	for n in 1 2 3; do
		lost=$($counted)
		guest_start "$name" "$dir"
		[ "$wait" ] || return 0
		guest_wait "$name" && return
		[ "$($counted)" -gt "$lost" ] || break
		note "$name: lost by the emulation, once more"
	done
	fail "guest $name ($type, $kernel) does not take commands"
}

guest_start()
{
	if ! xl create "$2/config" >"$2/xl.log" 2>&1; then
		cat "$2/xl.log"
		guest_logs "$1"
		fail "xl create $1"
	fi
	guest_find "$1"
}

# Now and then QEMU's emulation of SVM loses a guest, in a way that nothing that runs in the guest could bring about:
# - with more processors than one (tests/xen/run -c) it goes on with registers of its host: an address of Xen's own text where no
#   guest can be, at which it dies of a triple fault;
# - an interrupt that Xen injects is delivered twice: QEMU does it at VMRUN, but leaves it noted as an exception to be delivered, which
#   happens when another of its threads wants the processor to stop just then. The second one comes with interrupts disabled, to the
#   first instruction of the kernel's entry code, which takes the GS base of user space for its own: it dies on the entry stack, where
#   no code of a module ever is;
# - its kernel is single-stepped, about which it complains. Only POPF and IRET can begin that; no module has such an instruction, and
#   the kernel knows this as a fault of QEMU (exc_debug_kernel() in its arch/x86/kernel/traps.c).
# How many have been lost in this case, or this try of it:
guests_lost()
{
	local in_xen in_guests

	in_xen=$(xl dmesg | awk '/Triple fault/ { fault = 1 } /RIP:/ { lost += fault && /RIP: *e008:\[<ffff82d0/; fault = 0 } END { print lost + 0 }')
	in_guests=$(cat "$XPV_GUESTS"/*/{serial,dmesg}.log "$XPV_LOGS/lost" 2>/dev/null | signs_of_emulation | wc -l)
	echo $((in_xen + in_guests))
}

# the lines of guests' logs that tell of it; those of guests that have been destroyed are in $XPV_LOGS/lost
signs_of_emulation()
{
	grep -e 'BUG: ENTRY_TRAMPOLINE stack guard page was hit' -e 'WARNING: .* exc_debug_kernel+'
}

# Now and then the same shows elsewhere, in user mode after CPUID for one; at that address it could be the guest's own fault.
triple_faults() { xl dmesg | grep -c 'Triple fault'; }

again_if_lost()
{
	local lost rc n dir

	for n in 1 2 3; do
		lost=$(guests_lost)
		("$@") && return
		rc=$?
		[ "$(guests_lost)" -gt "$lost" ] || return $rc
		note "$*: a guest was lost by the emulation, once more"
		for dir in "$XPV_GUESTS"/*/; do
			[ ! -d "$dir" ] || guest_destroy "$(basename "$dir")"
		done
	done
	return $rc
}

# --- Its life --------------------------------------------------------------------------------------------------------

# As xl domid, without starting xl, which has many libraries. The newest first.
domain_of()
{
	local id

	for id in $(xenstore-list /local/domain 2>/dev/null | sort -rn); do
		[ "$id" != 0 ] || return
		[ "$(xenstore-read "/local/domain/$id/name" 2>/dev/null)" != "$1" ] || { echo "$id"; return; }
	done
	return 1
}

guest_find()
{
	local dir=$XPV_GUESTS/$1 domid

	domid=$(domain_of "$1") || return
	echo "$domid" >"$dir/domid"
	[[ $(cat "$dir/way" 2>/dev/null) == 0x* ]] || xenstore-read "/local/domain/$domid/console/tty" >"$dir/way"
}

guest_alive()
{
	domain_of "$1" >/dev/null
}

guest_wait()
{
	guest_run "$1" -t "${2:-90}" true && return
	guest_logs "$1"
	tail -n 30 "$XPV_GUESTS/$1/serial.log" "/var/log/xen/console/guest-$1.log" 2>/dev/null
	return 1
}

guest_run()
{
	local dir=$XPV_GUESTS/$1 limit=60

	shift
	[ "$1" != -t ] || { limit=$2; shift 2; }
	flock "$dir" "$XPV_TOP/out/xen/cache/talk" "$(<"$dir/domid")" "$(<"$dir/way")" $((limit * ${XPV_SLOW:-1})) "$*"
}

guest_put()
{
	guest_run "$1" "base64 -d >'$3' <<'END'
$(base64 "$2")
END"
}

guest_dmesg()
{
	guest_run "$1" -t 20 dmesg
}

guest_wait_gone()
{
	wait_for "$2" guest_gone "$1"
}

guest_gone()
{
	! guest_alive "$1"
}

# What its processors do, as Xen sees them, goes to its logs; what its tasks wait for to its console, if it can still say that.
guest_stuck()
{
	local domid

	note "guest $1 is stuck: see its console and stuck.log"
	domid=$(domain_of "$1")
	xl sysrq "$1" w
	timeout 30 /usr/lib/xen-*/bin/xenctx -C "$domid" >"$XPV_GUESTS/$1/stuck.log" 2>&1
}

# Copy what there is to where it is kept.
guest_logs()
{
	local dir=$XPV_GUESTS/$1 to=$XPV_LOGS/$1 f

	mkdir -p "$to"
	for f in "$dir"/{config,xl.log,serial.log,dmesg.log,stuck.log} "/var/log/xen/console/guest-$1.log" \
		"/var/log/xen/qemu-dm-$1.log" "/var/log/xen/xl-$1.log"; do
		[ ! -s "$f" ] || cp "$f" "$to/"
	done
}

# log_scan LOG: print its lines that should not be there; succeeds when there are any
log_scan()
{
	"$XPV_TOP/tests/lib/klog-bad" <"$1"
}

guest_destroy()
{
	local dir=$XPV_GUESTS/$1 rc=0

	if guest_alive "$1"; then
		guest_dmesg "$1" >"$dir/dmesg.log" 2>/dev/null || { guest_stuck "$1"; rc=1; }
		timeout 30 xl destroy "$1" || rc=1
	fi
	guest_logs "$1"
	if [ -e "$dir/dmesg.log" ] && log_scan "$dir/dmesg.log"; then
		note "FAIL: the kernel of guest $1 complained"
		rc=1
	fi
	cat "$dir"/{serial,dmesg}.log 2>/dev/null | signs_of_emulation >>"$XPV_LOGS/lost"
	rm -rf "$dir" "/var/log/xen/console/guest-$1.log"
	return $rc
}

# --- Disks -----------------------------------------------------------------------------------------------------------

disk_null()
{
	local a d=/sys/kernel/config/nullb/$1

	modprobe null_blk nr_devices=0
	mkdir "$d" || return
	for a in "size=$2" memory_backed=1 "${@:3}" power=1; do
		echo "${a#*=}" >"$d/${a%%=*}" || return
	done
	# kernels differ in how they name devices made through configfs: by number or by directory
	if [ -b "/dev/$1" ]; then
		echo "/dev/$1"
	else
		echo "/dev/nullb$(cat "$d/index")"
	fi
}

disk_loop()
{
	modprobe loop
	truncate -s "$2M" "$1"
	losetup -f --show "$1"
}

# libxl gives a hotplug script 40 s; on a busy host that is no failure of anybody's.
disk_attach()
{
	local n out disk="phy:$2,$3,${4:-w}"

	[[ $2 != *=* ]] || disk="vdev=$3,access=${4:-w},$2"
	for n in 1 2 3; do
		out=$(xl block-attach "$1" "$disk" 2>&1) && break
		printf '%s\n' "$out"
		[[ $n != 3 && $out == *"because of timeout"* ]] || return
	done
	disk_wait "$1" "$3"
}

disk_wait()
{
	guest_run "$1" "n=0; until [ -b /dev/$2 ]; do n=\$((n + 1)); [ \$n -lt $((100 * ${XPV_SLOW:-1})) ] || exit 1; sleep 0.1; done"
}

disk_detach()
{
	xl block-detach "$1" "$2" || return
	guest_run "$1" "n=0; while [ -b /dev/$2 ]; do n=\$((n + 1)); [ \$n -lt $((100 * ${XPV_SLOW:-1})) ] || exit 1; sleep 0.1; done"
}

disk_compare()
{
	local there here

	there=$(guest_run "$1" "
		set -e
		dd if=/dev/urandom of=/tmp/data bs=1M count=16 2>/dev/null
		dd if=/tmp/data of=/dev/xvda bs=64k oflag=direct 2>/dev/null
		echo 3 >/proc/sys/vm/drop_caches
		dd if=/dev/xvda bs=64k count=256 iflag=direct 2>/dev/null | cmp - /tmp/data
		md5sum </tmp/data
		rm /tmp/data") || fail "guest $1: $there"
	here=$(dd if="$2" bs=64k count=256 iflag=direct 2>/dev/null | md5sum)
	[ "$there" = "$here" ] || fail "$1 wrote $there, dom0 reads $here"
	dd if=/dev/urandom of="$2" bs=1M count=16 seek=16 oflag=direct 2>/dev/null
	here=$(dd if="$2" bs=64k count=256 skip=256 iflag=direct 2>/dev/null | md5sum)
	there=$(guest_run "$1" "dd if=/dev/xvda bs=64k count=256 skip=256 iflag=direct 2>/dev/null | md5sum")
	[ "$there" = "$here" ] || fail "dom0 wrote $here, $1 reads $there"
}
