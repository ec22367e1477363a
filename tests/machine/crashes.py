# SPDX-License-Identifier: BSD-2-Clause
"""crashes - kernels that end badly, on both emulators: none of them is a pass

Each of the kernel's hidden selftests ends in its own way; the runner has to find the
right status and say what happened, with names for the addresses of a dump.
"""
import contextlib
import io
import sys

from bench import RESULTS, ROOT, Checks, Run

sys.path.insert(0, str(ROOT / 'tools'))
import run as runner                                                    # noqa: E402
from job import Job                                                     # noqa: E402
from qemu import Tcg                                                    # noqa: E402

# What is asked for, the status, and what must be printed.
WAYS = (
    (['run=selftest/panic'], 3, ['Bail out!', 'selftest_panic at']),
    (['run=selftest/fault'], 3, ['page fault', 'selftest_fault at']),
    (['run=selftest/overflow'], 3, ['double fault', 'recurse at']),
    (['run=selftest/triple'], 3, ['without an end record']),
    (['run=selftest/hang', '--timeout', 5], 4, ['(5 s)']),
    (['run=selftest/fail'], 1, ['FAIL', 'asked to']),
    (['run=selftest/leak'], 1, ['not returned']),
    (['run=selftest/inconclusive'], 5, ['INCONCLUSIVE']),
    (['pool=1'], 2, ['pool=1']),
    (['run=selftest/nix'], 2, ['selftest/panic']),
)


def check_long_line(checks):
    """The runner refuses such a line itself, so the kernel gets it without one."""
    elf = ROOT / 'build' / 'checked' / 'shootdown.elf'
    job = Job(elf, 'exit=qemu run=' + 'x' * 4096, RESULTS / 'crash-line', cpus=1)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = runner.execute(Tcg(), job, 300)
    what = 'a command line beyond 4096 bytes'
    checks.equal(code, 2, f'{what}: status')
    checks.check('longer than 4096 bytes' in out.getvalue(), f'{what}: says so')


def main():
    checks = Checks()
    for machine in ('bochs', 'tcg'):
        for words, status, texts in WAYS:
            run = Run(f'crash-{machine}', '--on', machine, '--cpus', 2, *words)
            what = f'{machine} {words[0]}'
            checks.equal(run.status, status, f'{what}: status', run)
            for text in texts:
                checks.check(text in run.out, f'{what}: says {text!r}', run)
            checks.check('Status 0' not in run.out, f'{what}: is no pass', run)
    check_long_line(checks)
    checks.finish()


if __name__ == '__main__':
    main()
