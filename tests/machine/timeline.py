# SPDX-License-Identifier: BSD-2-Clause
"""timeline - every arrow of a real run has both ends, and tells the truth

Rings are large enough here that nothing is lost, so whatever has no partner is a fault,
but for a kick that arrives when the test is over.  A sound protocol may return only after
each CPU has left, in time as the trace has it; a control returns early, and the trace
has to show that.
"""
import json
import sys

from bench import ROOT, Checks, Run
from scenarios import protocols

sys.path.insert(0, str(ROOT / 'tools'))
import trace_check                                                       # noqa: E402
import trace_log                                                         # noqa: E402
import trace_pair                                                        # noqa: E402
import trace_rules                                                       # noqa: E402

WAIT = {'gen-smr', 'gen-slot'}        # after the publish, for acknowledgements
# In Bochs a kick is under way for longer than the trace takes to note its events.
MACHINES = {'bochs': ('proto=*', 'delay=800', 'trace=8192'),
            'tcg': ('proto=gen-smr,gen-slot,gen-ipi', 'trace=32768')}
SCENARIO = ('run=proto/remap_write_4k', 'iters=24')


def trace_of(run):
    path = run.folder / 'trace.json'
    return json.loads(path.read_text()) if path.is_file() else {}


def check_whole(checks, run, log, doc):
    """The file is what viewers expect, and no event is missing."""
    checks.equal(trace_check.problems(doc), [], f'{run.folder.name}: a sound trace.json', run)
    checks.equal(log.faults, [], f'{run.folder.name}: all came through the line', run)
    gone = [ring.lost + ring.torn + ring.garbled
            for test in log.tests for ring in test.rings.values()]
    checks.equal(sum(gone), 0, f'{run.folder.name}: no event is lost', run)
    checks.check(all(clock.steady for clock in log.clocks.values()),
                 f'{run.folder.name}: the clocks are steady', run)
    checks.equal(len(log.clocks), run.boot()['cpus'] - 1,
                 f'{run.folder.name}: each clock is compared', run)


def arrows(doc, number, name):
    return {event['id'] for event in doc['traceEvents']
            if event['ph'] == 's' and (event['pid'], event['name']) == (number, name)}


def check_arrows(checks, run, doc, test, story):
    """Kicks pair with interrupts, and each pair is drawn for whom it was made."""
    what = f'{run.folder.name} {test.proto}'
    fates = [kick.fate for kick in story.kicks]
    checks.check(fates.count('received') > 4, f'{what}: kicks were made', run)
    checks.equal([kick.number for kick in story.kicks if kick.fate == 'lost'], [],
                 f'{what}: every kick is received', run)
    want = sum(max(1, len(kick.invals)) for kick in story.kicks if kick.received)
    checks.equal(len(arrows(doc, test.number, 'kick')), want,
                 f'{what}: an arrow for each kick', run)
    ended = [stay for stays in story.stays.values() for stay in stays if stay.answers]
    checks.check(len(ended) > 4, f'{what}: kicks end stays in the guest', run)
    checks.check(all(stay.leaving and stay.out for stay in ended),
                 f'{what}: each of these CPUs says that it is out', run)
    checks.check(sum(stay.flush is not None for stays in story.stays.values()
                     for stay in stays) > 4, f'{what}: flushes are seen', run)


def check_order(checks, run, log, doc, test, story, sound):
    what = f'{run.folder.name} {test.proto}'
    checks.equal(trace_rules.faults(log, test, story, sound), [],
                 f'{what}: nothing contradicts itself', run)
    early = list(trace_rules.early(log, test, story))
    judged = [inval for inval in story.invals if inval.done and inval.publish]
    checks.check(len(judged) >= (20 if sound else 1), f'{what}: invalidations are seen',
                 run)
    checks.equal(bool(early), not sound, f'{what}: returns early if it is a control', run)
    if test.proto in WAIT:
        checks.check(arrows(doc, test.number, 'acknowledgement'),
                     f'{what}: acknowledgements are seen', run)
    if not sound:
        checks.equal(arrows(doc, test.number, 'acknowledgement'), set(),
                     f'{what}: waits for nobody', run)


def full(checks, machine):
    run = Run(f'timeline-{machine}', '--on', machine, '--trace', *SCENARIO,
              *MACHINES[machine])
    checks.equal(run.status, 0, f'{machine}: status', run)
    log, doc, known = trace_log.parse(run.log), trace_of(run), protocols()
    asked = known if machine == 'bochs' else {*WAIT, 'gen-ipi'}
    if not checks.check(log and {test.proto for test in log.tests} == set(asked),
                        f'{machine}: a timeline of each test', run):
        return
    check_whole(checks, run, log, doc)
    if machine == 'bochs':
        checks.equal({clock.offset for clock in log.clocks.values()}, {0},
                     'bochs: has one clock', run)
    for test in log.tests:
        story = trace_pair.tell(test)
        check_arrows(checks, run, doc, test, story)
        check_order(checks, run, log, doc, test, story, known[test.proto])


def overwritten(checks):
    """Small rings: what is lost is counted, and said in each place."""
    run = Run('timeline-small', '--on', 'bochs', '--trace', *SCENARIO, 'proto=gen-smr',
              'trace=64')
    log, doc = trace_log.parse(run.log), trace_of(run)
    lost = sum(ring.lost for ring in log.tests[0].rings.values())
    checks.check(lost > 100, f'small rings: {lost} events are lost', run)
    checks.check(f'{lost} lost' in run.out, 'small rings: the closing lines say so', run)
    said = [event for event in doc['traceEvents'] if 'events lost' in event['name']]
    checks.equal(len(said), sum(ring.lost > 0 for ring in log.tests[0].rings.values()),
                 'small rings: so does each track', run)
    checks.equal(trace_check.problems(doc), [], 'small rings: a sound trace.json', run)
    story = trace_pair.tell(log.tests[0])
    checks.equal(trace_rules.faults(log, log.tests[0], story, True), [],
                 'small rings: nothing contradicts itself', run)


def refused(checks):
    for words in (('--trace', '--build', 'fast'), ('trace=100',), ('trace=131072',),
                  ('trace=16', '--build', 'fast')):
        run = Run('timeline-bad', '--on', 'bochs', 'run=vmx/hello', *words)
        checks.equal(run.status, 2, f'{" ".join(words)}: refused', run)
    run = Run('timeline-none', '--on', 'bochs', 'run=vmx/hello')
    checks.check(run.status == 0 and '"ring"' not in run.log and not trace_of(run),
                 'no timeline unless it is asked for', run)


def main():
    checks = Checks()
    for machine in MACHINES:
        full(checks, machine)
    overwritten(checks)
    refused(checks)
    checks.finish()


if __name__ == '__main__':
    main()
