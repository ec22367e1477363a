#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the includes of the kernel's sources against layers.txt.

A file's layer is the first line of the table with a pattern that matches its path.  An
include of a layer that the table does not allow, and a file that no line matches, are
errors.  The last line printed counts them for the test runner.
"""
import fnmatch
import pathlib
import re
import sys

ROOTS = ("lib", "smr", "mm", "inval", "arch", "vmx", "svm", "vm", "boot", "tests")
OUTSIDE = ("tests/host/", "tests/unit/", "tests/fuzz/", "tests/machine/")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_table(path):
    """[(layer, patterns, allowed layers)] in the order of the file."""
    table = []
    for line in path.read_text().splitlines():
        columns = [c for c in re.split(r"\s{2,}", line.strip()) if c]
        if not columns or columns[0].startswith("#"):
            continue
        if len(columns) != 3:
            sys.exit(f"layers.txt: three columns are needed: {line}")
        table.append((columns[0], columns[1].split(), columns[2].split()))
    return table


def find(table, name):
    for layer, patterns, allowed in table:
        if any(fnmatch.fnmatch(name, p) for p in patterns):
            return layer, allowed
    return None, []


def sources(root):
    for top in ROOTS:
        for path in sorted((root / top).rglob("*.[chS]")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(OUTSIDE):
                yield name


def check(root, table):
    bad, seen = [], 0
    for name in sources(root):
        layer, allowed = find(table, name)
        if layer is None:
            bad.append(f"{name}: belongs to no layer")
            continue
        for wanted in INCLUDE.findall((root / name).read_text()):
            seen += 1
            if wanted == "build.h":
                continue
            other, _ = find(table, wanted)
            if other is None or not (root / wanted).exists():
                bad.append(f"{name}: includes {wanted}, which belongs to no layer")
            elif other != layer and other not in allowed:
                bad.append(f"{name}: layer {layer} may not include {wanted} ({other})")
    return bad, seen


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    bad, seen = check(root, read_table(root / "layers.txt"))
    for line in bad:
        print(f"layers: {line}")
    print(f"layers: {seen} includes, {len(bad)} not allowed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
