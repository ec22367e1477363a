# SPDX-License-Identifier: BSD-2-Clause
"""lab - `shootdown lab`: a selection on every machine of a lab, and one table

The lab is an environment of labgrid: it knows how to reach each target's console and
power, here or through its coordinator.  Each target is visited by a process of its own
(this program again, with --child), so one that is stuck holds up no other; what they
leave is put together here, with a "host" in each row.
"""
import argparse
import json
import signal
import subprocess
import sys
import threading
import traceback
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import flags
import kernel
import report
import serial_run
import status
import units
from status import Trouble

# The worst first: what the lab's status is made of.
WORST = (status.INTERRUPTED, status.CRASH, status.TIMEOUT, status.USAGE, status.FAIL,
         status.NOTHING, status.PASS)
USAGE = ('usage: shootdown lab ENV [--jobs N] [--target GLOB]... [--results DIR] '
         '[--elf FILE] [--verbose] [SELECTION]...')
DRIVER = 'ShootdownDriver'


def parse(argv):
    parser = flags.Parser(USAGE, 'shootdown lab')
    parser.add_argument('environment')
    parser.add_argument('--jobs', type=int, default=0)
    parser.add_argument('--target', action='append', default=[])
    parser.add_argument('--results', default=kernel.ROOT / 'build' / 'lab')
    parser.add_argument('--elf')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--child', help=argparse.SUPPRESS)
    parser.add_argument('selection', nargs='*')
    args = parser.read(argv)
    if args.jobs < 0:
        raise Trouble('--jobs takes how many machines run at a time')
    args.results = Path(args.results).absolute()
    units.read(args.selection)
    return args


def environment(path):
    """labgrid's Environment of this file, or Trouble."""
    try:
        import labgrid
    except ImportError:
        raise Trouble('labgrid is missing: apt-get install python3-labgrid') from None
    if not Path(path).is_file():
        raise Trouble(f'there is no environment {path}')
    try:
        return labgrid.Environment(path)
    except Exception as error:           # whatever a wrong file makes labgrid raise
        raise Trouble(f'{path}: {error}') from None


def targets(env, globs):
    """The names of the targets that match, in the file's order."""
    names = [name for name, target in env.config.get_targets().items()
             if DRIVER in str(target.get('drivers', ''))]
    if not names:
        raise Trouble(f'no target of the environment has a {DRIVER}')
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in names):
            raise Trouble(f'--target {glob} matches none of: {", ".join(names)}')
    return [name for name in names
            if not globs or any(fnmatchcase(name, glob) for glob in globs)]


def child(args):
    """Visit one target, in this process."""
    target = environment(args.environment).get_target(args.child)
    try:
        driver = target.get_driver(DRIVER)
    except Exception as error:
        raise Trouble(f'labgrid: {error}') from None
    with serial_run.stopping() as stop:
        try:
            return driver.run(args.selection, args.results / args.child,
                              lambda *event: report.live(event, args.verbose), stop,
                              args.elf).status
        except Trouble:
            raise
        except Exception:                # ours or labgrid's: no test's failure
            traceback.print_exc()
            return status.CRASH
        finally:
            target.cleanup()


class Visit:
    """One target's process: its lines go out with its name before them."""

    def __init__(self, name, args, out):
        self.name, self.folder, self.out = name, args.results / name, out
        self.last = 'it said nothing'
        argv = [sys.executable, '-W', 'ignore', __file__, '--child', name, '--results',
                args.results, *(['--elf', args.elf] if args.elf else []),
                *(['--verbose'] if args.verbose else []), args.environment,
                *args.selection]
        self.process = subprocess.Popen(
            list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace', start_new_session=True)

    def follow(self):
        """Until it ends."""
        for line in self.process.stdout:
            self.last = line.strip() or self.last
            self.out(f'[{self.name}] {line.rstrip()}')
        self.process.wait()

    def status(self):
        code = self.process.returncode
        return code if code in status.MEANING else status.CRASH

    def rows(self):
        path = self.folder / 'results.jsonl'
        return [json.loads(row) for row in path.read_text().splitlines()] \
            if path.is_file() else []


class Lab:
    def __init__(self, names, args):
        self.names, self.args = names, args
        self.visits, self.lock = {}, threading.Lock()
        self.stopped = False

    def say(self, text):
        with self.lock:
            report.say(text)

    def stop(self, *_):
        """A signal goes to every visit, which stops its machine's run."""
        self.stopped = True
        for visit in list(self.visits.values()):
            if visit.process.poll() is None:
                visit.process.send_signal(signal.SIGINT)

    def _worker(self, waiting):
        while not self.stopped:
            with self.lock:
                if not waiting:
                    return
                name = waiting.pop(0)
                self.visits[name] = visit = Visit(name, self.args, self.say)
            visit.follow()

    def run(self):
        """Visit them all, so many at a time."""
        waiting = list(self.names)
        workers = [threading.Thread(target=self._worker, args=(waiting,))
                   for _ in range(self.args.jobs or len(waiting))]
        before = {number: signal.signal(number, self.stop)
                  for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                while worker.is_alive():
                    worker.join(0.2)     # signals are handled in between
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def merge(lab, path):
    """results.jsonl of all, with the machine's name in each row."""
    with open(path, 'w') as file:
        for name in lab.names:
            for row in lab.visits[name].rows() if name in lab.visits else []:
                file.write(json.dumps({'host': name, **row}) + '\n')


def _row(lab, name):
    if name not in lab.visits:
        return [name, *[''] * 5, '', 'not visited']
    visit = lab.visits[name]
    sums = Counter(row['verdict'] for row in visit.rows())
    other = sum(sums.values()) - sum(sums[v] for v in ('PASS', 'XFAIL', 'FAIL', 'CRASH'))
    return [name, *map(str, (sums['PASS'], sums['XFAIL'], sums['FAIL'], sums['CRASH'],
                             other, visit.status())),
            visit.last.partition('  Status ')[0]]


def table(lab):
    rows = [['host', 'pass', 'xfail', 'fail', 'crash', 'other', 'status', 'what it came to'],
            *(_row(lab, name) for name in lab.names)]
    wide = [max(len(row[i]) for row in rows) for i in range(7)]
    return ['  '.join([row[0].ljust(wide[0]),
                       *(cell.rjust(w) for cell, w in zip(row[1:7], wide[1:])), row[7]])
            for row in rows]


def verdict(lab):
    codes = [visit.status() for visit in lab.visits.values()]
    if lab.stopped or len(codes) < len(lab.names):
        return status.INTERRUPTED
    return next(code for code in WORST if code in codes)


def main(argv):
    args = parse(argv)
    if args.child:
        return child(args)
    names = targets(environment(args.environment), args.target)
    busy = f'another run uses {args.results}; give this one --results DIR'
    with kernel.locked(args.results / '.lock', busy):
        report.say(f'{len(names)} machines: {", ".join(names)}')
        lab = Lab(names, args)
        for name in names:
            serial_run.clean(args.results / name)
        lab.run()
        merge(lab, args.results / 'results.jsonl')
    report.say()
    for line in table(lab):
        report.say(line)
    code = verdict(lab)
    report.say(f'results: {args.results}/ (results.jsonl, and a folder each)')
    report.say(f'Status {code}: {status.MEANING[code]}.')
    return code


if __name__ == '__main__':
    status.finish(main)
