# SPDX-License-Identifier: BSD-2-Clause
"""A whole run on a fake machine: every way to end, and what is left behind."""
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import fakes
import options
import process
import run
from fakes import Case, Machine, record, stream, text
from job import Complaint
from status import Trouble

GOOD = [record('proto/remap', proto='gen-smr'), record('vmx/hello', 'SKIP')]


def gone(pid):
    """No such process, or only its zombie."""
    with contextlib.suppress(OSError):
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    return True


class Run(Case):
    def play(self, pieces, timeout=10, **script):
        """(status, what was printed) of a run of this script."""
        machine = script.pop('machine', None) or Machine(pieces, **script)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = run.execute(machine, self.job(), timeout)
        return code, out.getvalue()

    def result(self, name):
        return (self.scratch / 'results' / name).read_bytes()

    def test_good(self):
        code, out = self.play([text(stream(GOOD))])
        self.assertEqual(code, 0)
        self.assertEqual(self.result('serial.log').decode(), text(stream(GOOD)))
        rows = [json.loads(row) for row in self.result('results.jsonl').splitlines()]
        self.assertEqual(' '.join(rows[0]), 'name proto cpus verdict witnesses '
                                            'violations seed ticks invalidations why')
        self.assertIn('invalidations', out)
        self.assertRegex(out.splitlines()[-1], r'^PASS: 1 passed.*Status 0: all passed')

    def test_lines_come_as_they_arrive(self):
        """Cut in the middle of a line, with a pause in between."""
        log = text(stream(GOOD))
        cut = log.index('"verdict"')
        code, out = self.play([log[:cut], 0.1, log[cut:]])
        self.assertEqual(code, 0)
        self.assertEqual(out.count('PASS          proto/remap gen-smr'), 1)

    def test_ends_in_the_middle_of_a_line(self):
        self.assertEqual(self.play([text(stream(GOOD))[:-2]])[0], 3)

    def test_exits_0_without_an_end_record(self):
        self.assertEqual(self.play([text(stream(GOOD)[:-1])])[0], 3)

    def test_says_nothing(self):
        code, out = self.play([])
        self.assertEqual(code, 3)
        self.assertIn('before the kernel said a word', out)

    def test_crash_of_the_emulator(self):
        code, out = self.play([text(stream(GOOD))], end='kill')
        self.assertEqual(code, 3)
        self.assertIn('exited with -11', out)

    def test_wrong_exit_code(self):
        self.assertEqual(self.play([text(stream(GOOD))], code=1)[0], 3)

    def test_garbled(self):
        log = text(stream(GOOD)).encode().replace(b'"verdict"', b'"ver\xf3ict"')
        code, out = self.play([list(log)])
        self.assertEqual(code, 3)
        ET.fromstring(self.result('junit.xml'))

    def test_hang(self):
        begin = time.monotonic()
        code, out = self.play(['# hello\n'], timeout=0.3, end='hang')
        self.assertEqual(code, 4)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertIn('# hello', out)

    def test_end_record_and_no_end(self):
        grace, process.GRACE = process.GRACE, 0.1
        begin = time.monotonic()
        try:
            code, out = self.play([text(stream(GOOD))], end='hang')
        finally:
            process.GRACE = grace
        self.assertEqual(code, 3)
        self.assertIn('did not stop', out)
        self.assertLess(time.monotonic() - begin, 5)

    def test_last_words_are_read(self):
        """What is written between a look at the log and the exit is not lost."""
        path = self.scratch / 'log'
        path.touch()

        class Child:
            def ended(self):
                path.write_text('last words')
                return True

        heard = []
        with open(path, 'rb') as log:
            process.Watch(Child(), log, 5, heard.append, lambda: False).run()
        self.assertEqual(heard, [b'last words'])

    def test_flood(self):
        flood, process.FLOOD = process.FLOOD, 100000
        try:
            code, out = self.play(['# x\n' * 100000], end='hang')
        finally:
            process.FLOOD = flood
        self.assertEqual(code, 3)
        self.assertIn('floods', out)

    def test_no_child_is_left(self):
        """Neither after a timeout nor after an exit."""
        child = self.scratch / 'child'
        for end in ('hang', 'exit'):
            self.play(['# hello\n'], timeout=0.5, end=end, child=str(child))
            pid = int(child.read_text())
            deadline = time.monotonic() + 2
            while not gone(pid) and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertTrue(gone(pid), end)

    def test_emulator_that_does_not_start(self):
        self.play([text(stream(GOOD))])
        machine = Machine([], code=1)
        machine.said = Complaint('it says: no such CPU', started=False)
        with self.assertRaisesRegex(Trouble, 'did not start.  it says: no such CPU'):
            self.play([], machine=machine)
        self.assertFalse((self.scratch / 'results/results.jsonl').exists())

    def test_bail_out_shows_the_dump(self):
        code, out = self.play([text(stream(GOOD)[:3]) + '\nBail out! CPU 0: asked to\n'
                               '# bt 0 0x0000000000000005\n'])
        self.assertEqual(code, 3)
        self.assertIn('Bail out! CPU 0: asked to\n# bt 0 0x0000000000000005', out)

    def test_nothing_of_an_earlier_run_is_left(self):
        self.play([text(stream(GOOD))])
        self.assertEqual(self.play([])[0], 3)
        self.assertEqual(self.result('results.jsonl'), b'')
        self.assertIn(b'<error', self.result('junit.xml'))

    def test_terminal_codes_are_not_printed(self):
        _, out = self.play(['\x1b[2J\n'])
        self.assertNotIn('\x1b', out)


class Plan(Case):
    def test_refused(self):
        for word, listed in (('run=nix', 'proto/remap'), ('proto=nix', 'gen-smr'),
                             ('nix=1', 'apic'), ('nix', 'apic'), ('run=', 'no value'),
                             ('run=vmx/*,nix', 'vmx/hello'), ('exit=halt', 'runner'),
                             ('seed=x', 'number'), ('--nix', '--timeout'),
                             ('guest=module:nix', '--module'), ('--cpus=256', '255'),
                             ('--cpus=0', 'between'), ('--cpus=x', 'number'),
                             ('--module=nix', 'no file'), ('--boot=nix', 'grub'),
                             ('--elf=/nix', 'cannot read'), ('--on=nix', 'kvm')):
            argv = ['--elf', str(self.image), '--on', 'tcg', word]
            with self.assertRaisesRegex(Trouble, listed, msg=word):
                args = options.parse(argv)
                run.plan(args, Path(args.elf))


FAKE_QEMU = '''#!/bin/sh
if [ "$1" = --version ]; then
    echo 'QEMU emulator version 7.2.22 (fake)'
    exit
fi
for arg; do
    case $arg in file:*) serial=${arg#file:} ;; esac
done
echo "$$" > "$FAKE/pid"
cat "$FAKE/stream" > "$serial"
if [ -e "$FAKE/hang" ]; then sleep 60; fi
exit "$(cat "$FAKE/code")"
'''


class Program(Case):
    """tools/run.py as a program, with a QEMU that is a script."""

    def setUp(self):
        super().setUp()
        qemu = self.scratch / 'qemu-system-x86_64'
        qemu.write_text(FAKE_QEMU)
        qemu.chmod(0o755)
        (self.scratch / 'stream').write_text(text(stream(GOOD)))
        (self.scratch / 'code').write_text(str(0x10 << 1 | 1))

    def start(self, *words, results='results', on='tcg'):
        argv = [sys.executable, str(fakes.TOOLS / 'run.py'), '--elf', str(self.image),
                '--results', str(self.scratch / results), '--on', on, *words]
        path = f'{self.scratch}:{os.environ["PATH"]}'
        env = {**os.environ, 'PATH': path, 'FAKE': str(self.scratch)}
        # A shell's background job ignores SIGINT, and so would its children.
        was = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True,
                                    stderr=subprocess.STDOUT, start_new_session=True)
        finally:
            signal.signal(signal.SIGINT, was)

    def run_it(self, *words, **more):
        child = self.start(*words, **more)
        out, _ = child.communicate(timeout=30)
        return child.returncode, out

    def test_good(self):
        code, out = self.run_it('run=proto/*', '--cpus', '2', 'proto=gen-smr')
        self.assertEqual(code, 0, out)
        self.assertIn('machine: tcg, 2 CPUs', out)
        told = json.loads((self.scratch / 'results' / 'run.json').read_text())
        self.assertEqual([told[key] for key in ('machine', 'emulator', 'cpus', 'status')],
                         ['tcg', 'QEMU 7.2.22', 2, 0])
        self.assertIn('./shootdown run --elf', told['command'])

    def test_wrong_code(self):
        (self.scratch / 'code').write_text('0')
        code, out = self.run_it()
        self.assertEqual(code, 3)
        self.assertIn('exited with 0 where status 0 makes 33', out)

    def test_refused_before_a_machine_starts(self):
        for word, listed in (('run=nix', 'proto/remap'), ('--nix', '--timeout')):
            code, out = self.run_it(word)
            self.assertEqual(code, 2, word)
            self.assertIn(listed, out, word)
            self.assertNotIn('Traceback', out, word)
        self.assertFalse((self.scratch / 'pid').exists())

    def hang(self, *words):
        """A run whose emulator hangs; (the runner, the emulator's number)."""
        (self.scratch / 'hang').touch()
        (self.scratch / 'stream').write_text('# hello\n')
        child = self.start(*words)
        pid = self.scratch / 'pid'
        deadline = time.monotonic() + 10
        while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return child, int(pid.read_text())

    def check_signal(self, number, expected):
        child, emulator = self.hang()
        time.sleep(0.1)
        child.send_signal(number)
        child.communicate(timeout=10)
        self.assertEqual(child.returncode, expected)
        deadline = time.monotonic() + 2
        while not gone(emulator) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(gone(emulator))

    def test_ctrl_c(self):
        self.check_signal(signal.SIGINT, 130)

    def test_terminated(self):
        self.check_signal(signal.SIGTERM, 130)

    def test_killed(self):
        self.check_signal(signal.SIGKILL, -signal.SIGKILL)

    def test_same_folder_twice(self):
        child, _ = self.hang()
        code, out = self.run_it()
        child.terminate()
        child.communicate(timeout=10)
        self.assertEqual(code, 2)
        self.assertIn('--results', out)

    def test_reader_that_goes_away(self):
        child = self.start()
        child.stdout.close()
        self.assertNotEqual(child.wait(timeout=10), 0)
