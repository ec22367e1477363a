# SPDX-License-Identifier: BSD-2-Clause
"""The report: all that is known is on the page, and nothing of it can become a command.

The last tests look at it in a real browser, where there is one: on a phone's width, with
every part unfolded, nothing but a table's own frame scrolls sideways.
"""
import html
import json
import re
import shutil
import subprocess
import unittest
from html.parser import HTMLParser

import folders
import page
import plot
from fakes import Case, record
from folders import NASTY

VOID = {'meta', 'br', 'line', 'circle', 'path', 'rect', 'wbr'}


class Page(HTMLParser):
    """What a browser would make of it: elements, ids, references, text."""

    def __init__(self, text):
        super().__init__()
        self.names, self.ids, self.hrefs, self.open, self.text = {}, [], [], [], []
        self.struck, self.handlers = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.names[name] = self.names.get(name, 0) + 1
        for key, value in attributes:
            if key == 'id':
                self.ids.append(value)
            if key in ('href', 'src'):
                self.hrefs.append(value)
            if key.startswith('on') or key == 'style':
                self.handlers.append(key)
        if name == 's':
            self.struck.append(dict(attributes).get('title'))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        if name not in VOID:
            assert self.open.pop() == name, name

    def handle_data(self, data):
        self.text.append(data)


class Reports(Case):
    def make(self, *results, entries=(), status=0):
        """The page of folders, as (Page, its text)."""
        file, out = self.scratch / 'errata.jsonl', self.scratch / 'r.html'
        file.write_text(folders.lines(entries))
        args = ['--out', str(out), '--errata', str(file), *map(str, results)]
        self.assertEqual(page.main(args), status)
        text = out.read_text()
        made = Page(text)
        self.assertEqual(made.open, [])
        self.assertEqual(len(made.ids), len(set(made.ids)), made.ids)
        for href in made.hrefs:
            if href.startswith('#'):
                self.assertIn(href[1:], made.ids)
        return made, text

    def whole(self, name='a', **more):
        shutil.rmtree(self.scratch / name, ignore_errors=True)
        return folders.write(self.scratch / name, folders.run(**more), folders.tests(),
                             folders.costs(), [folders.mutant()])

    def nasty(self):
        """A folder in which every text is hostile; its name is, too."""
        tests = [{**record(NASTY, verdict, NASTY), 'why': NASTY, 'schedule': NASTY,
                  'returns': 2, 'leaks': 1} for verdict in
                 ('FAIL', 'XFAIL', 'SKIP', 'INCONCLUSIVE', 'PASS')]
        figures = [folders.cost(metric, n, 1.5, NASTY, unit=NASTY)
                   for metric in ('ticks', NASTY) for n in (0, 1)]
        mutants = [folders.mutant(NASTY, machine=NASTY, also=[NASTY, {}], what=NASTY,
                                  why=NASTY, kills={NASTY: {'tries': 1, 'said': NASTY},
                                                    'panic': {'tries': 1}})]
        about = {key: NASTY for key in folders.run()}
        about |= {'format': 1, 'status': 0, 'facts': {key: NASTY for key in folders.FACTS},
                  'host': NASTY, 'machines': {NASTY: {'emulator': NASTY, 'facts': {}}},
                  'figures': [folders.cost(NASTY, 1, 1), 7], 'cpus': [NASTY],
                  'model': {NASTY: NASTY}}
        name = NASTY.replace('/', '').replace('\0', '')
        return folders.write(self.scratch / name, about, tests, figures, mutants)

    def big(self):
        """A folder with long names and many protocols."""
        tests = [record(f'proto/a_scenario_of_a_long_name_{i}', 'PASS', f'protocol-{n}',
                        why='') for i in range(6) for n in range(14)]
        tests += [{**record(f'vmx/{"unbroken" * 20}', 'FAIL'), 'why': 'w' * 300,
                   'schedule': '1.R2.3+500,' * 40}]
        about = folders.run(cmdline='run=' + 'x' * 500, sentence='y' * 300,
                            machine='m' * 90)
        figures = [folders.cost('ticks', n, 1e9 + n, f'protocol-{p}')
                   for n in (1, 2) for p in range(14)]
        return folders.write(self.scratch / 'big', about, tests, figures,
                             [folders.mutant('H' * 60, what='z' * 200)])


class Content(Reports):
    def test_everything_is_there(self):
        made, text = self.make(self.whole())
        for anchor in ('results', 'verdicts', 'leaks', 'zoo', 'costs', 'machines', 'errata',
                       'result-a'):
            self.assertIn(anchor, made.ids)
        for said in ('A CPU of 2026', '0x2000068', 'exit=bochs seed=1', folders.COMMIT,
                     '0.00 to 1.26 %', 'the initiator does not wait', '5 stale accesses'):
            self.assertIn(said, text)
        self.assertGreater(made.names['svg'], 8)
        self.assertNotIn('damage', made.ids)

    def test_it_needs_nothing_else(self):
        made, text = self.make(self.whole())
        self.assertFalse({'script', 'img', 'link', 'iframe', 'object'} & set(made.names))
        self.assertEqual([h for h in made.hrefs if not h.startswith(('#', './'))], [])
        self.assertFalse(re.search(r'url\(|@import|https?:', text))
        self.assertIn('content="default-src &#x27;none&#x27;; style-src ', text)

    def test_failures_come_first_and_how_to_have_them_again(self):
        tests = [record('t/a', 'FAIL', 'p', schedule='1.S1.1+5')]
        path = folders.write(self.scratch / 'a', folders.run(status=1), tests)
        made, text = self.make(path)
        self.assertLess(text.index('id="failures"'), text.index('id="results"'))
        self.assertIn('seed=1 replay=1.S1.1+5', text)

    def test_results_that_differ_stand_side_by_side(self):
        a = folders.write(self.scratch / 'a', folders.run(), [record('t/a', 'PASS', 'p')])
        b = folders.write(self.scratch / 'b', folders.run(seed=2, status=1),
                          [record('t/a', 'FAIL', 'p')])
        _, text = self.make(a, b)
        self.assertRegex(text, r'FAIL</span> <span class="v pass">PASS</span></td>')
        c = folders.write(self.scratch / 'c', folders.run(), [record('t/a', 'PASS', 'p')])
        _, text = self.make(a, c)
        self.assertIn('PASS ×2</span></td>', text)

    def test_machines_have_a_matrix_each(self):
        other = self.whole('b', machine='tcg', facts={'cpu': 'another'})
        named = self.whole('c', host='the lab\'s box')
        _, text = self.make(self.whole(), other, named)
        self.assertEqual(text.count('class="matrix"'), 3)
        self.assertIn('the lab&#x27;s box, A CPU of 2026', text)

    def test_timeline(self):
        path = self.whole()
        (path / 'trace.json').write_text('{}')
        made, _ = self.make(path)
        self.assertIn('./a/trace.json', made.hrefs)

    def test_runs_that_did_not_end_count_for_nothing(self):
        for code in (3, 4, 130, None, True, 'x'):
            path = folders.write(self.scratch / f's{code}', folders.run(
                status=code, sentence='NOT BELIEVED: twice'), folders.tests())
            made, text = self.make(path)
            # The matrix, what has no protocol, the reasons, the leak rates.
            self.assertEqual(len(made.struck), 4 + 1 + 2 + 1, code)
            self.assertIn('broken', made.ids)
            self.assertIn('NOT BELIEVED: twice', text)
            self.assertRegex(text, '<b>5</b><span>struck out')
            self.assertNotRegex(text, '<span>PASS</span>')

    def test_missing_and_damaged_folders(self):
        bad = folders.write(self.scratch / 'bad', folders.run(), folders.tests())
        (bad / 'run.json').write_text('{')
        made, text = self.make(self.whole(), bad, self.scratch / 'nix', status=2)
        self.assertEqual(text.count('class="matrix"'), 2)
        self.assertIn('nix cannot be read', text)
        self.assertIn('damage', made.ids)

    def test_nothing_at_all(self):
        made, text = self.make(self.scratch / 'nix', status=2)
        self.assertIn('there is no result', text)


class Errata(Reports):
    def entry(self, name='E1', **match):
        return {'id': name, 'date': '2026-11-21', 'why': f'because of {NASTY}',
                'match': match}

    def hidden(self, *entries):
        made, text = self.make(self.whole(), entries=entries)
        count = re.search(r'<b>(\d+)</b><span>struck out', text)
        return int(count[1]), made, text

    def test_none(self):
        count, made, text = self.hidden()
        self.assertEqual((count, made.struck), (0, []))
        self.assertIn('None is known', text)

    def test_a_cell_is_struck_out_and_stays(self):
        count, made, text = self.hidden(self.entry(test='proto/remap', proto='gen-ipi'))
        self.assertEqual(count, 1)
        self.assertIn('<s title="E1: because of', text)
        self.assertIn('<span class="v xfail">XFAIL</span></s>', text)
        self.assertIn('#erratum-e1', made.hrefs)
        self.assertNotIn('<span>XFAIL</span>', text)           # no sum counts it
        self.assertEqual(text.count('1 struck out</span>'), 2)

    def test_whole_results_mutants_and_figures(self):
        rows = 5 + len(folders.costs()) + 1
        for match, count in (({'result': 'a'}, rows), ({'mutant': 'H*'}, 1),
                             ({'metric': 'ticks'}, 6), ({'machine': 'bochs'}, rows),
                             ({'commits': folders.COMMIT[:8]}, rows),
                             ({'test': 'nix'}, 0)):
            is_count, made, text = self.hidden(self.entry(**match))
            self.assertEqual(is_count, count, match)
            self.assertEqual('none of these results' in text, count == 0)
            self.assertEqual(bool(made.struck), count > 0)

    def test_two_for_one_cell_count_it_once(self):
        count, _, text = self.hidden(self.entry(test='proto/remap'),
                                     self.entry('E2', proto='gen-ipi', test='proto/*'))
        self.assertEqual(count, 2)
        self.assertIn('>E1</a><a href="#erratum-e2">E2</a>', text)

    def test_a_damaged_one_is_told(self):
        self.make(self.whole(), entries=[{'id': 'E1'}], status=2)

    def test_a_file_that_is_asked_for_must_be_there(self):
        out = self.scratch / 'r.html'
        self.assertEqual(page.main(['--out', str(out), '--errata', 'nix',
                                    str(self.whole())]), 2)
        self.assertIn('nix', out.read_text())


class Hostile(Reports):
    def test_no_text_becomes_an_element(self):
        made, text = self.make(self.nasty(), entries=[
            {'id': NASTY, 'date': '2026-11-21', 'why': NASTY, 'match': {'test': '*'}}])
        self.assertFalse({'script', 'img'} & set(made.names))
        self.assertEqual(made.handlers, [])
        self.assertIn('<script>window.hit=1</script>', ''.join(made.text))
        self.assertFalse(re.search('[\x00-\x08\u202e]', text))

    def test_long_texts_are_cut(self):
        path = folders.write(self.scratch / 'a', folders.run(sentence='x' * 10 ** 6), [])
        _, text = self.make(path)
        self.assertLess(len(text), 100000)


class Plot(unittest.TestCase):
    def test_axes_reach_the_figures(self):
        for value in (1, 3, 7, 99, 101, 608, 1e9, 0.02, 12345.6):
            self.assertTrue(value <= plot.nice(value) <= 2 * value, value)
        for value in (0, -1, float('inf'), 1e301):
            self.assertEqual(plot.nice(value), 1.0)

    def test_nothing_leaves_the_panel(self):
        drawn = str(plot.panels({'a': [(1, 5), (2, 10)], 'b': [(3, 0)]}, [], 'x'))
        for x, y in re.findall(r'[ML]([\d.]+) ([\d.]+)', drawn):
            self.assertTrue(0 <= float(x) <= plot.WIDE and 0 <= float(y) <= plot.HIGH)

    def test_the_line_of_a_panel_is_its_own(self):
        axes = plot.Axes(2, 10)
        mine = str(axes.line([(1, 5), (2, 10)], 'mine'))
        drawn = str(plot.panel('a', {'b': [(1, 1), (2, 2)], 'a': [(1, 5), (2, 10)]}, [],
                               axes, 'x'))
        self.assertIn(mine, drawn)
        self.assertEqual(drawn.count('class="other"'), 1)
        lines = {'a': [(1, 5)], 'b': [(1, 1)]}
        drawn = str(plot.panel('a', lines, [], axes, 'x', ['b']))
        self.assertEqual(drawn.count('class="other"'), 0)


# Each page in a frame of its own, as wide as a phone and as a desk; the frame's document
# is asked, folded and unfolded, and the answer stands in the document that is dumped.
HARNESS = '''<!DOCTYPE html><meta charset="utf-8"><body>FRAMES<script>
const say = {};
function look(frame) {
  const d = frame.contentDocument, root = d.documentElement;
  const answer = { width: root.clientWidth, folded: root.scrollWidth, wide: [],
    bad: d.querySelectorAll('script, img, iframe, object, link, base').length,
    hit: String(frame.contentWindow.hit) };
  d.querySelectorAll('details').forEach(x => { x.open = true; });
  answer.unfolded = root.scrollWidth;
  d.querySelectorAll('body *').forEach(x => {
    const box = x.getBoundingClientRect();
    if (box.right > root.clientWidth + 1 && !x.closest('.scroll') && box.width)
      answer.wide.push(x.tagName + '.' + x.className);
  });
  const frames = [...d.querySelectorAll('.scroll')];
  answer.scrolls = frames.filter(x => x.scrollWidth > x.clientWidth).length;
  answer.svgs = [...d.querySelectorAll('.panel')].filter(
    x => x.getBoundingClientRect().width > 50).length;
  answer.ground = getComputedStyle(d.body).backgroundColor;
  say[frame.id] = answer;
}
onload = () => {
  document.querySelectorAll('iframe').forEach(look);
  document.body.textContent = 'ANSWER' + JSON.stringify(say) + 'END';
};
</script>'''
FRAME = '<iframe id="{}" style="width:{}px;height:800px;border:0" srcdoc="{}"></iframe>'


@unittest.skipUnless(shutil.which('chromium'), 'chromium is not installed')
class Browser(Reports):
    def look(self, pages, *options):
        """{name: what the browser sees} of {name: (text, width)}."""
        path = self.scratch / 'harness.html'
        path.write_text(HARNESS.replace('FRAMES', ''.join(
            FRAME.format(name, width, html.escape(text))
            for name, (text, width) in pages.items())), encoding='utf-8')
        argv = ['timeout', '-s', 'KILL', '120', 'chromium', '--headless=new',
                '--no-sandbox', '--disable-gpu', '--window-size=1400,900',
                f'--user-data-dir={self.scratch}/profile', *options, '--dump-dom',
                f'file://{path}']
        done = subprocess.run(argv, capture_output=True, text=True, timeout=150)
        found = re.search('ANSWER(.*)END', done.stdout, re.S)
        self.assertTrue(found, (done.returncode, done.stdout[-500:], done.stderr[-500:]))
        return json.loads(html.unescape(found[1]))

    def test_it_fits_a_phone_and_runs_nothing(self):
        pages = {}
        for name, folder in (('big', self.big()), ('nasty', self.nasty())):
            _, text = self.make(folder)
            pages |= {f'{name}{width}': (text, width) for width in (390, 1280)}
        for name, seen in self.look(pages).items():
            with self.subTest(name):
                width = seen['width']
                self.assertEqual((seen['folded'], seen['unfolded']), (width, width))
                self.assertEqual((seen['wide'], seen['bad']), ([], 0))
                self.assertEqual(seen['hit'], 'undefined')
                self.assertGreater(seen['svgs'], 0)
                if name == 'big390':
                    self.assertGreater(seen['scrolls'], 0)

    def test_light_and_dark(self):
        _, text = self.make(self.whole())
        grounds = [self.look({'a': (text, 600)}, f'--blink-settings=preferredColorScheme={n}'
                             )['a']['ground'] for n in (0, 1)]
        self.assertEqual(grounds, ['rgb(20, 23, 27)', 'rgb(255, 255, 255)'])
