# SPDX-License-Identifier: BSD-2-Clause
"""serial_line - `shootdown serial` against the kernel itself, in QEMU TCG and in Bochs

The emulator's COM1 is a TCP port, which is what a console server makes of a real one.
Power is what it is there: the power command kills the emulator and starts another.
"""
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from bench import RESULTS, ROOT, Checks, Run

sys.path.insert(0, str(ROOT / 'tools'))
import kernel                                                      # noqa: E402
import machine                                                     # noqa: E402
import process                                                     # noqa: E402
from job import Job                                                # noqa: E402

LIFE = 600                    # seconds that an emulator may live


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


class Emulator:
    """One that is started again by a file: its power switch."""

    def __init__(self, name, words='console', reboots=False):
        self.name, self.words, self.reboots = name, words, reboots
        self.folder = RESULTS / f'serial-{name}'
        self.port, self.starts = free_port(), 0
        self.switch = self.folder / 'switch'
        self.ended = threading.Event()
        self.start()
        self.watch = threading.Thread(target=self._switch, daemon=True)
        self.watch.start()

    def where(self):
        return f'127.0.0.1:{self.port}'

    def power(self):
        """A shell command that returns when the power has come back."""
        return (f"touch '{self.switch}'; "
                f"while [ -e '{self.switch}' ]; do sleep 0.1; done")

    def start(self):
        chosen = machine.MACHINES[self.name]
        job = Job(kernel.image('checked'), self.words, self.folder, port=self.port)
        machine.clean(job)
        argv, env = chosen.prepare(job)
        argv = self._as_server(job, argv)
        with open(self.folder / 'out', 'wb') as out:
            self.child = process.Process(['timeout', '-s', 'KILL', str(LIFE), *argv],
                                         job.scratch, env, out, subprocess.STDOUT)
        self.starts += 1

    def _as_server(self, job, argv):
        """The line waits for us, where the runner's machines call somebody."""
        if self.name == 'bochs':
            config = job.scratch / 'config'
            config.write_text(config.read_text().replace('socket-client', 'socket-server'))
            return argv
        at = argv.index('-serial')
        chardev = f'socket,id=s0,host=127.0.0.1,port={self.port},server=on,wait=off'
        argv = [*argv[:at], '-chardev', chardev, '-serial', 'chardev:s0', *argv[at + 2:]]
        return [word for word in argv if word != '-no-reboot' or not self.reboots]

    def _switch(self):
        while not self.ended.wait(0.05):
            if self.switch.exists():
                self.child.kill()
                self.start()
                self.switch.unlink()

    def close(self):
        self.ended.set()
        self.watch.join()
        self.child.kill()


@contextmanager
def emulator(*words, **more):
    it = Emulator(*words, **more)
    try:
        time.sleep(1)             # until its port listens
        yield it
    finally:
        it.close()


def serial(it, *words, name='serial'):
    return Run(name, it.where(), *words, command='serial')


def verdicts(run):
    return {test['name']: test['verdict'] for test in run.tests}


def good(checks, it, name, selection, least):
    run = serial(it, f'run={selection}')
    checks.equal(run.status, 0, f'{name}: status', run)
    checks.check(len(run.tests) >= least, f'{name}: {least} tests or more', run)
    checks.check('note:' not in run.out, f'{name}: nothing happened to it', run)
    checks.verdicts(run)


def wedge(checks, it):
    run = serial(it, 'run=selftest/hang,vmx/hello,selftest/panic', '--heartbeat', 6,
                 '--power-cycle', it.power())
    checks.equal(run.status, 3, 'wedge: status', run)
    checks.equal(verdicts(run), {'selftest/hang': 'CRASH', 'selftest/panic': 'CRASH',
                                 'vmx/hello': 'PASS'}, 'wedge: all but it', run)
    checks.equal(it.starts, 3, 'wedge: the power was cycled after each', run)
    checks.check('selftest/hang: the machine fell silent' in run.out,
                 'wedge: says which test it was', run)
    checks.check('selftest_panic at' in run.out, 'crash: the dump has names', run)


def begin_long(it):
    """A run that lasts, in a process of its own, after its first beats."""
    log = RESULTS / 'serial-long' / 'serial.log'
    log.unlink(missing_ok=True)
    child = subprocess.Popen(
        ['python3', ROOT / 'tools' / 'serial_run.py', it.where(), '--results', log.parent,
         'run=proto/reclaim', 'iters=100000000'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    limit = time.monotonic() + 120
    while time.monotonic() < limit and not (
            log.is_file() and log.read_bytes().count(b'"beat"') > 2):
        time.sleep(0.1)
    return child, log


def interrupt(checks, it):
    """Ctrl-C here is Ctrl-C there."""
    child, log = begin_long(it)
    child.send_signal(signal.SIGINT)
    out = child.communicate(timeout=120)[0]
    checks.equal(child.returncode, 130, 'Ctrl-C: status')
    checks.check('interrupted; not run: ' in out, 'Ctrl-C: says what was not run')
    checks.check(log.read_bytes().rstrip().endswith(b'shootdown>'),
                 'Ctrl-C: the machine is at its prompt')


def take_over(checks, it):
    """A harness that was killed leaves a run, records and a lock behind."""
    child, _ = begin_long(it)
    child.kill()
    child.communicate()
    good(checks, it, 'after a kill', 'vmx/hello', 1)


def reboots(checks, it):
    run = serial(it, 'run=selftest/panic,selftest/triple,selftest/wait,vmx/hello',
                 '--heartbeat', 6)
    checks.equal(run.status, 3, 'reboot: status', run)
    checks.equal(verdicts(run), {'selftest/panic': 'CRASH', 'selftest/triple': 'CRASH',
                                 'selftest/wait': 'CRASH', 'vmx/hello': 'PASS'},
                 'reboot: the rest has run', run)
    checks.check('and then said: CPU 0: stopped from the console while' in run.out,
                 'reboot: the second Ctrl-C tells what a test waits for', run)
    checks.check('the machine reset itself' in run.out, 'reboot: a reset is told', run)
    rows = (run.folder / 'results.jsonl').read_text().splitlines()
    checks.equal(len([json.loads(row) for row in rows]), 4, 'reboot: a row for each', run)


def main():
    checks = Checks()
    kernel.make('checked')
    Path(RESULTS).mkdir(parents=True, exist_ok=True)
    with emulator('tcg') as it:
        good(checks, it, 'tcg', 'vmx/*', 50)
        interrupt(checks, it)
        take_over(checks, it)
        wedge(checks, it)
    with emulator('tcg', 'console exit=reboot', reboots=True) as it:
        reboots(checks, it)
    with emulator('bochs') as it:
        good(checks, it, 'bochs', 'vmx/hello*,vmx/irq_*,proto/reclaim', 10)
    checks.finish()


if __name__ == '__main__':
    main()
