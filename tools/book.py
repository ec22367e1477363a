# SPDX-License-Identifier: BSD-2-Clause
"""book - the results of a report, what errata strike out of them, and how both look

Every row is held against the errata once, so that each erratum's count is the number of
rows that it hides, wherever and however often the page shows them.
"""
import json

import errata
import status
from markup import Markup, link, tag


def word(value):
    """A value of any type in a few words."""
    if value is None or value == '':
        return '-'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, (str, int, float)):
        return str(value)
    return json.dumps(value)[:300]


# How a run ends whose verdicts can be believed.
WHOLE = (status.PASS, status.FAIL, status.NOTHING)


def broken(result):
    """Why none of a run's verdicts counts, as an erratum of its own, or None."""
    code = result.run.get('status')
    if not result.run or code in WHOLE and type(code) is int:
        return None
    why = f'the run ended with status {word(code)}: {word(result.run.get("sentence"))}'
    return errata.Erratum('!', '', why, {})


def machine(result):
    """What made it, in a line: results of one such line belong side by side."""
    run, facts = result.run, result.facts
    cpus, several = run.get('cpus'), run.get('machines')
    zoo = isinstance(several, dict) and f'the zoo on {" and ".join(several)}'
    parts = [run.get('host') or run.get('machine') or zoo, facts.get('cpu'),
             str(run.get('backend') or '').upper(), cpus and f'{word(cpus)} CPUs',
             run.get('build') and f'{word(run["build"])} build',
             'deterministic' if run.get('deterministic') is True else '']
    return (', '.join(word(part).strip() for part in parts if part)
            or 'a machine that is not known')


class Book:
    """What a page is made of."""

    def __init__(self, results, found_errata, complaints):
        self.results, self.errata, self.complaints = results, found_errata, complaints
        self.found = {}                   # id of a row -> the errata that hide it
        self.broken = {}                  # name of a result -> why none of it counts
        for result in results:
            self._strike(result)

    def _strike(self, result):
        commit, why = result.run.get('commit'), broken(result)
        if why:
            self.broken[result.name] = why
        about = {'result': result.name, 'machine': result.names(),
                 'commit': commit if isinstance(commit, str) else None}
        for row in result.tests:
            self._row(row, why, about, test=row['name'], proto=row.get('proto', ''))
        for row in result.costs:
            self._row(row, why, about, test=row['name'], proto=row.get('protocol', ''),
                      metric=row['metric'])
        for row in result.zoo:
            mine = {**about, 'machine': [*about['machine'], row['machine']]}
            self._row(row, None, mine, mutant=row['mutant'])

    def _row(self, row, why, about, **more):
        found = errata.of_cell(self.errata, {**about, **more})
        self.found[id(row)] = found + [why] * bool(why)

    def struck(self, row):
        """The errata that hide a row."""
        return self.found.get(id(row), [])

    def hidden(self):
        """How many rows are struck out."""
        return sum(bool(found) for found in self.found.values())

    def shown(self, row, content):
        """Content of a row: struck out, with the reason and its number, if it is."""
        return struck_out(content, self.struck(row))


def struck_out(content, found):
    if not found:
        return content
    why = '; '.join(f'{entry.name}: {entry.why}' for entry in found)
    marks = [link(f'erratum-{entry.name}', entry.name) if entry.match else
             link('broken', entry.name) for entry in found]
    return Markup(tag('s', content, title=why) + tag('sup', ' ', *marks))


def origin(result):
    """A reference to where a result is told of."""
    return link(f'result-{result.name}', result.name)
