# SPDX-License-Identifier: BSD-2-Clause
"""page_costs - what protocols cost: panels of the figures that matter, tables of all"""
import costs_table
from book import machine, origin, struck_out
from markup import join, number, table, tag
from plot import panels

DRAWN = ('ticks', 'gap', 'publish', 'icr_writes')


def _text(metric):
    return costs_table.METRICS.get(metric, (metric,))[0]


def _alone(rows, metric):
    """{protocol: {responders: row}} of one page and one initiator."""
    found = {}
    for row in rows.all:
        if (row['metric'], row['batch'], row['initiators']) == (metric, 1, 1):
            found.setdefault(row['protocol'], {})[row['responders']] = row
    return found


def picture(book, rows, metric):
    by = _alone(rows, metric)
    if not by:
        return None
    lines = {name: [(n, row['value']) for n, row in sorted(cases.items())]
             for name, cases in by.items()}
    floors = {n: row['floor'] for cases in by.values() for n, row in cases.items()
              if row.get('floor') is not None}
    struck = {name: found for name, cases in by.items()
              for found in [next(filter(None, map(book.struck, cases.values())), None)]
              if found}
    unit = next(iter(next(iter(by.values())).values()))['unit']
    what = f'{_text(metric)}, in {unit}, by responders'
    return join([tag('h3', f'{metric}: {_text(metric)} [{unit}]'),
                 panels(lines, sorted(floors.items()), what, struck),
                 tag('p', 'Struck out: ', join([struck_out(name, found) for name, found
                                                in struck.items()], ', '))
                 if struck else None])


def _cell(book, row):
    if row is None:
        return ''
    text = costs_table.number(row['value']) + ('!' if row.get('kept') is False else '')
    return tag('td', book.shown(row, text),
               class_='n miss' if row.get('kept') is False else 'n')


def _bound(by, key, cases):
    """The row of floors or bars, or nothing."""
    first = {n: next((found[n].get(key) for found in by.values() if n in found), None)
             for n in cases}
    if all(value is None for value in first.values()):
        return []
    return [[f'({key})', *(number(costs_table.number(first[n])) for n in cases)]]


def figures(book, rows, metric):
    by = _alone(rows, metric)
    if not by:
        return None
    cases = sorted({n for found in by.values() for n in found})
    body = [[name, *(_cell(book, found.get(n)) for n in cases)]
            for name, found in by.items()]
    body += _bound(by, 'floor', cases) + _bound(by, 'bar', cases)
    unit = next(iter(next(iter(by.values())).values()))['unit']
    head = ['responders', *(number(n, 'th') for n in cases)]
    return join([tag('h3', f'{metric}: {_text(metric)} [{unit}]'),
                 table(head, body, f'{metric} by protocol and responders')])


def _missed(book, rows):
    """Our own protocols that miss a bar: a sentence, or None."""
    bad = [row for row in costs_table.missed(rows) if not book.struck(row)]
    if not bad:
        return None
    names = ', '.join(dict.fromkeys(f'{row["protocol"]}: {row["metric"]}' for row in bad))
    return tag('div', f'{len(bad)} figures miss their bar: {names}.', class_='note')


def one(book, result):
    """All about one bench."""
    rows = costs_table.Rows(result.costs)
    metrics = [*costs_table.METRICS, *dict.fromkeys(
        row['metric'] for row in rows.all if row['metric'] not in costs_table.METRICS)]
    tables = [figures(book, rows, metric) for metric in metrics]
    return join([tag('h3', machine(result), ' (', origin(result), ')'),
                 _missed(book, rows), *(picture(book, rows, metric) for metric in DRAWN),
                 tag('details', tag('summary', 'All figures of one page and one initiator; '
                                    '! misses its bar'), *tables)])


def section(book):
    parts = [one(book, result) for result in book.results
             if any(row['name'] == 'bench/costs' for row in result.costs)]
    if not parts:
        return None
    return tag('section', tag('h2', 'Costs', id='costs'),
               tag('p', 'One page is unmapped; across: how many CPUs run the guest.  In '
                   'front the protocol that a panel is named after, behind it all others, '
                   'dashed the floor: what the same events cost with no protocol around '
                   'them.', class_='soft'), *parts)
