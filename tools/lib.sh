# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the shell tools share: messages, the cache folder, Debian packages,
# locks and progress. Sourced, never run. Everything meant for a person goes to
# stderr, so that a tool's stdout carries only its result.

# without this, $( ) runs without set -e
shopt -s inherit_errexit

# messages of apt, make and others are parsed
export LC_ALL=C.UTF-8
unset LANGUAGE

MMBOX_CACHE=${MMBOX_CACHE:-${XDG_CACHE_HOME:-${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}/.cache}/mmbox}

say() { printf 'mmbox: %s\n' "$*" >&2; }

die() {
	printf 'mmbox: error: %s\n' "$*" >&2
	exit 1
}

# The kernel's makefiles and apt take no other paths
case $MMBOX_CACHE in
*[[:space:]:]*) die "no blanks or colons may be in the path of the cache, '$MMBOX_CACHE': set MMBOX_CACHE" ;;
/*) ;;
*) die "the cache must have a path from the root, not '$MMBOX_CACHE': set MMBOX_CACHE" ;;
esac
case $(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) in
*[[:space:]:,]*) die "no blanks, colons or commas may be in the path of this tree" ;;
esac

# as_root COMMAND...: run it, through sudo if not root
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root (and there is no sudo): $*"
	fi
}

# cache_dir NAME: a folder in the cache, made if need be
cache_dir() {
	mkdir -p "$MMBOX_CACHE/$1" || die "cannot make $MMBOX_CACHE/$1"
	printf '%s\n' "$MMBOX_CACHE/$1"
}

# with_lock NAME COMMAND...: run it under a lock of this machine, in a subshell. However
# that ends, it releases the lock and removes the folders of scratch_dir.
with_lock() {
	local name=$1 dir
	shift
	dir=$(cache_dir lock)
	(
		# shellcheck disable=SC2030 # of this subshell, and scratch_dir is called in it
		scratch=()
		trap '[ ${#scratch[@]} = 0 ] || rm -rf "${scratch[@]}"' EXIT
		exec 9>"$dir/$name"
		if ! flock -n 9; then
			say "waiting for another run ($name)"
			flock 9
		fi
		"$@"
	)
}

# scratch_dir VARIABLE: a new folder in the cache, removed with the lock of with_lock
scratch_dir() {
	local -n made=$1
	made=$(mktemp -d "$(cache_dir tmp)/XXXXXX")
	# shellcheck disable=SC2031 # as above
	scratch+=("$made")
}

# copy_tree DIR: copy the tree to DIR as a fresh clone, with uncommitted changes
copy_tree() {
	local from
	from=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
	mkdir -p "$1"
	git -C "$from" -c safe.directory="$from" ls-files -co --exclude-standard -z |
		(cd "$from" && xargs -0 ls -d 2>/dev/null) |
		tar -c -C "$from" --no-recursion -T - | tar -x -C "$1"
}

# need_room MB: fail if the cache's disk has less room
need_room() {
	local free
	free=$(df -Pm "$MMBOX_CACHE" | awk 'NR == 2 { print $4 }')
	[ "${free:-$1}" -ge "$1" ] ||
		die "$1 MB more go into $MMBOX_CACHE, and there is room for $free: make some, or set MMBOX_CACHE"
}

# one_at_a_time NAME: take a lock of this tree, until this shell ends
one_at_a_time() {
	mkdir -p build
	exec 9>"build/.$1.lock"
	if ! flock -n 9; then
		say "waiting for another run in this tree ($1)"
		flock 9
	fi
}

# One query for all names: a dpkg-query takes 20 ms.
missing_packages() {
	local have
	# shellcheck disable=SC2016 # dpkg-query's variables, not the shell's
	have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" \
		2>/dev/null | sed -n 's/ installed$//p' || true)
	comm -13 <(sort -u <<<"$have") <(printf '%s\n' "$@" | sort -u)
}

apt_quiet() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
}

install_packages() {
	local log missing
	# check again under the lock: another run may have installed them
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing Debian packages: ${missing[*]}"
	log=$(mktemp)
	# package lists may be missing (fresh machine) or old: update and retry once
	if ! apt_quiet install -y --no-install-recommends "${missing[@]}" \
			>"$log" 2>&1; then
		apt_quiet update >"$log" 2>&1 || true
		if ! apt_quiet install -y --no-install-recommends \
				"${missing[@]}" >>"$log" 2>&1; then
			tail -n 15 "$log" >&2
			rm -f "$log"
			die "could not install: ${missing[*]}"
		fi
	fi
	rm -f "$log"
}

# need_packages PACKAGE...: install missing packages by apt, with a message
need_packages() {
	[ -n "$(missing_packages "$@")" ] || return 0
	with_lock packages install_packages "$@"
}

# unpack_packages NAME PACKAGE...: Debian packages unpacked into the folder NAME
# of the cache, for guests to use. Nothing is installed, no service starts.
unpack_packages() {
	with_lock "unpack-$1" unpack_packages_locked "$@"
}

unpack_packages_locked() {
	local name=$1 work deb dir=$MMBOX_CACHE/$1
	shift
	[ "$(cat "$dir/.packages" 2>/dev/null)" != "$*" ] || return 0
	say "unpacking Debian packages: $*"
	scratch_dir work
	mkdir "$work/deb" "$work/tree"
	if ! (cd "$work/deb" && apt-get -qq download "$@") >"$work/log" 2>&1; then
		apt_quiet update >"$work/log" 2>&1 || true
		if ! (cd "$work/deb" && apt-get -qq download "$@") >>"$work/log" 2>&1; then
			tail -n 15 "$work/log" >&2
			die "could not fetch: $*"
		fi
	fi
	for deb in "$work"/deb/*.deb; do
		dpkg-deb -x "$deb" "$work/tree"
	done
	printf '%s\n' "$*" >"$work/tree/.packages"
	rm -rf "$dir"
	mv "$work/tree" "$dir"
}

# progress TITLE LOG COMMAND...: run with the output going to LOG; show lines
# and seconds on a terminal all the time, elsewhere twice a minute. On failure
# the log's end is shown and the command's status returned.
progress() {
	local title=$1 log=$2 pid rc=0 start=$SECONDS every=30 next=0
	shift 2
	[ -t 2 ] && every=1
	say "$title (log: $log)"
	"$@" >"$log" 2>&1 &
	pid=$!
	# a background command ignores SIGINT: send it SIGTERM instead
	trap 'kill -TERM "$pid" 2>/dev/null; exit 130' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		if [ $((SECONDS - start)) -ge $next ] && [ $next -gt 0 ]; then
			progress_line "$log" $((SECONDS - start))
		fi
		[ $((SECONDS - start)) -ge $next ] &&
			next=$((SECONDS - start + every))
		sleep 0.5
	done
	[ -t 2 ] && printf '\r\033[K' >&2
	wait "$pid" || rc=$?
	trap - INT TERM
	if [ $rc != 0 ]; then
		grep -nE -B2 -A8 '(error|Error [0-9]|undefined reference)' "$log" |
			sed -n '1,30p' >&2 || true
		tail -n 10 "$log" >&2
		say "$title failed (status $rc) after $((SECONDS - start)) s"
	else
		say "$title done in $((SECONDS - start)) s"
	fi
	return $rc
}

progress_line() {
	local last lines
	last=$(tail -n 1 "$1" | tr -d '\r' | cut -c1-50)
	lines=$(wc -l <"$1")
	if [ -t 2 ]; then
		printf '\r\033[K  %4d s  %5d steps  %s' "$2" "$lines" "$last" >&2
	else
		printf '  %4d s  %5d steps  %s\n' "$2" "$lines" "$last" >&2
	fi
}
