# SPDX-License-Identifier: BSD-2-Clause
"""errata - which kept results were found to be wrong later, and why

A result is never taken out of docs/results/: an erratum says what of it is not to be
believed.  What it hides stays in sight, struck out, with the reason, and is counted; in
doubt (a commit that git does not know here) more is struck out rather than less.
"""
import datetime
import json
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase

import kernel

FILE = kernel.ROOT / 'docs' / 'results' / 'errata.jsonl'
# What an erratum may go by; each is a glob, but for `commits`.
KEYS = ('result', 'commits', 'machine', 'test', 'proto', 'mutant', 'metric')
RANGE = re.compile(r'([0-9a-f]{7,40})\.\.([0-9a-f]{7,40})')
PREFIX = re.compile(r'[0-9a-f]{7,40}')


@dataclass
class Erratum:
    name: str
    date: str
    why: str
    match: dict
    commits: set = None       # of a range; None: it has no range, or git cannot tell
    hits: int = 0             # cells that it has struck out

    def _commit(self, commit):
        """May a result of this commit be meant?  None as a commit: nobody knows."""
        if commit is None:
            return True
        if PREFIX.fullmatch(self.match['commits']):
            return commit.startswith(self.match['commits'])
        return self.commits is None or commit in self.commits

    def hides(self, cell):
        """Is it about this cell?  `machine` is a list of names; the others are words."""
        for key, glob in self.match.items():
            if key == 'commits':
                if not self._commit(cell.get('commit')):
                    return False
            elif key not in cell:
                return False
            else:
                words = cell[key] if key == 'machine' else [cell[key]]
                if not any(fnmatchcase(word, glob) for word in words):
                    return False
        return True


def _problem(entry):
    """What is wrong with an entry, or None."""
    if not isinstance(entry, dict) or set(entry) != {'id', 'date', 'why', 'match'}:
        return 'is not {"id", "date", "why", "match"}'
    for key in ('id', 'date', 'why'):
        if not isinstance(entry[key], str) or not entry[key].strip():
            return f'has no {key}'
    try:
        datetime.date.fromisoformat(entry['date'])
    except ValueError:
        return f'is of no date: {entry["date"]!r}'
    match = entry['match']
    if not isinstance(match, dict) or not match:
        return 'matches nothing or everything'
    for key, glob in match.items():
        if key not in KEYS:
            return f'goes by {key!r}, and may go by: {", ".join(KEYS)}'
        if not isinstance(glob, str):
            return f'has a {key} that is no text'
    commits = match.get('commits')
    if commits is not None and not (RANGE.fullmatch(commits) or PREFIX.fullmatch(commits)):
        return f'has commits that are neither HASH nor HASH..HASH: {commits!r}'
    return None


def _between(words, root):
    """The commits of a range as git has it: not A, all up to B; None if it cannot tell."""
    try:
        done = subprocess.run(['git', '-C', str(root), 'rev-list', words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        return None
    return set(done.stdout.split()) if done.returncode == 0 else None


def _entry(line, where, complain, root):
    """An Erratum, or None after a sentence."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        complain(f'{where} is no JSON: {error}')
        return None
    if problem := _problem(entry):
        complain(f'{where} {problem}')
        return None
    found = Erratum(entry['id'], entry['date'], entry['why'], entry['match'])
    if RANGE.fullmatch(entry['match'].get('commits', '')):
        found.commits = _between(entry['match']['commits'], root)
        if found.commits is None:
            complain(f'{where}: git does not know {entry["match"]["commits"]} here, so '
                     'results of any commit are struck out')
    return found


def read(path, complain, root=kernel.ROOT):
    """The errata of a file: one JSON object a line, '#' begins a comment."""
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, ValueError) as error:
        complain(f'the errata {path} cannot be read: {error}')
        return []
    found = [_entry(line, f'{path}, line {number}', complain, root)
             for number, line in enumerate(lines, 1)
             if line.strip() and not line.startswith('#')]
    found = [entry for entry in found if entry]
    names = [entry.name for entry in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        complain(f'{path}: two errata are called {name}')
    return found


def of_cell(errata, cell):
    """The errata that hide a cell, each of which counts it."""
    found = [entry for entry in errata if entry.hides(cell)]
    for entry in found:
        entry.hits += 1
    return found
