# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a case in dom0 of the Xen testbed can call; bash. A case starts with '. "$XPV_TOP/tests/xen/lib.sh"'.
#
#   guest_create NAME TYPE KERNEL [options]   boot a guest and wait until it takes commands
#       TYPE     hvm (PV on HVM by the kernel), hvm-nopv (its kernel runs no Xen code), pv, pvh
#       KERNEL   6.1, 6.12, debug, or a release of /boot
#       -v N     vCPUs (1)                    -M MIB   memory (384)
#       -a ARGS  more of a kernel command line
#       -m MOD   a module with what it depends on, loaded at boot: of the kernel, or of the suite (xpv-..., as built in
#                out/build/RELEASE); repeatable, as are the following
#       -l MOD   the same, only laid in: modprobe it there
#       -b PROG  a program of this machine with its libraries
#       -f FILE[:PATH]   a file, into / of the guest unless told
#       -d DISK  an entry of xl's disk= list, as in 'vdev=xvda,format=raw,target=/dev/nullb0'
#       -x LINE  a line for xl's configuration
#       -t tty   commands over the console or serial port, not the mailbox (a guest kernel without /dev/mem)
#       -n       do not wait
#   guest_wait NAME [SECONDS]         wait until it takes commands
#   guest_run NAME [-t SECONDS] COMMAND...    run it there (one string for its sh), print what it prints, return its status;
#                                     124 when it did not end in time (60), 125 when the guest has gone or is stuck
#   guest_put NAME FILE PATH          copy a (small) file there
#   guest_dmesg NAME                  its kernel log
#   guest_attached NAME [SECONDS]     after xl restore or migrate: find it again under its new domid
#   guest_alive NAME, guest_wait_gone NAME SECONDS
#   guest_destroy NAME                keep its logs and its dmesg, destroy it; fails if its kernel complained
#   disk_null NAME MIB                a memory-backed null_blk of dom0; prints its device
#   disk_loop FILE MIB                a sparse file of dom0's tmpfs on a loop device; prints the device
#   disk_attach GUEST DEVICE VDEV [MODE]      xl block-attach, and wait for the disk in the guest
#   disk_detach GUEST VDEV            xl block-detach, and wait until it is gone there
#   wait_for SECONDS COMMAND...       until the command succeeds
#   fail TEXT..., note TEXT...
#
# All limits are multiplied by XPV_SLOW, for a host that is slow or has much else to do.
# $XPV_LOGS is where a case leaves files that are to be kept.

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

# Print the lines of a kernel log that should not be there; succeeds when there are any.
log_scan()
{
	"$XPV_TOP/tests/lib/klog-bad" <"$1"
}

kernel_image()
{
	local dir

	if [ "$1" = debug ]; then
		dir=$("$XPV_TOP/tests/vm/debug-kernel" --path)
		echo "$dir/arch/x86/boot/bzImage $(cat "$dir/include/config/kernel.release")"
		return
	fi
	set -- "$1" "$(find /boot -name "vmlinuz-$1" -o -name "vmlinuz-$1[.-]*" | sort -V | tail -1)"
	[ "$2" ] && echo "$2 ${2#/boot/vmlinuz-}"
}

# list NAME [STRING...]: for the configuration
list()
{
	local name=$1

	shift
	[ $# = 0 ] || { printf "%s = [\n" "$name"; printf "  '%s',\n" "$@"; printf "]\n"; }
}

# The configuration for xl. An HVM guest's kernel does not come with kernel=, see boot.S.
guest_config()
{
	local name=$1 type=$2 d boot

	echo "name = \"$name\""
	echo "type = \"${type%-nopv}\""
	echo "memory = $memory"
	echo "vcpus = $vcpus"
	echo 'on_poweroff = "destroy"'
	echo 'on_reboot = "destroy"'
	echo 'on_crash = "destroy"'
	echo 'tsc_mode = "native"'
	case $type in
	pv | pvh)
		echo "kernel = \"$image\""
		echo "ramdisk = \"$ramdisk\""
		echo "cmdline = \"$cmdline\""
		;;
	hvm*)
		mapfile -t boot < <("$XPV_TOP/tests/xen/hvm-boot" "$dir" "$image" "$ramdisk" "$memory" "$cmdline")
		list device_model_args_hvm "${boot[@]}"
		echo 'boot = "a"'
		echo 'device_model_version = "qemu-xen"'
		echo 'device_model_override = "/usr/libexec/xen-qemu-system-i386"'
		echo 'xen_platform_pci = 1'
		echo 'vga = "none"'
		echo 'nographic = 1'
		if [ "$agent" = ttyS0 ]; then
			echo 'serial = "pty"'
		else
			echo "serial = \"file:$dir/serial.log\""
		fi
		;;
	esac
	list disk ${disks[0]+"${disks[@]}"}
	for d in ${lines[0]+"${lines[@]}"}; do
		echo "$d"
	done
}

# A copy in dom0's memory: xl maps a kernel, and each page fault on the shared file system would be a message.
guest_local()
{
	local to

	case $1 in
	"$XPV_TOP"/out/*) to=/run/xpv/${1##*/} ;;
	*) to=$1 ;;
	esac
	[ -e "$to" ] || cp "$1" "$to"
	echo "$to"
}

guest_create()
{
	local name=$1 type=$2 kernel=$3 dir=$XPV_GUESTS/$1 OPTIND=1 opt
	local vcpus=1 memory=384 args='' load='' image release ramdisk cmdline agent='' wait=1
	local initramfs=() disks=() lines=()

	shift 3
	while getopts v:M:a:m:l:b:f:d:x:t:n opt; do
		case $opt in
		v) vcpus=$OPTARG ;;
		M) memory=$OPTARG ;;
		a) args=$OPTARG ;;
		m) initramfs+=(-m "$OPTARG") load=$load,$OPTARG ;;
		l) initramfs+=(-m "$OPTARG") ;;
		b | f) initramfs+=("-$opt" "$OPTARG") ;;
		d) disks+=("$OPTARG") ;;
		x) lines+=("$OPTARG") ;;
		t) agent=$OPTARG ;;
		n) wait= ;;
		*) fail "guest_create: wrong option" ;;
		esac
	done
	case $type,$agent in
	hvm*,tty) agent=ttyS0 ;;
	pv,* | *,tty) agent=hvc0 ;;
	*) agent=$(printf '0x%x' $(((memory - 24) << 20))) ;;
	esac
	guest_alive "$name" && fail "guest $name exists"
	read -r image release < <(kernel_image "$kernel") || fail "no kernel $kernel"
	[[ $type == hvm* ]] || image=$("$XPV_TOP/tests/xen/vmlinux" "$image") || fail "no kernel"
	image=$(guest_local "$image")
	ramdisk=$("$XPV_TOP/tests/xen/initramfs" "$release" ${initramfs[0]+"${initramfs[@]}"}) || fail "no initramfs"
	ramdisk=$(guest_local "$ramdisk")

	# A console that carries commands has nothing else on it. A serial port is slow: errors only. Each access to a device
	# that QEMU emulates in dom0 takes a millisecond or several: no early search of 256 buses.
	cmdline="panic=-1 xpv.agent=$agent${load:+ xpv.load=${load#,}}"
	case $type in
	hvm-nopv) cmdline="console=ttyS0 loglevel=4 nopv pci=noearly $cmdline" ;;
	hvm) cmdline="console=hvc0 loglevel=5 pci=noearly $cmdline" ;;
	*) cmdline="console=hvc0 loglevel=5 $cmdline" ;;
	esac
	case $agent in
	0x*) cmdline="$cmdline memmap=64K\$$agent" ;;
	*) cmdline="${cmdline/loglevel=[45]/loglevel=1}" ;;
	esac
	cmdline="$cmdline${args:+ $args}"

	rm -rf "$dir"
	mkdir -p "$dir"
	echo "$type" >"$dir/type"
	echo "$agent" >"$dir/agent"
	guest_config "$name" "$type" >"$dir/config"
	if ! xl create "$dir/config" >"$dir/xl.log" 2>&1; then
		cat "$dir/xl.log"
		guest_logs "$name"
		fail "xl create $name"
	fi
	guest_connect "$name"
	[ ! "$wait" ] || guest_wait "$name" || fail "guest $name ($type, $kernel) does not take commands"
}

# The way to the guest's agent: its output is appended to log, what is written to in goes to it.
guest_connect()
{
	local dir=$XPV_GUESTS/$1 domid agent tty=

	agent=$(cat "$dir/agent")
	domid=$(xl domid "$1") || return
	echo "$domid" >"$dir/domid"
	touch "$dir/log"
	if [ "$agent" != "${agent#0x}" ]; then
		[ -p "$dir/in" ] || mkfifo "$dir/in"
		"$XPV_TOP/out/xen/cache/mbox-dom0" "$agent" "$domid" <>"$dir/in" >>"$dir/log" 2>>"$dir/mbox.err" &
	else
		local node=console/tty
		[ "$agent" = hvc0 ] || node=serial/0/tty
		wait_for 10 xenstore-exists "/local/domain/$domid/$node" || return
		tty=$(xenstore-read "/local/domain/$domid/$node")
		stty -F "$tty" raw -echo
		ln -sf "$tty" "$dir/in"
		cat "$tty" >>"$dir/log" 2>/dev/null &
	fi
	echo $! >"$dir/pid"
	disown $!
}

guest_disconnect()
{
	local pid

	pid=$(cat "$XPV_GUESTS/$1/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null
	rm -f "$XPV_GUESTS/$1/pid"
}

guest_attached()
{
	guest_disconnect "$1"
	wait_for "${2:-30}" guest_alive "$1" && guest_connect "$1" && guest_run "$1" -t 30 true
}

guest_alive()
{
	xl domid "$1" >/dev/null 2>&1
}

guest_gone()
{
	! guest_alive "$1"
}

guest_wait_gone()
{
	wait_for "$2" guest_gone "$1" && guest_disconnect "$1"
}

# Processes are dear under emulation: what waits does it with the shell's own means.
exec {XPV_NAP}<> <(:)
nap()
{
	read -r -t "$1" -u "$XPV_NAP" || :
}

# Is the way to the agent there? It ends with the domain.
guest_connected()
{
	local pid=

	read -r pid 2>/dev/null <"$XPV_GUESTS/$1/pid"
	[ "$pid" ] && kill -0 "$pid" 2>/dev/null
}

guest_wait()
{
	local end=$((SECONDS + ${2:-90} * ${XPV_SLOW:-1})) lines

	while :; do
		mapfile -t lines <"$XPV_GUESTS/$1/log"
		[[ "${lines[*]}" != *XPV-READY* ]] || return 0
		guest_connected "$1" || { note "guest $1 died"; break; }
		[ $SECONDS -lt $end ] || { note "guest $1: no answer"; break; }
		nap 0.1
	done
	guest_logs "$1"
	tail -n 30 "$XPV_GUESTS/$1/serial.log" "/var/log/xen/console/guest-$1.log" "$XPV_GUESTS/$1/log" 2>/dev/null
	return 1
}

guest_run()
{
	local dir=$XPV_GUESTS/$1 name=$1 limit=60 id=$RANDOM$RANDOM end from lines

	shift
	[ "$1" != -t ] || { limit=$2; shift 2; }
	limit=$((limit * ${XPV_SLOW:-1}))
	guest_connected "$name" || { note "guest $name has gone" >&2; return 125; }
	mapfile -t lines <"$dir/log"
	from=${#lines[@]} end=$((SECONDS + limit + 10))
	printf 'XPV-RUN %s %s %s\n' "$id" "$limit" "$(base64 -w0 <<<"$*")" >"$dir/in"
	while :; do
		mapfile -t -s "$from" lines <"$dir/log"
		[[ "${lines[*]}" != *"XPV-END $id "* ]] || break
		if [ $SECONDS -ge $end ] || ! guest_connected "$name"; then
			printf '%s\n' "${lines[@]}"
			note "guest $name: no end of: $*" >&2
			return 125
		fi
		nap 0.05
	done
	guest_answer "$id"
}

# Print what stands between the marks in lines, less the new line before the second; return the status that is with it.
guest_answer()
{
	local i on='' held=() status

	for ((i = 0; i < ${#lines[@]}; i++)); do
		case ${lines[i]} in
		"XPV-BEGIN $1") on=1 ;;
		"XPV-END $1 "*) status=${lines[i]##* }; break ;;
		*) [ ! "$on" ] || held+=("${lines[i]}") ;;
		esac
	done
	i=$((${#held[@]} - 1))
	[ $i -lt 0 ] || [ "${held[i]}" ] || unset "held[$i]"
	[ ${#held[@]} = 0 ] || printf '%s\n' "${held[@]}"
	[ "$status" != 143 ] || status=124
	return "$status"
}

guest_put()
{
	guest_run "$1" "echo $(base64 -w0 "$2") | base64 -d >'$3'"
}

guest_dmesg()
{
	guest_run "$1" -t 20 dmesg
}

# Copy what there is to where it is kept.
guest_logs()
{
	local dir=$XPV_GUESTS/$1 to=$XPV_LOGS/$1 f files=()

	for f in "$dir"/{config,xl.log,log,mbox.err,serial.log,dmesg.log} "/var/log/xen/console/guest-$1.log" \
		"/var/log/xen/qemu-dm-$1.log" "/var/log/xen/xl-$1.log"; do
		[ ! -s "$f" ] || files+=("$f")
	done
	mkdir -p "$to"
	[ ${#files[@]} = 0 ] || cp "${files[@]}" "$to/"
}

guest_destroy()
{
	local dir=$XPV_GUESTS/$1 rc=0

	if guest_alive "$1"; then
		guest_dmesg "$1" >"$dir/dmesg.log" 2>/dev/null || { note "guest $1 is stuck"; rc=1; }
		guest_disconnect "$1"
		timeout 30 xl destroy "$1" || rc=1
	fi
	guest_disconnect "$1"
	guest_logs "$1"
	if [ -e "$dir/dmesg.log" ] && log_scan "$dir/dmesg.log"; then
		note "FAIL: the kernel of guest $1 complained"
		rc=1
	fi
	rm -rf "$dir" "/var/log/xen/console/guest-$1.log"
	return $rc
}

disk_null()
{
	local d=/sys/kernel/config/nullb/$1

	modprobe null_blk nr_devices=0
	mkdir "$d" || return
	echo "$2" >"$d/size"
	echo 1 >"$d/memory_backed"
	echo 1 >"$d/power"
	if [ -b "/dev/$1" ]; then
		echo "/dev/$1"
	else
		echo "/dev/nullb$(cat "$d/index")"
	fi
}

disk_loop()
{
	truncate -s "$2M" "$1"
	losetup -f --show "$1"
}

disk_attach()
{
	xl block-attach "$1" "phy:$2" "$3" "${4:-w}" || return
	guest_run "$1" "n=0; until [ -b /dev/$3 ]; do n=\$((n + 1)); [ \$n -lt 100 ] || exit 1; sleep 0.1; done"
}

disk_detach()
{
	xl block-detach "$1" "$2" || return
	guest_run "$1" "n=0; while [ -b /dev/$2 ]; do n=\$((n + 1)); [ \$n -lt 100 ] || exit 1; sleep 0.1; done"
}
