# SPDX-License-Identifier: BSD-2-Clause
"""timeline - `shootdown timeline [--svg] [RESULTS]`: trace.json out of a run's log

`shootdown run --trace` does it by itself.  docs/timeline.md says what is to be seen.
"""
import json
import re
from pathlib import Path

import kernel
import status
import trace_check
import trace_json
import trace_log
import trace_pair
import trace_rules
import trace_svg
from status import Trouble

DEFAULT = 1024                # events that each CPU keeps, if nothing else is said
MARK = re.compile(r'@\{"type": ?"timeline"')
UNIT = {True: 'microseconds of CPU 0', False: 'ticks of the time-stamp counter'}


def _clocks(log):
    return {f'CPU {cpu}': {'offset_ticks': clock.offset, 'uncertainty_ticks': clock.slack,
                           'round_trip_ticks': clock.round_trip, 'steady': clock.steady}
            for cpu, clock in sorted(log.clocks.items())}


def _rings(test):
    return {f'CPU {cpu}': {'events': len(ring.events), 'lost': ring.lost,
                           'torn': ring.torn, 'garbled': ring.garbled}
            for cpu, ring in sorted(test.rings.items())}


def _pairs(log, test, story):
    """What was paired, and what was not, by name."""
    fates = [kick.fate for kick in story.kicks]
    early = list(trace_rules.early(log, test, story))
    return {
        'invalidations': len(story.invals),
        'returned_early': len({e.inval.name for e in early}),
        'kicks': len(fates), 'received': fates.count('received'),
        'coalesced': sum(len(stay.answers) - 1 for stays in story.stays.values()
                         for stay in stays if stay.answers),
        'answered_before': len(story.strays),
        'unpaired': [f'kick {kick.sender}.{kick.target}.{kick.number}: {kick.fate}'
                     for kick in story.kicks if not kick.received],
        'faults': story.faults,
    }


def document(log, stories):
    """The whole trace, as it is written."""
    tests = [{'test': test.number, 'name': test.name, 'protocol': test.proto,
              'verdict': test.verdict, 'rings': _rings(test),
              'pairs': _pairs(log, test, story)}
             for test, story in zip(log.tests, stories)]
    return {
        'traceEvents': trace_json.convert(log, stories), 'displayTimeUnit': 'ns',
        'otherData': {'unit': UNIT[bool(log.khz)], 'tsc_khz': log.khz,
                      'tsc_khz_by': '8254 timer', 'ring': log.room,
                      'machine': log.boot.get('machine', ''), 'clocks': _clocks(log),
                      'faults': log.faults, 'tests': tests},
    }


def _wrong_clocks(log):
    return [f'the clock of CPU {cpu} is not steady: times of it may be wrong by any amount'
            for cpu, clock in sorted(log.clocks.items()) if not clock.steady]


def summary(log, doc):
    """Some lines for people; what is lost or wrong is among them."""
    tests = doc['otherData']['tests']
    rings = [ring for test in tests for ring in test['rings'].values()]
    sums = {key: sum(ring[key] for ring in rings)
            for key in ('events', 'lost', 'torn', 'garbled')}
    pairs = {key: sum(test['pairs'][key] for test in tests)
             for key in ('kicks', 'received', 'invalidations', 'returned_early')}
    lines = [f'timeline: {sums["events"]} events, {sums["lost"]} lost, {sums["torn"]} '
             f'torn, {sums["garbled"]} garbled; {pairs["kicks"]} kicks, '
             f'{pairs["received"]} paired; {pairs["returned_early"]} of '
             f'{pairs["invalidations"]} invalidations returned early']
    if sums['lost']:
        lines.append(f'timeline: rings keep the last {log.room} events of a test on each '
                     f'CPU; trace={2 * log.room} keeps more')
    faults = log.faults + [fault for test in tests for fault in test['pairs']['faults']]
    return lines + [f'timeline: {fault}' for fault in _wrong_clocks(log) + faults[:10]]


def read(folder):
    """The Log of a run, and the story of each of its tests."""
    serial = folder / 'serial.log'
    if not serial.is_file():
        raise Trouble(f'there is no serial.log in {folder}')
    log = trace_log.parse(serial.read_text(errors='replace'))
    if not log:
        raise Trouble(f'{serial} has no timeline: run with --trace')
    return log, [trace_pair.tell(test) for test in log.tests]


def write(folder):
    """Write trace.json beside a serial.log that has a timeline; the lines to print."""
    log, stories = read(folder)
    doc = document(log, stories)
    wrong = trace_check.problems(doc)
    with open(folder / 'trace.json', 'w') as file:
        json.dump(doc, file, separators=(',', ':'))
    return summary(log, doc) + [f'timeline: {fault}' for fault in wrong[:10]]


def after_run(folder, lines):
    """The same for a run that has said these lines; nothing if it told no timeline."""
    return write(folder) if any(map(MARK.match, lines)) else []


def main(argv):
    words = [word for word in argv if word != '--svg']
    if len(words) > 1 or words[:1] and words[0].startswith('-'):
        raise Trouble('usage: shootdown timeline [--svg] [RESULTS]')
    folder = Path(words[0] if words else kernel.ROOT / 'build' / 'results')
    for line in write(folder):
        print(line)
    print(f'{folder / "trace.json"}: for ui.perfetto.dev or chrome://tracing')
    if '--svg' in argv:
        (folder / 'trace.svg').write_text(trace_svg.picture(*read(folder)))
        print(f'{folder / "trace.svg"}: an invalidation of each test')
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
