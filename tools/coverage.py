#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""coverage - which lines of a folder the native tests run

    coverage.py UNIT FOLDER [GLOB ...]

Runs UNIT, which was built with --coverage and lies beside the objects, and asks gcov
about the sources of FOLDER, their headers included.  A line for each file names the
lines that no test ran.  Exit status 1: a test failed, or less than 95 % ran.
"""
import json
import subprocess
import sys
from pathlib import Path

from status import FAIL, PASS, Trouble, finish

LEAST = 95      # percent


def run(unit, globs):
    """Run the tests, their counts of earlier runs forgotten; their exit status."""
    for old in unit.parent.rglob('*.gcda'):
        old.unlink()
    return subprocess.run([str(unit), *globs], stdout=subprocess.DEVNULL).returncode


def counts(unit, folder):
    """{source: {line: how often it ran}}, summed over all objects."""
    found = {}
    objects = sorted(str(p) for p in unit.parent.rglob('*.gcda'))
    if not objects:
        raise Trouble(f'{unit} leaves no counts behind: was it built by `make coverage`?')
    text = subprocess.run(['gcov', '--json-format', '--stdout', *objects], check=True,
                          capture_output=True, text=True).stdout
    for document in text.splitlines():
        for source in json.loads(document)['files']:
            if source['file'].startswith(folder + '/'):
                lines = found.setdefault(source['file'], {})
                for line in source['lines']:
                    n = line['line_number']
                    lines[n] = lines.get(n, 0) + line['count']
    return found


def ranges(numbers):
    """'3 7-9' of [3, 7, 8, 9]."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ' '.join(str(a) if a == b else f'{a}-{b}' for a, b in out)


def show(found):
    """Print a line for each file; the percentage of all."""
    ran = total = 0
    for name, lines in sorted(found.items()):
        missed = sorted(n for n, count in lines.items() if not count)
        ran += len(lines) - len(missed)
        total += len(lines)
        share = 100 * (len(lines) - len(missed)) / len(lines)
        print(f'{name:16} {share:5.1f} %  of {len(lines):3} lines'
              + (f'; not run: {ranges(missed)}' if missed else ''))
    share = 100 * ran / total if total else 0
    print(f'{"all":16} {share:5.1f} %  of {total:3} lines; {LEAST} % are wanted')
    return share


def main(argv):
    if len(argv) < 2:
        raise Trouble('usage: coverage.py UNIT FOLDER [GLOB ...]')
    unit = Path(argv[0])
    code = run(unit, argv[2:])
    if code:
        print(f'{unit} ended with status {code}: what it ran says nothing')
        return FAIL
    return PASS if show(counts(unit, argv[1])) >= LEAST else FAIL


if __name__ == '__main__':
    finish(main)
