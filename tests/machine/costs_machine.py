# SPDX-License-Identifier: BSD-2-Clause
"""costs_machine - `shootdown bench` has all rows, and they are possible

What must hold for any protocol, and what does for those that kick exactly the CPUs in
the guest.  Which figures are good is for the bench itself to say: a bar that our best
protocol misses fails the bench, not this.
"""
import json
import sys

from bench import ROOT, Checks, Run

sys.path.insert(0, str(ROOT / 'tools'))
import costs_table  # noqa: E402

EXACT = ('gen-smr', 'gen-ipi', 'gen-slot')
NEAR = 15                     # instructions: the clock moves in steps of 5


def complaints(rows, cpus):
    """A sentence for each case whose figures contradict each other."""
    for protocol in rows.protocols:
        for case in costs_table.cases(cpus):
            row = {metric: rows.one(protocol, metric, case)
                   for metric in costs_table.METRICS}
            value = {metric: r['value'] for metric, r in row.items() if r}
            for what in _impossible(value, case, cpus, protocol in EXACT):
                yield f'{protocol} {case}: {what}'


def _impossible(value, case, cpus, exact):
    active = case[0]
    if value['ipis'] + value['idle_ipis'] > value['icr_writes'] * (cpus - 1):
        yield 'more IPIs were taken than can have been sent'
    if value['ipis'] > active and exact:
        yield 'a responder was interrupted more than once'
    if value['exits'] > value['ipis'] + NEAR / 100 and case[2] == 1 and exact:
        yield 'exits without an interrupt'
    if case[2] == 1:
        yield from _impossible_times(value)
    if not exact:
        return
    if value['kicks'] > active or value['icr_writes'] > active:
        yield 'more kicks than responders'
    if value['idle_ipis'] or value['idle_flushes']:
        yield 'a CPU outside of the guest has a part in it'
    if case[2] == 1 and {value[k] for k in ('kicks', 'exits', 'flushes')} != {active}:
        yield 'not one kick, one exit and one flush for each responder'


def _impossible_times(value):
    if value['ticks'] + NEAR < value['edit'] + value['publish']:
        yield 'the whole takes less than its parts'
    if value['total'] + NEAR < value['ticks'] + value['retire']:
        yield 'the whole takes less than its parts, with retire'
    if value['polls'] < 1 or not all(value[k] for k in ('edit', 'publish', 'retire')):
        yield 'something takes no time at all'


def main(cpus):
    checks = Checks()
    run = Run(f'costs-{cpus}', '--cpus', cpus, command='bench')
    failures = [line for line in run.out.splitlines() if line.startswith('FAIL: ')]
    checks.equal(run.status, 1 if failures else 0, 'status', run)
    checks.check(all(', the bar is ' in line for line in failures),
                 'fails for nothing but bars that are missed', run)
    path = run.folder / 'bench.json'
    bench = json.loads(path.read_text()) if path.is_file() else {'rows': []}
    rows = costs_table.Rows(bench['rows'])
    checks.equal(bench.get('build'), 'fast', 'the fast build', run)
    checks.check({'gen-smr', 'gen-ipi'} <= set(rows.protocols), 'the protocols', run)
    checks.equal(list(costs_table.missing(rows, rows.protocols, cpus)), [],
                 'no figure is missing')
    wrong = list(complaints(rows, cpus)) if checks.failed == 0 else []
    checks.equal(wrong, [], 'no figure is impossible')
    checks.check((run.folder / 'costs.svg').is_file(), 'the plot', run)
    checks.check('ticks: from the edit to the return' in run.out, 'the tables', run)
    both = Run('costs-both', '--both', '--cpus', 2, 'proto=gen-s*', command='bench')
    checks.equal(both.status, 0, 'both backends: status', both)
    tables = both.out.partition('ticks: ')[2]
    checks.check(all(word in tables for word in ('VMX 1  SVM 0', 'gen-slot', 'null call')),
                 'both backends: the tables', both)
    checks.finish()


if __name__ == '__main__':
    main(int(sys.argv[1]))
