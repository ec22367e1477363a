# SPDX-License-Identifier: BSD-2-Clause
"""costs - `shootdown bench`: what each protocol costs, in one boot of the fast build

Takes the options of `shootdown run`, and --both: costs_both.py.  Prints a table for each metric, and leaves
bench.json, where each row has its floor and its bar, and costs.svg.
"""
import shutil
import subprocess

import catalog
import costs_both
import costs_table
import kernel
import options
import report
import run
import status
from judge import Judge
from status import Trouble

TEST = 'bench/costs'
PLOT = '''set terminal svg size 900,560 background rgb "white"
set output "{path}"
set title "One page: {what}"
set xlabel "responders in the guest"
set ylabel "{unit}"
set key outside right
set yrange [0:*]
set xtics 1
plot {lines}
{data}
'''


def _check(selection):
    """Which test runs is not a choice; which protocols is."""
    for word in selection:
        if word.partition('=')[0] in ('run', 'guest', 'delay'):
            raise Trouble(f'{word}: bench takes proto=, seed=, cpus=, pool= and apic=')


def _protocols(elf, selection):
    """The names that the tables must have."""
    globs = next((word.partition('=')[2] for word in selection
                  if word.startswith('proto=')), '*').split(',')
    return [name for name in catalog.read(elf).names('proto')
            if any(catalog.glob_matches(glob, name) for glob in globs)]


def draw(rows, metric, path):
    """The plot of one metric against the responders; None, or why there is none."""
    program = shutil.which('gnuplot')
    if not program:
        return 'gnuplot is missing: apt-get install gnuplot-nox'
    points = {name: sorted((row['responders'], row['value']) for row in rows.all
                           if (row['protocol'], row['metric'], row['batch'],
                               row['initiators']) == (name, metric, 1, 1))
              for name in rows.protocols}
    first = next(row for row in rows.all if row['metric'] == metric)
    points['(floor)'] = sorted({(row['responders'], row['floor']) for row in rows.all
                                if row['metric'] == metric and row['batch'] == 1
                                and row['initiators'] == 1 and row['floor']})
    lines = [f"'-' with linespoints {'dt 2 ' if name == '(floor)' else ''}"
             f'title "{name}" noenhanced' for name in points]
    data = '\n'.join('\n'.join(f'{x} {y}' for x, y in row) + '\ne'
                     for row in points.values())
    script = PLOT.format(path=path, what=costs_table.METRICS[metric][0],
                         unit=first['unit'], lines=', '.join(lines), data=data)
    done = subprocess.run([program], input=script, capture_output=True, text=True)
    return None if done.returncode == 0 else f'gnuplot failed: {done.stderr.strip()}'


def leave(judge, folder):
    """Write bench.json and costs.svg, print the tables; the rows."""
    rows = costs_table.Rows(judge.benches)
    costs_table.weigh(rows)
    report.say()
    for line in costs_table.tables(rows, judge.boot['cpus']):
        report.say(line)
    report.say('A figure with ! misses its bar; the text in [] is its unit.')
    costs_table.save(rows, judge.boot, folder)
    why = draw(rows, 'ticks', folder / 'costs.svg')
    report.say(f'costs.svg is not drawn: {why}' if why else
               f'figures: bench.json, costs.svg in {folder}')
    return rows


def judge_rows(rows, protocols, cpus):
    """The sentences of what is wrong."""
    return [*costs_table.missing(rows, protocols, cpus),
            *(f'{row["protocol"]}: {row["metric"]} with {row["responders"]} responders '
              f'is {costs_table.number(row["value"])}, the bar is '
              f'{costs_table.number(row["bar"])}' for row in costs_table.missed(rows))]


def main(argv):
    if '--both' in argv:
        return costs_both.main([word for word in argv if word != '--both'])
    args = options.parse(['--build', 'fast', *argv])
    _check(args.selection)
    elf = run.image(args)
    protocols = _protocols(elf, args.selection)
    if not any(word.startswith('proto=') for word in args.selection):
        args.selection.append('proto=*')   # left alone, the kernel takes the basic ones
    args.selection.append(f'run={TEST}')
    chosen, job = run.plan(args, elf)
    busy = f'another run uses {args.results}; give this one --results DIR'
    judge = Judge()
    with kernel.locked(args.results / '.lock', busy):
        code = run.execute(chosen, job, args.timeout, args.verbose, judge)
        if code != status.PASS:
            return code
        rows = leave(judge, args.results)
    wrong = judge_rows(rows, protocols, judge.boot['cpus'])
    for line in wrong:
        report.say(f'FAIL: {line}')
    return status.FAIL if wrong else status.PASS


if __name__ == '__main__':
    status.finish(main)
