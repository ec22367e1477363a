# SPDX-License-Identifier: BSD-2-Clause
"""Folders of results: read whole, damaged and missing; errata; what is kept."""
import json
import subprocess

import errata
import folders
import keep
import kept
import kernel
from fakes import Case, record
from status import Trouble


class Read(Case):
    def read(self, *paths):
        self.said = []
        return kept.read(paths, self.said.append)

    def test_a_folder(self):
        path = folders.write(self.scratch / 'a', folders.run(), folders.tests(),
                             folders.costs(), [folders.mutant()])
        (path / 'trace.json').write_text('{}')
        result, = self.read(path)
        self.assertEqual(self.said, [])
        self.assertEqual((len(result.tests), len(result.zoo), result.trace),
                         (5, 1, path / 'trace.json'))
        self.assertEqual(result.names(), ['bochs', 'A CPU of 2026'])

    def test_folders_of_folders_and_files(self):
        for name in ('b', 'a'):
            folders.write(self.scratch / 'all' / name, folders.run(), folders.tests())
        (self.scratch / 'all' / 'zoo.json').write_text(json.dumps(
            {**folders.run(kind='zoo'), 'rows': [folders.mutant()]}))
        (self.scratch / 'all' / 'FORMAT.md').write_text('# Words')
        (self.scratch / 'all' / 'nothing').mkdir()
        names = [result.name for result in self.read(self.scratch / 'all')]
        self.assertEqual((names, self.said), (['a', 'b', 'zoo'], []))
        again = self.read(self.scratch / 'all', self.scratch / 'all' / 'a')
        self.assertEqual(len(again), 3)

    def test_two_of_one_name(self):
        for parent in 'xy':
            folders.write(self.scratch / parent / 'a', folders.run(), [])
        names = [r.name for r in self.read(self.scratch / 'x/a', self.scratch / 'y/a')]
        self.assertEqual(names, ['a', 'a-2'])

    def test_what_is_not_there(self):
        (self.scratch / 'empty').mkdir()
        self.assertEqual(self.read(self.scratch / 'nix', self.scratch / 'empty'), [])
        self.assertEqual(len(self.said), 2)

    def test_damaged_files(self):
        for name, text in (('run.json', '{'), ('run.json', '[]'), ('run.json', '{}'),
                           ('run.json', '{"format":2}'), ('run.json', '{"format":true}'),
                           ('run.json', '{"format":1,"seconds":NaN}'),
                           ('run.json', '{"format":1,"format":1}'),
                           ('bench.json', '{"format":1}'), ('bench.json', '\xff'),
                           ('bench.json', '{"format":1,"rows":[1]}'),
                           ('bench.json', '{"format":1,"rows":[NaN]}'),
                           ('results.jsonl', '{"name":'), ('zoo.jsonl', '{}'),
                           ('run.json', '[' * 100000)):
            with self.subTest(name=name, text=text[:30]):
                path = folders.write(self.scratch / f'{len(list(self.scratch.iterdir()))}',
                                     folders.run(), folders.tests())
                (path / name).write_bytes(text.encode('latin-1'))
                result, = self.read(path)
                self.assertEqual(len(self.said), 1, self.said)
                self.assertIn(name, self.said[0])
                whole = result.tests if name != 'results.jsonl' else result.run
                self.assertTrue(whole)

    def test_damaged_rows(self):
        bad = [record('t/a', witnesses=-1), record('t/b', 'GOOD'), {'name': 7}, [],
               record('t/c', 'PASS', killed={'nobody': 1})]
        path = folders.write(self.scratch / 'a', folders.run(), [record('t/z'), *bad])
        result, = self.read(path)
        self.assertEqual([test['name'] for test in result.tests], ['t/z'])
        self.assertEqual(len(self.said), kept.SHOWN + 1)
        self.assertIn('2 more rows', self.said[-1])
        figures = [folders.cost('ticks', 1, value) for value in (-1, '1', True)]
        figures += [folders.cost('ticks', None, 1), folders.cost('ticks', 1, 1, bar='x'),
                    folders.cost('ticks', 1, 1, protocol='')]
        for row in figures:
            path = folders.write(self.scratch / f'c{id(row)}', folders.run(), None, [row])
            result, = self.read(path)
            self.assertEqual((result.costs, len(self.said)), ([], 1), row)
        for key in ('mutant', 'machine', 'kills', 'tried', 'good', 'why', 'also'):
            path = folders.write(self.scratch / f'z{key}', folders.run(), None, None,
                                 [{**folders.mutant(), key: 7}])
            result, = self.read(path)
            self.assertEqual((result.zoo, len(self.said)), ([], 1), key)

    def test_without_run_json(self):
        path = folders.write(self.scratch / 'a', None, folders.tests())
        self.assertEqual(len(self.read(path)), 1)
        self.assertRegex(self.said[0], 'no run.json')

    def test_what_this_project_keeps(self):
        self.assertTrue(self.read(kernel.ROOT / 'docs' / 'results'))
        self.assertEqual(self.said, [])


class Errata(Case):
    def read(self, *entries, root=kernel.ROOT):
        path = self.scratch / 'errata.jsonl'
        path.write_text('# a comment\n\n' + ''.join(
            (entry if isinstance(entry, str) else json.dumps(entry)) + '\n'
            for entry in entries))
        self.said = []
        return errata.read(path, self.said.append, root)

    def entry(self, **match):
        return {'id': 'E1', 'date': '2026-11-21', 'why': 'a bug', 'match': match}

    def hides(self, cell, **match):
        found, = self.read(self.entry(**match))
        self.assertEqual(self.said, [])
        return found.hides(cell)

    CELL = {'result': '2026-11-21-bochs-4', 'commit': folders.COMMIT, 'test': 'proto/remap',
            'machine': ['bochs', 'A CPU'], 'proto': 'gen-smr'}

    def test_each_key(self):
        for key, yes, no in (('result', '*-bochs-4', '*-bochs'),
                             ('machine', 'A *', 'B *'), ('machine', 'bochs', 'tcg'),
                             ('test', 'proto/*', 'vmx/*'), ('proto', 'gen-smr', 'gen-*q'),
                             ('commits', folders.COMMIT[:7], '0' * 7)):
            self.assertTrue(self.hides(self.CELL, **{key: yes}), key)
            self.assertFalse(self.hides(self.CELL, **{key: no}), key)

    def test_all_keys_must_match(self):
        self.assertTrue(self.hides(self.CELL, test='proto/*', machine='bochs'))
        self.assertFalse(self.hides(self.CELL, test='proto/*', machine='tcg'))
        # A cell that is of no mutant, or has no metric, is not meant by those words.
        self.assertFalse(self.hides(self.CELL, mutant='*'))
        self.assertFalse(self.hides(self.CELL, result='*', metric='*'))

    def test_ranges(self):
        def git(*words):
            return subprocess.run(['git', '-C', self.scratch, '-c', 'user.name=x', '-c',
                                   'user.email=x@x', *words], check=True, text=True,
                                  capture_output=True).stdout.strip()
        git('init', '-q')
        commits = []
        for _ in range(4):
            git('commit', '-q', '--allow-empty', '-m', 'x')
            commits.append(git('rev-parse', 'HEAD'))
        found, = self.read(self.entry(commits=f'{commits[0]}..{commits[2]}'),
                           root=self.scratch)
        self.assertEqual([found.hides({'commit': c}) for c in (*commits, None)],
                         [False, True, True, False, True])

    def test_a_range_that_git_does_not_know_hides_all(self):
        found, = self.read(self.entry(commits=f'{"1" * 40}..{"2" * 40}'))
        self.assertRegex(self.said[0], 'git does not know')
        self.assertTrue(found.hides(self.CELL))

    def test_damaged(self):
        good = self.entry(test='x')
        for entry in ('{', '[]', {}, {**good, 'why': ' '}, {**good, 'date': 'today'},
                      {**good, 'match': {}}, {**good, 'match': {'tset': 'x'}},
                      {**good, 'match': {'test': 7}}, {**good, 'more': 1},
                      {**good, 'match': {'commits': 'HEAD~3..HEAD'}},
                      {**good, 'match': {'commits': '--all'}}):
            self.assertEqual(self.read(entry), [], entry)
            self.assertEqual(len(self.said), 1, entry)
        self.read(good, good)
        self.assertRegex(self.said[0], 'two errata')

    def test_those_of_this_project(self):
        said = []
        errata.read(errata.FILE, said.append)
        self.assertEqual(said, [])


class Keep(Case):
    def setUp(self):
        super().setUp()
        self.source = folders.write(
            self.scratch / 'a', folders.run(command='./shootdown run --elf /home/u/k.elf'),
            folders.tests())
        (self.source / 'serial.log').write_text('long')

    def keep(self, *words):
        return keep.keep(self.source, *words, folder=self.scratch / 'kept')[0]

    def test_kept(self):
        target = self.keep()
        self.assertEqual(target.name, '2026-11-21-bochs-4')
        self.assertEqual(sorted(path.name for path in target.iterdir()),
                         ['results.jsonl', 'run.json'])
        self.assertNotIn('/home', (target / 'run.json').read_text())
        said = []
        self.assertEqual(len(kept.read([target], said.append)[0].tests), 5)
        self.assertEqual(said, [])

    def test_only_once(self):
        self.keep('x')
        with self.assertRaisesRegex(Trouble, 'another NAME'):
            self.keep('x')

    def test_refused(self):
        for name in ('../x', 'A', '.x', 'a b', 'a/b'):
            with self.assertRaisesRegex(Trouble, 'no name'):
                self.keep(name)
        (self.source / 'results.jsonl').write_text('{')
        with self.assertRaisesRegex(Trouble, 'damaged'):
            self.keep()
        with self.assertRaisesRegex(Trouble, 'no folder'):
            keep.keep(self.scratch / 'nix')
        self.assertFalse((self.scratch / 'kept').exists())

    def test_usage(self):
        for words in ([], ['--nix'], ['a', 'b', 'c']):
            with self.assertRaisesRegex(Trouble, 'Usage'):
                keep.main(words)
