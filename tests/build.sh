#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# build - the image builds with gcc and clang, checked and fast, and twice the same
#
# Two builds of one tree, in different directories and from different copies of the
# sources, must be equal bit by bit.  Prints a line a check, and the count last.
set -u
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # what, command...
	what=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok: $what"
		passed=$((passed + 1))
	else
		echo "not ok: $what"
		tail -20 "$work/log"
		failed=$((failed + 1))
	fi
}

copy() { # directory: the sources, without what a build leaves behind
	mkdir "$work/$1" &&
		tar -c --exclude=./build --exclude=./.git . | tar -x -C "$work/$1"
}

build() { # directory, make arguments...
	dir=$1
	shift
	make -C "$work/$dir" -s -j2 "$@"
}

copy one && copy another || exit 2
for build in checked fast; do
	check "gcc, $build" build one BUILD="$build"
	check "gcc, $build, again from another directory" build another BUILD="$build"
	check "$build: both images are equal" cmp \
		"$work/one/build/$build/shootdown.elf" "$work/another/build/$build/shootdown.elf"
	check "clang, $build" build one BUILD="$build" CC=clang O="build/clang-$build"
done
check "CROSS_COMPILE is honoured" build one CROSS_COMPILE=x86_64-linux-gnu- O=build/cross
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
