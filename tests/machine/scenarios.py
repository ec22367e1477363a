# SPDX-License-Identifier: BSD-2-Clause
"""scenarios - all tests in Bochs: `scenarios.py CPUS [OPTION|SELECTION]...`

The sound protocol passes every scenario with witnesses and enough invalidations; the
one that does not wait is caught in every scenario.
"""
import sys

from bench import Checks, Run

INVALIDATIONS = 1000          # per scenario, under a sound protocol
SOUND, UNSOUND = 'gen-smr', 'gen-ipi'


def scenarios(run, proto):
    return [test for test in run.tests
            if test['name'].startswith('proto/') and test['proto'] == proto]


def check_sound(checks, run):
    for test in scenarios(run, SOUND):
        good = (test['verdict'] == 'PASS' and test['violations'] == 0
                and test['witnesses'] > 0 and test['invalidations'] >= INVALIDATIONS)
        checks.check(good, f'{test["name"]}: conclusive under {SOUND}', run)


def check_unsound(checks, run):
    for test in scenarios(run, UNSOUND):
        good = test['verdict'] == 'XFAIL' and test['violations'] > 0
        checks.check(good, f'{test["name"]}: catches {UNSOUND}', run)


def main(cpus, words):
    checks = Checks()
    run = Run(f'bochs-{cpus}', '--on', 'bochs', '--cpus', cpus, '--timeout', 600,
              *words)
    checks.equal(run.status, 0, 'status', run)
    checks.all_cpus(run, cpus)
    checks.verdicts(run)
    sound, unsound = ({test['name'] for test in scenarios(run, proto)}
                      for proto in (SOUND, UNSOUND))
    checks.check(sound and sound == unsound, 'both protocols, same scenarios', run)
    check_sound(checks, run)
    check_unsound(checks, run)
    checks.finish()


if __name__ == '__main__':
    main(int(sys.argv[1]), sys.argv[2:])
