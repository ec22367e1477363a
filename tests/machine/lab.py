# SPDX-License-Identifier: BSD-2-Clause
"""lab - `shootdown lab` over labgrid's own QEMU driver: its console and its power

Two machines of different size, one of which wedges and is brought back by its power,
and one that cannot be reached: each has its own verdict, and all rows name their host.
"""
import json
import subprocess
import sys

from bench import RESULTS, ROOT, Checks, Run

MACHINE = '''\
  {name}:
    drivers:
      QEMUDriver:
        qemu_bin: {qemu}
        machine: q35
        cpu: max
        memory: 256M
        extra_args: -accel tcg,thread=multi -smp {cpus} -net none
        kernel: kernel
        boot_args: console
      ShootdownDriver:
        heartbeat: 6
        boot_timeout: 120
'''
REST = '''\
tools:
  qemu: /usr/bin/qemu-system-x86_64
  nothing: /nonexistent/qemu
images:
  kernel: {root}/build/checked/shootdown.elf
imports:
  - {root}/lab/shootdown_driver.py
'''


def environment():
    folder = RESULTS / 'lab-env'
    folder.mkdir(parents=True, exist_ok=True)
    machines = (('small', 'qemu', 1), ('large', 'qemu', 4), ('gone', 'nothing', 1))
    text = 'targets:\n' + ''.join(MACHINE.format(name=name, qemu=qemu, cpus=cpus)
                                  for name, qemu, cpus in machines)
    path = folder / 'lab.yaml'
    path.write_text(text + REST.format(root=ROOT))
    return path


def lab(*words):
    return Run('lab', environment(), *words, command='lab')


def counts(run, host):
    rows = [test for test in run.tests if test['host'] == host]
    return {v: sum(row['verdict'] == v for row in rows) for v in
            {row['verdict'] for row in rows}}


def good(checks):
    run = lab('--target', 'small', '--target', 'large', '--jobs', 1,
              'run=vmx/hello,vmx/hello_all')
    checks.equal(run.status, 0, 'two machines: status', run)
    checks.equal(counts(run, 'large'), {'PASS': 2}, 'the large one has passed all', run)
    checks.equal(counts(run, 'small'), {'PASS': 1, 'SKIP': 1}, 'the small one skips', run)
    own = (run.folder / 'large' / 'results.jsonl').read_text().splitlines()
    checks.equal(len([json.loads(row) for row in own]), 2, 'a folder of its own', run)
    checks.check('host   pass' in run.out, 'a table at the end', run)


def bad(checks):
    run = lab('--target', 'large', '--target', 'gone',
              'run=selftest/hang,vmx/hello')
    checks.equal(run.status, 4, 'a wedge: status', run)
    checks.equal(counts(run, 'large'), {'CRASH': 1, 'PASS': 1},
                 'the machine came back by its power', run)
    checks.check('[large] power cycle 1 of at most 3' in run.out, 'and said so', run)
    checks.equal(counts(run, 'gone'), {}, 'no row of a machine that is not there', run)
    checks.check('[gone] shootdown: labgrid: ' in run.out, 'but a sentence', run)


def refused(checks):
    for words, said in ((['--target', 'nix'], 'matches none of: small, large, gone'),
                        (['--target', 'small', 'run=nix/*'], 'matches nothing')):
        run = lab(*words)
        checks.equal(run.status, 2, f'{said}: status', run)
        checks.check(said in run.out, f'{said}: says so', run)


def main():
    if subprocess.run(['/usr/bin/python3', '-c', 'import labgrid'],
                      capture_output=True).returncode:
        print('skipped: there is no labgrid')
        print('0 passed, 0 failed, 1 skipped')
        sys.exit(0)
    checks = Checks()
    subprocess.run(['make', '-s', 'BUILD=checked'], cwd=ROOT, check=True)
    good(checks)
    bad(checks)
    refused(checks)
    checks.finish()


if __name__ == '__main__':
    main()
