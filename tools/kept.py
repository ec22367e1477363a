# SPDX-License-Identifier: BSD-2-Clause
"""kept - reads results that a run, a bench or a zoo has left, and believes little

docs/results/FORMAT.md says what a folder holds.  What is damaged becomes a sentence, and
what is whole beside it is read all the same: a row that cannot be right is left out, and
the sentence says which.
"""
import json
from dataclasses import dataclass, field
from pathlib import Path

import facts
from judge import bench_problem, test_problem

FILES = ('run.json', 'results.jsonl', 'bench.json', 'zoo.jsonl')
TRACE = 'trace.json'
CASE = ('responders', 'batch', 'initiators')
LARGEST = 64 << 20           # bytes of a file that any run would leave
SHOWN = 3                    # of a file's damaged rows that are named


@dataclass
class Result:
    """One folder or file; whatever it lacks is empty."""
    name: str
    path: Path
    run: dict = field(default_factory=dict)
    tests: list = field(default_factory=list)
    costs: list = field(default_factory=list)
    zoo: list = field(default_factory=list)
    trace: Path = None

    @property
    def facts(self):
        found = self.run.get('facts')
        return found if isinstance(found, dict) else {}

    def names(self):
        """What the machine may be called in an erratum."""
        words = [self.run.get('host'), self.run.get('machine'), self.facts.get('cpu')]
        return [word for word in words if isinstance(word, str) and word]


class Damage(Exception):
    """A sentence on a file."""


def _unique(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError('a key stands there twice')
    return dict(pairs)


def _no_constant(word):
    raise ValueError(f'{word} is no number')


def _parse(text):
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Damage(f'is no JSON: {error or "too deep"}') from None


def _text(path):
    try:
        if path.stat().st_size > LARGEST:
            raise Damage('is larger than any result')
        return path.read_text(encoding='utf-8')
    except (OSError, ValueError) as error:
        raise Damage(f'cannot be read: {error}') from None


def _whole(path):
    """The object that a .json file is."""
    record = _parse(_text(path))
    if not isinstance(record, dict):
        raise Damage('is no JSON object')
    if type(record.get('format')) is not int or record['format'] != facts.FORMAT:
        raise Damage(f'is of format {str(record.get("format"))[:20]}, '
                     f'and this reads {facts.FORMAT}')
    return record


def _test(row):
    """A test's record, as the kernel wrote it; Damage if it cannot be one."""
    row = {key: value for key, value in row.items() if value is not None}
    if problem := test_problem(row):
        raise Damage(problem)
    return row


def _cost(row):
    problem = bench_problem(row)
    if not problem and row.get('name') == 'bench/costs' and not (
            row.get('protocol') and all(type(row.get(key)) is int for key in CASE)):
        problem = 'a figure of bench/costs without its case'
    if problem:
        raise Damage(problem)
    for key in ('floor', 'bar'):
        if type(row.get(key)) not in (int, float, type(None)):
            raise Damage(f'{row["metric"]}: its {key} is no figure')
    return row


def _mutant(row):
    kinds = {'mutant': str, 'machine': str, 'why': str, 'what': str, 'good': bool,
             'sound': bool, 'kills': dict, 'tried': dict, 'also': (list, tuple)}
    for key, kind in kinds.items():
        if not isinstance(row.get(key), kind):
            raise Damage(f'a mutant whose {key} is {str(row.get(key))[:40]!r}')
    for who, kill in row['kills'].items():
        if not isinstance(kill, dict) or type(kill.get('tries')) is not int:
            raise Damage(f'{row["mutant"]}: how {who[:20]} killed it is not there')
    return row


def _rows(rows, check, where, complain):
    """The rows that can be right."""
    good, bad = [], []
    for number, row in rows:
        try:
            row = _parse(row) if isinstance(row, str) else row
            if not isinstance(row, dict):
                raise Damage('is no JSON object')
            good.append(check(row))
        except Damage as damage:
            bad.append(f'{where}, row {number}: {damage}')
    for sentence in bad[:SHOWN]:
        complain(sentence)
    if len(bad) > SHOWN:
        complain(f'{where}: {len(bad) - SHOWN} more rows are damaged')
    return good


def _lines(path):
    return [(number, line) for number, line in enumerate(_text(path).splitlines(), 1)
            if line.strip()]


def _list(record, where):
    rows = record.get('rows')
    if not isinstance(rows, list):
        raise Damage(f'{where} has no rows')
    return list(enumerate(rows, 1))


def _folder(path, complain):
    """A Result from the files that are there."""
    result = Result(path.resolve().name, path)

    def attempt(name, take):
        if not (path / name).exists():
            return
        try:
            take(path / name)
        except Damage as damage:
            complain(f'{path / name} {damage}')

    attempt('run.json', lambda p: result.run.update(_whole(p)))
    attempt('results.jsonl', lambda p: result.tests.extend(
        _rows(_lines(p), _test, p, complain)))
    attempt('bench.json', lambda p: result.costs.extend(
        _rows(_list(_whole(p), 'it'), _cost, p, complain)))
    attempt('zoo.jsonl', lambda p: result.zoo.extend(
        _rows(_lines(p), _mutant, p, complain)))
    if not (path / 'run.json').exists():
        complain(f'{path} has no run.json: what made it is not known')
    if (path / TRACE).is_file():
        result.trace = path / TRACE
    return result


def _file(path, complain):
    """A zoo that was saved: run.json and its rows in one file."""
    try:
        record = _whole(path)
        rows = _list(record, 'it')
    except Damage as damage:
        complain(f'{path} {damage}')
        return None
    record.pop('rows')
    return Result(path.stem, path, record, zoo=_rows(rows, _mutant, path, complain))


def is_result(path):
    return path.is_dir() and any((path / name).exists() for name in FILES)


def _of(path, complain):
    """The results at `path`: one, or those in a folder of results."""
    if path.is_file():
        return [_file(path, complain)]
    if is_result(path):
        return [_folder(path, complain)]
    try:
        inside = sorted(path.iterdir())
    except OSError as error:
        complain(f'{path} cannot be read: {error.strerror}')
        return []
    found = [_folder(p, complain) if p.is_dir() else _file(p, complain)
             for p in inside if is_result(p) or p.suffix == '.json']
    if not found:
        complain(f'{path} holds no result')
    return found


def read(paths, complain):
    """All results at these paths, each once, by names that differ."""
    results, seen, names = [], set(), set()
    for path in map(Path, paths):
        for result in filter(None, _of(path, complain)):
            if result.path.resolve() in seen:
                continue
            seen.add(result.path.resolve())
            base, count = result.name, 1
            while result.name in names:
                count += 1
                result.name = f'{base}-{count}'
            names.add(result.name)
            results.append(result)
    return results
