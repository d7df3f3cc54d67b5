# shellcheck shell=sh disable=SC2034,SC2154 # case.sh and the cases
# SPDX-License-Identifier: GPL-2.0
#
# Helpers of the cases about domains and disks; sourced after case.sh.

BACKENDS=/local/domain/0/backend/vbd

# expect STATUS PATTERN COMMAND...: as refuse, named by the command
expect()
{
	b_status=$1 b_pattern=$2
	shift 2
	refuse "$b_status" "$b_pattern" "$(printf %.70s "$*")" "$@"
}

# soon SECONDS TEXT COMMAND...: as wait_for, but silent when it is well and the end of the case when it is not
soon()
{
	b_seconds=$1 b_text=$2
	shift 2
	until_true "$b_seconds" "$@" || die "$b_text: not within $b_seconds s: $*"
}

# seconds COMMAND...: how long it takes, its status apart
seconds()
{
	b_start=$(date +%s)
	"$@" >/dev/null 2>&1
	echo $(($(date +%s) - b_start))
}

not() { ! "$@"; }

# --- nodes ------------------------------------------------------------------------------------------------------------

# fe DOMID DEVID, be DOMID DEVID: directory in the store
fe() { echo "/local/domain/$1/device/vbd/$2"; }
be() { echo "$BACKENDS/$1/$2"; }

# fe_sysfs, be_sysfs: the device's directory
fe_sysfs() { echo "/sys/bus/xpv/devices/d$1-vbd-$2"; }
be_sysfs() { echo "/sys/bus/xpv-backend/devices/d0-vbd-$1-$2"; }

# node PATH: its value, nothing if there is none
node() { xenstore-read "$1" 2>/dev/null; }

state_is() { [ "$(node "$1/state")" = "$2" ]; }

# error_of fe|be DOMID DEVID: the error node
error_of()
{
	if [ "$1" = fe ]; then
		node "/local/domain/$2/error/device/vbd/$3/error"
	else
		node "/local/domain/0/error/backend/vbd/$2/$3/error"
	fi
}

# status_of fe|be DOMID DEVID: what that side's device waits for
status_of()
{
	sed -n 's/^waits for: //p' "$("$1_sysfs" "$2" "$3")/status" 2>/dev/null
}

connected() { state_is "$(fe "$1" "$2")" 4 && state_is "$(be "$1" "$2")" 4; }

# write_vbd DOMID DEVID BACKING [KEY=VALUE...]: both directories by hand, as a toolstack does. A KEY that begins with f: is one
# of the frontend's directory; an empty VALUE leaves the key out.
write_vbd()
{
	w_fe=$(fe "$1" "$2") w_be=$(be "$1" "$2") w_dom=$1
	w_keys="f:backend=$w_be f:backend-id=0 f:state=1 f:virtual-device=$2 f:device-type=disk
		frontend=$w_fe frontend-id=$1 online=1 state=1 type=phy mode=w dev=xvda device-type=disk
		params=$3 physical-device=$(stat -L -c %t:%T "$3")"
	shift 3
	w_over=" $*"
	set --
	for w_key in $w_keys $w_over; do
		case "$w_over " in
		*" $w_key "*) [ -n "${w_key#*=}" ] || continue ;;
		*" ${w_key%%=*}="*) continue ;;
		esac
		case $w_key in
		f:*) set -- "$@" "$w_fe/${w_key#f:}" ;;
		*) set -- "$@" "$w_be/$w_key" ;;
		esac
	done
	# guests may read what is dom0's; what is theirs they get from their home
	xenstore-write "$w_be" ""
	xenstore-chmod "$w_be" n0 "r$w_dom"
	write_keys "$@"
}

# write_keys PATH=VALUE...: in one transaction
write_keys()
{
	for w_key; do
		shift
		set -- "$@" "${w_key%%=*}" "${w_key#*=}"
	done
	xenstore-write -- "$@"
}

# remove_vbd DOMID DEVID: both directories at once, and wait until both devices are gone
remove_vbd()
{
	xenstore-rm "$(fe "$1" "$2")" 2>/dev/null
	xenstore-rm "$(be "$1" "$2")" 2>/dev/null
	soon 20 "the devices of $1/$2 go" no_devices "$1" "$2"
}

# prune_dom0 DOMID: what a disk of the domain leaves in dom0's home, which is the domain's alone
prune_dom0()
{
	xenstore-rm "/local/domain/0/error/backend/vbd/$1" 2>/dev/null
	xenstore-rm "$BACKENDS/$1" 2>/dev/null
	return 0
}

# prune_shared: directories of dom0's home that are empty now. Not while somebody else may attach a disk: to look and to remove
# are two steps.
prune_shared()
{
	for b_path in error/backend/vbd error/backend backend/vbd backend; do
		[ -n "$(xenstore-list "/local/domain/0/$b_path" 2>/dev/null)" ] ||
			xenstore-rm "/local/domain/0/$b_path" 2>/dev/null
	done
	return 0
}

no_devices() { [ ! -e "$(fe_sysfs "$1" "$2")" ] && [ ! -e "$(be_sysfs "$1" "$2")" ]; }

# --- data -------------------------------------------------------------------------------------------------------------

# verified BYTES TEXT: so much is written to $domid's xvda, whose backing is $disk, in sizes of all kinds and with a full ring, and
# read again; and dom0 sees what the domain has written
verified()
{
	check "$2" fio --name=v --allow_file_create=0 --filename=/dev/xvda --direct=1 --ioengine=libaio --iodepth=32 --rw=randwrite \
		--bsrange=512-64k --size=24m --io_size="$1" --verify=crc32c --do_verify=1 --verify_fatal=1 --minimal
	pattern /dev/xvda 2 "$domid"
	same "$2: what dom0 sees" "$(pattern_sum /dev/xvda 2)" "$(pattern_sum "$disk" 2)"
}

# --- killing one side -------------------------------------------------------------------------------------------------

# moment: wait up to half a second; no program but sleep is started for it
moment()
{
	read -r b_random </proc/sys/kernel/random/uuid
	b_random=$((1000 + 0x${b_random%%-*} % 500))
	sleep "0.${b_random#1}"
}

# rebind DEVICE: take the driver of a bus device away and give it back a moment later
rebind()
{
	b_driver=$(readlink -f "$1/driver")
	echo "${1##*/}" >"$b_driver/unbind" || return 1
	moment
	echo "${1##*/}" >"$b_driver/bind"
}

# way_to_kill N: one of them after the other
way_to_kill()
{
	w_n=$(($1 % 6))
	set -- domain frontend-nodes backend-nodes frontend-driver backend-driver force
	shift $w_n
	echo "$1"
}

# kill_side HOW NAME DOMID: end one side of the domain's xvda in one of these ways, without asking the other
kill_side()
{
	case $1 in
	domain) rmdir "$stub/$2" ;;
	frontend-nodes) xenstore-rm "$(fe "$3" 51712)" ;;
	backend-nodes) xenstore-rm "$(be "$3" 51712)" ;;
	frontend-driver) rebind "$(fe_sysfs "$3" 51712)" ;;
	backend-driver) rebind "$(be_sysfs "$3" 51712)" ;;
	force) xpvctl block-detach -qf "$2" xvda ;;
	esac
}

# clear_side NAME DOMID: nothing of the disk is left; the domain is there, new if it had to be; sets $domid
clear_side()
{
	domid=$2
	if [ ! -d "$stub/$1" ]; then
		soon 30 "domain $1 dies" not xenstore-exists "/local/domain/$2"
		remove_vbd "$2" 51712
		prune_dom0 "$2"
		domain "$1"
	elif xenstore-exists "$(fe "$2" 51712)" || xenstore-exists "$(be "$2" 51712)"; then
		xpvctl block-detach -qf "$1" xvda || die "detach what is left of $1 xvda"
	fi
}

# --- modules ----------------------------------------------------------------------------------------------------------

# need MODULE...: load those that are not there
need()
{
	for b_mod; do
		loaded "$b_mod" || load "$b_mod" || return 1
	done
}

# without MODULE...: unload, within a bounded time: what I/O or a device still holds is tried again
without()
{
	for b_mod; do
		soon 30 "rmmod $b_mod" absent "$b_mod"
	done
}

absent() { ! loaded "$1" || unload "$1"; }
