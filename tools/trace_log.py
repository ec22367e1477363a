# SPDX-License-Identifier: BSD-2-Clause
"""trace_log - the kernel's events out of a serial log

tests/timeline.c says what the records are.  A serial line may lose bytes and a run may
end anywhere, so everything is counted: what the ring has overwritten (lost), what an
interrupt spoilt (torn), and what did not come through the line (garbled).  An event
that is doubtful is left out and counted, never guessed.
"""
import json
import re
from dataclasses import dataclass, field

KINDS = ('timeline', 'clock', 'ring', 'trace')
EVENT = re.compile(r'([A-Z])(-?[0-9a-f]+)(?:\.([0-9a-f]+))?(?:\.([0-9a-f]+))?')
NOBODY = 0xffffffff           # TRACE_NOBODY
ASKED = 1 << 32               # TRACE_ASKED


@dataclass(frozen=True)
class Event:
    cpu: int
    index: int                # in the order in which its CPU added it
    tsc: int                  # that CPU's own
    what: str
    a: int = 0
    b: int = 0


@dataclass
class Ring:
    """What one CPU noted during one test."""
    events: list = field(default_factory=list)
    added: int = 0
    lost: int = 0
    torn: int = 0
    garbled: int = 0
    told: bool = False        # the kernel came to the end of it


@dataclass(frozen=True)
class Clock:
    """A CPU's TSC is the BSP's plus offset, give or take slack."""
    offset: int = 0
    slack: int = 0
    round_trip: int = 0
    steady: bool = True


@dataclass
class Test:
    number: int
    name: str
    proto: str
    verdict: str
    cpus: int
    rings: dict = field(default_factory=dict)


@dataclass
class Log:
    room: int                 # events that a ring keeps
    khz: int
    letters: dict
    clocks: dict = field(default_factory=dict)
    tests: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    boot: dict = field(default_factory=dict)

    def clock(self, cpu):
        return self.clocks.get(cpu, Clock())

    def time(self, event):
        """Ticks of the BSP's clock at that event."""
        return event.tsc - self.clock(event.cpu).offset

    def slack(self, *cpus):
        """By how much the times of events of these CPUs may be apart wrongly."""
        return sum(self.clock(cpu).slack for cpu in set(cpus))


def records(text):
    """(line number, record) of each record that is whole; record None of one that is
    not."""
    for i, line in enumerate(text.splitlines(), 1):
        if line.startswith('@'):
            try:
                record = json.loads(line[1:])
                yield i, record if isinstance(record, dict) else None
            except (ValueError, RecursionError):
                yield i, None


def _counts(record, *keys):
    values = [record.get(key) for key in keys]
    if any(type(value) is not int or value < 0 for value in values):
        raise ValueError(f'{record.get("type")}: counts are missing')
    return values


def _events(log, record):
    """The events of one record; ValueError if any of it is strange."""
    cpu, index, tsc = _counts(record, 'cpu', 'first', 'tsc')
    text, at, events = record.get('events', ''), 0, []
    while at < len(text):
        match = EVENT.match(text, at)
        if not match or match[1] not in log.letters:
            raise ValueError(f'trace: no event: {text[at:at + 20]!r}')
        tsc += int(match[2], 16)
        events.append(Event(cpu, index, tsc, log.letters[match[1]],
                            int(match[3] or '0', 16), int(match[4] or '0', 16)))
        at, index = match.end(), index + 1
    return events


class Reader:
    """Takes the records one by one."""

    def __init__(self):
        self.log, self.boot, self.tests = None, {}, 0

    def take(self, record):
        kind = record.get('type')
        if kind == 'boot':
            self.boot = record
        elif kind == 'timeline':
            room, khz = _counts(record, 'room', 'khz')
            self.log = Log(room, khz, record['letters'], boot=self.boot)
        elif kind == 'test':
            self._test(record)
        elif self.log and kind in KINDS:
            getattr(self, f'_{kind}')(record)

    def _test(self, record):
        self.tests += 1
        if self.log:
            self.log.tests.append(Test(self.tests, record['name'],
                                       record.get('proto', ''), record['verdict'],
                                       record.get('cpus', 1)))

    def _clock(self, record):
        cpu, slack, trip = _counts(record, 'cpu', 'slack', 'round_trip')
        self.log.clocks[cpu] = Clock(int(record['offset']), slack, trip,
                                     record['steady'] is True)

    def _of_test(self, record):
        number, cpu = _counts(record, 'test', 'cpu')
        if not self.log.tests or self.log.tests[-1].number != number:
            raise ValueError(f'{record["type"]}: of test {number}, which is not the last')
        return self.log.tests[-1].rings.setdefault(cpu, Ring())

    def _trace(self, record):
        self._of_test(record).events += _events(self.log, record)

    def _ring(self, record):
        ring = self._of_test(record)
        ring.added, ring.lost, ring.torn = _counts(record, 'added', 'lost', 'torn')
        ring.told = True
        missing = ring.added - ring.lost - ring.torn - len(ring.events)
        if missing < 0:
            raise ValueError(f'ring: {-missing} events too many')
        ring.garbled = missing


def _settle(log):
    """Sort, and complain about what did not come to its end."""
    for test in log.tests:
        for cpu, ring in test.rings.items():
            ring.events.sort(key=lambda event: event.index)
            if not ring.told:
                log.faults.append(f'test {test.number}: the ring of CPU {cpu} breaks off')
            if ring.garbled:
                log.faults.append(f'test {test.number}: {ring.garbled} events of '
                                  f'CPU {cpu} did not come through the line')


def parse(text):
    """The Log of a serial log, or None if it has no timeline."""
    reader, faults = Reader(), []
    for line, record in records(text):
        try:
            if record is None:
                raise ValueError('garbled record')
            reader.take(record)
        except (ValueError, KeyError, TypeError) as error:
            faults.append(f'line {line}: {error}')
    if reader.log:
        reader.log.faults += faults
        _settle(reader.log)
    return reader.log
