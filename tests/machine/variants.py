# SPDX-License-Identifier: BSD-2-Clause
"""variants - one image on CPUs and in set-ups that differ, in Bochs

A CPU that lacks something is told by name, and its guests or the tests of it skip; both
APIC modes work; an AP that does not answer is named and left out; a kick that is not
delayed leaves the control uncaught, and that is a failure.
"""
import re

from bench import Checks, Run

SELECTION = 'run=boot/*,vmx/hello,proto/remap_write_4k'

EPT_SELECTION = 'run=vmx/access_*,vmx/misconfig_large,vmx/ad_flags_*'
EPT_VERDICTS = {
    'vmx/access_4k': 'PASS', 'vmx/access_2m': 'PASS', 'vmx/access_1g': 'SKIP',
    'vmx/misconfig_large': 'PASS', 'vmx/ad_flags_4k': 'SKIP',
    'vmx/ad_flags_off': 'PASS',
}
EPT_LACKS = {'this CPU has no EPT pages of 1 GiB',
             'this CPU has no accessed and dirty flags for EPT'}

# CPU model, and what the log must say it lacks; None: nothing.
MODELS = (
    ('athlon64_clawhammer', 'this CPU has no VMX'),
    ('ryzen', None),            # by SVM
    ('core2_penryn_t9600', 'lacks enable EPT'),
    ('corei5_lynnfield_750', 'lacks unrestricted guest'),
    ('corei5_arrandale_m520', None),
    ('corei7_haswell_4770', None),
)


def start(name, *words):
    return Run(name, '--on', 'bochs', '--cpus', 3, 'iters=60', *words)


def check_models(checks):
    for model, lack in MODELS:
        run = start(f'model-{model}', '--model', model, SELECTION)
        checks.equal(run.status, 5 if lack else 0, f'{model}: status', run)
        said = re.findall(r'^# vmx: (.*?)\r?$', run.log, re.M)
        checks.check(lack in ' '.join(said) if lack else not said,
                     f'{model}: says {lack or "that nothing is missing"}', run)
        skipped = {t['why'] for t in run.tests if t['verdict'] == 'SKIP'}
        checks.equal(skipped, {said[0]} if lack else set(),
                     f'{model}: the reason stands behind each SKIP', run)


def check_small_leaves(checks):
    """The EPT tests on a CPU without 1 GiB leaves and without EPT flags."""
    run = start('model-small', '--model', 'corei5_arrandale_m520', EPT_SELECTION)
    checks.equal(run.status, 0, 'small leaves: status', run)
    verdict = {test['name']: test['verdict'] for test in run.tests}
    for name, want in EPT_VERDICTS.items():
        checks.equal(verdict.get(name), want, f'small leaves: {name}', run)
    why = {test['why'] for test in run.tests if test['verdict'] == 'SKIP'}
    checks.equal(why, EPT_LACKS, 'small leaves: each SKIP says what is missing', run)


def check_no_long_mode(checks):
    run = start('model-pentium', '--model', 'pentium', '--timeout', 20, SELECTION)
    checks.equal(run.status, 3, 'pentium: status', run)
    checks.check('Bail out! this CPU has no long mode or no NX' in run.log,
                 'pentium: says that long mode is missing', run)


def check_apic(checks):
    for mode, name in (('x', 'xAPIC'), ('x2', 'x2APIC')):
        run = start(f'apic-{mode}', f'apic={mode}', SELECTION)
        checks.equal(run.status, 0, f'apic={mode}: status', run)
        checks.check(f', {name}, ' in run.log, f'apic={mode}: uses {name}', run)


def check_cpus(checks):
    mute = start('mute', 'mute=1', SELECTION)
    checks.equal(mute.status, 0, 'a mute AP: status', mute)
    checks.check('cpu with apic 0x1 does not answer: left out' in mute.log,
                 'a mute AP is named and left out', mute)
    checks.equal(mute.cpus(), {0: 0, 1: 2}, 'the others close up', mute)
    two = start('two', 'cpus=2', SELECTION)
    checks.equal(two.boot().get('cpus'), 2, 'cpus=2 uses two of three', two)
    one = start('one', 'cpus=1')
    checks.equal(one.status, 5, 'without an AP nothing is judged: status', one)


def check_control(checks):
    run = start('now', 'delay=0', 'run=proto/remap_write_4k')
    checks.equal(run.status, 1, 'kicks at once: status', run)
    checks.check('the negative control was not caught' in run.out,
                 'kicks at once: the control is not caught, and that is said', run)


def main():
    checks = Checks()
    check_models(checks)
    check_small_leaves(checks)
    check_no_long_mode(checks)
    check_apic(checks)
    check_cpus(checks)
    check_control(checks)
    checks.finish()


if __name__ == '__main__':
    main()
