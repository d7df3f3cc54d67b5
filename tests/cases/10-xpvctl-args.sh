#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every wrong argument of xpvctl: its exit status, one clear line that names what is wrong, and nothing written.
# It is about the tool: not on the debug kernel.
# kernels: 6.1 6.12
# timeout: 120
. "$(dirname "$0")/../lib/case.sh"
. "$(dirname "$0")/../lib/block.sh"

suite_load
disk 16
dev=$disk
domain args1
dom=$domid
before=$(xenstore-ls -f)

# one_line STATUS PATTERN ARGUMENTS...: as expect, and it is one line that starts with the program's name
one_line()
{
	status=$1 pattern=$2
	shift 2
	expect "$status" "$pattern" xpvctl "$@"
	[ "$(grep -c '^xpvctl: ' "$case_tmp/refuse")" = 1 ] || fail "no 'xpvctl: ': $(cat "$case_tmp/refuse")"
	[ "$(wc -l <"$case_tmp/refuse")" = 1 ] || fail "not one line: $(cat "$case_tmp/refuse")"
}

one_line 2 'no command'
one_line 2 "unknown command 'nonsense'" nonsense
expect 0 'block-attach' xpvctl --help
for verb in create destroy list block-attach block-list block-detach; do
	expect 0 "usage: xpvctl $verb" xpvctl $verb --help
	one_line 2 'unknown option --nonsense' $verb --nonsense
done

one_line 2 'too few' create
one_line 2 'too many' create a b
for name in '' 17 a/b .hidden -x 'a b' "$(printf '%064d' 0 | tr 0 n)"; do
	one_line 2 "" create -- "$name"
done
one_line 1 "already a domain 'args1'" create args1

one_line 2 'too few' destroy
one_line 1 "no domain 'nobody'" destroy nobody
one_line 1 "no domain '999'" destroy 999
one_line 1 'domain 0' destroy 0
one_line 1 "no domain 'nobody'" list nobody

one_line 2 'too few' block-attach args1
one_line 2 'vdev' block-attach args1 "phy:$dev"
one_line 2 "'nonsense' is not a virtual disk" block-attach args1 "phy:$dev" nonsense
one_line 2 "'x' is not a mode" block-attach args1 "phy:$dev" xvda x
one_line 2 'too many' block-attach args1 "phy:$dev" xvda w more
one_line 2 'only phy' block-attach args1 "file:$dev,xvda,w"
one_line 2 'unknown parameter' block-attach args1 "colour=red,vdev=xvda,target=$dev"
one_line 2 'timeout' block-attach -t 0 args1 "phy:$dev" xvda
one_line 2 'timeout' block-attach -t -1 args1 "phy:$dev" xvda
one_line 2 'timeout' block-attach --timeout=1x args1 "phy:$dev" xvda
one_line 2 'needs a value' block-attach args1 "phy:$dev" xvda -t
one_line 2 'unknown option --force' block-attach --force args1 "phy:$dev" xvda
one_line 1 "no domain 'nobody'" block-attach nobody "phy:$dev" xvda
one_line 1 "no domain '99999'" block-attach 99999 "phy:$dev" xvda
one_line 1 'No such file' block-attach args1 phy:/dev/missing xvda
one_line 1 'not a block device' block-attach args1 phy:/dev/null xvda
one_line 1 'not a block device' block-attach args1 phy:/ xvda

one_line 2 'too few' block-detach args1
one_line 2 'not a virtual disk' block-detach args1 nonsense
one_line 1 'has no disk xvda' block-detach args1 xvda
one_line 1 'has no disk xvda' block-detach args1 51712
one_line 1 "no domain 'nobody'" block-detach nobody xvda
one_line 1 "no domain 'nobody'" block-list nobody

# a backing device that is in use
mkfs.ext4 -q "$dev"
mkdir -p /run/args1
mount "$dev" /run/args1
one_line 1 'in use' block-attach args1 "phy:$dev" xvda
umount /run/args1

XENSTORED_PATH=/dev/missing XENSTORED_RUNDIR=/run/missing
export XENSTORED_PATH XENSTORED_RUNDIR
one_line 1 'cannot open the store' list
unset XENSTORED_PATH XENSTORED_RUNDIR

[ "$(xenstore-ls -f)" = "$before" ] || die "a refused command changed the store"

# a virtual disk that is in use, under any of its names
xpvctl block-attach args1 "phy:$dev" xvda w || die "attach"
for name in xvda d0 51712 0xca00; do
	one_line 1 'xvda .device 51712. is already in use' block-attach args1 "phy:$dev,$name,r"
done
expect 0 "^51712 0 +$dom +4 +[0-9]+ +[0-9]+ +$(be "$dom" 51712)" xpvctl block-list args1
expect 0 "^51712 0 +$dom +4 " xpvctl block-list "$dom"
expect 0 "^args1 +$dom " xpvctl list
expect 0 "^Domain-0 +0 " xpvctl list 0
xpvctl block-detach args1 51712 || die "detach"

# every form of a disk specification
for spec in "phy:$dev xvdb w" "phy:$dev,xvdb,w" "$dev,raw,xvdb,rw" "$dev xvdb" "format=raw,vdev=xvdb,access=ro,target=$dev"; do
	# shellcheck disable=SC2086 # several words on purpose
	xpvctl block-attach args1 $spec || die "attach $spec"
	[ -b /dev/xvdb ] || die "no /dev/xvdb after $spec"
	xpvctl block-detach "$dom" xvdb || die "detach $spec"
done

check "create -q" xpvctl create -q args2
[ ! -s "$case_tmp/check" ] || fail "create -q is not quiet"
check "destroy" xpvctl destroy args2
xpvctl destroy args1 || die "destroy"
