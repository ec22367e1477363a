# SPDX-License-Identifier: BSD-2-Clause
"""svm - guests by SVM: `svm.py tcg|bochs CPUS [OPTION|SELECTION]...`

In QEMU TCG CPUs truly race, so no two runs are alike: a sound protocol may never be
caught, and one that calls itself a negative control must be, but how often is not asked,
and a scenario that saw no witness counts as skipped.  Most must have seen some.  Bochs
plays a CPU with SVM as well, one instruction after the other.
"""
import sys
from fnmatch import fnmatchcase

from bench import Checks, Run
from scenarios import BASIC, protocols, scenarios

# The test, and what its reason must say.
SKIPS = {
    'vmx/access_*': 'about VMX', 'vmx/exec_only': 'about VMX', 'vmx/no_ve': 'about VMX',
    'vmx/absent_*': 'about VMX', 'vmx/misconfig_*': 'about VMX',
    'vmx/free_bits_*': 'about VMX', 'vmx/guest_walk*': 'about VMX',
    'vmx/guest_flags*': 'about VMX', 'vmx/ad_flags_*': 'about VMX',
    'vmx/invalid_state': 'about VMX', 'vmx/log_*': 'no page-modification log',
    'vmx/irq_log_full': 'about VMX', 'vmx/irq_fault_in_shadow': 'V_IRQ under',
    'proto/dirty_pml': 'no page-modification logging', 'vmx/budget': 'no timer',
    'vmx/int1': 'QEMU TCG', 'boot/mtrrs': 'QEMU TCG',
    'proto/leaks': 'Bochs', 'vmx/triple_fault': 'Bochs',
    'proto/ghost_root_reuse': 'ASID of its own',
}
TIMEOUT = 7000                # seconds; the steps have limits of their own
MACHINES = {'tcg': ['--on', 'tcg'], 'bochs': ['--on', 'bochs', '--model', 'ryzen']}


def known_skip(test):
    return any(fnmatchcase(test['name'], glob) and why in test['why']
               for glob, why in SKIPS.items())


def check_sound(checks, run, proto, races):
    tests = [t for t in scenarios(run, proto) if t['verdict'] != 'SKIP']
    for test in tests:
        blind = races and test['verdict'] == 'INCONCLUSIVE'
        good = (test['violations'] == 0
                and (blind or test['verdict'] == 'PASS' and test['witnesses'] > 0))
        checks.check(good, f'{test["name"]}: never catches {proto}', run)
    seen = sum(test['verdict'] == 'PASS' for test in tests)
    checks.check(2 * seen > len(tests), f'{proto}: most scenarios are conclusive', run)


def check_leaks(checks, run, known):
    """With no delay at all: the IPI alone is too slow, and nothing else is."""
    for test in run.tests:
        if 'returns' in test:
            leaks = test['leaks'] > 0
            checks.equal(leaks, not known[test['proto']],
                         f'{test["proto"]}: leaks {test["leaks"]} of {test["returns"]}',
                         run)


def check_unsound(checks, run, proto):
    for test in scenarios(run, proto):
        if test['verdict'] != 'SKIP':
            checks.equal(test['verdict'], 'XFAIL', f'{test["name"]}: catches {proto}',
                         run)


def main(machine, cpus, words):
    checks = Checks()
    run = Run(f'svm-{machine}-{cpus}', *MACHINES[machine], '--cpus', cpus,
              '--timeout', TIMEOUT, *words, limit=TIMEOUT + 60)
    checks.equal(run.boot().get('backend'), 'svm', 'runs guests by SVM', run)
    checks.all_cpus(run, cpus)
    checks.verdicts(run)
    strange = [t['name'] for t in run.tests
               if t['verdict'] == 'SKIP' and not known_skip(t)]
    checks.equal(strange, [], 'skips what is known, and nothing else', run)
    known = protocols()
    ran = {test['proto'] for test in run.tests} - {''}
    checks.equal(ran, set(known) if 'proto=*' in words else BASIC,
                 'runs the protocols that it should', run)
    for proto in sorted(ran):
        if known[proto]:
            check_sound(checks, run, proto, machine == 'tcg')
        else:
            check_unsound(checks, run, proto)
    if machine == 'tcg':
        checks.check(any(test.get('leaks') for test in run.tests), 'counts leaks', run)
        check_leaks(checks, run, known)
    checks.finish()


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
