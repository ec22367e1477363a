# SPDX-License-Identifier: BSD-2-Clause
"""Mutants: their headers, what becomes of the source, and who is told from whom."""
import contextlib
import io
import subprocess
import types
from pathlib import Path

import mutate
import run
import status
import zoo
import zoo_run
import zoo_table
from fakes import Case, Machine, record, stream, text
from status import Trouble

SOURCE = '''\
#define NAME "gen-x"
#define WHAT "waits"
CATALOG(proto, "proto", NAME, WHAT);
static bool done(void)
{
	return polled();
}
const struct inval_proto gen_x = {
	.name = NAME,
	.sound = true,
	.guarantee = G1,
	.done = done,
};
'''
DIFF = '''\
--- a/inval/gen_x.c
+++ b/inval/gen_x.c
@@ -4,5 +4,5 @@
 static bool done(void)
 {
-	return polled();
+	return true;
 }
 const struct inval_proto gen_x = {
'''
HEAD = 'mutant: H1\nalso: M1 M2\nof: gen-x\nwhat: no wait\nfrom: us\n'
PATCH = HEAD + 'expect: ground ghost\n\n' + DIFF


class Header(Case):
    def test_fields(self):
        mutant = mutate.parse(PATCH, 'H1.patch')
        self.assertEqual((mutant.name, mutant.also, mutant.source, mutant.expect),
                         ('H1', ('M1', 'M2'), 'inval/gen_x.c', ('ground', 'ghost')))
        self.assertFalse(mutant.sound)

    def test_refused(self):
        bad = {
            'no diff': HEAD + 'expect: ground\n',
            'no what': PATCH.replace('what: no wait\n', ''),
            'unknown key': PATCH.replace('also:', 'aslo:'),
            'a key twice': PATCH.replace('of: gen-x\n', 'of: gen-x\nof: gen-x\n'),
            'unknown detector': PATCH.replace('ground', 'luck'),
            'unknown program': PATCH.replace('also:', 'native: unti:a*\nalso:'),
            'expects nobody': PATCH.replace('expect: ground ghost\n', ''),
            'sound and expected': PATCH.replace('expect:', 'sound: yes\nexpect:'),
            'of and in': PATCH.replace('of:', 'in: inval/gen_x.c\nof:'),
            'no reason': PATCH.replace('ground ghost', 'explorer'),
            'native by nobody': PATCH.replace('ground ghost', 'ground native'),
            'another file': PATCH.replace('b/inval/gen_x.c', 'b/smr/smr.h'),
            'another name': PATCH.replace('mutant: H1', 'mutant: H2'),
        }
        mutate.parse(PATCH, 'H1.patch')
        for what, broken in bad.items():
            self.assertNotEqual(broken, PATCH, what)
            with self.assertRaises(Trouble, msg=what):
                mutate.parse(broken, 'H1.patch')

    def test_what_cannot_be_made(self):
        mutant = mutate.parse('mutant: H14\nwhat: w\nfrom: f\nnever: why\n', 'H14.none')
        self.assertEqual(zoo_table.judge(zoo_run.Row(mutant)),
                         (True, 'not possible here: why'))

    def test_ours_are_complete(self):
        have = {name for m in zoo.select([]) for name in (m.name, *m.also)}
        want = {f'M{i}' for i in range(1, 25)} | {f'H{i}' for i in range(1, 19)}
        self.assertFalse((want - {'H8'} | {'H8a', 'H8b'}) - have)


class Source(Case):
    def setUp(self):
        super().setUp()
        self.file = self.scratch / 'inval' / 'gen_x.c'
        self.file.parent.mkdir()
        self.file.write_text(SOURCE)

    def make(self, patch, link=True):
        path = self.scratch / 'H1.patch'
        path.write_text(patch)
        return mutate.source(path, link, self.scratch)

    def test_one_step_and_a_name(self):
        made = self.make(PATCH)
        for want in ('return true;', 'const struct inval_proto mutant_H1 = {',
                     '#define NAME "mutant-H1"', '#define WHAT "no wait"',
                     'CATALOG(mutant, "mutant", "H1", WHAT);', '.sound = false,',
                     '.guarantee = G0,'):
            self.assertIn(want, made)
        self.assertNotIn('polled', made)
        self.assertEqual(self.file.read_text(), SOURCE)

    def test_one_step_and_nothing_else(self):
        self.assertEqual(self.make(PATCH, link=False).partition('\n')[2],
                         SOURCE.replace('polled()', 'true'))

    def test_a_sound_one_stays_sound(self):
        made = self.make(HEAD + 'sound: yes\n\n' + DIFF)
        self.assertIn('.sound = true,', made)
        self.assertIn('.guarantee = G1,', made)

    def test_does_not_apply(self):
        """Nor does it where the place is nearly the same: no fuzz."""
        for old, new in (('polled()', 'again()'), ('bool done', 'bool finished')):
            self.file.write_text(SOURCE.replace(old, new))
            with self.assertRaisesRegex(Trouble, 'does not apply'):
                self.make(PATCH)

    def test_a_source_of_another_shape(self):
        self.file.write_text(SOURCE.replace('\t.sound = true,\n', ''))
        with self.assertRaisesRegex(Trouble, 'sound'):
            self.make(PATCH)

    def test_table(self):
        self.assertIn('&mutant_H1,\n\t&mutant_H2,\n', mutate.table(['H1', 'H2']))
        self.assertIn('inval_mutant_count = 0;', mutate.table([]))


def mutant(*expect, **more):
    more = {'of': 'gen-smr', 'unseen': 'too narrow', **more}
    return mutate.Mutant('H1', 'w', 'f', expect=expect, **more)


def test(verdict, killed=None, name='proto/a', **more):
    return record(name, verdict, 'mutant-H1', **{'killed': killed} if killed else {},
                  **more)


class Kernel(Case):
    """From a serial log to the row, by the runner's own judge."""

    def boot(self, row, *tests, told=status.PASS, lines=None):
        folder = self.scratch / 'results'
        lines = stream(list(tests), told) if lines is None else lines
        with contextlib.redirect_stdout(io.StringIO()):
            code = run.execute(Machine([text(lines)], code=told), self.job(), 10)
        records, bail = zoo_run.heard(folder)
        zoo_run.take(row, records, code, bail)

    def judged(self, *tests, expect=('ground',), told=status.PASS, lines=None, **more):
        row = zoo_run.Row(mutant(*expect, **more))
        self.boot(row, *tests, told=told, lines=lines)
        return (*zoo_table.judge(row), row)

    def test_each_detector(self):
        ghost = {'checked': 3, 'violations': 1, 'said': 'ghost: CPU 1'}
        for who, more in (('ground', {}), ('watchdog', {}), ('flush', {}),
                          ('ghost', {'ghost': ghost})):
            good, why, row = self.judged(test('XFAIL', {who: 7}, **more), expect=(who,))
            self.assertEqual((good, why), (True, f'killed by {who}'))
            self.assertEqual((row.kills[who].tries, row.kills[who].where),
                             (7, 'proto/a'))
        self.assertEqual(row.kills['ghost'].said, 'ghost: CPU 1')

    def test_panic(self):
        lines = stream([test('XFAIL', {'ground': 2})])[:-1] + ['Bail out! INVEPT failed']
        good, why, row = self.judged(expect=('panic',), lines=lines, told=0)
        self.assertEqual((good, why), (True, 'killed by ground and panic'))
        self.assertEqual(row.kills['panic'].said, 'INVEPT failed')

    def test_other(self):
        """What no detector said: under a mutant, and in a kernel of its own."""
        for more in ({}, {'of': '', 'file': 'mm/change.c'}):
            good, why, row = self.judged(test('FAIL', why='guest 0 stopped'),
                                         expect=('other',), told=status.FAIL, **more)
            self.assertEqual((good, why), (True, 'killed by other'))
        good, why, _ = self.judged(test('FAIL', {'ground': 1}), of='', file='mm/ept.c',
                                   told=status.FAIL)
        self.assertEqual((good, why), (True, 'killed by ground'))

    def test_survivor(self):
        alive = test('INCONCLUSIVE')
        good, why, _ = self.judged(alive, told=status.NOTHING)
        self.assertEqual((good, why), (False, 'ground must see it, and did not'))
        good, why, _ = self.judged(alive, told=status.NOTHING, expect=('native',))
        self.assertEqual((good, why), (True, 'not told apart: too narrow'))

    def test_one_of_two_is_missing(self):
        good, why, _ = self.judged(test('XFAIL', {'ground': 1}),
                                   expect=('ground', 'ghost'))
        self.assertEqual((good, why), (False, 'ghost must see it, and did not'))

    def test_sound_and_flagged(self):
        for bad, told in ((test('FAIL', {'ground': 4}), status.FAIL),
                          (test('FAIL', why='x'), status.FAIL)):
            good, why, _ = self.judged(test('PASS'), dict(bad, name='proto/b'),
                                       expect=(), sound=True, told=told)
            self.assertFalse(good)
            self.assertIn('sound, but', why)
        self.assertTrue(self.judged(test('PASS'), expect=(), sound=True)[0])

    def test_a_pass_that_somebody_complained_about_is_not_believed(self):
        good, why, _ = self.judged(test('PASS', {'ground': 4}), expect=(), sound=True)
        self.assertFalse(good)
        self.assertIn('status 3', why)

    def test_runs_that_prove_nothing(self):
        for tests, told, lines in (((test('SKIP'),), status.NOTHING, None),
                                   ((), 0, []), ((), 0, stream([test('PASS')])[:-1])):
            self.assertFalse(self.judged(*tests, told=told, lines=lines,
                                         expect=('native',))[0])

    def test_tries_go_on_with_the_next_seed(self):
        row = zoo_run.Row(mutant('ghost'))
        self.boot(row, test('INCONCLUSIVE', invalidations=240), told=status.NOTHING)
        self.boot(row, test('XFAIL', {'ground': 5}))
        self.assertEqual(row.kills['ground'].tries, 245)


class Elsewhere(Case):
    def test_explorer(self):
        for said, code, want in (('UNSAFE\nlive', 1, 'UNSAFE'),
                                 ('safe\nun-kicked wait', 1, 'un-kicked wait'),
                                 ('safe\nlive', 0, None)):
            row = zoo_run.Row(mutant('explorer'))
            zoo_run.take_explored(row, f'x\n12 states, 3 transitions\n{said}\n', code)
            self.assertFalse(row.faults)
            self.assertEqual('explorer' in row.kills and row.kills['explorer'].said,
                             want or False)
        for said, code in (('12 states, NOT COMPLETE\nsafe so far', 1), ('', 2),
                           ('12 states\nsafe\nlive', 1), ('12 states\nUNSAFE', 0)):
            row = zoo_run.Row(mutant('explorer'))
            zoo_run.take_explored(row, said, code)
            self.assertTrue(row.faults, said)

    def native(self, said, code):
        row = zoo_run.Row(mutant('native', native=('unit:a*',)))
        zoo_run.take_tests(row, 'unit', said, code)
        return row

    def test_native_tests(self):
        row = self.native('not ok 1 smr_wraps\n3 passed, 1 failed, 0 skipped\n', 1)
        self.assertEqual(row.kills['native'].where, 'unit smr_wraps')
        row = self.native('# x\nBail out! panic in smr_wraps\n', 1)
        self.assertEqual(row.kills['native'].said, 'panic in smr_wraps')
        row = self.native('3 passed, 0 failed, 0 skipped\n', 0)
        self.assertFalse(row.kills or row.faults)
        for said, code in (('nothing matches a*', 2), ('', None), ('', 0), ('', 1),
                           ('0 passed, 0 failed, 0 skipped\n', 0)):
            self.assertTrue(self.native(said, code).faults, (said, code))

    def test_threads(self):
        row = zoo_run.Row(mutant('native', native=('threads',)))
        self.assertTrue(zoo_run.take_threads(row, zoo_run.BUSY))
        self.assertTrue(zoo_run.take_threads(row, 0))
        self.assertFalse(zoo_run.take_threads(row, 66))
        self.assertEqual(row.kills['native'].tries, 2)
        row = zoo_run.Row(mutant('native', native=('threads',)))
        self.assertFalse(zoo_run.take_threads(row, 1))
        self.assertTrue(row.faults)


class Table(Case):
    def test_cells(self):
        row = zoo_run.Row(mutant('ground', also=('M1',)), tried={'ground': 9, 'ghost': 9,
                                                                 'other': 9})
        row.kill('ground', 7, 'invalidations', 'proto/a', 'x')
        row.kill('flush', 3, 'invalidations', 'proto/a', 'x')
        head, cells = zoo_table.matrix([row])
        self.assertEqual(dict(zip(head, cells)),
                         {'mutant': 'H1 M1', 'machine': 'Bochs, VMX', 'ground': '7',
                          'ghost': '-', 'other': 'flush 3', 'explorer': '',
                          'native': '', 'verdict': 'killed'})
        args = types.SimpleNamespace(cpus=4, iters=5, seed=1, seeds=1, quick=False, on=[])
        said = zoo_table.document([row], args)
        self.assertIn('| H1 M1 | Bochs, VMX | 7 |', said)
        self.assertIn('not seen by ghost in 9', said)
        self.assertIn('# The bug zoo: Bochs and TCG with 4', said)
        args.on = ['tcg']
        said = zoo_table.document([row], args)
        self.assertIn('# The bug zoo: TCG with 4', said)
        self.assertIn('zoo --on tcg --cpus', said)

    def test_order_and_selection(self):
        names = [m.name for m in zoo.select(['H8?', 'H2', 'H10'])]
        self.assertEqual(names, ['gen-smr', 'H2', 'H8a', 'H8b', 'H10'])
        self.assertFalse([m.name for m in zoo.select([], quick=True) if m.file])
        with self.assertRaises(Trouble):
            zoo.select(['X*'])

    def test_machines(self):
        """Each at home, or on those that are asked for, if they have its source."""
        def at(mutants, *on):
            return [(m.name, name) for m, name in zoo.places(mutants, on)]

        of, svm, vmx, never = (mutate.Mutant(name, 'w', 'f', **more) for name, more in (
            ('H1', {'of': 'gen-smr'}), ('I1', {'file': 'svm/asid.c'}),
            ('H13', {'file': 'vmx/state.c'}), ('H14', {'never': 'n'})))
        sound = mutate.Mutant('gen-smr', 'w', 'f', of='gen-smr', sound=True)
        self.assertEqual(at([sound, of, vmx]), [(name, 'bochs') for name in
                                                ('gen-smr', 'H1', 'H13')])
        self.assertEqual(at([sound, svm]), [('gen-smr', 'bochs'), ('gen-smr', 'tcg'),
                                            ('I1', 'tcg')])
        self.assertEqual(at([of, svm, vmx, never], 'tcg'),
                         [('H1', 'tcg'), ('I1', 'tcg'), ('H14', 'tcg')])
        self.assertEqual(at([of, svm, vmx, never], 'bochs', 'tcg'),
                         [('H1', 'bochs'), ('H1', 'tcg'), ('I1', 'tcg'),
                          ('H13', 'bochs'), ('H14', 'bochs')])

    def test_away_from_home(self):
        """Nothing is expected there, but nobody may complain about a sound one."""
        tried = {'ground': 9, 'ghost': 9}
        alive = zoo_run.Row(mutant('ghost'), 'tcg', tried=tried)
        self.assertEqual((zoo_table.judge(alive)[0], zoo_table.word(alive)),
                         (True, 'not told apart'))
        self.assertFalse(zoo_table.judge(zoo_run.Row(mutant('ghost'), tried=tried))[0])
        alive.kill('ground', 7, 'invalidations', 'proto/a', 'x')
        self.assertEqual(zoo_table.word(alive), 'killed')
        sound = zoo_run.Row(mutant(sound=True), 'tcg', tried=tried)
        self.assertTrue(zoo_table.judge(sound)[0])
        sound.kill('ghost', 7, 'invalidations', 'proto/a', 'x')
        self.assertFalse(zoo_table.judge(sound)[0])

    def test_the_sound_one_comes_before_whoever_its_mutants_do(self):
        sound = zoo.select(['M3', 'H1'])[0]
        self.assertTrue(sound.sound)
        self.assertIn('proto/reclaim', sound.run)
        self.assertIn('unit:ept*', sound.native)
        self.assertEqual(zoo.programs(sound)('unit').name, 'unit')
        self.assertNotIn('zoo', Path(zoo.programs(sound)('unit')).parts[-3:])


class Sources(Case):
    """A change of a source must not leave its mutants behind."""

    def test_each_patch_fits_and_compiles(self):
        patches = sorted((mutate.ROOT / 'inval' / 'zoo').glob('*.patch'))
        self.assertGreater(len(patches), 40)
        for patch in patches:
            with self.subTest(patch=patch.name):
                wrong = self.scratch / f'{patch.stem}.c'
                wrong.write_text(mutate.source(patch))
                done = subprocess.run(
                    ['gcc', '-std=gnu17', '-ffreestanding', '-mgeneral-regs-only', '-Wall',
                     '-Wextra', '-fsyntax-only', '-I.', '-Ilib/checked', str(wrong)],
                    cwd=mutate.ROOT, capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ''))
