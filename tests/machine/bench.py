# SPDX-License-Identifier: BSD-2-Clause
"""bench - what the machine tests share: a run through the front, and checks that count

Each script runs ./shootdown as a user does and looks at what it prints and leaves.
A check is a line "ok: ..." or "not ok: ...", and the last line counts them.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / 'build' / 'test' / 'results'
LIMIT = 900                   # seconds: longer than the --timeout that is given


class Run:
    """One run: its status, what it printed, and what it left."""

    def __init__(self, name, *words, command='run', limit=LIMIT,
                 front=(ROOT / 'shootdown',)):
        folder = RESULTS / name
        argv = [*front, command, '--no-install', '--results', folder, *words]
        done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              text=True, errors='replace', timeout=limit)
        self.words, self.folder = ' '.join(map(str, words)), folder
        self.status, self.out = done.returncode, done.stdout
        self.serial = self._read('serial.log')
        self.log = self.serial.decode(errors='replace')
        rows = self._read('results.jsonl').splitlines()
        self.tests = [json.loads(row) for row in rows]

    def _read(self, name):
        path = self.folder / name
        return path.read_bytes() if path.is_file() else b''

    def boot(self):
        """The boot record, or {}."""
        rows = re.findall(r'^@(\{"type":"boot".*\})\r?$', self.log, re.M)
        return json.loads(rows[0]) if rows else {}

    def cpus(self):
        """{CPU: APIC ID} of the CPUs that the log names as up."""
        rows = re.findall(r'^# cpu (\d+) apic 0x([0-9a-f]+) ok\r?$', self.log, re.M)
        return {int(cpu): int(apic, 16) for cpu, apic in rows}


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, good, what, run=None):
        """Count one check; one that fails shows what the run printed."""
        print(('ok: ' if good else 'not ok: ') + what, flush=True)
        self.passed += bool(good)
        self.failed += not good
        if not good and run:
            print('\n'.join(f'    {line}' for line in run.out.splitlines()[-25:]))
        return good

    def equal(self, is_, want, what, run=None):
        more = '' if is_ == want else f': is {is_!r:.200}, want {want!r:.200}'
        return self.check(is_ == want, what + more, run)

    def verdicts(self, run):
        """Count each of the kernel's tests as one check."""
        for test in run.tests:
            name = f'{test["name"]} {test["proto"]}'.strip()
            if test['verdict'] in ('SKIP', 'INCONCLUSIVE'):
                self.skipped += 1
                print(f'skipped: {name}: {test.get("why")}')
            else:
                self.check(test['verdict'] in ('PASS', 'XFAIL'), name, run)

    def all_cpus(self, run, cpus):
        """Every CPU is up, has a number and an APIC ID of its own."""
        named = run.cpus()
        self.equal(sorted(named), list(range(cpus)), f'{run.words}: names {cpus} CPUs',
                   run)
        self.equal(len(set(named.values())), cpus, f'{run.words}: {cpus} APIC IDs', run)
        self.equal(run.boot().get('cpus'), cpus, f'{run.words}: uses {cpus} CPUs', run)

    def finish(self):
        """The count line, and the exit status."""
        if not self.passed + self.failed:
            self.check(False, 'nothing was checked')
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        sys.exit(1 if self.failed else 0)
