# SPDX-License-Identifier: BSD-2-Clause
"""ktap - `shootdown ktap [FILE]`: the KTAP of a serial log as TAP, for prove and its like

    prove -e 'python3 tools/ktap.py' build/results/serial.log

TAP has no expected failure: XFAIL goes out as TODO.  What is left out of a log must not
make it pass, so TAP that is whole ends with status 0, and all else bails out: a log
that ends too early, that contradicts itself (tools/judge.py), or whose machine started
twice.  A run that proved nothing, with status 5, has no TAP for that; it bails out too.
Without FILE, or with -, the log is read from the standard input.
"""
import re
import sys

import report
import status
from judge import Judge, story_faults
from status import Trouble

START = re.compile(rb'^# shootdown\b|^KTAP version ', re.M)
DIRECTIVES = {'XFAIL': 'TODO', 'SKIP': 'SKIP', 'TODO': 'TODO'}


def _read(argv):
    """The bytes of the log."""
    if len(argv) > 1 or argv and argv[0].startswith('-') and argv[0] != '-':
        raise Trouble('ktap takes one FILE, or - for the standard input')
    if not argv or argv[0] == '-':
        return sys.stdin.buffer.read()
    try:
        with open(argv[0], 'rb') as file:
            return file.read()
    except OSError as error:
        raise Trouble(f'{argv[0]} cannot be read: {error.strerror}') from None


def _kernel(log):
    """The log from where the kernel speaks: firmware and loaders come before."""
    found = START.search(log)
    return log[found.start():] if found else log


def _escape(text):
    """No '#' of a name is taken for a directive."""
    return text.replace('\\', '\\\\').replace('#', '\\#')


def point(event):
    """One result line."""
    line = f'{"ok" if event.ok else "not ok"} {event.number} - {_escape(event.name)}'
    if event.directive is None:
        return line
    word = DIRECTIVES.get(event.directive)
    if word is None:                   # says nothing to TAP, so it may not seem to
        return f'{line} \\# {event.directive} {_escape(event.text or "")}'.rstrip()
    return f'{line} # {word} {event.text or ""}'.rstrip()


def missing(judge):
    """Why what was heard is not whole, or None."""
    if judge.bail is not None:
        return None                    # the log says it itself
    if judge.plan is None and not judge.points and judge.end is None:
        return 'there is no KTAP in this log'
    if judge.boot is None and not judge.tests and judge.end is None:
        if judge.plan != len(judge.points):                   # not of this kernel
            return f'{len(judge.points)} results, and the plan says {judge.plan}'
        return judge.faults[0] if judge.faults else None
    if judge.end is None:
        return 'the log ends before the kernel does'
    faults = story_faults(judge)
    if faults:
        return f'not believed: {faults[0]}'
    if judge.end['status'] not in (status.PASS, status.FAIL):
        return f'status {judge.end["status"]}: {status.MEANING.get(judge.end["status"])}'
    return None


def convert(log):
    """(lines of TAP, is it whole?)."""
    judge, lines = Judge(), ['TAP version 13']
    for kind, value in judge.feed(_kernel(log)) + judge.close():
        if kind == 'line' and re.fullmatch(r'1\.\.\d+( #.*)?', value):
            lines.append(value)
        elif kind == 'line' and value.startswith('#'):
            lines.append(report.printable(value))
        elif kind == 'point':
            lines.append(point(value))
        elif kind == 'bail':
            lines.append(f'Bail out!  {value}')
    why = missing(judge)
    if why:
        lines.append(f'Bail out!  {report.printable(why)}')
    return lines, not why and judge.bail is None


def main(argv):
    lines, whole = convert(_read(argv))
    print('\n'.join(lines))
    return status.PASS if whole else status.CRASH


if __name__ == '__main__':
    status.finish(main)
