# SPDX-License-Identifier: BSD-2-Clause
"""steps - protocols that are delayed, held and kicked at their numbered steps

Sound protocols pass under schedules that are drawn; a control that fails names the
schedule, and fails again under it; what is no schedule is refused.  A short soak.
"""
import re

from bench import Checks, Run
from scenarios import protocols

SCENARIOS = 'run=proto/remap_write_4k,proto/protect_write_4k,proto/unmap_reuse_read_2m'
H3 = '0.made.1^1,0.made.1@1.S1.1,1.S1.1@0.done.1'
LEAST = 100                   # invalidations of a scenario that is not cut short


def drawn(checks):
    known = protocols()
    run = Run('steps-drawn', '--on', 'bochs', SCENARIOS, 'proto=*', 'steps=3')
    checks.equal(run.status, 0, 'drawn schedules: status', run)
    checks.equal({test['proto'] for test in run.tests}, set(known), 'all protocols', run)
    for test in run.tests:
        name = f'{test["name"]} {test["proto"]}'
        if known[test['proto']]:
            good = (test['verdict'] == 'PASS' and test['invalidations'] >= LEAST
                    and 'schedule' not in test)
        else:
            good = test['verdict'] == 'XFAIL' and test.get('schedule')
        checks.check(good, f'{name}: {test["verdict"]} under drawn schedules', run)
    return run


def replayed(checks, run):
    """gen-ipi goes wrong under most schedules, but the one that is told is its own."""
    test = next(t for t in run.tests if t['proto'] == 'gen-ipi' and t.get('schedule'))
    again = Run('steps-replay', '--on', 'bochs', f'run={test["name"]}', 'proto=gen-ipi',
                f'replay={test["schedule"]}')
    checks.equal(again.status, 0, 'replay: status', again)
    checks.equal([t.get('schedule') for t in again.tests], [test['schedule']],
                 'the schedule that was printed is followed and printed', again)


def hazard(checks):
    """A mutant that scenarios pass goes wrong under the schedule that was made for it."""
    words = ('--on', 'bochs', 'run=proto/protect_read_4k', 'mutant=H3', 'iters=30')
    plain = Run('steps-plain', *words)
    checks.equal([t['verdict'] for t in plain.tests], ['INCONCLUSIVE'],
                 'H3 is not told apart without a schedule', plain)
    led = Run('steps-led', *words, f'replay={H3}')
    checks.equal([(t['verdict'], t.get('killed'), t.get('schedule')) for t in led.tests],
                 [('XFAIL', {'ghost': 1}, H3)], 'H3 is, by the ghost, under its schedule',
                 led)


def soak(checks):
    run = Run('soak', '--on', 'bochs', 'soak', 'secs=3')
    checks.equal(run.status, 0, 'soak: status', run)
    said = re.findall(r'^# soak: (\d+) s, (\d+) rounds, (\d+) invalidations', run.out,
                      re.M)
    checks.check(said, 'soak: says how far it is', run)
    for test in run.tests:
        checks.check(test['verdict'] == 'PASS' and test['witnesses'] > 0
                     and test['ghost']['checked'] >= test['invalidations'] > LEAST
                     and not test['ghost']['violations'], 'soak: judged, and clean', run)
    run = Run('soak-control', '--on', 'bochs', 'soak', 'secs=3', 'proto=gen-ipi')
    checks.equal(run.status, 5, 'soak: of sound protocols only', run)


def refused(checks):
    for word in ('replay=1.S1', 'replay=now', 'steps=9'):
        run = Run('steps-bad', '--on', 'bochs', 'run=proto/guided', word)
        checks.check(run.status == 2 and not run.tests, f'{word}: refused', run)
    run = Run('steps-fast', '--on', 'bochs', '--build', 'fast', 'run=proto/guided',
              'steps=1')
    checks.check(run.status == 2 and not run.tests, 'fast build: no steps', run)


def main():
    checks = Checks()
    replayed(checks, drawn(checks))
    hazard(checks)
    soak(checks)
    refused(checks)
    checks.finish()


if __name__ == '__main__':
    main()
