# SPDX-License-Identifier: BSD-2-Clause
"""costs_table - the figures of bench/costs as tables, with the floor and the bar

A case is (responders, batch, initiators).  The floor is what the same events cost with
no protocol around them, measured in the same run, or what any protocol needs; the bar
is what a protocol should keep to.  Bars are in instructions, so they say nothing where
the TSC counts cycles.  A missed bar is a failure only for the protocols that this
project stands for; the others are here to be compared with.
"""
import json

import facts

OURS = ('gen-slot',)
BATCHES = (1, 8, 64, 512, 4096)
INITIATORS = 4
EVENTS, INSTRUCTIONS = 'events', 'instructions'


def _shared(case, _):
    """Initiators that publish together share an exit."""
    return case[0] / case[2]


def _least_ticks(case, rows):
    """An edit, and a bare kick and its acknowledgement by each responder."""
    edit = [row['value'] for row in rows.of('edit', case)]
    kick = [row['value'] for row in rows.of('kick_ticks', (case[0], 1, 1))]
    return min(edit) + min(kick, default=0) if edit else None


def _least_gap(case, rows):
    return min((row['value'] for row in rows.of('kick_gap', (case[0], 1, 1))),
               default=None)


def _one_page(limit):
    return lambda case: limit if case[0] and case[1:] == (1, 1) else None


# metric -> (what it is, floor(case, rows), bar(case)); the order is that of the tables.
METRICS = {
    'ticks': ('from the edit to the return', _least_ticks, _one_page(600)),
    'total': ('from the edit to the end of retire', None, None),
    'gap': ('the largest gap in a running vCPU', _least_gap, _one_page(200)),
    'edit': ('initiator: announce and edit', None, None),
    'publish': ('initiator: publish', None,
                lambda case: 40 + 6 * (case[0] - 1) if case[0] else None),
    'poll': ('initiator: one poll when it is done', None, None),
    'retire': ('initiator: settle and retire', None, None),
    'polls': ('how often it is asked for the end', lambda *_: 1, None),
    'together': ('from publish to return, initiators begin together', None, None),
    'kicks': ('kicks requested', _shared, lambda case: case[0]),
    'icr_writes': ('ICR writes', lambda case, _: min(case[0], 1) / case[2],
                   lambda case: case[0]),
    'ipis': ('IPIs that responders take', _shared, lambda case: case[0]),
    'exits': ('VM exits', _shared, lambda case: case[0]),
    'flushes': ('flushes by responders', _shared, lambda case: case[0]),
    'idle_ipis': ('IPIs that CPUs outside of the guest take', lambda *_: 0,
                  lambda case: 0),
    'idle_flushes': ('flushes by CPUs outside of the guest', lambda *_: 0,
                     lambda case: 0),
}
SEVERAL = ('together', 'exits', 'kicks', 'icr_writes', 'ipis', 'flushes', 'idle_ipis',
           'idle_flushes')
ALONE = tuple(metric for metric in METRICS if metric != 'together')


class Rows:
    """The figures, by metric and case."""

    def __init__(self, benches):
        self.all = [row for row in benches if row.get('name') == 'bench/costs']
        self.index = {}
        for row in self.all:
            case = row['responders'], row['batch'], row['initiators']
            self.index.setdefault((row['metric'], case), []).append(row)
        self.protocols = list(dict.fromkeys(row['protocol'] for row in self.all))

    def of(self, metric, case):
        return self.index.get((metric, case), [])

    def one(self, protocol, metric, case):
        return next((row for row in self.of(metric, case)
                     if row['protocol'] == protocol), None)


def cases(cpus):
    """Every case that a run with that many CPUs has."""
    aps = cpus - 1
    return ([(n, batch, 1) for n in range(aps + 1) for batch in BATCHES]
            + [(aps - more, 1, more + 1) for more in range(1, INITIATORS)
               if aps - more > 0])


def expected(cpus):
    """(metric, case) of every figure that each protocol must have."""
    for case in cases(cpus):
        for metric in ALONE if case[2] == 1 else SEVERAL:
            if metric != 'gap' or case[0]:
                yield metric, case


def missing(rows, protocols, cpus):
    """Sentences, one for each protocol that lacks a figure or has one twice."""
    for protocol in protocols:
        have = [len([r for r in rows.of(*what) if r['protocol'] == protocol])
                for what in expected(cpus)]
        if set(have) != {1}:
            yield (f'{protocol}: {have.count(0)} of {len(have)} figures are missing, '
                   f'{sum(n > 1 for n in have)} are there twice')


def weigh(rows):
    """Give each row its floor, its bar, and whether it keeps to it."""
    for row in rows.all:
        _, floor, bar = METRICS.get(row['metric'], (None, None, None))
        case = row['responders'], row['batch'], row['initiators']
        row['floor'] = floor(case, rows) if floor else None
        counted = row['unit'] in (EVENTS, INSTRUCTIONS)
        row['bar'] = bar(case) if bar and counted else None
        row['kept'] = None if row['bar'] is None else row['value'] <= row['bar']


def save(rows, boot, folder):
    """Write bench.json of rows that have been weighed (docs/results/FORMAT.md)."""
    about = {key: boot.get(key) for key in ('machine', 'build', 'cpus', 'seed')}
    (folder / 'bench.json').write_text(json.dumps(
        {'format': facts.FORMAT, **about, 'rows': rows.all}, indent=1))


def missed(rows):
    """The rows of our own protocols that miss their bar."""
    return [row for row in rows.all
            if row['protocol'] in OURS and row['kept'] is False]


def number(value):
    """As short as it can be without a lie: whole numbers, or two decimals."""
    if value is None:
        return '-'
    return str(int(value)) if value == int(value) else f'{value:.2f}'


def _cell(row):
    if row is None:
        return '-'
    return number(row['value']) + ('!' if row['kept'] is False else '')


def aligned(head, body):
    wide = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    return ['  ' + '  '.join(cell.rjust(w) if i else cell.ljust(w)
                             for i, (cell, w) in enumerate(zip(row, wide))).rstrip()
            for row in [head, *body]]


def table(rows, metric, what, columns):
    """One metric as lines; columns are (heading, case)."""
    have = [(head, case) for head, case in columns if rows.of(metric, case)]
    if not have:
        return []
    first = [rows.of(metric, case)[0] for _, case in have]
    body = [[protocol] + [_cell(rows.one(protocol, metric, case)) for _, case in have]
            for protocol in rows.protocols]
    for name in ('floor', 'bar'):
        if any(row[name] is not None for row in first):
            body.append([f'({name})'] + [number(row[name]) for row in first])
    text, _, _ = METRICS[metric]
    return ([f'{metric}: {text} [{first[0]["unit"]}], by {what}']
            + aligned([''] + [head for head, _ in have], body) + [''])


def tables(rows, cpus):
    """All tables: by responders, by batch, by initiators."""
    aps = cpus - 1
    responders = [(str(n), (n, 1, 1)) for n in range(aps + 1)]
    batches = [(str(batch), (aps, batch, 1)) for batch in BATCHES]
    crews = [(f'{case[2]} to {case[0]}', case) for case in cases(cpus) if case[2] > 1]
    lines = []
    for metric in ALONE:
        lines += table(rows, metric, 'responders', responders)
    for metric in ('ticks', 'edit', 'publish', 'retire', 'icr_writes', 'exits',
                   'flushes'):
        lines += table(rows, metric, f'pages in a batch, {aps} responders', batches)
    for metric in SEVERAL:
        lines += table(rows, metric, 'initiators to responders', crews)
    return lines
