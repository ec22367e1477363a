# SPDX-License-Identifier: BSD-2-Clause
"""report - what a run leaves: lines as it goes, a closing table, two files

results.jsonl has one object per test, the documented keys first.  junit.xml knows no
expected failure and no inconclusive test: both are "skipped" there, with the reason;
a run that crashed or hung is an error of its own.
"""
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter

import status
from judge import refusal
from status import Trouble

KEYS = ('name', 'proto', 'cpus', 'verdict', 'witnesses', 'violations', 'seed', 'ticks')
COLUMNS = ('test', 'protocol', 'verdict', 'witnesses', 'violations', 'invalidations')
FAULTS_SHOWN = 10
TAIL = 12                     # lines of the log that are shown after a crash


def printable(text):
    """Nothing that moves a terminal's cursor or breaks XML."""
    return re.sub(r'[^\t -~]', '?', text)


def say(text=''):
    """What a person watches goes out at once, also into a pipe."""
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Trouble(f'cannot print: {error.strerror}') from None


def title(test):
    return ' '.join(str(test[key]) for key in ('name', 'proto') if test.get(key))


def live(event, verbose, guests=False):
    """One line for each result as it arrives, with guests what they say as well;
    with verbose every line."""
    kind, value = event
    if kind == 'note':
        say(value)
    elif kind == 'line' and (verbose or value.startswith('# soak: ')
                           or guests and value.startswith('# guest ')):
        say(value)
    elif kind == 'test' and not verbose:
        why = f'  {value["why"]}' if value.get('why') else ''
        say(f'{value["verdict"]:12}  {title(value)}{why}')
        if value['verdict'] == 'FAIL' and value.get('schedule'):
            say(f'{"":14}replay={value["schedule"]}')


def _row(test):
    counts = [test.get(key, '') for key in COLUMNS[3:]]
    return [test['name'], test.get('proto', ''), test['verdict'], *map(str, counts)]


def table(tests):
    """The closing table as lines; words to the left, numbers to the right."""
    rows = [list(COLUMNS)] + [_row(test) for test in tests]
    wide = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    return ['  '.join(cell.ljust(w) if i < 3 else cell.rjust(w)
                      for i, (cell, w) in enumerate(zip(row, wide))).rstrip()
            for row in rows]


def figures(benches):
    """Those with cases are too many for lines: tools/costs.py makes tables."""
    benches = [bench for bench in benches if 'responders' not in bench]
    return [f'{title({**bench, "proto": bench.get("protocol")})}: {bench.get("metric")} = {bench.get("value")} '
            f'{bench.get("unit", "")}'.rstrip() for bench in benches]


def wilson(hits, tries):
    """The 95 % confidence interval of a rate (Wilson's score interval), as two rates.

    It holds for no hit at all too, where the rate's own spread would be zero.
    """
    z2 = 1.959964 ** 2
    middle = (hits + z2 / 2) / (tries + z2)
    half = (z2 * (hits * (tries - hits) / tries + z2 / 4)) ** 0.5 / (tries + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def leak_rates(tests):
    """A line for each test that has counted returns which came too early."""
    for test in tests:
        if test.get('returns'):
            leaks, returns = test['leaks'], test['returns']
            low, high = wilson(leaks, returns)
            yield (f'{title(test)}: {leaks} of {returns} returns leak, '
                   f'{100 * leaks / returns:.2f} % (95 %: {100 * low:.2f} to '
                   f'{100 * high:.2f} %)')


def write_jsonl(path, tests):
    with open(path, 'w') as file:
        for test in tests:
            first = {key: test.get(key) for key in KEYS}
            rest = {key: value for key, value in test.items()
                    if key not in KEYS and key != 'type'}
            file.write(json.dumps({**first, **rest}) + '\n')


def _case(suite, test):
    """One test as a testcase element."""
    name = printable(title(test))
    case = ET.SubElement(suite, 'testcase', name=name,
                         classname=printable(test['name'].rpartition('/')[0] or 'test'))
    why = printable(test.get('why') or '')
    said = {'XFAIL': ('skipped', f'expected failure: {why}'),
            'SKIP': ('skipped', why),
            'INCONCLUSIVE': ('skipped', f'inconclusive: {why}'),
            'FAIL': ('failure', why), 'CRASH': ('error', why)}.get(test['verdict'])
    if said:
        ET.SubElement(case, said[0], message=said[1])


def write_junit(path, tests, code, sentence, lines):
    """A run that did not come to its end by itself is an error case."""
    bad = code not in (status.PASS, status.FAIL, status.NOTHING)
    sums = Counter(test['verdict'] for test in tests)
    skipped = len(tests) - sums['PASS'] - sums['FAIL'] - sums['CRASH']
    suite = ET.Element('testsuite', name='shootdown', tests=str(len(tests) + bad),
                       failures=str(sums['FAIL']), errors=str(sums['CRASH'] + bad),
                       skipped=str(skipped))
    for test in tests:
        _case(suite, test)
    if bad:
        case = ET.SubElement(suite, 'testcase', name='run', classname='shootdown')
        error = ET.SubElement(case, 'error', message=printable(sentence))
        error.text = '\n'.join(map(printable, lines))
    ET.ElementTree(suite).write(path, encoding='utf-8', xml_declaration=True)


def trouble_lines(judge, code, faults, symbolise):
    """After a crash or a timeout: the dump with names, else the log's last lines."""
    lines = [f'fault: {fault}' for fault in faults[:FAULTS_SHOWN]]
    if code == status.USAGE:
        return lines + refusal(judge)
    if judge.bail is not None:
        return lines + [f'Bail out! {judge.bail}'] + symbolise(judge.dump)
    if code in (status.CRASH, status.TIMEOUT) and not (faults and judge.end):
        lines += ['the last lines of the log:'] + judge.lines[-TAIL:]
    return lines


def wedged_lines(judge, names):
    """Which CPUs did not come back, and where they were; names() knows addresses."""
    if not judge.wedged:
        return []
    known = names([int(w['rip'], 16) for w in judge.wedged if int(w['rip'], 16)])
    lines = []
    for wedged in judge.wedged:
        fate = 'left out from there on' if wedged.get('parked') else 'it came back'
        lines.append(f'CPU {wedged["cpu"]} wedged in {wedged["test"]}, {fate}: '
                     f'{wedged.get("state")}, rip {wedged["rip"]}, '
                     f'guest rip {wedged["guest_rip"]}')
        lines += [f'    {name}' for name in known.get(int(wedged['rip'], 16), [])]
    return lines


def closing(judge, code, sentence, lines, folder, timeline=()):
    """Everything that stands below the live lines; the last line is the meaning."""
    if judge.tests:
        say()
        for line in table(judge.tests):
            say(line)
    for line in (*figures(judge.benches), *leak_rates(judge.tests)):
        say(line)
    if lines:
        say()
    for line in lines:
        say(line)
    say()
    for line in timeline:
        say(line)
    files = ['serial.log', 'results.jsonl', 'run.json', 'junit.xml']
    files += ['trace.json'] * bool(timeline)
    say(f'results: {folder}/ ({", ".join(files)})')
    say(f'{sentence.rstrip(".")}.  Status {code}: {status.MEANING[code]}.')
