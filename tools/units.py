# SPDX-License-Identifier: BSD-2-Clause
"""units - what a selection consists of, and how a part of it is asked for

A unit is one test, under one protocol if it has any.  After a test that took the
machine down, or whose result came garbled, only the units that are still open are
asked for: by name, so nothing depends on what the kernel would take by default.
What the names are is the kernel's own `list`, in the order in which it runs them.
"""
from collections import namedtuple

from catalog import glob_matches
from status import Trouble

Unit = namedtuple('Unit', 'name proto')
LIST = 255                    # bytes that a value of run= may have (CONFIG_LIST)
CHOICES = ('run', 'proto', 'mutant')


def title(unit):
    """As the kernel's result line and its heartbeat name it."""
    return '/'.join(filter(None, unit))


def read(words):
    """The selection as {key: value}; a bare word is a glob of run=."""
    selection = {}
    for word in words:
        key, equals, value = word.partition('=')
        if not equals:
            key, value = 'run', word
        if not key or not value or not all(' ' < c <= '~' for c in word):
            raise Trouble(f'{word!r} is no KEY=VALUE for the kernel, and no glob of tests')
        if key in selection:
            raise Trouble(f'{key}= is given twice; separate names by a comma')
        selection[key] = value
    return selection


def _any(globs, name):
    return any(glob_matches(glob, name) for glob in globs.split(','))


class Names:
    """What the kernel's `list` says there is, in its order."""

    def __init__(self, items):
        items = [item for item in items if isinstance(item.get('name'), str)]
        self.tests = [item for item in items if item.get('kind') == 'test']
        self.protos = [item for item in items if item.get('kind') == 'proto']
        self.mutants = [item for item in items if item.get('kind') == 'mutant']

    def check(self, selection):
        """Trouble for a glob that matches nothing."""
        for key, there in zip(CHOICES, (self.tests, self.protos, self.mutants)):
            names = sorted({item['name'] for item in there})
            for glob in selection.get(key, '').split(',') if key in selection else ():
                if not any(glob_matches(glob, name) for name in names):
                    have = '\n'.join(f'  {name}' for name in names)
                    raise Trouble(f'{key}={glob} matches nothing.  There are:\n{have}')

    def _wanted(self, test, selection):
        """As wanted() and select_tests() of tests/select.c decide."""
        run = selection.get('run')
        if run is None:
            plain = not ('proto' in selection or 'mutant' in selection)
            return not test.get('hidden') and (plain or bool(test.get('protocols')))
        if test.get('hidden'):
            return test['name'] in run.split(',')
        return _any(run, test['name'])

    def protocols(self, selection):
        """Names of the protocols and mutants that a test runs under."""
        if 'proto' in selection:
            chosen = [p for p in self.protos if _any(selection['proto'], p['name'])]
        elif 'mutant' in selection:
            chosen = []
        else:
            chosen = [p for p in self.protos if p.get('basic')]
        return [p['name'] for p in chosen] + [
            m['name'] for m in self.mutants
            if 'mutant' in selection and _any(selection['mutant'], m['name'])]

    def units(self, selection):
        """The units that `run` would run with these words, in order."""
        protos = self.protocols(selection)
        return [Unit(test['name'], proto)
                for test in self.tests if self._wanted(test, selection)
                for proto in (protos if test.get('protocols') else [''])]


def command(selection):
    return ' '.join(['run', *(f'{key}={value}' for key, value in selection.items())])


def _fit(names):
    """As many of the names as one value has room for."""
    chosen = []
    for name in names:
        if chosen and len(','.join([*chosen, name])) > LIST:
            break
        chosen.append(name)
    return chosen


def part(pending, selection, mutants=()):
    """(command, units) of as many pending units as one command can ask for.

    Tests that are open under the same protocols go together.
    """
    under = {}
    for unit in pending:
        under.setdefault(unit.name, []).append(unit.proto)
    first = under[pending[0].name]
    protos = _fit(first)
    names = _fit([name for name, open_under in under.items() if open_under == first])
    words = {'run': ','.join(names)}
    for key, there in (('proto', [p for p in protos if p not in mutants]),
                       ('mutant', [p for p in protos if p in mutants])):
        if any(there):
            words[key] = ','.join(there)
    words.update({k: v for k, v in selection.items() if k not in CHOICES})
    return command(words), [Unit(name, proto) for name in names for proto in protos]
