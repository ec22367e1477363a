# SPDX-License-Identifier: BSD-2-Clause
"""costs_both - `shootdown bench --both`: what each protocol costs on either backend

Bochs plays an Intel CPU with VMX and then an AMD CPU with SVM, one instruction after
the other, so the figures of both are instructions of the same kernel.  The AMD model has
no x2APIC: there each kick takes stores and a look of its own.
"""
import costs_table
import kernel
import options
import report
import run
import status
from judge import Judge
from status import Trouble

TESTS = 'bench/costs', 'bench/null_vmcall'
MODELS = {'VMX': 'corei7_skylake_x', 'SVM': 'ryzen'}
METRICS = 'ticks', 'gap', 'edit', 'publish', 'poll', 'retire', 'icr_writes', 'exits', 'flushes'


def _measure(args, elf, backend):
    """(judge, status) of the benches on that backend."""
    chosen, job = run.plan(args, elf)
    judge = Judge()
    code = run.execute(chosen, job, args.timeout, args.verbose, judge)
    if code == status.PASS and judge.boot.get('backend') != backend.lower():
        raise Trouble(f'{args.model} does not run guests by {backend}')
    return judge, code


def side_by_side(rows, metric, cases):
    """One metric of both backends as lines; rows is {backend: Rows}."""
    columns = [(f'{backend} {head}', backend, case)
               for backend in rows for head, case in cases
               if rows[backend].of(metric, case)]
    if not columns:
        return []
    unit = rows[columns[0][1]].of(metric, columns[0][2])[0]['unit']
    body = [[protocol] + [costs_table.number(cell['value']) if cell else '-'
                          for cell in (rows[backend].one(protocol, metric, case)
                                       for _, backend, case in columns)]
            for protocol in rows[columns[0][1]].protocols]
    text = costs_table.METRICS[metric][0]
    return ([f'{metric}: {text} [{unit}], by responders']
            + costs_table.aligned([''] + [head for head, _, _ in columns], body) + [''])


def null_calls(judges):
    """The null hypercall of each protocol as lines."""
    found = {backend: {row['protocol']: row for row in judge.benches
                       if row.get('name') == 'bench/null_vmcall'}
             for backend, judge in judges.items()}
    names = list(next(iter(found.values())))
    if not names:
        return []
    unit = next(iter(found.values()))[names[0]]['unit']
    body = [[name] + [costs_table.number(found[b][name]['value'])
                      if name in found[b] else '-' for b in found] for name in names]
    return ([f'null call: from the exit to the next entry [{unit}]']
            + costs_table.aligned(['', *found], body) + [''])


def main(argv):
    judges = {}
    for backend, model in MODELS.items():
        args = options.parse(['--build', 'fast', *argv])
        if args.on not in (None, 'bochs') or args.model:
            raise Trouble('bench --both chooses the machine: Bochs, an Intel and an AMD '
                          'model')
        args.on, args.model = 'bochs', model
        folder, args.results = args.results, args.results / backend.lower()
        if not any(word.startswith('proto=') for word in args.selection):
            args.selection.append('proto=*')
        args.selection.append('run=' + ','.join(TESTS))
        elf = run.image(args)
        busy = f'another run uses {args.results}; give this one --results DIR'
        with kernel.locked(args.results / '.lock', busy):
            judges[backend], code = _measure(args, elf, backend)
        if code != status.PASS:
            return code
    rows = {backend: costs_table.Rows(judge.benches)
            for backend, judge in judges.items()}
    for backend, found in rows.items():
        costs_table.weigh(found)
        costs_table.save(found, judges[backend].boot, folder / backend.lower())
    cpus = next(iter(judges.values())).boot['cpus']
    report.say()
    for metric in METRICS:
        for line in side_by_side(rows, metric, [(str(n), (n, 1, 1))
                                                for n in range(cpus)]):
            report.say(line)
    for line in null_calls(judges):
        report.say(line)
    return status.PASS
