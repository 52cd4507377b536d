# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the shell tests share: one line a test, its output if it failed, and a last line
# with the totals. Sourced by tools/lint, tools/test and the tests
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

# fail NAME [FILE]: FILE has the details
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

# check_quiet NAME COMMAND...: as check, and the command must not print anything
check_quiet() {
	local name=$1
	shift
	check "$name" silent "$@"
}

# none COMMAND...: true if the command ends with status 1, as grep does if it finds
# nothing. (errexit ignores a plain !, and a command with an error must not pass.)
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

# last_sum LOG: the last line of LOG with totals, if any
last_sum() { sed -nE '/^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/p' "$1" | tail -n 1; }

# Print the totals as the last line, and return the exit status. Programs parse that
# line. Suites that skipped something are named in the line above it.
finish() {
	[ -z "$skippers" ] || printf 'skipped: some of %s\n' "$skippers"
	printf '%d passed, %d failed' "$passed" "$failed"
	[ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
	printf '\n'
	[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
}
