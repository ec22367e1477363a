# SPDX-License-Identifier: BSD-2-Clause
"""Input and set-ups that are wrong: each a sentence and a status, never a traceback.

Run as programs, with a QEMU that is a script.  What the kernel makes of such input is
in tests/machine (module.py, crashes.py) and tests/unit.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

import fakes
import options
import process
import run
from fakes import Case, elf, stream, text
from test_run import FAKE_QEMU, GOOD

# Of root's, to read and write what the modes forbid.
WITHOUT_POWERS = ['setpriv', '--bounding-set=-all', '--inh-caps=-all']


class Bad(Case):
    """tools/run.py with the fake kernel, on tcg."""

    def setUp(self):
        super().setUp()
        self.scratch.chmod(0o755)
        qemu = self.scratch / 'qemu-system-x86_64'
        qemu.write_text(FAKE_QEMU)
        qemu.chmod(0o755)
        (self.scratch / 'stream').write_text(text(stream(GOOD)))
        (self.scratch / 'code').write_text(str(0x10 << 1 | 1))

    def start(self, *words, results='results', powers=True, **more):
        argv = [] if powers or os.geteuid() else WITHOUT_POWERS
        argv = [*argv, sys.executable, str(fakes.TOOLS / 'run.py'), '--elf', str(self.image),
                '--results', str(self.scratch / results), '--on', 'tcg', *words]
        env = {**os.environ, 'PATH': f'{self.scratch}:{os.environ["PATH"]}',
               'FAKE': str(self.scratch), 'PYTHONDONTWRITEBYTECODE': '1'}
        return subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True,
                                **{'stdout': subprocess.PIPE, **more})

    def expect(self, status, says, *words, **more):
        """Run; the last sentence has `says`."""
        child = self.start(*words, **more)
        out, err = child.communicate(timeout=60)
        said = (out or '') + err
        self.assertEqual(child.returncode, status, said)
        self.assertNotIn('Traceback', said)
        self.assertIn(says, (err or out).splitlines()[-1])
        return said


class Words(Bad):
    def test_letters(self):
        for word, told in (('run=a"b', "'run=a\"b'"), ('run=a\\b', 'run=a\\\\b'),
                           ('run=a b', "'run=a b'"), ('run=a\nb', "'run=a\\nb'"),
                           ('run=\x1b[2J', '\\x1b[2J'), ('guest=module:é', '\\xe9'),
                           (b'run=\xff', '\\udcff')):
            said = self.expect(2, 'neither blanks, quotes', word)
            self.assertIn(told, said)

    def test_long_line(self):
        self.expect(2, 'the kernel takes 4096', 'apic=' + 'x' * 4096)

    def test_the_longest_line(self):
        """One character more is refused."""
        line = run.cmdline('tcg', 1, {'apic': 'x'})
        room = run.LINE - len(f'{self.image} {line}')
        self.expect(0, 'Status 0', 'apic=x' + 'x' * room)
        self.expect(2, 'has 4097 bytes', 'apic=x' + 'x' * (room + 1))


class Modules(Bad):
    def test_no_file(self):
        for path in ('nix', '.', '', '/dev/null'):
            self.expect(2, '--module: there is no file', '--module', path)

    def test_strings(self):
        for string in ('a b\nc', 'é', 'a "\x07"', 'x' * 128):
            self.expect(2, 'up to 127 characters', '--module', f'{self.image}:{string}')
        options.module(f'{self.image}:' + 'x' * 127)

    def test_what_cannot_be_read(self):
        module = self.scratch / 'mine'
        module.touch(mode=0)
        if os.geteuid() == 0 and not shutil.which(WITHOUT_POWERS[0]):
            raise unittest.SkipTest('root may read everything')
        self.expect(2, 'cannot read the module', '--module', str(module), powers=False)

    def test_that_vanishes(self):
        """Between the look at the command line and the start of the machine."""
        module = self.scratch / 'mine'
        module.write_bytes(b'x')
        args = options.parse(['--elf', str(self.image), '--on', 'tcg', '--results',
                              str(self.scratch / 'results'), '--module', str(module)])
        with contextlib.redirect_stdout(open(os.devnull, 'w')) as null:
            chosen, job = run.plan(args, self.image)
            null.close()
        module.unlink()
        job.scratch.mkdir(parents=True)
        with self.assertRaisesRegex(run.Trouble, 'cannot read the module'):
            chosen.prepare(job)


class Kernels(Bad):
    def test_no_kernel(self):
        for image, says in ((b'', 'no little-endian ELF64'), (b'x' * 5000, 'ELF64'),
                            (elf()[:64], 'damaged'), (elf(section='.text'), 'no section'),
                            (elf()[:-100], 'damaged')):
            self.image.write_bytes(image)
            self.expect(2, says)

    def test_a_folder(self):
        self.image.unlink()
        self.image.mkdir()
        self.expect(2, 'cannot read the kernel')


class Results(Bad):
    def test_below_a_file(self):
        self.expect(2, 'Not a directory', results='kernel.elf/x')

    def test_where_nothing_can_be(self):
        said = self.expect(2, 'cannot write the results in /proc/nix',
                           results='/proc/nix')
        self.assertIn('No such file', said)

    def test_a_folder_in_the_way(self):
        (self.scratch / 'results' / 'results.jsonl').mkdir(parents=True)
        self.expect(2, 'Is a directory')

    def test_not_writable(self):
        folder = self.scratch / 'results'
        folder.mkdir(mode=0o555)
        if os.geteuid() == 0 and not shutil.which(WITHOUT_POWERS[0]):
            raise unittest.SkipTest('root may write everywhere')
        self.expect(2, 'Permission denied', powers=False)

    def test_reader_that_goes_away(self):
        """As a shell says it of a program that SIGPIPE ended, and without a word."""
        said = self.scratch / 'stream'
        log = said.read_text()
        said.unlink()
        os.mkfifo(said)                    # so that the kernel speaks after the close
        child = self.start()
        self.assertIn('machine: tcg', child.stdout.readline())
        self.assertIn('seed: ', child.stdout.readline())
        child.stdout.close()
        fifo = os.open(said, os.O_RDWR)    # which waits for nobody
        self.addCleanup(os.close, fifo)
        os.write(fifo, log.encode())
        self.assertEqual(child.wait(timeout=60), 128 + signal.SIGPIPE)
        self.assertEqual(child.stderr.read(), '')
        child.stderr.close()

    def test_any_tool_with_a_full_output(self):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([sys.executable, str(fakes.TOOLS / 'doctor.py')],
                                  stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.splitlines(),
                         ['shootdown: [Errno 28] No space left on device'])

    def test_trouble_with_a_full_output(self):
        """What was printed and not flushed must not hide the sentence."""
        program = ('import status\ndef main(_):\n print("x")\n'
                   ' raise status.Trouble("a sentence")\nstatus.finish(main)')
        env = {**os.environ, 'PYTHONUNBUFFERED': ''}
        with open('/dev/full', 'w') as full:
            done = subprocess.run([sys.executable, '-c', program], stdout=full, env=env,
                                  cwd=fakes.TOOLS, stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr), (2, 'shootdown: a sentence\n'))

    def test_standard_output_full(self):
        with open('/dev/full', 'w') as full:
            self.expect(2, 'cannot print: No space left', stdout=full)


class DiskFull(Bad):
    """A small file system, all of which something else has taken."""
    size = 256 << 10

    def setUp(self):
        super().setUp()
        self.disk = self.scratch / 'disk'
        self.disk.mkdir()
        mount = ['mount', '-t', 'tmpfs', '-o', f'size={self.size}', 'shootdown',
                 str(self.disk)]
        if subprocess.run(mount, capture_output=True).returncode:
            raise unittest.SkipTest('a small file system cannot be mounted here')
        self.addCleanup(subprocess.run, ['umount', str(self.disk)], check=True)

    def fill(self, leave=0):
        with open(self.disk / 'ballast', 'wb', buffering=0) as file, \
                contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        os.truncate(self.disk / 'ballast', (self.disk / 'ballast').stat().st_size - leave)

    def test_before_the_run(self):
        self.fill()
        self.expect(2, 'cannot write the results', results='disk')

    def test_during_the_run(self):
        """The log is cut off; the emulator ends as if all were well."""
        self.fill(32 << 10)
        log = '# a line that is none of ours\n' * 3000 + text(stream(GOOD))
        (self.scratch / 'stream').write_text(log)
        said = self.expect(2, 'cannot write the results', results='disk')
        self.assertIn('the disk is full, and what the machine said is lost', said)


class EmulatorEnds(Bad):
    """In the middle, by a signal that somebody else sends."""

    def kill(self, number):
        (self.scratch / 'hang').touch()
        (self.scratch / 'stream').write_text(text(stream(GOOD)[:-1]))
        child = self.start()
        pid = self.scratch / 'pid'
        deadline = time.monotonic() + 30
        while not (pid.exists() and pid.read_text().strip()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(process.POLL)
        os.kill(int(pid.read_text()), number)
        out, err = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 3, err)
        return out.splitlines()[-1]

    def test_killed(self):
        self.assertIn('CRASH: the emulator was ended by SIGKILL, as the host does when '
                      'memory runs out.  Status 3', self.kill(signal.SIGKILL))

    def test_crashed(self):
        self.assertIn('ended by SIGSEGV.  Status 3', self.kill(signal.SIGSEGV))

    def test_a_signal_without_a_name(self):
        self.assertIn('ended by signal 40.', self.kill(40))
