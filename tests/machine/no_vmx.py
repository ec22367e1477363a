# SPDX-License-Identifier: BSD-2-Clause
"""no_vmx - QEMU TCG: `no_vmx.py direct|grub CPUS...`

On a CPU without VMX and SVM the same image boots by -kernel and by GRUB, brings up
every CPU, says what is missing and skips: status 5, never a pass.
"""
import re
import sys

from bench import Checks, Run

LOADERS = {'direct': 'multiboot1', 'grub': 'multiboot2'}


def check(checks, how, cpus):
    run = Run(f'tcg-{how}-{cpus}', '--on', 'tcg', '--model', 'max,-svm', '--boot', how,
              '--cpus', cpus, '--timeout', 300)
    what = f'{how}, {cpus} CPUs'
    checks.equal(run.status, 5, f'{what}: status', run)
    checks.all_cpus(run, cpus)
    checks.equal(run.boot().get('loader'), LOADERS[how], f'{what}: loader', run)
    checks.check(re.search(r'^# vmx: ', run.log, re.M), f'{what}: says why no VMX', run)
    guests = [test['verdict'] for test in run.tests
              if test['name'].startswith(('vmx/', 'proto/'))]
    checks.check('SKIP' in guests, f'{what}: skips', run)
    checks.check(set(guests) <= {'SKIP'}, f'{what}: no guest runs', run)
    bad = [t['name'] for t in run.tests if t['verdict'] not in ('PASS', 'SKIP')]
    checks.equal(bad, [], f'{what}: all others pass', run)


def main(how, counts):
    checks = Checks()
    for cpus in counts:
        check(checks, how, cpus)
    checks.finish()


if __name__ == '__main__':
    main(sys.argv[1], [int(word) for word in sys.argv[2:]])
