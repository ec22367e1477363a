#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""fuzz - builds every fuzzer of tests/fuzz, and runs each for a few seconds

A fuzzer makes the same inputs each time, as long as the machine is as fast.  An input
that fails is kept in build/fuzz/NAME-crash-*, and its name is the only argument that the
fuzzer needs to fail again.  Without a clang that can link fuzzers all are skipped.
"""
import subprocess
import tempfile

import kernel
from status import FAIL, PASS, finish

SECONDS = 7          # for one fuzzer
RUNS = 1000000       # at most
BINARIES = kernel.ROOT / 'build' / 'host' / 'fuzz'
FOUND = kernel.ROOT / 'build' / 'fuzz'
PROBE = 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n; }'


def can_link(clang):
    """Does this compiler link fuzzers?  (yes, the reason why not)"""
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = subprocess.run(
                [clang, '-fsanitize=fuzzer', '-x', 'c', '-', '-o', f'{folder}/probe'],
                input=PROBE, capture_output=True, text=True)
        except OSError:
            return False, f'there is no {clang}'
    last = (made.stderr.strip().splitlines() or [''])[-1]
    return made.returncode == 0, f'{clang} links no fuzzer: {last}'


def run(name):
    """Run one fuzzer; True when it found nothing."""
    command = [str(BINARIES / name), f'-max_total_time={SECONDS}', f'-runs={RUNS}',
               '-seed=1', '-max_len=2000', '-print_final_stats=1',
               f'-artifact_prefix={FOUND}/{name}-']
    done = subprocess.run(command, capture_output=True, text=True, errors='replace')
    lines = done.stderr.strip().splitlines()
    runs = [line.split()[-1] for line in lines if 'number_of_executed_units' in line]
    if done.returncode == 0:
        print(f'ok {name}: {"".join(runs)} runs')
        return True
    print(f'not ok {name}: exit status {done.returncode}')
    for line in lines[-40:]:
        print(f'# {line}')
    return False


def main(_):
    names = sorted(path.stem for path in (kernel.ROOT / 'tests/fuzz').glob('*.c'))
    able, why = can_link('clang')
    if not able:
        for name in names:
            print(f'ok {name} # SKIP {why}')
        print(f'0 passed, 0 failed, {len(names)} skipped')
        return PASS
    FOUND.mkdir(parents=True, exist_ok=True)
    if subprocess.run(['make', '-j2', '-C', str(kernel.ROOT), 'fuzz']).returncode:
        print(f'0 passed, {len(names)} failed, 0 skipped')
        return FAIL
    good = sum([run(name) for name in names])
    print(f'{good} passed, {len(names) - good} failed, 0 skipped')
    return PASS if good == len(names) else FAIL


if __name__ == '__main__':
    finish(main)
