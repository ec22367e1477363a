# SPDX-License-Identifier: BSD-2-Clause
"""run.json: what a run and a zoo say of what they rest on."""
import json
import re
import subprocess
from types import SimpleNamespace
from unittest import mock

import facts
import run
import zoo
import zoo_run
from fakes import Case, Machine, line, record, stream, text
from mutate import Mutant

TOLD = {'type': 'machine', 'cpu': 'A CPU', 'family': 6, 'microcode': None,
        'cmdline': 'a\u0022b'}


class Facts(Case):
    def run_it(self, *extra, **script):
        """The run.json of a fake run whose log has these lines before the tests."""
        lines = stream([record('t/a')])
        job = self.job(cpus=2)
        job.cmdline = 'exit=qemu seed=77 run=x'
        with mock.patch('report.say'):
            run.execute(Machine([text(lines[:2] + list(extra) + lines[2:])], **script),
                        job, 60)
        return json.loads((job.results / 'run.json').read_text())

    def test_a_run(self):
        told = self.run_it(line(TOLD))
        self.assertEqual(
            [told[key] for key in ('format', 'kind', 'machine', 'emulator', 'cpus', 'seed',
                                   'build', 'status', 'cmdline')],
            [1, 'run', 'fake', None, 2, 77, 'checked', 0, 'exit=qemu seed=77 run=x'])
        self.assertEqual(told['facts'], {k: v for k, v in TOLD.items() if k != 'type'})
        self.assertRegex(told['date'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')
        self.assertRegex(told['image'], '^[0-9a-f]{64}$')

    def test_a_kernel_that_says_less(self):
        told = self.run_it()
        self.assertIsNone(told['facts'])

    def test_a_crash_leaves_it_too(self):
        told = self.run_it(line(TOLD), line(TOLD))
        self.assertEqual(told['status'], 3)
        self.assertIn('a second machine record', told['sentence'])

    def test_figures_without_cases(self):
        row = {'type': 'bench', 'name': 'b', 'metric': 'm', 'value': 3, 'unit': 'u'}
        told = self.run_it(line(row), line({**row, 'responders': 1}))
        self.assertEqual(told['figures'], [{k: v for k, v in row.items() if k != 'type'}])

    def test_nothing_of_an_earlier_run_stays(self):
        folder = self.scratch / 'results'
        folder.mkdir()
        for name in ('run.json', 'bench.json', 'costs.svg', 'results.jsonl', 'junit.xml'):
            (folder / name).write_text('old')
        self.run_it()
        self.assertEqual(sorted(path.name for path in folder.glob('*.*')),
                         ['junit.xml', 'results.jsonl', 'run.json', 'serial.log'])
        for path in folder.glob('*.*'):
            self.assertNotEqual(path.read_text(), 'old')

    def test_what_a_machine_says_is_data(self):
        """The kernel spells quotes and backslashes so that its log stays one of ASCII."""
        told = self.run_it('@{"type":"machine","cmdline":"a\\u0022b\\u005cx41"}')
        self.assertEqual((told['facts']['cmdline'], told['status']), ('a"b\\x41', 0))


class Sources(Case):
    def git(self, *words):
        subprocess.run(['git', '-C', self.scratch, '-c', 'user.name=x', '-c',
                        'user.email=x@x', *words], check=True, capture_output=True)

    def test_commit_and_changes(self):
        self.assertEqual(facts.commit(self.scratch / 'nix'), (None, None))
        self.git('init', '-q')
        (self.scratch / 'a.c').write_text('1')
        self.git('add', 'a.c')
        self.git('commit', '-qm', 'x')
        (self.scratch / 'kernel.elf').unlink()
        name, dirty = facts.commit(self.scratch)
        self.assertRegex(name, '^[0-9a-f]{40}$')
        self.assertFalse(dirty)
        (self.scratch / 'docs').mkdir()
        (self.scratch / 'docs' / 'a.md').write_text('words')
        self.assertFalse(facts.commit(self.scratch)[1])
        for name, words in (('a.c', '2'), ('b.c', 'the build finds new files')):
            (self.scratch / name).write_text(words)
            self.assertTrue(facts.commit(self.scratch)[1])
            self.git('checkout', '-q', 'a.c')

    def test_commands(self):
        for argv, want in ((['/a/run.py', 'run=a b', '--cpus', '2'],
                            "./shootdown run 'run=a b' --cpus 2"),
                           (['tools/costs.py'], './shootdown bench'),
                           (['x.py', '1'], 'x.py 1')):
            self.assertEqual(facts.command(argv), want)

    def test_emulators_that_do_not_answer(self):
        for answer in (None, '', 'QEMU'):
            facts.emulator.cache_clear()
            with mock.patch('facts._said', lambda argv: answer):
                self.assertIsNone(facts.emulator('tcg'))
        facts.emulator.cache_clear()


class Zoo(Case):
    def leave(self, save):
        """What zoo._leave() leaves of one row, saved below the scratch folder."""
        row = zoo_run.Row(Mutant('H1', 'no wait', '', of='gen-smr', expect=('ground',)))
        row.tried['ground'] = 3
        row.kill('ground', 3, 'invalidations', 'proto/accessed', 'stale')
        args = SimpleNamespace(results=self.scratch / 'zoo', cpus=4, iters=9, seed=1,
                               seeds=1, quick=False, save=save, on=[])
        (args.results / 'bochs' / 'H1').mkdir(parents=True, exist_ok=True)
        (args.results / 'bochs' / 'H1' / 'run.json').write_text(json.dumps(
            {'emulator': 'Bochs 2.7', 'build': 'checked', 'backend': 'vmx',
             'facts': {'cpu': 'A'}}))
        with mock.patch('kernel.ROOT', self.scratch), mock.patch('builtins.print'):
            zoo._leave([row], args, 0)
        return args.results

    def test_rows_and_what_they_rest_on(self):
        folder = self.leave(False)
        told = json.loads((folder / 'run.json').read_text())
        self.assertEqual((told['kind'], told['iters'], told['status'],
                          told['machines']['bochs']['facts']), ('zoo', 9, 0, {'cpu': 'A'}))
        self.assertFalse((self.scratch / 'docs').exists())

    def test_nothing_that_was_saved_is_written_over(self):
        for count in range(1, 4):
            self.leave(True)
            names = sorted((self.scratch / 'docs' / 'results').iterdir())
            self.assertEqual(len(names), 2 * count)
        self.assertTrue(names[0].name.endswith('-zoo-all-4-2.json'))

    def test_saved_as_data_too(self):
        self.leave(True)
        path, = (self.scratch / 'docs' / 'results').glob('*.json')
        self.assertTrue(path.with_suffix('.md').is_file())
        self.assertTrue(re.fullmatch(r'\d{4}-\d\d-\d\d-zoo-all-4', path.stem))
        row, = json.loads(path.read_text())['rows']
        self.assertEqual((row['mutant'], row['kills']['ground']['tries']), ('H1', 3))
