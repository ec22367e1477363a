# SPDX-License-Identifier: BSD-2-Clause
"""scenarios - all tests in Bochs: `scenarios.py CPUS [OPTION|SELECTION]...`

The sound protocol passes every scenario with witnesses and enough invalidations; the
one that does not wait is caught in every scenario.  What Bochs is known to do wrongly
is skipped, and nothing else.
"""
import sys

from bench import Checks, Run

INVALIDATIONS = 1000          # per scenario, under a sound protocol
# Scenarios whose edits are longer make fewer.
FEWER = {'proto/split': 60, 'proto/promote': 60, 'proto/reclaim': 120,
         'proto/dirty_wp': 120, 'proto/dirty_d': 120, 'proto/dirty_pml': 120,
         'proto/accessed': 120, 'proto/fault_race': 120}
# Of the default model.  The test, and what its reason must say.
SKIPS = {
    'vmx/misconfig_bit_12_2m': 'Bochs', 'vmx/misconfig_bit_12_1g': 'Bochs',
    'vmx/guest_walk_ad_read': 'Bochs', 'vmx/guest_flags_no_a': 'Bochs',
    'vmx/guest_flags_no_d': 'Bochs', 'vmx/misconfig_large': 'leaves of all sizes',
}
SOUND, UNSOUND = 'gen-smr', 'gen-ipi'


def scenarios(run, proto):
    return [test for test in run.tests
            if test['name'].startswith('proto/') and test['proto'] == proto]


def check_sound(checks, run):
    for test in scenarios(run, SOUND):
        least = FEWER.get(test['name'], INVALIDATIONS)
        good = (test['verdict'] == 'PASS' and test['violations'] == 0
                and test['witnesses'] > 0 and test['invalidations'] >= least)
        checks.check(good, f'{test["name"]}: conclusive under {SOUND}', run)


def check_unsound(checks, run):
    for test in scenarios(run, UNSOUND):
        good = test['verdict'] == 'XFAIL' and test['violations'] > 0
        checks.check(good, f'{test["name"]}: catches {UNSOUND}', run)


def check_skips(checks, run):
    skipped = {test['name']: test['why'] for test in run.tests
               if test['verdict'] == 'SKIP'}
    expected = {test['name'] for test in run.tests} & set(SKIPS)
    checks.equal(set(skipped), expected, 'skips what is known, and nothing else', run)
    for name in sorted(expected & set(skipped)):
        checks.check(SKIPS[name] in skipped[name], f'{name}: says why', run)


def main(cpus, words):
    checks = Checks()
    run = Run(f'bochs-{cpus}', '--on', 'bochs', '--cpus', cpus, '--timeout', 600,
              *words)
    checks.equal(run.status, 0, 'status', run)
    checks.all_cpus(run, cpus)
    checks.verdicts(run)
    check_skips(checks, run)
    sound, unsound = ({test['name'] for test in scenarios(run, proto)}
                      for proto in (SOUND, UNSOUND))
    checks.check(sound and sound == unsound, 'both protocols, same scenarios', run)
    check_sound(checks, run)
    check_unsound(checks, run)
    checks.finish()


if __name__ == '__main__':
    main(int(sys.argv[1]), sys.argv[2:])
