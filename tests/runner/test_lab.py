# SPDX-License-Identifier: BSD-2-Clause
"""`shootdown lab` without labgrid: which targets, what is put together, which status."""
import contextlib
import io
import json
import signal
import threading
import time
from types import SimpleNamespace as Namespace

import lab
import status
from fakes import Case
from status import Trouble

VISITOR = '''
import json, pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index('--results') + 1]) / sys.argv[2]
folder.mkdir(parents=True, exist_ok=True)
name = folder.name
if name == 'slow':
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(130)
if name == 'broken':
    raise SystemExit('shootdown: labgrid: no such console')
verdicts = {'good': ['PASS', 'XFAIL', 'SKIP'], 'bad': ['FAIL'], 'dead': ['CRASH']}[name]
with open(folder / 'results.jsonl', 'w') as file:
    for verdict in verdicts:
        file.write(json.dumps({'name': 'a/b', 'verdict': verdict}) + '\\n')
code = {'good': 0, 'bad': 1, 'dead': 4}[name]
print(f'{verdicts[0]}: what came.  Status {code}: whatever.')
sys.exit(code)
'''


class Lab(Case):
    def setUp(self):
        super().setUp()
        visitor = self.scratch / 'visitor.py'
        visitor.write_text(VISITOR.replace('sys.argv[2]',
                                           "sys.argv[sys.argv.index('--child') + 1]"))
        before, lab.__file__ = lab.__file__, str(visitor)
        self.addCleanup(setattr, lab, '__file__', before)

    def visit(self, *names, jobs=0, then=None):
        args = lab.parse(['env.yaml', '--results', str(self.scratch), '--jobs', str(jobs)])
        self.lab, out = lab.Lab(names, args), io.StringIO()
        if then:
            threading.Thread(target=then, args=(self.lab,), daemon=True).start()
        with contextlib.redirect_stdout(out):
            self.lab.run()
        lab.merge(self.lab, self.scratch / 'results.jsonl')
        return lab.verdict(self.lab), out.getvalue()

    def test_merged(self):
        code, out = self.visit('good', 'bad')
        self.assertEqual(code, status.FAIL)
        rows = [json.loads(row) for row in open(self.scratch / 'results.jsonl')]
        self.assertEqual([(row['host'], row['verdict']) for row in rows],
                         [('good', 'PASS'), ('good', 'XFAIL'), ('good', 'SKIP'),
                          ('bad', 'FAIL')])
        self.assertIn('[bad] FAIL: what came.', out)
        self.assertEqual([line.split()[:7] for line in lab.table(self.lab)[1:]],
                         [['good', '1', '1', '0', '0', '1', '0'],
                          ['bad', '0', '0', '1', '0', '0', '1']])

    def test_the_worst_is_the_status(self):
        for names, code in ((['good'], 0), (['good', 'bad', 'dead'], 4)):
            self.assertEqual(self.visit(*names, jobs=1)[0], code)
        for codes, worst in (([0, 5], 5), ([1, 2], 2), ([2, 4], 4), ([3, 4], 3)):
            visits = {str(i): Namespace(status=lambda c=c: c) for i, c in enumerate(codes)}
            self.assertEqual(lab.verdict(Namespace(visits=visits, names=list(visits),
                                                   stopped=False)), worst)

    def test_one_that_cannot_be_reached(self):
        """Its status counts, its sentence is shown, and the other has its results."""
        code, out = self.visit('broken', 'good')
        self.assertNotEqual(code, 0)
        self.assertIn('[broken] shootdown: labgrid: no such console', out)
        self.assertEqual(len(open(self.scratch / 'results.jsonl').readlines()), 3)

    def test_ctrl_c_reaches_every_visit(self):
        def interrupt(running):
            while 'slow' not in running.visits:
                time.sleep(0.01)
            time.sleep(0.5)              # until it sleeps
            signal.raise_signal(signal.SIGINT)
        begin = time.monotonic()
        code, _ = self.visit('slow', 'good', jobs=1, then=interrupt)
        self.assertEqual(code, status.INTERRUPTED)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertIn('not visited', lab.table(self.lab)[2])

    def test_targets(self):
        config = {'a1': {'drivers': {'ShootdownDriver': {}}}, 'b': {'drivers': {}},
                  'a2': {'drivers': [{'cls': 'ShootdownDriver'}]}}
        env = Namespace(config=Namespace(get_targets=lambda: config))
        self.assertEqual(lab.targets(env, []), ['a1', 'a2'])
        self.assertEqual(lab.targets(env, ['*2']), ['a2'])
        with self.assertRaisesRegex(Trouble, 'matches none of: a1, a2'):
            lab.targets(env, ['b'])

    def test_words(self):
        for argv, said in (([], 'environment'), (['e', '--nix'], 'no option'),
                           (['e', 'run=a', 'run=b'], 'given twice')):
            with self.assertRaisesRegex(Trouble, said):
                lab.parse(argv)
