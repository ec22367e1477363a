# SPDX-License-Identifier: BSD-2-Clause
"""judge - from the bytes of a serial line to a verdict on the run

The kernel says everything twice: KTAP lines for people, and a JSON record a
line, marked '@', for tools.  A run is believed only when both tell the same
story, the story is whole (the plan is met, an end record closes it, its sums
agree) and the machine ended the way a kernel that is done ends it.  Emulators
exit 0 on a triple fault, so an exit code alone proves nothing.  Everything that
does not fit is a fault, and a fault is never a pass.
"""
import json
import re
import signal
from collections import Counter

import status

VERDICTS = ('PASS', 'FAIL', 'XFAIL', 'SKIP', 'INCONCLUSIVE')
REFUSAL = 'command line:'
NO_GUESTS = '# no guests can run here: '
COUNTS = ('witnesses', 'violations', 'invalidations', 'cpus', 'ticks', 'seed', 'returns',
          'leaks')
BENCH_COUNTS = ('cpus', 'responders', 'batch', 'initiators')
GHOST_COUNTS = ('checked', 'violations')   # the ghost TLB's; not in the fast build
WEDGED_COUNTS = ('cpu', 'ticks')
ADDRESS = re.compile(r'0x[0-9a-f]{1,16}')
DETECTORS = ('ground', 'watchdog', 'flush', 'ghost')
END_COUNTS = ('status', 'tests') + tuple(v.lower() for v in VERDICTS)
POINT = re.compile(r'(not )?ok (\d+)(?: -)? (\S.*?)(?: # (\w+)\b ?(.*))?')
PLAN = re.compile(r'1\.\.(\d+)( #.*)?')
TEXT = re.compile(r'[\t -~]*')
ESCAPE = re.compile(r'\x1b\[[0-9;=?]*[A-Za-z]|[\x00-\x1f]')   # what moves a cursor
FIRST = re.compile(r'# shootdown [0-9][0-9.]*$')   # the kernel's first words


class Point:
    """One KTAP result line."""

    def __init__(self, match):
        bad, number, self.name, self.directive, self.text = match.groups()
        self.ok, self.number = not bad, int(number)

    def says(self, verdict):
        """Whether this line is how KTAP spells the verdict."""
        form = (self.ok, self.directive)
        return form in {
            'PASS': [(True, None)],
            'FAIL': [(False, None)],
            'XFAIL': [(False, 'XFAIL')],
            'SKIP': [(True, 'SKIP')],
            'INCONCLUSIVE': [(True, 'SKIP'), (False, 'SKIP')],
        }[verdict]


def _unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError('a key twice')
    return dict(pairs)


def count_problem(record, keys):
    """The first of these keys whose value is no count, in words, or None."""
    for key in keys:
        if key in record and (type(record[key]) is not int or record[key] < 0):
            return f'{key} is {record[key]!r}, not a count'
    return None


def ghost_problem(test):
    """What is wrong with what the ghost TLB found, or None."""
    ghost = test.get('ghost')
    if 'ghost' not in test:
        return None
    if not isinstance(ghost, dict) or set(ghost) - {'said'} != set(GHOST_COUNTS):
        return f'ghost is {ghost!r}, not its counts'
    if problem := count_problem(ghost, GHOST_COUNTS):
        return f'ghost: {problem}'
    if test['verdict'] == 'PASS' and ghost['violations'] > 0:
        return f'PASS with {ghost["violations"]} violations that the ghost found'
    return None


def killed_problem(test):
    """What is wrong with who complained and after how many tries, or None."""
    killed = test.get('killed', {})
    if not isinstance(killed, dict) or set(killed) - set(DETECTORS):
        return f'killed is {killed!r}'
    if problem := count_problem(killed, killed):
        return f'killed: {problem}'
    if test['verdict'] == 'PASS' and killed:
        return f'PASS, and {" ".join(killed)} complained'
    return None


def test_problem(test):
    """What is wrong with one test record, or None."""
    if not isinstance(test.get('name'), str) or not test['name']:
        return 'a test record without a name'
    name = test['name']
    if test.get('verdict') not in VERDICTS:
        return f'{name}: its verdict is {test.get("verdict")!r}'
    for key in ('proto', 'why'):
        if not isinstance(test.get(key, ''), str):
            return f'{name}: {key} is {test[key]!r}, not text'
    if problem := count_problem(test, COUNTS):
        return f'{name}: {problem}'
    if 'returns' in test and not test.get('leaks', -1) in range(test['returns'] + 1):
        return f'{name}: {test.get("leaks")} of {test["returns"]} returns leak'
    if test['verdict'] == 'PASS' and test.get('violations', 0) > 0:
        return f'{name}: PASS with {test["violations"]} violations'
    if problem := ghost_problem(test) or killed_problem(test):
        return f'{name}: {problem}'
    return None


def bench_problem(bench):
    """What is wrong with one figure, or None."""
    for key in ('name', 'metric', 'unit') + ('protocol',) * ('protocol' in bench):
        if not isinstance(bench.get(key), str) or not bench[key]:
            return f'a bench record whose {key} is {bench.get(key)!r}, not text'
    value = bench.get('value')
    if type(value) not in (int, float) or not 0 <= value < float('inf'):
        return f'{bench["name"]}: its value is {value!r}, not a figure'
    if problem := count_problem(bench, BENCH_COUNTS):
        return f'{bench["name"]}: {problem}'
    return None


def wedged_problem(wedged):
    """What is wrong with the record of a CPU that did not come back, or None."""
    for key in ('rip', 'guest_rip'):
        if not ADDRESS.fullmatch(str(wedged.get(key))):
            return f'a wedged record whose {key} is {wedged.get(key)!r}'
    if not isinstance(wedged.get('test'), str) or 'cpu' not in wedged:
        return 'a wedged record without its CPU and test'
    return count_problem(wedged, WEDGED_COUNTS)


class Judge:
    """Takes the serial bytes piece by piece; feed() returns what they said."""

    def __init__(self):
        self.rest = b''
        self.boot, self.end, self.plan, self.bail = None, None, None, None
        self.machine = None
        self.tests, self.benches, self.points, self.wedged = [], [], [], []
        self.lines, self.faults, self.dump = [], [], []
        self.loading = False       # what comes is still the firmware's or the loader's

    def expect_loader(self):
        """Others write to this line before the kernel does: none of it is judged."""
        self.loading = True

    def feed(self, chunk):
        """Events (kind, value) of the lines that are complete now."""
        *whole, self.rest = (self.rest + chunk).split(b'\n')
        return [event for raw in whole for event in self._line(raw)]

    def close(self):
        """The machine is gone: a line without its end is a fault."""
        if not self.rest:
            return []
        events = self._line(self.rest)
        if not self.loading and not self.lines[-1].startswith('#'):
            self.faults.append('the log ends in the middle of a line')
        self.rest = b''
        return events

    def last_word(self):
        return self.end is not None or self.bail is not None

    def no_guests(self):
        """The kernel's reason why it runs none."""
        said = (line.partition(NO_GUESTS)[2] for line in self.lines)
        return next(filter(None, said), 'no reason is given')

    def _line(self, raw):
        text = raw.rstrip(b'\r').decode('ascii', errors='backslashreplace')
        if self.loading:
            text = ESCAPE.sub('', text)
            first = FIRST.search(text)     # a loader may leave its own line open
            self.loading = not first
            text = first[0] if first else text
        self.lines.append(text)
        if self.loading:
            return self._loader(text)
        if self.bail is not None:
            self.dump.append(text)
        events = [('line', text)]
        if text.startswith('#') or not text:
            return events
        if not TEXT.fullmatch(text) or '\\x' in text:
            self.faults.append(f'garbled line: {text[:60]!r}')
        for mark, reader in READERS:
            if mark.match(text):
                return events + (reader(self, text) or [])
        if '@{' in text:
            self.faults.append(f'a record in the middle of a line: {text[:60]!r}')
        return events

    def _loader(self, text):
        """A loader that gives up says so as the kernel does."""
        events = [('line', text)]
        return events + self._bail(text) if text.startswith('Bail out!') else events

    def _record(self, text):
        try:
            record = json.loads(text[1:], object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            self.faults.append(f'garbled record: {text[:60]!r}')
            return []
        if not isinstance(record, dict):
            self.faults.append(f'garbled record: {text[:60]!r}')
            return []
        kind = record.get('type')
        if self.end is not None:
            self.faults.append(f'a {kind} record after the end record')
        if kind in ('boot', 'machine', 'end'):
            return self._once(kind, record)
        if kind == 'test':
            return self._test(record)
        if kind == 'bench':
            return self._bench(record)
        if kind == 'wedged':
            return self._wedged(record)
        return [(str(kind), record)]

    def _once(self, kind, record):
        if getattr(self, kind) is not None:
            self.faults.append(f'a second {kind} record: the machine started again?')
        problem = count_problem(record, END_COUNTS) if kind == 'end' else None
        if problem:
            self.faults.append(f'the end record: {problem}')
            record = {'status': status.CRASH}
        setattr(self, kind, record)
        return [(kind, record)]

    def _test(self, record):
        problem = test_problem(record)
        if problem:
            self.faults.append(problem)
            return []
        self.tests.append(record)
        return [('test', record)]

    def _bench(self, record):
        problem = bench_problem(record)
        if problem:
            self.faults.append(problem)
            return []
        self.benches.append(record)
        return [('bench', record)]

    def _wedged(self, record):
        problem = wedged_problem(record)
        if problem:
            self.faults.append(problem)
            return []
        self.wedged.append(record)
        return [('wedged', record)]

    def _point(self, text):
        match = POINT.fullmatch(text)
        if not match:
            self.faults.append(f'no KTAP result: {text[:60]!r}')
            return []
        if self.end is not None:
            self.faults.append('a result after the end record')
        self.points.append(Point(match))
        return [('point', self.points[-1])]

    def _plan(self, text):
        match = PLAN.fullmatch(text)
        if not match or self.plan is not None:
            self.faults.append(f'a plan that is none, or a second one: {text[:60]!r}')
        else:
            self.plan = int(match[1])

    def _version(self, text):
        if self.lines.count(text) > 1:
            self.faults.append('the kernel started twice: the machine was reset')

    def _bail(self, text):
        if self.bail is None:
            self.bail = text[len('Bail out!'):].strip() or 'no reason given'
        return [('bail', self.bail)]


READERS = (
    (re.compile(r'@'), Judge._record),
    (re.compile(r'(not )?ok\b'), Judge._point),
    (re.compile(r'\d+\.\.'), Judge._plan),
    (re.compile(r'KTAP version'), Judge._version),
    (re.compile(r'Bail out!'), Judge._bail),
)


def _count_faults(judge):
    """Do plan, result lines, records and the end record agree in number?"""
    have = {'the plan': judge.plan, 'result lines': len(judge.points),
            'test records': len(judge.tests), 'the end record': judge.end.get('tests')}
    if len(set(have.values())) > 1:
        said = ', '.join(f'{who}: {count}' for who, count in have.items())
        yield f'the number of tests differs ({said})'
    sums = Counter(test['verdict'] for test in judge.tests)
    for verdict in VERDICTS:
        told = judge.end.get(verdict.lower(), 0)
        if told != sums[verdict]:
            yield f'the end record says {told} {verdict}, the records {sums[verdict]}'


def _order_faults(judge):
    numbers = [point.number for point in judge.points]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f'the results are not numbered 1, 2, 3...: {numbers[:12]}'
    keys = Counter((t['name'], t.get('proto', ''), t.get('cpus')) for t in judge.tests)
    for (name, proto, _), count in keys.items():
        if count > 1:
            yield f'{name} {proto}'.strip() + f' was reported {count} times'


def _story_faults(judge):
    """Does each result line say what the record beside it says?"""
    for point, test in zip(judge.points, judge.tests):
        if not point.name.startswith(test['name']):
            yield f'result {point.number} is {point.name}, its record {test["name"]}'
        elif not point.says(test['verdict']):
            yield f'{point.name}: the result line does not say {test["verdict"]}'


def _wedged_faults(judge):
    """A CPU did not come back: can the test in which that happened be all right?"""
    good = {point.name for point, test in zip(judge.points, judge.tests)
            if test['verdict'] != 'FAIL'}
    for wedged in judge.wedged:
        if wedged['test'] in good:
            yield f'{wedged["test"]} did not fail, and CPU {wedged["cpu"]} was wedged'


def allowed_statuses(tests):
    """The statuses that a kernel with these records may end with."""
    seen = {test['verdict'] for test in tests}
    if not seen:
        return {status.USAGE, status.NOTHING}
    if 'FAIL' in seen:
        return {status.FAIL}
    if not seen & {'PASS', 'XFAIL'}:
        return {status.NOTHING}
    return {status.PASS, status.NOTHING} if len(seen & {'SKIP', 'INCONCLUSIVE'}) \
        else {status.PASS}


def _status_faults(judge):
    told = judge.end.get('status')
    if told not in allowed_statuses(judge.tests):
        seen = Counter(test['verdict'] for test in judge.tests)
        said = ', '.join(f'{n} {verdict}' for verdict, n in seen.items()) or 'no test'
        yield f'the kernel ended with status {told}, which does not fit {said}'


def story_faults(judge):
    """All that contradicts itself in a log that has an end record."""
    checks = [_status_faults]
    if judge.end.get('status') != status.USAGE:
        checks += [_count_faults, _order_faults, _story_faults, _wedged_faults]
    return judge.faults + [fault for check in checks for fault in check(judge)]


def _signal(number):
    """A signal by its name, with what it mostly means where nobody sent it."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f'signal {number}'
    return f'{name}, as the host does when memory runs out' \
        if number == signal.SIGKILL else name


def _no_end(judge, ending):
    if judge.loading and ending.kind in ('timeout', 'exited'):
        said = next((line for line in reversed(judge.lines) if line.strip()), 'nothing')
        how = 'the machine ended' if ending.kind == 'exited' else 'nothing more came'
        return (status.TIMEOUT if ending.kind == 'timeout' else status.CRASH,
                f'NO KERNEL: {how} before the kernel said a word; the firmware or the '
                f'loader said last: {said[:80]}')
    if ending.kind == 'timeout':
        return status.TIMEOUT, 'TIMEOUT: the kernel did not reach its end in time'
    if ending.kind == 'flood':
        return status.CRASH, 'CRASH: the kernel floods its serial line'
    if ending.code is not None and ending.code < 0:
        return status.CRASH, f'CRASH: the emulator was ended by {_signal(-ending.code)}'
    if not judge.lines:
        return status.CRASH, 'CRASH: the machine ended before the kernel said a word'
    more = f'; and {judge.faults[0]}' if judge.faults else ''
    return status.CRASH, f'CRASH: the machine ended without an end record{more}'


def refusal(judge):
    """Why the kernel refused its command line, and the lines that say what exists."""
    lines = [line[1:].strip() for line in judge.lines if line.startswith('#')]
    start = next((i for i, line in enumerate(lines) if line.startswith(REFUSAL)), None)
    return ['it gives no reason'] if start is None else lines[start:]


def verdict_sentence(judge, told):
    """The kernel's own status, in a sentence."""
    sums = Counter(test['verdict'] for test in judge.tests)
    if told == status.PASS:
        return f'PASS: {sums["PASS"]} passed, {sums["XFAIL"]} failed as expected'
    if told == status.FAIL:
        bad = [t['name'] for t in judge.tests if t['verdict'] == 'FAIL']
        return f'FAIL: {len(bad)} of {len(judge.tests)} failed, first {bad[0]}'
    if told == status.USAGE:
        return f'REFUSED: the kernel says: {refusal(judge)[0]}'
    return (f'NO VERDICT: {sums["SKIP"]} skipped, {sums["INCONCLUSIVE"]} '
            f'inconclusive, {sums["PASS"]} passed')


def decide(judge, ending, expected):
    """(status, sentence, faults); `expected` maps a status to an exit code."""
    if ending.kind == 'interrupted':
        return status.INTERRUPTED, 'interrupted: nothing is proved', []
    if judge.bail is not None:
        return status.CRASH, f'CRASH: {judge.bail}', judge.faults
    if judge.end is None:
        return *_no_end(judge, ending), judge.faults
    faults = story_faults(judge)
    told = judge.end.get('status')
    if ending.kind != 'exited':
        faults.append('the kernel reported its end, but the machine did not stop')
    elif not faults and ending.code != expected(told):
        faults.append(f'the machine exited with {ending.code} where status {told} '
                      f'makes {expected(told)}')
    if faults:
        return status.CRASH, f'NOT BELIEVED: {faults[0]}', faults
    return told, verdict_sentence(judge, told), []
