# SPDX-License-Identifier: BSD-2-Clause
"""page_verdicts - what tests said: matrices of tests and protocols, failures, leak rates

Nothing is merged into one word: where results of the same machine differ, the cell has
each verdict with its number.
"""
from collections import Counter

import report
from book import machine, origin, struck_out, word
from judge import VERDICTS
from markup import join, number, table, tag
from plot import rate

SHORT = {'INCONCLUSIVE': 'INCONC'}
LEGEND = (('PASS', 'nothing broke, and the test had the power to see it'),
          ('XFAIL', 'a protocol known to be wrong was caught'),
          ('FAIL', 'a stale access, a missing flush, a control that was not caught'),
          ('INCONCLUSIVE', 'no witness: a fault could not have been seen'),
          ('SKIP', 'this machine cannot run the test'))


def chip(verdict, count=1):
    text = SHORT.get(verdict, verdict) + (f' ×{count}' if count > 1 else '')
    return tag('span', text, class_=f'v {verdict.lower()}')


def legend():
    return tag('p', join([join([chip(verdict), f' {text}.  '])
                          for verdict, text in LEGEND]), class_='soft')


def groups(results):
    """{machine in a line: results that have tests}."""
    found = {}
    for result in results:
        if result.tests:
            found.setdefault(machine(result), []).append(result)
    return found


def rows_of(results):
    """(result, test) of all tests."""
    return [(result, test) for result in results for test in result.tests]


def cell(book, rows):
    """All verdicts of one test under one protocol, the worst first."""
    kinds = Counter((test['verdict'], tuple(entry.name for entry in book.struck(test)))
                    for _, test in rows)
    found = {tuple(entry.name for entry in book.struck(test)): book.struck(test)
             for _, test in rows}
    order = sorted(kinds, key=lambda kind: (kind[0] != 'FAIL', VERDICTS.index(kind[0])))
    return tag('td', join([struck_out(chip(verdict, kinds[verdict, names]), found[names])
                           for verdict, names in order], ' '))


def matrix(book, rows):
    """Tests by protocols; None where no test has one."""
    by = {}
    for result, test in rows:
        if test.get('proto'):
            by.setdefault((test['name'], test['proto']), []).append((result, test))
    names = list(dict.fromkeys(name for name, _ in by))
    protocols = list(dict.fromkeys(proto for _, proto in by))
    if not names:
        return None
    body = [[name] + [cell(book, by[name, proto]) if (name, proto) in by else ''
                      for proto in protocols] for name in names]
    return tag('div', table(['test', *protocols], body, 'verdicts by test and protocol'),
               class_='matrix')


def tally(book, tests):
    """Verdicts and how many, as chips; what is struck out is counted apart."""
    sums = Counter('' if book.struck(test) else test['verdict'] for test in tests)
    chips = [chip(verdict, sums[verdict]) for verdict in VERDICTS if sums[verdict]]
    if sums['']:
        chips.append(tag('span', f'{sums[""]} struck out', class_='v skip'))
    return join(chips, ' ')


def others(book, rows):
    """The tests that run under no protocol, by group."""
    by = {}
    for result, test in rows:
        if not test.get('proto'):
            by.setdefault(test['name'].partition('/')[0], []).append((result, test))
    for name, some in by.items():
        lines = [[test['name'], tag('td', book.shown(test, chip(test['verdict']))),
                  tag('td', test.get('why', ''), class_='long'), origin(result)]
                 for result, test in some]
        yield tag('details', tag('summary', f'{name}, without a protocol: ',
                                 tally(book, [test for _, test in some])),
                  table(['test', 'verdict', 'why', 'result'], lines, name))


def reasons(book, rows):
    """Why, for all that runs under a protocol and did not simply pass."""
    lines = [[test['name'], test['proto'],
              tag('td', book.shown(test, chip(test['verdict']))),
              tag('td', test['why'], class_='long'), origin(result)]
             for result, test in rows
             if test.get('proto') and test.get('why') and test['verdict'] != 'PASS']
    if not lines:
        return None
    head = ['test', 'protocol', 'verdict', 'why', 'result']
    return tag('details', tag('summary', f'Why, in words ({len(lines)})'),
               table(head, lines, 'reasons'))


def failures(book):
    """Each FAIL, and what makes it again."""
    lines = [[test['name'], test.get('proto') or '-', machine(result),
              tag('td', book.shown(test, test.get('why') or '-'), class_='long'),
              tag('td', tag('code', f'seed={word(test.get("seed"))}'
                            + (f' replay={word(test["schedule"])}'
                               if test.get('schedule') else '')), class_='long'),
              origin(result)]
             for result, test in rows_of(book.results) if test['verdict'] == 'FAIL']
    if not lines:
        return None
    head = ['test', 'protocol', 'machine', 'why', 'again with', 'result']
    return tag('section', tag('h2', 'What failed', id='failures'),
               table(head, lines, 'failures'))


def section(book):
    """The matrices, one for each machine."""
    parts = []
    for name, results in groups(book.results).items():
        rows = rows_of(results)
        parts += [tag('h3', name),
                  tag('p', 'From ', join([origin(result) for result in results], ', '),
                      ': ', tally(book, [test for _, test in rows]), class_='soft'),
                  matrix(book, rows), reasons(book, rows), *others(book, rows)]
    if not parts:
        return None
    return tag('section', tag('h2', 'Verdicts', id='verdicts'), legend(), *parts)


def leaks(book):
    """Counted returns that came too early, with their 95 % interval."""
    lines = []
    for result, test in rows_of(book.results):
        if not test.get('returns'):
            continue
        hits, tries = test['leaks'], test['returns']
        low, high = report.wilson(hits, tries)
        said = f'{100 * hits / tries:.2f} %'
        lines.append([
            test.get('proto') or '-', number(book.shown(test, said)),
            tag('td', rate(hits / tries, low, high, book.struck(test))),
            number(f'{100 * low:.2f} to {100 * high:.2f} %'), number(f'{hits} of {tries}'),
            test['name'], tag('td', machine(result), class_='long'), origin(result)])
    if not lines:
        return None
    head = ['protocol', number('rate', 'th'), '0 to 100 %', number('95 % interval', 'th'),
            number('returns that leak', 'th'), 'test', 'machine', 'result']
    return tag('section', tag('h2', 'Leak rates', id='leaks'),
               tag('p', 'How many invalidations returned while a guest could still use the '
                   'old translation, with no delay injected, and the 95 % interval by '
                   "Wilson's score.  How large a rate is, is a matter of the host.",
                   class_='soft'),
               table(head, lines, 'leak rates'))
