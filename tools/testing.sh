# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the shell tests share: one line a test, what it said if it failed, and
# a last line with the sum. Sourced by tools/lint, tools/test and the tests
# that run inside a guest (tools/e2e/).

passed=0
failed=0
skipped=0
skippers=	# of several suites, those that skipped something
check_log=$(mktemp)	# of the test that runs
trap 'rm -f "$check_log"' EXIT

pass() {
	passed=$((passed + 1))
	printf 'ok %s\n' "$*"
}

# fail NAME [FILE]: FILE holds what there is to say
fail() {
	failed=$((failed + 1))
	printf 'not ok %s\n' "$1"
	[ $# -lt 2 ] || tail -n 40 "$2" | sed 's/^/    /'
}

skip() {
	skipped=$((skipped + 1))
	printf 'skip %s: %s\n' "$1" "$2"
}

# check NAME COMMAND...: a test that passes if the command does. The command
# runs in a subshell, with errexit on if it is a function.
check() {
	local name=$1 rc=0
	shift
	set +e
	(set -e; "$@") >"$check_log" 2>&1 </dev/null
	rc=$?
	set -e
	if [ $rc = 0 ]; then
		pass "$name"
	else
		echo "(status $rc: $*)" >>"$check_log"
		fail "$name" "$check_log"
	fi
}

# check_quiet NAME COMMAND...: as check, and the command may not say anything
check_quiet() {
	local name=$1
	shift
	check "$name" silent "$@"
}

# none COMMAND...: true if the command ends with status 1, as grep does that
# finds nothing. (errexit would not mind a plain ! either way, and a command
# that could not do its work must not pass.)
none() {
	local rc=0
	"$@" || rc=$?
	[ $rc = 1 ]
}

silent() {
	local said
	said=$("$@" 2>&1) || true
	[ -z "$said" ] || { printf '%s\n' "$said"; return 1; }
}

# last_sum LOG: the last line of LOG that is a sum, or nothing
last_sum() { sed -nE '/^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/p' "$1" | tail -n 1; }

# The sum, as the last line, and the exit status that goes with it. Programs read
# that line: who skipped something is told in the one above it.
finish() {
	[ -z "$skippers" ] || printf 'skipped: some of %s\n' "$skippers"
	printf '%d passed, %d failed' "$passed" "$failed"
	[ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
	printf '\n'
	[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
}
