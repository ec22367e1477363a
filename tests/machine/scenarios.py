# SPDX-License-Identifier: BSD-2-Clause
"""scenarios - all tests in Bochs: `scenarios.py CPUS [OPTION|SELECTION]...`

A sound protocol passes every scenario with witnesses and enough invalidations; one that
calls itself a negative control is caught in every scenario, by the guests' tags and by
the ghost TLB, which a fast build does not have.  What Bochs is known to do wrongly is
skipped, and nothing else.
"""
import re
import subprocess
import sys

from bench import ROOT, Checks, Run

INVALIDATIONS = 1000          # per scenario, under a sound protocol that always runs
ON_DEMAND = 8                 # the others make so many times fewer
# Scenarios whose edits are longer make fewer.
FEWER = {'proto/split': 60, 'proto/promote': 60, 'proto/reclaim': 120,
         'proto/dirty_wp': 120, 'proto/dirty_d': 120, 'proto/dirty_pml': 120,
         'proto/accessed': 120, 'proto/guided': 36, 'proto/fault_race': 120,
         'proto/split_race': 120, 'proto/resize_stopped': 60}
# Of the default model.  The test, and what its reason must say.
SKIPS = {
    'vmx/misconfig_bit_12_2m': 'Bochs', 'vmx/misconfig_bit_12_1g': 'Bochs',
    'vmx/guest_walk_ad_read': 'Bochs', 'vmx/guest_flags_no_a': 'Bochs',
    'vmx/guest_flags_no_d': 'Bochs', 'proto/leaks': 'Bochs',
    'vmx/misconfig_large': 'leaves of all sizes',
}
FAST_SKIPS = {f'proto/ghost_{name}': 'the fast build'
              for name in ('no_flush', 'wrong_root', 'gen_first', 'gen_early',
                           'root_reuse')} | {
                  f'proto/{name}': 'the fast build'
                  for name in ('guided', 'resize_unstopped', 'resize_bump_late')}
GHOST_ONLY = {'proto/guided'}  # guests that do nothing which others could see
GHOST_SHARE = 4               # of so many invalidations at least one has an edit
CONTROL = 'a negative control'   # how its line in the list ends
BASIC = {'gen-smr', 'gen-ipi'}   # what runs where nobody asks for more


def protocols():
    """{name: is it sound?}, as ./shootdown list tells."""
    done = subprocess.run([ROOT / 'shootdown', 'list'], stdout=subprocess.PIPE, text=True)
    rows = re.findall(r'^proto +(\S+) +(.*)$', done.stdout, re.M)
    return {name: not what.endswith(CONTROL) for name, what in rows}


def known_skips(run):
    fast = any('ghost' not in test for test in run.tests)
    return {**SKIPS, **FAST_SKIPS} if fast else SKIPS


def ghost(test, checked, violations):
    """Did the ghost judge so many edits, and were these its findings?"""
    if 'ghost' not in test:
        return True
    found = test['ghost']['violations'] > 0
    return test['ghost']['checked'] >= checked and found == violations


def scenarios(run, proto):
    return [test for test in run.tests
            if test['name'].startswith('proto/') and test['proto'] == proto
            and test['verdict'] != 'SKIP']   # check_skips() judges those


def check_sound(checks, run, proto):
    for test in scenarios(run, proto):
        least = FEWER.get(test['name'], INVALIDATIONS)
        least //= 1 if proto in BASIC else ON_DEMAND
        good = (test['verdict'] == 'PASS' and test['violations'] == 0
                and test['witnesses'] > 0 and test['invalidations'] >= least
                and ghost(test, least // GHOST_SHARE, violations=False))
        checks.check(good, f'{test["name"]}: conclusive under {proto}', run)


def check_unsound(checks, run, proto):
    for test in scenarios(run, proto):
        seen = test['violations'] > 0 or test['name'] in GHOST_ONLY
        good = (test['verdict'] == 'XFAIL' and seen
                and ghost(test, 1, violations=True))
        checks.check(good, f'{test["name"]}: catches {proto}', run)


def check_protocols(checks, run, known, wanted):
    ran = {test['proto'] for test in run.tests} - {''}
    checks.equal(ran, wanted, 'runs the protocols that it should', run)
    checks.equal({known[proto] for proto in ran}, {True, False}, 'of both kinds', run)
    names = {proto: {test['name'] for test in scenarios(run, proto)} for proto in ran}
    checks.check(all(names.values()) and len(set(map(frozenset, names.values()))) == 1,
                 'all protocols, same scenarios', run)
    for proto in sorted(ran):
        (check_sound if known[proto] else check_unsound)(checks, run, proto)


def check_skips(checks, run):
    skipped = {test['name']: test['why'] for test in run.tests
               if test['verdict'] == 'SKIP'}
    known = known_skips(run)
    expected = {test['name'] for test in run.tests} & set(known)
    checks.equal(set(skipped), expected, 'skips what is known, and nothing else', run)
    for name in sorted(expected & set(skipped)):
        checks.check(known[name] in skipped[name], f'{name}: says why', run)


def main(cpus, words):
    checks = Checks()
    run = Run(f'bochs-{cpus}', '--on', 'bochs', '--cpus', cpus, '--timeout', 600,
              *words)
    checks.equal(run.status, 0, 'status', run)
    checks.all_cpus(run, cpus)
    checks.verdicts(run)
    check_skips(checks, run)
    known = protocols()
    check_protocols(checks, run, known, set(known) if 'proto=*' in words else BASIC)
    checks.finish()


if __name__ == '__main__':
    main(int(sys.argv[1]), sys.argv[2:])
