#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# costs - runs the native benches, and judges what can be judged
#
#	costs.sh DIR MAKE
#
# Counts have bars that fail.  Nanoseconds depend on the machine and on who else uses
# it: their bars are printed with pass or miss, and fail nothing.

dir=$1
make=${2:-make}
objdump=${OBJDUMP:-objdump}
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); echo "ok $1: $2"; }
fail() { failed=$((failed + 1)); echo "not ok $1: $2"; }
skip() { skipped=$((skipped + 1)); echo "ok $1 # SKIP $2"; }

# Instructions of section() without its RET, and those of them that lock the bus.
code() {
	"$objdump" -d --no-show-raw-insn "$dir/section.o" |
		awk '/<section>:/ { on = 1; next } /^$/ { on = 0 } on' | grep -v '\bret' |
		grep -Ev '\b(nop|data16|xchg +%ax,%ax)'
}

check_code() {
	n=$(code | wc -l)
	locked=$(code | grep -Ec '\block\b|\bxchg.*\(')
	code | sed 's/^/# /'
	if [ "$n" -ge 1 ] && [ "$n" -le 6 ] && [ "$locked" = 1 ]; then
		pass "SMR enter + exit" "$n instructions (bar 6), $locked locked (bar 1)"
	else
		fail "SMR enter + exit" "$n instructions (bar 6), $locked locked (bar 1)"
	fi
}

check_protocols() {
	if out=$("$dir/costs" 2>&1); then
		pass "locked operations" "$(echo "$out" | tail -n 1 | sed 's/^# //')"
	else
		fail "locked operations" "exit status $?"
	fi
	echo "$out" | grep '^#'
}

# The peers' headers, where Debian's packages put them.
peers() {
	for header in ck_epoch.h urcu/urcu-mb.h urcu/urcu-memb.h urcu/urcu-qsbr.h; do
		echo "#include <$header>" | ${HOST_CC:-gcc} -E -x c - >/dev/null 2>&1 || return 1
	done
}

check_peers() {
	if ! peers; then
		skip "SMR beside its peers" "libck-dev or liburcu-dev is not installed"
	elif "$make" -s "$dir/smr_bench" && "$dir/smr_bench"; then
		pass "SMR beside its peers" "measured"
	else
		fail "SMR beside its peers" "it does not build, or does not end well"
	fi
}

check_protocols
check_code
check_peers
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
