# SPDX-License-Identifier: BSD-2-Clause
"""KTAP as TAP, before the real prove: what it passes, and what it must not."""
import shutil
import subprocess
import sys
import unittest

import fakes
import ktap
from fakes import Case, record, stream, text
from status import Trouble

GOOD = [record('t/a'), record('t/b', 'XFAIL'), record('t/c', 'SKIP'),
        record('t/d', 'PASS', 'gen-smr')]


class Lines(unittest.TestCase):
    def tap(self, *lines):
        return ktap.convert(text(lines).encode())

    def test_points(self):
        for said, want in (('ok 1 a/b', 'ok 1 - a/b'), ('not ok 2 - a', 'not ok 2 - a'),
                           ('not ok 3 a # XFAIL why', 'not ok 3 - a # TODO why'),
                           ('ok 4 a # SKIP', 'ok 4 - a # SKIP'),
                           ('ok 5 a#b \\', 'ok 5 - a\\#b \\\\'),
                           ('not ok 6 a # TIMEOUT', 'not ok 6 - a \\# TIMEOUT')):
            lines, whole = self.tap('KTAP version 1', '1..1', said)
            self.assertIn(want, lines)
            self.assertTrue(whole)

    def test_what_comes_before_the_kernel(self):
        log = b'\x1b[2J\xffGRUB loading\r\nok 7 not of us\r\n' + text(stream(GOOD)).encode()
        lines, whole = ktap.convert(log.replace(b'\n', b'\r\n'))
        self.assertTrue(whole, lines)
        self.assertNotIn('ok 7 - not of us', lines)

    def test_records_stay_out(self):
        lines, _ = ktap.convert(text(stream(GOOD)).encode())
        self.assertFalse([item for item in lines if item.startswith('@')])

    def test_words(self):
        for words in (['a', 'b'], ['--nix'], ['/nix/nix']):
            with self.assertRaises(Trouble):
                ktap._read(words)


@unittest.skipUnless(shutil.which('prove'), 'prove (perl) is not installed')
class Prove(Case):
    def prove(self, lines):
        """(status, what it says) of the real prove over a log of these lines."""
        path = self.scratch / 'serial.log'
        path.write_bytes(lines if isinstance(lines, bytes) else text(lines).encode())
        tool = f'python3 {fakes.TOOLS / "ktap.py"}'
        done = subprocess.run(['prove', '-v', '-e', tool, path], capture_output=True,
                              text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def test_a_good_log_passes(self):
        code, said = self.prove(stream(GOOD))
        self.assertEqual(code, 0, said)
        self.assertIn('Tests=4', said)
        self.assertIn('not ok 2 - t/b # TODO x', said)
        self.assertRegex(said, r'ok 3 - t/c # SKIP')

    def test_a_log_that_is_cut_off_never_passes(self):
        lines = stream(GOOD)
        for size in range(len(lines)):
            self.fails(lines[:size], size in (0, 4, 5, len(lines) - 1))

    def test_a_log_that_lacks_a_line_never_passes(self):
        lines = stream(GOOD)
        for i in range(lines.index('1..4'), len(lines)):
            self.fails(lines[:i] + lines[i + 1:], i in (3, 6))

    def fails(self, lines, before_prove):
        """Not whole: main() makes a status of that, which prove takes for a failure."""
        said, whole = ktap.convert(text(lines).encode())
        self.assertFalse(whole, said)
        if before_prove:
            self.assertNotEqual(self.prove(lines)[0], 0, said)

    def test_the_status_says_it_too(self):
        tool = [sys.executable, fakes.TOOLS / 'ktap.py']
        for lines, code in ((stream(GOOD), 0), (stream(GOOD)[:-1], 3), ([], 3)):
            done = subprocess.run(tool, input=text(lines), capture_output=True, text=True)
            self.assertEqual(done.returncode, code)
        self.assertEqual(subprocess.run([*tool, 'nix'], capture_output=True).returncode, 2)

    def bad(self, lines, words):
        code, said = self.prove(lines)
        self.assertNotEqual(code, 0, said)
        self.assertIn(words, said)

    def test_a_failure(self):
        self.bad(stream([*GOOD, record('t/e', 'FAIL')], 1), 'Failed test:  5')

    def test_bail_out(self):
        lines = stream(GOOD)
        self.bad([*lines[:6], 'Bail out! a panic', *lines[6:]], 'a panic')

    def test_what_is_not_believed(self):
        lines = stream(GOOD)
        self.bad(lines + lines[1:], 'not believed')
        self.bad([item.replace('not ok 2', 'ok 2').replace(' # XFAIL x', '')
                  for item in lines], 'does not say XFAIL')
        self.bad(stream(GOOD, 1), 'does not fit')

    def test_nothing_proved(self):
        self.bad(stream([record('t/a', 'INCONCLUSIVE')], 5), 'status 5')
        self.bad(stream([], 2), 'status 2')
        self.bad(b'', 'there is no KTAP')
        self.bad(b'GRUB loading', 'there is no KTAP')

    def test_logs_of_others(self):
        """KTAP without records has its plan alone."""
        lines = ['KTAP version 1', '1..2', 'ok 1 a', 'ok 2 b # SKIP no']
        self.assertEqual(self.prove(lines)[0], 0)
        self.fails(lines[:3], True)
        self.fails([lines[0], *lines[2:]], False)
        self.assertNotEqual(self.prove([*lines[:3], 'not ok 2 b'])[0], 0)
