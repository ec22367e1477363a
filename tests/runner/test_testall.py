# SPDX-License-Identifier: BSD-2-Clause
"""How `shootdown test` counts, and what it does when a step fails."""
import contextlib
import io
from unittest import mock

import testall
from fakes import Case
from status import Trouble
from testall import Step

LINE = '{} passed, {} failed, {} skipped'


class Counts(Case):
    def test_counts(self):
        for text, code, want in (
                ('', 0, (1, 0, 0)), ('', 1, (0, 1, 0)), ('', None, (0, 1, 0)),
                (LINE.format(3, 0, 1), 0, (3, 0, 1)),
                (LINE.format(3, 2, 1), 1, (3, 2, 1)),
                (LINE.format(3, 0, 1), 1, (3, 1, 1)),         # fails, counts none
                (LINE.format(3, 0, 1), None, (3, 1, 1)),      # stopped
                (LINE.format(3, 2, 1), 0, (3, 2, 1)),         # claims success
                (LINE.format(0, 0, 0), 0, (0, 1, 0)),         # checks nothing
                (LINE.format(0, 0, 2), 0, (0, 0, 2)),
                (LINE.format(9, 9, 9) + '\n' + LINE.format(1, 0, 0), 0, (1, 0, 0)),
                ('x ' + LINE.format(9, 9, 9), 0, (1, 0, 0))):
            self.assertEqual(testall.judge(text + '\n', code), want, (text, code))


class Steps(Case):
    def play(self, *steps, argv=()):
        logs = self.scratch / 'build' / 'test'
        out = io.StringIO()
        with mock.patch.object(testall, 'LOGS', logs), \
                mock.patch.object(testall.kernel, 'ROOT', self.scratch), \
                contextlib.redirect_stdout(out):
            code = testall.main(list(argv), steps)
        return code, out.getvalue()

    def test_sum_is_the_last_line(self):
        code, out = self.play(Step('a', f'echo {LINE.format(5, 0, 2)}', ''),
                              Step('b', 'true', ''))
        self.assertEqual((code, out.splitlines()[-1]), (0, LINE.format(6, 0, 2)))

    def test_goes_on_after_a_failure_and_shows_its_end(self):
        code, out = self.play(Step('a', 'echo why; exit 3', ''), Step('b', 'true', ''))
        self.assertEqual((code, out.splitlines()[-1]), (1, LINE.format(1, 1, 0)))
        self.assertIn('    why\n', out)
        self.assertIn('exit code 3', out)

    def test_step_that_hangs(self):
        code, out = self.play(Step('a', 'sleep 60 & sleep 60', '', limit=0.2))
        self.assertEqual((code, out.splitlines()[-1]), (1, LINE.format(0, 1, 0)))
        self.assertIn('stopped', out)

    def test_only(self):
        steps = (Step('a', 'true', ''), Step('b', 'false', ''))
        self.assertEqual(self.play(*steps, argv=['--only', 'a*'])[0], 0)
        with self.assertRaisesRegex(Trouble, '  b'):
            self.play(*steps, argv=['--only', 'nix'])

    def test_nightly(self):
        steps = (Step('a', 'true', ''), Step('b', 'true', '', nightly=True))
        self.assertEqual(self.play(*steps)[1].splitlines()[-1], LINE.format(1, 0, 0))
        out = self.play(*steps, argv=['--nightly'])[1]
        self.assertEqual(out.splitlines()[-1], LINE.format(2, 0, 0))

    def test_list_runs_nothing(self):
        out = self.play(Step('a', 'touch ran', ''), argv=['--list'])[1]
        self.assertIn('touch ran', out)
        self.assertFalse((self.scratch / 'ran').exists())

    def test_names_are_unique(self):
        names = [step.name for step in testall.STEPS]
        self.assertEqual(len(set(names)), len(names))
