# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What a case sources: loading and unloading the suite, disks and domains to work with, checks that are printed as
# subtests, and an end that takes everything away again and compares the stub's counters.
#
# A case is an executable file tests/cases/NN-name.sh, run inside the virtual machine as root in a clean environment.
# Its head says what it proves, and:
#
#	# timeout: N		seconds (default 60; slower kernels get a multiple)
#	# kernels: debug	only there (default: all)
#	# at once: debug	there, processors run at the same time (default: where they are emulated, they take turns)
#	# allocations: fail	it makes them fail: what the kernel itself says of that is no complaint
#
# The case fails when a check fails, when it ends with a status other than 0 or 4 (skip), when something is left over,
# or when the kernel log has anything in it that tests/lib/klog-bad knows (a warning, a leak, ...).

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
release=$(uname -r)
build=${XPV_BUILD:-$top/out/build/$release}
xpvctl=$top/out/tools/xpvctl
stub=/sys/kernel/config/hv-stub
PATH=$top/out/tools:$PATH
slow=${XPV_SLOW:-1}		# how much slower this kernel is than Debian's; wait_for and bounds multiply by it
export PATH

case_points=0
case_failed=0
case_tmp=

# --- Results ---------------------------------------------------------------------------------------------------------

note()
{
	echo "    # $*"
}

pass()
{
	case_points=$((case_points + 1))
	echo "    ok $case_points - $*"
}

# fail TEXT...: a failed check; the case goes on
fail()
{
	case_points=$((case_points + 1))
	case_failed=$((case_failed + 1))
	echo "    not ok $case_points - $*"
}

# die TEXT...: a failed check without which the case cannot go on
die()
{
	fail "$@"
	exit 1
}

# skip REASON...: this case cannot run here
skip()
{
	echo "    # SKIP $*"
	exit 4
}

# check TEXT COMMAND...: the command succeeds; its output is shown when it does not
check()
{
	case_text=$1
	shift
	if "$@" >"$case_tmp/check" 2>&1; then
		pass "$case_text"
	else
		fail "$case_text: status $? of $*"
		sed 's/^/    # | /' "$case_tmp/check"
		return 1
	fi
}

# refuse STATUS PATTERN TEXT COMMAND...: the command ends with STATUS (or != 0 for "any") and what it prints matches
# the extended regular expression PATTERN
refuse()
{
	case_status=$1
	case_pattern=$2
	case_text=$3
	shift 3
	"$@" >"$case_tmp/refuse" 2>&1
	case_rc=$?
	if { [ "$case_status" = any ] && [ $case_rc -ne 0 ]; } || [ "$case_rc" = "$case_status" ]; then
		if grep -Eq -- "$case_pattern" "$case_tmp/refuse"; then
			pass "$case_text"
			return 0
		fi
	fi
	fail "$case_text: status $case_rc (expected $case_status), expected the text '$case_pattern', got:"
	sed 's/^/    # | /' "$case_tmp/refuse"
	return 1
}

# same TEXT EXPECTED GOT
same()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1: expected '$2', got '$3'"
	fi
}

# until_true SECONDS COMMAND...: poll the command until it succeeds; status 1 when it does not in time
until_true()
{
	case_end=$1
	shift
	read -r case_now _ </proc/uptime
	case_end=$((${case_now%.*} + case_end * slow + 1))
	while ! "$@" >/dev/null 2>&1; do
		read -r case_now _ </proc/uptime # no program is started for the time of day: they are dear here
		[ "${case_now%.*}" -lt "$case_end" ] || return 1
		sleep 0.1
	done
}

# wait_for SECONDS TEXT COMMAND...: the same as a check
wait_for()
{
	case_seconds=$1
	case_text=$2
	shift 2
	if until_true "$case_seconds" "$@"; then
		pass "$case_text"
	else
		fail "$case_text: not within $case_seconds s: $*"
		return 1
	fi
}

# few MANY FEW: how often a thing is repeated, or with how much data. One kernel, Debian's 6.12, does it all; the others repeat it
# less, so that all of them are done within the hour. XPV_FULL=1: all of them do it all.
few()
{
	case $release${XPV_FULL:+ full} in
	*" full") echo "$1" ;;
	*debug*) echo "$2" ;;
	6.12.*) echo "$1" ;;
	*) echo "$2" ;;
	esac
}

# --- The suite -------------------------------------------------------------------------------------------------------

suite_modules="xpv-xenbus xpv-hv-stub xpv-blkback xpv-blkfront"

# loaded MODULE
loaded()
{
	[ -e "/sys/module/$(echo "$1" | tr - _)" ]
}

# load MODULE [PARAMETER...]: from the build for this kernel
load()
{
	case_module=$1
	shift
	# a run of all cases with one ABI of event channels: XPV_EVENTS=2l
	[ "$case_module" != xpv-xenbus ] || [ -z "${XPV_EVENTS:-}" ] || set -- "events=$XPV_EVENTS" "$@"
	insmod "$build/$case_module.ko" "$@"
}

unload()
{
	rmmod "$1"
}

# suite_load: everything, in dependency order, ready for xpvctl; remembers the counters for the end
suite_load()
{
	for case_m in $suite_modules; do
		loaded "$case_m" || load "$case_m" || die "insmod $case_m"
	done
	until_true 10 test -e /dev/xen/xenbus || die "no /dev/xen/xenbus"
	case_counters=$(counters)
}

# suite_unload: the mirror; whatever is loaded
suite_unload()
{
	for case_m in xpv-blkfront xpv-blkback xpv-hv-stub xpv-xenbus; do
		! loaded "$case_m" || unload "$case_m" || return 1
	done
}

# counters: what the stub counts, over all domains and for domain 0, one "name value" a line
counters()
{
	[ -d "$stub" ] || return 0
	cat "$stub/counters"
	for case_f in grants ports maps mapped_by_others nodes watches transactions; do
		echo "Domain-0/$case_f $(cat "$stub/Domain-0/$case_f")"
	done
}

# counters_are SNAPSHOT
counters_are()
{
	[ "$(counters)" = "$1" ]
}

# counters_check SNAPSHOT [SECONDS]: they come to be again what they were
counters_check()
{
	if until_true "${2:-10}" counters_are "$1"; then
		pass "the counters are what they were"
	else
		fail "the counters are not what they were; before (<) and now (>):"
		echo "$1" >"$case_tmp/before"
		counters >"$case_tmp/after"
		diff "$case_tmp/before" "$case_tmp/after" | sed -n 's/^\([<>]\)/    # | \1/p'
	fi
}

# --- Domains and disks -----------------------------------------------------------------------------------------------

# disk MIB [NAME=VALUE...]: a new null_blk device in memory, attributes of its configfs directory; sets $disk to the node
disk()
{
	[ -d /sys/kernel/config/nullb ] || modprobe null_blk nr_devices=0 || die "no null_blk"
	case_n=$((${case_n:-0} + 1))
	case_dir=/sys/kernel/config/nullb/case$case_n
	mkdir "$case_dir" || die "mkdir $case_dir"
	echo 1 >"$case_dir/memory_backed"
	echo "$1" >"$case_dir/size"
	shift
	for case_a in "$@"; do
		echo "${case_a#*=}" >"$case_dir/${case_a%%=*}" || die "null_blk: $case_a"
	done
	echo 1 >"$case_dir/power" || die "null_blk: power"
	# kernels differ in how they name devices made through configfs: by number or by directory
	disk=/dev/nullb$(cat "$case_dir/index")
	[ -b "$disk" ] || disk=/dev/case$case_n
	[ -b "$disk" ] || die "no node of null_blk $case_dir"
}

# domain NAME: a new stub domain; sets $domid
domain()
{
	case_text=$("$xpvctl" create -q "$1" 2>&1) || die "xpvctl create $1: $case_text"
	# shellcheck disable=SC2034 # for the case
	domid=$("$xpvctl" list "$1" | awk 'NR == 2 { print $2 }')
}

# attach DOMAIN DISK VDEV [MODE]; detach DOMAIN VDEV: as a check
attach()
{
	check "attach $2 to $1 as $3" "$xpvctl" block-attach -q -t $((20 * slow)) "$1" "phy:$2" "$3" "${4:-w}" || return 1
	until_true 5 opens "$3" || { fail "/dev/$3 cannot be opened"; return 1; }
}

# opens DISK: it can be, which is a moment after its node is there; its partitions have been looked for then
opens()
{
	true <"/dev/$1"
}

detach()
{
	check "detach $2 from $1" "$xpvctl" block-detach -q -t $((20 * slow)) "$1" "$2"
}

# pattern DEVICE MIB SEED: fill with bytes that depend on SEED; pattern_sum DEVICE MIB: checksum of what is there
pattern()
{
	head -c "$2M" /dev/zero | tr '\0' "$3" | dd of="$1" bs=1M oflag=direct iflag=fullblock conv=nocreat status=none
}

pattern_sum()
{
	case_sum=$(dd if="$1" bs=1M count="$2" iflag=direct status=none | cksum) || case_sum="none of $1"
	echo "$case_sum"
}

# --- The end ---------------------------------------------------------------------------------------------------------

case_cleanup()
{
	if [ -d "$stub" ]; then
		for case_d in "$stub"/*/; do
			case_d=${case_d%/}
			case ${case_d##*/} in
			Domain-0 | '*') ;;
			*) "$xpvctl" destroy -q "${case_d##*/}" >/dev/null 2>&1 || rmdir "$case_d" || fail "rmdir $case_d" ;;
			esac
		done
		[ -z "${case_counters:-}" ] || counters_check "$case_counters"
	fi
	for case_d in /sys/kernel/config/nullb/case*/; do
		[ ! -d "$case_d" ] || rmdir "$case_d" || fail "rmdir $case_d"
	done
	suite_unload >"$case_tmp/unload" 2>&1 || fail "unload: $(cat "$case_tmp/unload")"
	# a program that opens a disk by its name after the disk has gone makes a file, which keeps the next disk from having a node
	for case_f in /dev/xvd*; do
		[ ! -f "$case_f" ] || { rm -f "$case_f"; fail "a program has made a file of the name $case_f"; }
	done
}

case_end()
{
	case_rc=$?
	trap '' INT TERM
	trap - EXIT
	[ $case_rc -eq 4 ] || case_cleanup
	rm -rf "$case_tmp"
	if [ $case_rc -eq 4 ]; then
		exit 4
	fi
	if [ $case_rc -ne 0 ] && [ $case_failed -eq 0 ]; then
		fail "the case ended with status $case_rc"
	fi
	[ $case_points -gt 0 ] || pass "all of it"
	echo "    1..$case_points"
	[ $case_failed -eq 0 ] || exit 1
	exit 0
}

case_tmp=$(mktemp -d)
trap case_end EXIT
trap 'exit 130' INT TERM
