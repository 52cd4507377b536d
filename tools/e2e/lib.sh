# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests inside a guest share. Each is a script that tools/test runs as
# root in a test VM of its own, from the top of the tree:
#
#   tools/e2e/NAME MODULES OUT
#
# MODULES is the folder with the .ko files for the guest's kernel. OUT is a folder of the
# host for their files. Never run them outside a test VM.

# shellcheck disable=SC2034 # what the scripts use

# shellcheck source=tools/testing.sh
. tools/testing.sh

modules=$1
out=$2
boxes=/sys/kernel/debug/mmbox
box=$boxes/box0
device=/dev/mmbox/box0
# The guest sees the files of the host, so any fixed name in /tmp may exist
tmp=$(mktemp -d)

# (Starting a program is slow in a guest, so frequent checks use bash only.)
loaded() {
	local lines
	lines=$'\n'$(</proc/modules)
	[[ $lines == *$'\n'"$1 "* ]]
}

# load MODULE [PARAM=VALUE...]: insert it, show its lines of the log if it fails
load() {
	local module=$1
	shift
	log_mark
	insmod "$modules/$module.ko" "$@" || { log_since; return 1; }
}

# The kernel log since log_mark, and mmbox's own lines of it
log_mark() { dmesg --clear; }
log_since() { dmesg --notime; }
log_mmbox() { log_since | grep '^mmbox: ' || true; }

# No complaint of the kernel in the log, or in TEXT
complaint='BUG:|WARNING:|Oops|Call Trace'
log_clean() { log_since | none grep -aE "$complaint"; }
is_clean() { [[ ! $1 =~ $complaint ]]; }

# Unload whatever an earlier test has left loaded
clean_slate() {
	! loaded mmbox_example || rmmod mmbox_example
	! loaded mmbox_mistakes || rmmod mmbox_mistakes
	! loaded mmbox || rmmod mmbox
}

# No trace of a box is left
gone() {
	local bad=0
	! loaded mmbox || { echo "mmbox is still loaded"; bad=1; }
	[ ! -e "$boxes" ] || { echo "$boxes is still there"; bad=1; }
	[ ! -e /dev/mmbox ] || { echo "/dev/mmbox is still there"; bad=1; }
	return $bad
}

# Pages of the guest that can be freed: free ones, also on per-CPU lists, the page cache,
# pages of programs, reclaimable slabs. How many are in a cache at the moment varies; the
# sum does not.
settled_pages() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.3
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 ~ /^(nr_free_pages|count:|nr_zone_(in)?active_(anon|file)|nr_zone_unevictable|nr_slab_reclaimable)$/ {
		n += $2
	} END { print n }' /proc/zoneinfo
}

# On a kernel with kmemleak: forget what it has found so far. Later, as a test: it finds
# nothing new. It ignores objects younger than 5 s.
kmemleak=/sys/kernel/debug/kmemleak
forget_leaks() { [ ! -e $kmemleak ] || echo clear >$kmemleak; }
leaks() {
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	cat $kmemleak
}
no_leaks() { [ ! -e $kmemleak ] || check_quiet "kmemleak finds nothing" leaks; }
