# SPDX-License-Identifier: BSD-2-Clause
"""zoo_table - the kill matrix: what became of each mutant, in words and as a table"""
import re

COLUMNS = ('ground', 'ghost', 'other', 'explorer', 'native')
OTHERS = ('watchdog', 'flush', 'panic', 'other')     # the column `other`
MACHINES = {'bochs': 'Bochs, VMX', 'tcg': 'TCG, SVM'}
LEGEND = '''\
A number is how much the detector took: invalidations in the kernel, states in the
explorer, runs of a native program.  "-": it was asked, and did not complain; empty: it
was not asked.  Other: the watchdog, the flush counter, a panic, or an EXPECT of the test.'''


def _many(words):
    return ' and '.join(words)


def judge(row):
    """(good, sentence)."""
    mutant = row.mutant
    if mutant.never:
        return True, f'not possible here: {mutant.never}'
    if row.faults:
        return False, row.faults[0]
    if mutant.sound:
        if row.kills:
            who, kill = next(iter(row.kills.items()))
            return False, f'sound, but {who} complains: {kill.said}'
        return True, 'sound, and nobody complains'
    missing = [who for who in mutant.expect if who in row.tried and who not in row.kills]
    if _away(row):
        return True, (f'killed by {_many(row.kills)}' if row.kills else
                      f'not told apart; at home ({MACHINES[mutant.home]}) it is judged')
    if missing:
        return False, f'{_many(missing)} must see it, and did not'
    if row.kills:
        return True, f'killed by {_many(row.kills)}'
    return True, f'not told apart: {mutant.unseen}'


def word(row):
    """The verdict in a word or two."""
    good, why = judge(row)
    if not good:
        return 'BAD'
    return 'sound' if row.mutant.sound else re.split('[:;]| by ', why)[0]


def cell(row, column):
    for who in OTHERS if column == 'other' else (column,):
        if who in row.kills:
            name = '' if who == column else f'{who} '
            return f'{name}{row.kills[who].tries}'
    return '-' if column in row.tried else ''


def matrix(rows):
    """The table as rows of words, the heading first."""
    return [['mutant', 'machine', *COLUMNS, 'verdict']] + [
        [' '.join([row.mutant.name, *row.mutant.also]),
         '' if row.mutant.never else MACHINES[row.machine],
         *(cell(row, column) for column in COLUMNS), word(row)] for row in rows]


def lines(table):
    wide = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return ['  '.join(text.ljust(w) for text, w in zip(row, wide)).rstrip()
            for row in table]


def _blind(row):
    """The kernel's own detectors that were asked and saw nothing."""
    return [who for who in ('ground', 'ghost') if who in row.tried
            and who not in row.kills]


def _away(row):
    return not row.mutant.never and row.machine != row.mutant.home


def sentences(rows):
    """What the table cannot say of a row: who said what, and why others did not."""
    for row in rows:
        mutant = row.mutant
        name = mutant.name + (f' ({MACHINES[row.machine]})' if _away(row) else '')
        if not row.kills:
            yield f'{name}: {judge(row)[1]}'
            continue
        said = '; '.join(f'{who} ({kill.where}): {kill.said}'
                         for who, kill in row.kills.items())
        yield f'{name}: {said}'
        if mutant.unseen and _blind(row) and not _away(row):
            yield (f'{mutant.name}: not seen by {_many(_blind(row))} in '
                   f'{row.tried[_blind(row)[0]]} invalidations: {mutant.unseen}')


def zoo_machines(args):
    return _many(MACHINES[name].partition(',')[0] for name in args.on or MACHINES)


def document(rows, args):
    """The table as Markdown."""
    table = matrix(rows)
    words = ''.join([' --quick' * args.quick, *(f' --on {name}' for name in args.on)])
    text = [f'# The bug zoo: {zoo_machines(args)} with {args.cpus} CPUs, explorer, '
            'native programs', '', f'Made by `./shootdown zoo{words} --cpus '
            f'{args.cpus} --iters {args.iters} --seed {args.seed} --seeds {args.seeds} '
            '--save`. docs/protocols.md says what the detectors are.', '',
            '| ' + ' | '.join(table[0]) + ' | what is wrong | from |',
            '|' + '---|' * (len(table[0]) + 2)]
    for words, row in zip(table[1:], rows):
        text.append('| ' + ' | '.join(words)
                    + f' | {row.mutant.what} | {row.mutant.origin} |')
    return '\n'.join([*text, '', LEGEND, '',
                      *(f'- {line}' for line in sentences(rows)), ''])


def record(row):
    good, why = judge(row)
    mutant = row.mutant
    return {'mutant': mutant.name, 'machine': row.machine, 'also': mutant.also, 'source': mutant.source,
            'what': mutant.what, 'sound': mutant.sound, 'good': good, 'why': why,
            'expect': mutant.expect, 'tried': row.tried,
            'kills': {who: vars(kill) for who, kill in row.kills.items()}}
