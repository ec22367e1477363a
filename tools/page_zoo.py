# SPDX-License-Identifier: BSD-2-Clause
"""page_zoo - the kill matrix: which detector told which mutant from the sound protocol"""
import re

from book import origin, word
from markup import join, table, tag
from zoo_table import COLUMNS, LEGEND, MACHINES, OTHERS


def _cell(row, column):
    """Who took how much, as zoo_table has it."""
    for who in OTHERS if column == 'other' else (column,):
        if who in row['kills']:
            name = '' if who == column else f'{who} '
            return tag('td', tag('span', f'{name}{row["kills"][who]["tries"]}',
                                 class_='v pass'))
    return '-' if column in row['tried'] else ''


def _verdict(row):
    """(text, class) of what became of a mutant."""
    if not row['good']:
        return 'BAD', 'fail'
    if row['sound']:
        return 'sound', 'skip'
    text = re.split('[:;]| by ', row['why'])[0]
    return text, 'pass' if text == 'killed' else 'skip'


def _said(row):
    """What detectors said, or why none did."""
    words = [f'{who} ({word(kill.get("where"))}): {word(kill.get("said"))}'
             for who, kill in row['kills'].items()]
    return '; '.join(words) or row['why']


def matrix(book, rows):
    body = []
    for row in rows:
        text, kind = _verdict(row)
        name = ' '.join([row['mutant'], *map(word, row['also'])])
        body.append([name, MACHINES.get(row['machine'], row['machine']) if row['tried']
                     else '', *(_cell(row, column) for column in COLUMNS),
                     tag('td', book.shown(row, tag('span', text, class_=f'v {kind}'))),
                     tag('td', row['what'], class_='long')])
    head = ['mutant', 'machine', *COLUMNS, 'verdict', 'what is wrong']
    return table(head, body, 'mutants and detectors')


def sentences(book, rows):
    lines = [[row['mutant'], tag('td', book.shown(row, _said(row)), class_='long')]
             for row in rows]
    return tag('details', tag('summary', 'What the detectors said'),
               table(['mutant', 'said'], lines, 'what the detectors said'))


def counts(book, results):
    """(killed, mutants that could be, bad), without what is struck out."""
    rows = [row for result in results for row in result.zoo
            if not book.struck(row) and not row['sound'] and row['tried']]
    return (sum(bool(row['kills']) for row in rows), len(rows),
            sum(not row['good'] for row in rows))


def section(book):
    zoos = [result for result in book.results if result.zoo]
    if not zoos:
        return None
    parts = []
    for result in zoos:
        killed, all_, bad = counts(book, [result])
        parts += [tag('h3', origin(result), f': {killed} of {all_} mutants killed, '
                      f'{bad} rows wrong'),
                  matrix(book, result.zoo), sentences(book, result.zoo)]
    return tag('section', tag('h2', 'The kill matrix', id='zoo'),
               tag('p', 'Each mutant is a sound protocol with one step wrong, before each '
                   f'detector.  {" ".join(LEGEND.split())}', class_='soft'), join(parts))
