# SPDX-License-Identifier: BSD-2-Clause
"""The tables of `shootdown bench`: what is missing, what misses its bar."""
import sys

import costs
import costs_both
import costs_table
import kept
from fakes import ROOT, Case, line, record, stream, text
from judge import Judge, bench_problem, decide
from process import Ending
from status import Trouble

sys.path.insert(1, str(ROOT / 'tests' / 'machine'))
from costs_machine import complaints  # noqa: E402

CPUS = 3


def bench(metric, case, value, protocol='gen-slot', unit='instructions'):
    return {'type': 'bench', 'name': 'bench/costs', 'protocol': protocol, 'cpus': CPUS,
            'responders': case[0], 'batch': case[1], 'initiators': case[2],
            'metric': metric, 'value': value, 'unit': unit}


def value(metric, case):
    """A figure that is possible."""
    if metric in ('kicks', 'icr_writes', 'ipis', 'exits', 'flushes'):
        return case[0]
    return {'idle_ipis': 0, 'idle_flushes': 0, 'polls': 1, 'edit': 50, 'publish': 30,
            'retire': 20, 'ticks': 100, 'total': 120, 'gap': 150}.get(metric, 10)


def good(protocol='gen-slot'):
    floors = [bench(name, (n, 1, 1), 5, protocol) for name in ('kick_ticks', 'kick_gap')
              for n in range(1, CPUS)]
    return floors + [bench(metric, case, value(metric, case), protocol)
                     for metric, case in costs_table.expected(CPUS)]


def rows_of(benches):
    rows = costs_table.Rows(benches)
    costs_table.weigh(rows)
    return rows


class Tables(Case):
    def test_good_rows(self):
        rows = rows_of(good())
        self.assertEqual(costs.judge_rows(rows, ['gen-slot'], CPUS), [])
        lines = costs_table.tables(rows, CPUS)
        self.assertIn('  (floor)    50   55   55', lines)
        self.assertFalse([item for item in lines if '!' in item])

    def test_every_lost_and_doubled_row(self):
        benches = good()
        for i, row in enumerate(benches):
            if row['metric'].startswith('kick_'):
                continue
            for some in (benches[:i] + benches[i + 1:], benches[:i + 1] + benches[i:]):
                found = costs.judge_rows(rows_of(some), ['gen-slot'], CPUS)
                self.assertEqual(len(found), 1, row)

    def test_protocol_without_rows(self):
        found = costs.judge_rows(rows_of(good()), ['gen-slot', 'gen-smr'], CPUS)
        self.assertRegex(found[0], '^gen-smr: .* missing')

    def test_missed_bars(self):
        for metric, case, bad in (('ticks', (1, 1, 1), 601), ('gap', (2, 1, 1), 201),
                                  ('publish', (1, 1, 1), 41), ('exits', (2, 8, 1), 3),
                                  ('publish', (2, 1, 1), 47), ('kicks', (0, 1, 1), 1),
                                  ('idle_ipis', (1, 1, 1), 0.05)):
            for protocol, fails in (('gen-slot', 1), ('gen-smr', 0)):
                benches = [dict(row, value=bad) if (row['metric'], row['responders'],
                                                    row['batch'], row['initiators'])
                           == (metric, *case) else row for row in good(protocol)]
                rows = rows_of(benches)
                self.assertEqual(len(costs.judge_rows(rows, [protocol], CPUS)), fails)
                self.assertIn('!', '\n'.join(costs_table.tables(rows, CPUS)))

    def test_cycles_have_no_bar(self):
        benches = [dict(row, value=9999, unit='TSC cycles') if row['metric'] == 'ticks'
                   else row for row in good()]
        self.assertEqual(costs.judge_rows(rows_of(benches), ['gen-slot'], CPUS), [])

    def test_words(self):
        for word in ('run=x', 'guest=module:x', 'delay=0'):
            with self.assertRaisesRegex(Trouble, 'bench takes'):
                costs._check([word])

    def test_no_gnuplot(self):
        which, costs.shutil.which = costs.shutil.which, lambda name: None
        try:
            why = costs.draw(rows_of(good()), 'ticks', self.scratch / 'x.svg')
        finally:
            costs.shutil.which = which
        self.assertIn('gnuplot-nox', why)


class Saved(Case):
    def test_the_report_reads_what_is_saved(self):
        rows, said = rows_of(good()), []
        costs_table.save(rows, {'cpus': CPUS}, self.scratch)
        (self.scratch / 'run.json').write_text('{"format": 1}')
        result, = kept.read([self.scratch], said.append)
        self.assertEqual((said, result.costs), ([], rows.all))


class Both(Case):
    def test_side_by_side(self):
        rows = {'VMX': rows_of(good()), 'SVM': rows_of(
            [{**row, 'value': row['value'] + 7} for row in good()])}
        lines = costs_both.side_by_side(rows, 'ticks', [('1', (1, 1, 1)),
                                                        ('9', (9, 1, 1))])
        self.assertEqual([line.split() for line in lines[1:3]],
                         [['VMX', '1', 'SVM', '1'], ['gen-slot', '100', '107']])
        self.assertEqual(costs_both.side_by_side(rows, 'ticks', [('9', (9, 1, 1))]), [])

    def test_one_lacks_a_protocol(self):
        rows = {'VMX': rows_of(good()), 'SVM': rows_of(good('always'))}
        lines = costs_both.side_by_side(rows, 'ticks', [('1', (1, 1, 1))])
        self.assertEqual(lines[2].split(), ['gen-slot', '100', '-'])

    def test_null_calls(self):
        judges = {}
        for backend, cost in ('VMX', 79), ('SVM', 111):
            judges[backend] = Judge()
            judges[backend].benches = [{'name': 'bench/null_vmcall', 'value': cost,
                                        'protocol': 'gen-smr', 'metric': 'm',
                                        'unit': 'instructions'}]
        self.assertEqual(costs_both.null_calls(judges)[2].split(),
                         ['gen-smr', '79', '111'])

    def test_the_machine_is_no_choice(self):
        for words in ['--on', 'tcg'], ['--model', 'ryzen']:
            with self.assertRaises(Trouble):
                costs_both.main(words)


class Possible(Case):
    def test_what_cannot_be(self):
        self.assertEqual(list(complaints(rows_of(good()), CPUS)), [])
        for metric, case, bad in (('ipis', (1, 1, 1), 9), ('exits', (1, 1, 1), 2),
                                  ('kicks', (1, 8, 1), 2), ('idle_ipis', (0, 1, 1), 1),
                                  ('idle_flushes', (0, 1, 1), 1),
                                  ('polls', (1, 1, 1), 0), ('flushes', (2, 1, 1), 1), ('edit', (1, 1, 1), 0),
                                  ('ticks', (1, 1, 1), 60), ('total', (1, 1, 1), 100),
                                  ('icr_writes', (2, 1, 1), 3), ('ipis', (1, 1, 2), 2)):
            benches = [dict(row, value=bad) if (row['metric'], row['responders'],
                                                row['batch'], row['initiators'])
                       == (metric, *case) else row for row in good()]
            self.assertTrue(list(complaints(rows_of(benches), CPUS)), (metric, case))


class Records(Case):
    def judged(self, *extra):
        lines = stream([record('t/a')])
        judge = Judge()
        judge.feed(text(lines[:4] + [line(row) for row in extra] + lines[4:]).encode())
        return decide(judge, Ending('exited', 0), lambda status: status)[0]

    def test_believed(self):
        self.assertEqual(self.judged(bench('ticks', (1, 1, 1), 1.25)), 0)
        self.assertIsNone(bench_problem({'name': 'a', 'metric': 'b', 'unit': 'c',
                                         'value': 3}))

    def test_not_believed(self):
        for change in ({'value': -1}, {'value': '1'}, {'value': True}, {'metric': ''},
                       {'value': float('inf')}, {'value': float('nan')}, {'unit': 7},
                       {'protocol': ''}, {'cpus': 1.5}, {'responders': -1},
                       {'batch': None}, {'initiators': [1]}, {'name': None}):
            row = {**bench('ticks', (1, 1, 1), 1), **change}
            self.assertEqual(self.judged(row), 3, change)
