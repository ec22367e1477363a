# SPDX-License-Identifier: BSD-2-Clause
"""testall - `shootdown test`: every check of the project, a line a step

A step is a command.  If its output has a line "N passed, N failed, N skipped" the last
such line is its count; otherwise it counts as one.  A step that fails without counting
a failure, that is stopped, or that checks nothing has failed.  One after another, as
two emulators at once would only wait for each other; a failed step stops nothing.
"""
import re
import subprocess
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase

import flags
import kernel
import process
import status
from status import Trouble

COUNT = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped\s*$', re.M)
LOGS = kernel.ROOT / 'build' / 'test'
USAGE = 'The options are: --only GLOB (a step; repeatable), --list, --nightly'
TAIL = 40


@dataclass(frozen=True)
class Step:
    name: str
    command: str
    what: str
    limit: int = 900              # seconds
    nightly: bool = False


def _machine(script):
    return f'python3 tests/machine/{script}'


STEPS = (
    Step('rules', 'make check-layers check-headers check-format',
         'layers, headers, format'),
    Step('native', 'make -j2 check-native', 'native tests under ASan and UBSan'),
    Step('threads', 'make -j2 check-threads', 'SMR and protocols under TSan'),
    Step('fuzz', 'python3 tools/fuzz.py', 'parsers and EPT edits under libFuzzer'),
    Step('explore', 'make -j2 explore', 'protocols under every interleaving'),
    Step('build', 'sh tests/build.sh', 'both compilers, both builds, twice the same'),
    Step('runner', 'python3 tests/runner', 'the runner, on fake machines'),
    Step('loader', _machine('test_loader.py'), 'the disk loader and GRUB images'),
    Step('front', _machine('front.py'), 'list, and selecting by what it lists'),
    Step('alive', _machine('alive.py'),
         'CPUs that hang, crashes in crashes, machine checks, reboots'),
    Step('bochs-2', _machine('scenarios.py 2'), 'all tests in Bochs, 2 CPUs'),
    Step('bochs-4', _machine('scenarios.py 4 run=* proto=*'),
         'all tests in Bochs, 4 CPUs, all protocols'),
    Step('steps', _machine('steps.py'),
         'protocols held and delayed at their steps'),
    Step('bochs-8', _machine('scenarios.py 8'), 'all tests in Bochs, 8 CPUs'),
    Step('bochs-fast', _machine('scenarios.py 4 --build fast'),
         'the fast build, and its instruction counts'),
    Step('costs', _machine('costs_machine.py 4'), 'what each protocol costs, 4 CPUs'),
    Step('zoo', 'python3 tools/zoo.py --quick', 'who tells mutants from the sound protocol'),
    Step('locked', 'make -j2 bench-native', 'locked operations; SMR and its peers'),
    Step('variants', _machine('variants.py'), 'other CPU models, APIC modes, CPUs'),
    Step('timeline', _machine('timeline.py'), 'timelines: each arrow has two ends'),
    Step('seed', _machine('same_seed.py'), 'the same seed gives the same log'),
    Step('tcg', _machine('no_vmx.py direct 1 4 255'), 'QEMU TCG by -kernel'),
    Step('svm-bochs', _machine('svm.py bochs 4'), 'all tests by SVM in Bochs, 4 CPUs'),
    Step('svm', _machine('svm.py tcg 4 iters=200'), 'all tests by SVM in QEMU TCG, 4 CPUs'),
    Step('kvm', _machine('fake_kvm.py'), 'the path of --on kvm, with TCG in its place'),
    Step('tcg-grub', _machine('no_vmx.py grub 1 4 255'), 'QEMU TCG by GRUB'),
    Step('ways', _machine('ways.py'), 'one image, every loader, in QEMU TCG'),
    Step('bochs-grub', _machine('grub.py'), 'Bochs by GRUB multiboot2'),
    Step('console', _machine('console.py tcg'), 'the shell on the serial line'),
    Step('module', _machine('module.py'), "a user's own guest"),
    Step('screen', _machine('screen.py'), 'what a monitor shows, read back'),
    Step('pxe', _machine('pxe.py bios'), 'a BIOS boots over a network'),
    Step('crashes', _machine('crashes.py'), 'no crash, hang or refusal is a pass'),
    Step('serial', _machine('serial_line.py'), 'machines driven over their serial line'),
    Step('coverage', 'make -j2 coverage', 'the lines of mm/ that native tests run',
         nightly=True),
    Step('bochs-14', _machine('scenarios.py 14'), 'all tests in Bochs, 14 CPUs',
         nightly=True),
    Step('console-bochs', _machine('console.py bochs'), 'the shell, in Bochs',
         nightly=True),
    Step('seeds', 'for s in 2 3 5 8 13; do ' + _machine('scenarios.py 4 --seed $s')
         + ' || exit 1; done', 'all tests in Bochs, other seeds', 3600, nightly=True),
    *(Step(f'svm-{n}', _machine(f'svm.py tcg {n} proto=*'),
           f'all tests by SVM in QEMU TCG, {n} CPUs, all protocols', 3600, nightly=True)
      for n in (2, 4, 8)),
    Step('svm-iters', _machine('svm.py tcg 4 iters=10000 run=proto/leaks proto=*'),
         'ten thousand invalidations of each protocol that races', 7200, nightly=True),
    Step('pxe-uefi', _machine('pxe.py uefi'), 'UEFI, and all else, over a network',
         nightly=True),
    Step('lab', _machine('lab.py'), 'machines of a lab, by labgrid', nightly=True),
    Step('soak', './shootdown run soak secs=1200 --cpus 4',
         'random edits, protocols, guests and delays', 7200, nightly=True),
    Step('zoo-all', 'python3 tools/zoo.py', 'all mutants before all detectors', 3600,
         nightly=True),
    Step('iters', _machine('scenarios.py 4 iters=20000 run=proto/*'),
         'twenty times the invalidations', 3600, nightly=True),
)


def select(steps, globs, nightly):
    """The steps to run; Trouble for a glob that matches none."""
    for glob in globs:
        if not any(fnmatchcase(step.name, glob) for step in steps):
            names = '\n'.join(f'  {step.name}' for step in steps)
            raise Trouble(f'no step matches {glob}.  There are:\n{names}')
    if globs:
        return [s for s in steps if any(fnmatchcase(s.name, glob) for glob in globs)]
    return [step for step in steps if nightly or not step.nightly]


def judge(text, code):
    """(passed, failed, skipped) of a step with this output and exit code.

    A code of None: it was stopped.
    """
    counts = COUNT.findall(text)
    if not counts:
        return (1, 0, 0) if code == 0 else (0, 1, 0)
    passed, failed, skipped = map(int, counts[-1])
    if failed == 0 and (code != 0 or passed + skipped == 0):
        failed = 1
    return passed, failed, skipped


def execute(step, log):
    """Run the step with its output in `log`; its exit code, None if stopped."""
    with open(log, 'wb') as out:
        child = process.Process(['sh', '-c', step.command], kernel.ROOT, None, out,
                                subprocess.STDOUT)
        try:
            ended = child.wait(step.limit)
        finally:
            code = child.kill()
    return code if ended else None


def _show_tail(step, log, code):
    how = f'stopped after {step.limit} s' if code is None else f'exit code {code}'
    print(f'--- {step.command}: {how}; the end of {log.relative_to(kernel.ROOT)}:')
    for line in log.read_text(errors='replace').splitlines()[-TAIL:]:
        print(f'    {line}')


def run(step):
    """Run one step, print its line, return its counts."""
    print(f'{step.name:11} {step.what:45} ', end='', flush=True)
    log = LOGS / f'{step.name}.log'
    begin = time.monotonic()
    code = execute(step, log)
    counts = judge(log.read_text(errors='replace'), code)
    seconds = time.monotonic() - begin
    print('{} passed, {} failed, {} skipped'.format(*counts) + f'  ({seconds:.0f} s)',
          flush=True)
    if counts[1]:
        _show_tail(step, log, code)
    return counts


def _parse(argv):
    parser = flags.Parser(USAGE)
    parser.add_argument('--only', action='append', default=[])
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--nightly', action='store_true')
    return parser.parse_args(argv)


def main(argv, steps=STEPS):
    args = _parse(argv)
    chosen = select(steps, args.only, args.nightly)
    if args.list:
        for step in chosen:
            print(f'{step.name:11} {step.what:45} {step.command}')
        return status.PASS
    LOGS.mkdir(parents=True, exist_ok=True)
    with kernel.locked(LOGS / '.lock', 'another `shootdown test` runs in this tree'):
        totals = [sum(column) for column in zip(*map(run, chosen))]
    print('{} passed, {} failed, {} skipped'.format(*totals))
    return status.FAIL if totals[1] else status.PASS


if __name__ == '__main__':
    status.finish(main)
