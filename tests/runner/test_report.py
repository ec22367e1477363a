# SPDX-License-Identifier: BSD-2-Clause
"""The files a run leaves, the names of a dump, and the options."""
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from unittest import mock

import fakes
import machine
import options
import report
import run
import symbolise
from fakes import Case, record
from status import Trouble

NASTY = '<&"\'\x00\x1b\u20ac]]>'


class Junit(Case):
    def junit(self, tests, code=0):
        path = self.scratch / 'junit.xml'
        report.write_junit(path, tests, code, NASTY, [NASTY])
        return ET.parse(path).getroot()

    def test_verdicts(self):
        tests = [record(f't/{v}', v) for v in fakes.POINTS]
        suite = self.junit(tests, 1)
        kinds = [[child.tag for child in case] for case in suite]
        self.assertEqual(kinds, [[], ['failure']] + [['skipped']] * 3)
        self.assertEqual(suite[4][0].get('message'), 'inconclusive: because')
        counts = [suite.get(key) for key in ('tests', 'failures', 'skipped', 'errors')]
        self.assertEqual(counts, ['5', '1', '3', '0'])

    def test_crash_and_timeout_are_errors(self):
        for code in (2, 3, 4, 130):
            suite = self.junit([record('t/a')], code)
            self.assertEqual(suite.get('errors'), '1')
            self.assertIsNotNone(suite.find('testcase/error'))

    def test_any_text_is_well_formed(self):
        suite = self.junit([record('t/' + NASTY, 'FAIL', why=NASTY)], 3)
        self.assertIn('<&"', suite[0][0].get('message'))


class Table(Case):
    def test_columns_are_straight(self):
        rows = report.table([record('a', proto='p'),
                             record('b' * 40, 'INCONCLUSIVE', witnesses=10**9)])
        self.assertEqual(len({len(row) for row in rows}), 1)

    def test_counts_may_be_missing(self):
        self.assertTrue(report.table([{'name': 'a', 'verdict': 'PASS'}]))


SOURCE = '''
__attribute__((noinline)) int inner(int x) { return *(volatile int *)(long)x; }
__attribute__((noinline)) int outer(int x) { return inner(x) + 1; }
'''


class Leaks(Case):
    def test_wilson(self):
        # Newcombe, Statistics in Medicine 17 (1998), table I: method 3.
        for hits, tries, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
                                       (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):
            is_low, is_high = report.wilson(hits, tries)
            self.assertAlmostEqual(is_low, low, 4)
            self.assertAlmostEqual(is_high, high, 4)
        self.assertEqual(report.wilson(20, 20)[1], 1.0)

    def test_lines(self):
        tests = [dict(name='a', proto='p', returns=300, leaks=150), dict(name='b')]
        self.assertEqual(list(report.leak_rates(tests)),
                         ['a p: 150 of 300 returns leak, 50.00 % (95 %: 44.38 to 55.62 %)'])


class Wedged(Case):
    judge = mock.Mock(wedged=[
        {'cpu': 2, 'rip': '0x10', 'guest_rip': '0x8000', 'test': 'a/b', 'state': 'host',
         'parked': True},
        {'cpu': 1, 'rip': '0x0', 'guest_rip': '0x8004', 'test': 'a/c', 'state': 'guest',
         'parked': False}])

    def test_lines(self):
        asked = []
        lines = report.wedged_lines(self.judge, lambda rips: asked.extend(rips) or
                                    {0x10: ['spin at x.c:7']})
        self.assertEqual(lines, [
            'CPU 2 wedged in a/b, left out from there on: host, rip 0x10, guest rip 0x8000',
            '    spin at x.c:7',
            'CPU 1 wedged in a/c, it came back: guest, rip 0x0, guest rip 0x8004'])
        self.assertEqual(asked, [0x10])

    def test_none(self):
        self.assertEqual(report.wedged_lines(mock.Mock(wedged=[]), None), [])


class Symbols(Case):
    def test_return_addresses_are_looked_up_before(self):
        dump = ['# rip 0x10', '# bt 0 0x10', '# bt 1 0x20', 'x # bt 2 0x30', '# bt 3 x']
        self.assertEqual(symbolise.lookups(dump), {0: 0x10, 1: 0x10, 2: 0x1f})

    def build(self):
        source, image = self.scratch / 'a.c', self.scratch / 'a.elf'
        source.write_text(SOURCE)
        subprocess.run(['gcc', '-g', '-O1', '-c', '-o', image, source], check=True)
        lines = subprocess.run(['nm', image], capture_output=True, text=True).stdout
        return image, {row.split()[2]: int(row.split()[0], 16)
                       for row in lines.splitlines()}

    def symbols(self, tools):
        image, at = self.build()
        which = shutil.which
        with mock.patch('shutil.which', lambda name: name in tools and which(name)):
            return symbolise.symbolise(image, [f'# rip {at["inner"]:#x}', '# other',
                                               f'# bt 1 {at["outer"] + 1:#x}'])

    def test_addr2line(self):
        lines = self.symbols(['addr2line', 'nm'])
        self.assertRegex(lines[1], r'^#     inner at .*a\.c:2')
        self.assertRegex(lines[4], r'^#     outer at .*a\.c:3')

    def test_nm(self):
        lines = self.symbols(['nm'])
        self.assertEqual(lines[1], '#     inner+0x0')
        self.assertEqual(lines[4], '#     outer+0x0')

    def test_neither(self):
        self.assertEqual(len(self.symbols([])), 3)


class Options(Case):
    def test_any_order(self):
        for argv in (['run=a', '--cpus', '2', 'proto=b'],
                     ['--cpus=2', 'run=a', 'proto=b']):
            args = options.parse(argv)
            self.assertEqual((args.cpus, args.selection), (2, ['run=a', 'proto=b']))

    def test_deterministic(self):
        selection = {}
        run._order(machine.MACHINES['tcg'], selection)
        self.assertEqual(selection, {'delay': '400'})
        run._order(machine.MACHINES['bochs'], {})
        with self.assertRaisesRegex(Trouble, 'not deterministic'):
            run._order(machine.MACHINES['kvm'], {})

    def test_memory_follows_the_cpus(self):
        for argv, mem in (([], 256), (['--cpus', '64'], 256), (['--cpus', '65'], 512),
                          (['--cpus', '255', '--mem', '128'], 128)):
            self.assertEqual(options.parse(argv).mem, mem)

    def test_abbreviations_are_no_options(self):
        with self.assertRaisesRegex(Trouble, '--timeout'):
            options.parse(['--time', '3'])

    def test_unknown_options_list_all(self):
        with self.assertRaises(Trouble) as caught:
            options.parse(['run=a', '--nix'])
        for flag, *_ in options.OPTIONS:
            self.assertIn(flag, str(caught.exception))

    def test_modules(self):
        image = str(self.image)
        for text, want in ((image, (image, 'kernel.elf')),
                           (f'{image}:a b=1', (image, 'a b=1'))):
            self.assertEqual(options.parse(['--module', text]).modules, [want])
        for text in ('nix', f'{image}:', f'{image}: '):
            with self.assertRaises(Trouble):
                options.parse(['--module', text])

    def test_help_shows_the_same_options(self):
        text = subprocess.run([fakes.ROOT / 'shootdown', 'help'], capture_output=True,
                              text=True).stdout
        for flag, value, _, what in options.OPTIONS:
            shown = ' '.join(filter(None, (flag, value)))
            self.assertRegex(text, f'  {re.escape(shown)} +{re.escape(what)}')


class Seeds(Case):
    def seed(self, option, *words):
        args = options.parse(['--seed', str(option)] if option is not None else [])
        return run._seed(args, dict(word.split('=') for word in words))

    def test_seeds(self):
        self.assertEqual(self.seed(None), run.DEFAULT_SEED)
        self.assertEqual(self.seed(0), 0)
        self.assertEqual(self.seed(None, 'seed=7'), 7)
        self.assertEqual(self.seed(16, 'seed=0x10'), 16)
        with self.assertRaises(Trouble):
            self.seed(0, 'seed=7')

    def test_exit_stands_first(self):
        self.assertEqual(run.cmdline('bochs', 3, {'run': 'a'}),
                         'exit=bochs seed=3 run=a')
        self.assertEqual(run.cmdline('tcg', 3, {}), 'exit=qemu seed=3')
