# SPDX-License-Identifier: BSD-2-Clause
"""A visit at a fake console by a simulated clock: every way in which it can go wrong."""
import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import outcome
import serial_run
import status
import units
from fake_console import Console, Simulation
from session import Patience, Session
from status import Trouble
from units import title

ALL = ['proto/remap/gen-smr', 'proto/remap/gen-ipi', 'proto/unmap/gen-smr',
       'proto/unmap/gen-ipi', 'vmx/hello', 'vmx/walk']


class Visit(unittest.TestCase):
    def visit(self, console=None, words=(), power=True, **more):
        """(status, sentence) of a visit; self.session and self.console stay."""
        self.console = console or Console()
        self.shown = []
        self.session = Session(units.read(words), Patience(cycles=3 if power else 0),
                               lambda *event: self.shown.append(event))
        self.simulation = Simulation(self.console, **more)
        self.simulation.run(self.session.play())
        code, sentence, _ = outcome.decide(self.session)
        return code, sentence

    def told(self):
        return [title(unit) for unit in self.session.told]

    def left_well(self):
        self.assertEqual(self.console.commands[-1], 'json off')
        self.assertFalse(self.console.json)

    def test_good(self):
        code, sentence = self.visit()
        self.assertEqual(code, 0, sentence)
        self.assertEqual(self.told(), ALL)
        self.assertEqual(self.console.commands, ['json on', 'list', 'set', 'run', 'json off'])
        self.assertEqual(self.session.notes, [])
        self.assertIn('PASS: 6 passed', sentence)
        self.left_well()

    def test_single_bytes(self):
        console = Console()
        console.single = True
        self.assertEqual(self.visit(console)[0], 0)
        self.assertEqual(self.told(), ALL)

    def test_words_reach_the_kernel(self):
        self.visit(words=['proto/*', 'proto=gen-slot', 'iters=5'])
        self.assertEqual(self.told(), ['proto/remap/gen-slot', 'proto/unmap/gen-slot'])
        self.assertIn('run run=proto/* proto=gen-slot iters=5', self.console.commands)

    def test_what_is_set_on_the_console(self):
        console = Console()
        console.set['proto'] = 'gen-slot'
        self.assertEqual(self.visit(console)[0], 0)
        self.assertEqual(self.told(), ['proto/remap/gen-slot', 'proto/unmap/gen-slot'])
        self.assertEqual(self.session.notes, ['proto=gen-slot is set on the console'])

    def test_statuses_of_the_kernel(self):
        for verdict, code in (('FAIL', 1), ('SKIP', 0), ('XFAIL', 0)):
            got, sentence = self.visit(Console(verdicts={'vmx/hello': verdict}))
            self.assertEqual(got, code, sentence)
        self.assertEqual(self.visit(Console(verdicts={'vmx/hello': 'SKIP'}),
                                    ['run=vmx/hello'])[0], 5)

    def test_names_that_do_not_exist(self):
        for words in (['run=nix/*'], ['proto=nix']):
            with self.assertRaisesRegex(Trouble, 'matches nothing.  There are'):
                self.visit(words=words)
            self.assertNotIn('run', ' '.join(self.console.commands))

    def test_a_slow_test_beats(self):
        """Two hundred seconds of nothing but heartbeats are no wedge."""
        self.assertEqual(self.visit(Console({'vmx/hello': 'slow'}))[0], 0)
        self.assertEqual(self.console.cycles, 0)

    def test_wedge(self):
        code, sentence = self.visit(Console({'proto/remap/gen-ipi': 'hang'}))
        self.assertEqual(code, status.TIMEOUT, sentence)
        self.assertIn('proto/remap/gen-ipi: the machine fell silent', sentence)
        self.assertEqual(self.console.cycles, 1)
        self.assertEqual(sorted(self.told()), sorted(set(ALL) - {'proto/remap/gen-ipi'}))
        self.left_well()
        rows = outcome.Story(self.session).tests
        self.assertEqual([r['name'] for r in rows if r['verdict'] == 'CRASH'],
                         ['proto/remap'])

    def test_wedge_without_power(self):
        code, sentence = self.visit(Console({'proto/unmap/gen-smr': 'hang'}), power=False)
        self.assertEqual(code, status.TIMEOUT)
        self.assertEqual(self.told(), ALL[:2])
        self.assertIn('--power-cycle', sentence)
        self.assertIn('not run: proto/unmap/gen-ipi, vmx/hello, vmx/walk', sentence)

    def test_every_test_wedges(self):
        code, sentence = self.visit(Console({name: 'hang' for name in ALL}))
        self.assertEqual((code, self.console.cycles), (status.TIMEOUT, 3), sentence)
        self.assertEqual(len(self.session.down), 4)
        self.assertIn('after 3 power cycles', sentence)

    def test_power_command_fails(self):
        code, sentence = self.visit(Console({'vmx/hello': 'hang'}), power=True)
        code, sentence = self.visit_power('exit code 1: no BMC')
        self.assertEqual(code, status.TIMEOUT)
        self.assertIn('the power command failed: exit code 1: no BMC', sentence)

    def visit_power(self, said):
        self.console = Console({'vmx/hello': 'hang'})
        self.session = Session({}, Patience())
        Simulation(self.console, power=said).run(self.session.play())
        return outcome.decide(self.session)[:2]

    def test_silence_that_ctrl_c_ends(self):
        code, sentence = self.visit(Console({'vmx/hello': 'quiet'}))
        self.assertEqual(code, status.TIMEOUT, sentence)
        self.assertIn('vmx/hello: the machine fell silent, and answered to Ctrl-C alone',
                      sentence)
        self.assertEqual(self.console.cycles, 0)
        self.assertIn('vmx/walk', self.told())

    def test_silence_that_a_second_ctrl_c_explains(self):
        code, sentence = self.visit(Console({'vmx/hello': 'stuck'}))
        self.assertEqual(code, status.TIMEOUT, sentence)
        self.assertIn('and then said: CPU 0: stopped from the console', sentence)
        self.assertIn('# rip 0xffffffff80101234', self.session.dump)
        self.assertEqual(self.console.cycles, 1)
        self.assertIn('vmx/walk', self.told())

    def test_bail_out_and_reboot(self):
        code, sentence = self.visit(Console({'vmx/hello': 'bail'}), power=False)
        self.assertEqual(code, status.CRASH)
        self.assertEqual(sentence, 'CRASH: vmx/hello: CPU 0: asked to')
        self.assertIn('# rip 0xffffffff80101234', self.session.dump)
        self.assertEqual(set(self.told()), set(ALL) - {'vmx/hello'})
        self.left_well()

    def test_bail_out_and_nothing_more(self):
        code, sentence = self.visit(Console({'vmx/hello': 'bail-dead'}))
        self.assertEqual((code, self.console.cycles), (status.CRASH, 1), sentence)
        self.assertIn('vmx/walk', self.told())
        code, sentence = self.visit(Console({'vmx/hello': 'bail-dead'}), power=False)
        self.assertEqual(code, status.CRASH)
        self.assertIn('not run: vmx/walk', sentence)

    def test_bail_out_and_the_line_goes(self):
        code, sentence = self.visit(Console({'vmx/hello': 'bail-cut'}), reopens=False)
        self.assertEqual(code, status.CRASH)
        self.assertEqual(sentence, 'CRASH: vmx/hello: CPU 0: asked to; the line is gone: '
                                   'no route; not run: vmx/walk')
        self.assertIn('# rip 0xffffffff80101234', self.session.dump)

    def test_reset_without_a_word(self):
        code, sentence = self.visit(Console({'proto/unmap/gen-ipi': 'reset'}))
        self.assertEqual(code, status.CRASH)
        self.assertIn('proto/unmap/gen-ipi: the machine reset itself', sentence)
        self.assertEqual(set(self.told()), set(ALL) - {'proto/unmap/gen-ipi'})

    def test_crash_and_wedge(self):
        code, sentence = self.visit(Console({'vmx/hello': 'bail', 'vmx/walk': 'hang'}))
        self.assertEqual(code, status.CRASH)
        self.assertIn('vmx/hello', sentence)
        self.assertIn('vmx/walk', sentence)

    def test_cut(self):
        code, sentence = self.visit(Console({'proto/unmap/gen-smr': 'cut'}))
        self.assertEqual(code, 0, sentence)
        self.assertEqual(set(self.told()), set(ALL))
        self.assertEqual(self.session.notes,
                         ['the line was cut in proto/unmap/gen-smr, which is run again',
                          'the line was cut: the fake line is cut'])

    def test_cut_for_good(self):
        code, sentence = self.visit(Console({'proto/unmap/gen-smr': 'cut'}),
                                    reopens=False)
        self.assertEqual(code, status.CRASH)
        self.assertIn('the line is gone: no route', sentence)
        self.assertIn('not run', sentence)

    def test_cut_again_and_again(self):
        code, sentence = self.visit(Console({name: 'cut' for name in ALL}))
        self.assertEqual(code, status.CRASH, sentence)
        self.assertIn('the line was cut 6 times', sentence)

    def test_garbled_record_is_run_again_and_said(self):
        bend = [(rb'"type": "test", "name": "vmx/hello"', b'"type": "te\xf8', 1)]
        code, sentence = self.visit(Console(bend=bend))
        self.assertEqual(code, 0, sentence)
        self.assertIn('came garbled and was run again: vmx/hello', sentence)
        self.assertEqual(self.console.commands[3:5], ['run', 'run run=vmx/hello'])

    def test_garbled_lines_of_every_kind(self):
        """Whatever is bent once, everything is told in the end, and it is said."""
        for what in (rb'ok 2', rb'KTAP version', rb'\.\.6', rb'"type": "end"',
                     rb'"type": "done", "command": "run"', rb'"type": "run"',
                     rb'"type": "test"', rb'"verdict": "PASS", "witnesses'):
            for to in (b'', b'\xff\xfe', b'~'):
                code, sentence = self.visit(Console(bend=[(what, to, 1)]))
                self.assertEqual(code, 0, (what, to, sentence))
                self.assertEqual(set(self.told()), set(ALL), (what, to))
                self.assertTrue(self.session.notes, (what, to))

    def test_garbled_figure(self):
        """It is nobody's by itself: the test that it came before is run again."""
        bend = [(rb'"type": "bench", "name": "vmx/hello"', b'"type": "b\xf8', 1)]
        code, sentence = self.visit(Console(bend=bend))
        self.assertIn('came garbled and was run again: vmx/hello', sentence)
        self.assertEqual(len(self.session.benches), len(ALL))

    def test_garbled_twice_is_not_believed(self):
        bend = [(rb'"type": "test", "name": "vmx/hello"', b'\xe5', 2)]
        code, sentence = self.visit(Console(bend=bend))
        self.assertEqual(code, status.CRASH)
        self.assertIn('NOT BELIEVED: vmx/hello: its result came garbled twice', sentence)

    def test_a_lie_is_not_run_again(self):
        """A record that is whole and contradicts itself is no matter of the line."""
        bend = [(rb'(?s)(e": "test".*"violations": )0', rb'\g<1>3', 1)]
        code, sentence = self.visit(Console(bend=bend))
        self.assertEqual(code, status.CRASH)
        self.assertIn('NOT BELIEVED: proto/remap: PASS with 3 violations', sentence)
        self.assertEqual(self.console.commands.count('run'), 1)
        other = [(rb'^ok 5 vmx/hello', b'not ok 5 vmx/hello', 1)]
        self.assertIn('NOT BELIEVED', self.visit(Console(bend=other))[1])
        more = [(rb'"pass": 6', b'"pass": 5', 1)]
        self.assertIn('NOT BELIEVED', self.visit(Console(bend=more))[1])

    def test_a_missing_line_is_not_believed(self):
        bend = [(rb'(?s)^@.*"type": "test", "name": "vmx/hello".*', b'', 1)]
        code, sentence = self.visit(Console(bend=bend))
        self.assertEqual(code, status.CRASH, sentence)
        self.assertIn('NOT BELIEVED', sentence)

    def test_garbled_list(self):
        bend = [(rb'"vmx/walk"', b'"vmx/\x80', 1)]
        self.assertEqual(self.visit(Console(bend=bend))[0], 0)
        self.assertEqual(self.console.commands.count('list'), 2)
        with self.assertRaisesRegex(Trouble, '`list` came garbled 3 times'):
            self.visit(Console(bend=[(rb'"vmx/walk"', b'"vmx/\x80', 9)]))

    def test_list_that_lost_a_line(self):
        """What it lacks would never be run again: so its plan must agree."""
        bend = [(rb'(?s)^@.*"kind": "test", "name": "vmx/walk".*', b'', 1)]
        code, sentence = self.visit(Console(bend=bend))
        self.assertEqual(code, status.CRASH)
        self.assertIn('was not asked for', sentence)
        console = Console({'proto/remap/gen-smr': 'cut'},
                          bend=[(rb'(?s)^@.*"kind": "test", "name": "vmx/walk".*', b'', 1)])
        code, sentence = self.visit(console)
        self.assertIn('the kernel plans 6 tests, where its list makes 5', sentence)

    def test_nothing_but_garbage(self):
        console = Console(at_prompt=False)
        console.garbage = True
        console.say(*['the quick brown fox jumps over the lazy dog'] * 8)
        with self.assertRaisesRegex(Trouble, 'only garbage arrives: is the line at 115200'):
            self.visit(console)

    def test_garbage_in_a_run(self):
        """It is no sign of life."""
        code, sentence = self.visit(Console({'vmx/hello': 'mad'}))
        self.assertEqual(code, status.TIMEOUT, sentence)
        self.assertIn('vmx/hello: the machine fell silent', sentence)
        self.assertIn('vmx/walk', self.told())
        self.assertLess(self.simulation.now, 300)

    def test_nothing_at_all(self):
        console = Console(at_prompt=False)
        console.dead = True
        with self.assertRaisesRegex(Trouble, 'no prompt: it does not answer'):
            self.visit(console, power=False)
        self.assertLess(self.simulation.now, 60)

    def test_wedged_from_before(self):
        console = Console(at_prompt=False)
        console.dead = True
        self.assertEqual(self.visit(console)[0], 0)
        self.assertEqual(console.cycles, 1)

    def test_a_run_is_going_on(self):
        console = Console({'vmx/hello': 'slow'}, at_prompt=False)
        console.run([])
        console.json = True
        code, sentence = self.visit(console)
        self.assertEqual(code, 0, sentence)
        self.assertEqual(set(self.told()), set(ALL))

    def test_command_lines_that_come_bent(self):
        """The kernel has not run them, so they can be sent again; but not for ever."""
        console = Console()
        console.deaf = 3
        code, sentence = self.visit(console)
        self.assertEqual(code, 0, sentence)
        self.assertIn('3 commands came bent', self.session.notes[-1])
        console = Console()
        console.deaf = 99
        with self.assertRaisesRegex(Trouble, 'bytes were lost is not run'):
            self.visit(console)

    def test_somebody_else_types(self):
        for word in ('list', 'run'):
            console = Console(strangers=[word])
            if word == 'list':
                with self.assertRaisesRegex(Trouble, 'somebody else talks'):
                    self.visit(console)
            else:
                code, sentence = self.visit(console)
                self.assertEqual(code, status.CRASH)
                self.assertIn('somebody else talks', sentence)

    def test_somebody_else_stops_the_run(self):
        console = Console({'vmx/hello': 'slow'})
        console.interrupts_at = 50
        read = console.read

        def meddle(until, now):
            if now > 50 and console.running:
                console.now = now
                console.interrupt()
            return read(until, now)
        console.read = meddle
        code, sentence = self.visit(console)
        self.assertEqual(code, status.CRASH, sentence)
        self.assertIn('somebody stopped the run', sentence)

    def test_ctrl_c(self):
        code, sentence = self.visit(Console({'vmx/hello': 'slow'}), stop_at=30.0)
        self.assertEqual(code, status.INTERRUPTED)
        self.assertEqual(self.told(), ALL[:4])
        self.assertEqual(sentence, 'interrupted; not run: vmx/hello, vmx/walk')
        self.left_well()

    def test_too_slow(self):
        faults = {name: 'slow' for name in ALL}
        self.console = Console(faults)
        self.session = Session({}, Patience(timeout=500))
        Simulation(self.console).run(self.session.play())
        code, sentence, _ = outcome.decide(self.session)
        self.assertEqual(code, status.TIMEOUT)
        self.assertIn('did not end within 500 s', sentence)
        self.left_well()

    def test_the_closing_lines(self):
        """Files and table with a crash in them."""
        self.visit(Console({'vmx/hello': 'bail'}))
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out):
            code = serial_run.leave(self.session, Path(folder), __file__)
            junit = Path(folder, 'junit.xml').read_text()
            rows = Path(folder, 'results.jsonl').read_text().splitlines()
        self.assertEqual((code, len(rows)), (3, len(ALL)))
        self.assertIn('errors="2"', junit)
        self.assertIn('<error message="CPU 0: asked to"', junit)
        self.assertRegex(out.getvalue(), r'vmx/hello +CRASH')
        self.assertIn('Status 3: a crash', out.getvalue().splitlines()[-1])
