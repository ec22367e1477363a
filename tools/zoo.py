# SPDX-License-Identifier: BSD-2-Clause
"""zoo - `shootdown zoo`: which detector tells which mutant from the sound protocol

Each mutant of inval/zoo goes before the detectors alone, and so do the sound protocols
that they were made of.  --quick leaves out what takes an image or a native program of
its own, and all seeds but the first.

A mutant runs where `expect:` has been measured: in Bochs by VMX, or in QEMU TCG by SVM if
it is one of svm/.  With --on it runs on that machine, if that has its source; away from
home nothing is expected of it, but nobody may complain about a sound one there either.

Exit status 1: a detector did not kill what it must kill, somebody complained about a
sound protocol, or a run ended in a way that its mutant does not explain.
"""
import datetime
import itertools
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

import facts
import flags
import kernel
import mutate
import status
import zoo_run
import zoo_table
from status import Trouble

FOLDER = kernel.ROOT / 'inval' / 'zoo'
PROGRAMS = {'unit': 'asan/unit', 'record': 'record/unit', 'threads': 'tso/none/threads'}
USAGE = ('The options are: --only GLOB (a mutant; repeatable), --quick, --cpus N, '
         '--iters N, --seed S, --seeds N, --save, --on MACHINE (bochs or tcg; '
         'repeatable)')


def _parse(argv):
    parser = flags.Parser(USAGE)
    parser.add_argument('--only', action='append', default=[])
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--save', action='store_true')
    parser.add_argument('--on', action='append', default=[],
                        choices=tuple(zoo_table.MACHINES))
    for flag, default in (('--cpus', 4), ('--iters', 240), ('--seed', 1), ('--seeds', 3)):
        parser.add_argument(flag, type=int, default=default)
    args = parser.parse_args(argv)
    if args.cpus < 2 or args.iters < 1 or args.seeds < 1:
        raise Trouble('--cpus is 2 or more, --iters and --seeds are 1 or more')
    if args.quick:
        args.seeds = 1
    args.results = kernel.ROOT / 'build' / 'results' / 'zoo'
    return args


def natural(mutant):
    """H2 before H10."""
    letter, number = re.match(r'([A-Z])(\d+)', mutant.name).groups()
    return letter, int(number), mutant.name


def base(protocol, mutants):
    """The protocol as it ships, before everybody that its mutants come before."""
    mine = [m for m in mutants if m.of == protocol or m.file and protocol == 'gen-smr']

    def all_of(words):
        return tuple(dict.fromkeys(word for m in mine for word in words(m)))
    return mutate.Mutant(protocol, 'as it ships: the sound one', '', of=protocol,
                         sound=True, run=all_of(lambda m: m.run or zoo_run.SCENARIOS),
                         native=all_of(lambda m: m.native))


def select(globs, quick=False, folder=FOLDER):
    """The sound ones and the mutants that a glob matches; Trouble if one matches none."""
    paths = [*folder.glob('*.patch'), *folder.glob('*.none')]
    mutants = sorted(map(mutate.read, paths), key=natural)
    for glob in globs:
        if not any(fnmatchcase(mutant.name, glob) for mutant in mutants):
            raise Trouble(f'no mutant matches {glob}.  There are: '
                          + ' '.join(mutant.name for mutant in mutants))
    chosen = [m for m in mutants if (m.of or not quick)
              and (not globs or any(fnmatchcase(m.name, g) for g in globs))]
    protocols = dict.fromkeys(m.of or 'gen-smr' for m in chosen if not m.never)
    return [base(protocol, chosen) for protocol in protocols] + chosen


def places(mutants, on):
    """(mutant, machine) of each run: at home, or on all of `on` that have its source."""
    home = [m.machine for m in mutants if m.file and not m.sound]
    for mutant in mutants:
        at = [name for name in on if mutant.machine in ('', name)] if on else [mutant.home]
        # The sound protocol goes where the mutants of a backend go, too.
        if not on and mutant.name == mutant.of == 'gen-smr' and 'tcg' in home:
            at.append('tcg')
        for name in at[:1] if mutant.never else at:
            yield mutant, name


def programs(mutant):
    """Where the native programs are that have this mutant in them."""
    if mutant.name == mutant.of:
        return lambda program: kernel.ROOT / 'build' / 'host' / PROGRAMS[program]
    return lambda program: zoo_run.ZOO / mutant.name / program


def build(mutants, quick):
    """Everything that will run."""
    kernel.make('checked')
    targets = [kernel.ROOT / 'build' / 'explore' / 'explore']
    for mutant in [] if quick else mutants:
        if mutant.file:
            targets.append(zoo_run.ZOO / mutant.name / 'shootdown.elf')
        targets += [programs(mutant)(w.partition(':')[0]) for w in mutant.native]
    zoo_run.make(dict.fromkeys(targets))


def measure(mutant, machine, args):
    """The Row of one mutant on one machine; the rest knows none, and runs at home."""
    row = zoo_run.Row(mutant, machine)
    if mutant.never:
        return row
    zoo_run.in_kernel(row, args)
    if machine != mutant.home:
        return row
    if mutant.of and not row.faults:
        zoo_run.explore(row)
    if not args.quick and not row.faults:
        zoo_run.natively(row, args.seed, programs(mutant))
    return row


def _run_all(args, mutants):
    with ThreadPoolExecutor(2) as pool:
        for row in pool.map(lambda run: measure(*run, args), places(mutants, args.on)):
            print(f'{row.mutant.name:8} {row.machine:5} {zoo_table.judge(row)[1]}',
                  flush=True)
            yield row


def _machine_facts(folder):
    """What the first run in this folder that has come so far says of its machine."""
    for path in sorted(folder.glob('*/run.json')):
        record = json.loads(path.read_text())
        if record['facts']:
            return {key: record[key] for key in ('emulator', 'build', 'backend', 'facts')}
    return None


def about(rows, args, code):
    """The run.json of a zoo: facts.common() and what is its own."""
    machines = dict.fromkeys(row.machine for row in rows if not row.mutant.never)
    return {**facts.common('zoo'), **{key: getattr(args, key) for key in
                                      ('cpus', 'iters', 'seed', 'seeds', 'quick')},
            'status': code, 'machines': {name: _machine_facts(args.results / name)
                                         for name in machines}}


def _place(args):
    """Where the table is saved: never over one that is there."""
    where = '-'.join(args.on) or 'all'
    stem = (f'{datetime.date.today().isoformat()}-zoo-{where}-{args.cpus}'
            + '-quick' * args.quick)
    for count in itertools.count(1):
        name = stem if count == 1 else f'{stem}-{count}'
        path = kernel.ROOT / 'docs' / 'results' / f'{name}.md'
        if not path.exists() and not path.with_suffix('.json').exists():
            return path


def _leave(rows, args, code):
    records, whole = [zoo_table.record(row) for row in rows], about(rows, args, code)
    (args.results / 'zoo.jsonl').write_text(
        ''.join(json.dumps(record) + '\n' for record in records))
    facts.write(args.results, whole)
    text = zoo_table.document(rows, args)
    (args.results / 'zoo.md').write_text(text)
    if args.save:
        path = _place(args)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_suffix('.json').write_text(
            json.dumps({**whole, 'rows': records}, indent=1) + '\n')
        print(f'saved: {path.relative_to(kernel.ROOT)}, and as .json')


def main(argv):
    args, begin = _parse(argv), time.monotonic()
    mutants = select(args.only, args.quick)
    build(mutants, args.quick)
    args.results.mkdir(parents=True, exist_ok=True)
    with kernel.locked(args.results / '.lock', 'another `shootdown zoo` runs here'):
        rows = list(_run_all(args, mutants))
        bad = sum(not zoo_table.judge(row)[0] for row in rows)
        code = status.FAIL if bad else status.PASS
        _leave(rows, args, code)
    never = sum(bool(row.mutant.never) for row in rows)
    print('', *zoo_table.lines(zoo_table.matrix(rows)), '', zoo_table.LEGEND, '',
          f'results: build/results/zoo/ (zoo.md, zoo.jsonl, run.json)  '
          f'({time.monotonic() - begin:.0f} s)',
          f'{len(rows) - bad - never} passed, {bad} failed, {never} skipped', sep='\n')
    return code


if __name__ == '__main__':
    status.finish(main)
