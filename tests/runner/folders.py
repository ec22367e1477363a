# SPDX-License-Identifier: BSD-2-Clause
"""folders - folders of results that no machine has made"""
import json

import costs_table
from fakes import record

COMMIT = '6b3a8b6f' * 5
NASTY = '</td><script>window.hit=1</script><img src=x onerror="window.hit=1">\'"&\u202e\x00]]>'
FACTS = {'cpu': 'A CPU of 2026', 'vendor': 'GenuineIntel', 'family': 6, 'model': 85,
         'microcode': '0x2000068', 'capability': '0xf0106334141', 'capabilities': 'INVEPT'}


def run(**more):
    """A run.json."""
    return {'format': 1, 'kind': 'run', 'date': '2026-11-21T12:00:00Z', 'commit': COMMIT,
            'dirty': False, 'command': "./shootdown run 'run=proto/*'",
            'machine': 'bochs', 'emulator': 'Bochs 2.7', 'cpus': 4, 'build': 'checked',
            'backend': 'vmx', 'cmdline': 'exit=bochs seed=1', 'seed': 1, 'status': 0,
            'sentence': 'PASS', 'facts': FACTS, **more}


def tests():
    """One test of each kind, under two protocols and none."""
    return [record('proto/remap', 'PASS', 'gen-smr', why=''),
            record('proto/remap', 'XFAIL', 'gen-ipi'),
            record('proto/leaks', 'PASS', 'gen-smr', returns=300, leaks=0, why=''),
            record('vmx/hello', 'SKIP'), record('proto/split', 'INCONCLUSIVE', 'gen-smr')]


def cost(metric, responders, value, protocol='gen-slot', **more):
    return {'name': 'bench/costs', 'protocol': protocol, 'cpus': 3,
            'responders': responders, 'batch': 1, 'initiators': 1, 'metric': metric,
            'value': value, 'unit': 'instructions', 'floor': None, 'bar': None,
            'kept': None, **more}


def costs():
    return [cost(metric, n, 100 * n + len(protocol), protocol, floor=50)
            for metric in costs_table.METRICS for n in (0, 1, 2)
            for protocol in ('gen-slot', 'gen-ipi')]


def mutant(name='H1', **more):
    return {'mutant': name, 'machine': 'bochs', 'also': ['M1'], 'source': '', 'good': True,
            'what': 'the initiator does not wait', 'sound': False, 'expect': ['ground'],
            'why': 'killed by ground', 'tried': {'ground': 3, 'ghost': 3}, 'kills':
            {'ground': {'tries': 3, 'unit': 'invalidations', 'where': 'proto/accessed',
                        'said': '5 stale accesses'}}, **more}


def lines(rows):
    return ''.join(json.dumps(row) + '\n' for row in rows)


def write(path, about=None, some=None, figures=None, zoo=None):
    """A folder with these files; None leaves one out."""
    path.mkdir(parents=True)
    if about is not None:
        (path / 'run.json').write_text(json.dumps(about))
    if some is not None:
        (path / 'results.jsonl').write_text(lines(some))
    if figures is not None:
        (path / 'bench.json').write_text(json.dumps({'format': 1, 'rows': figures}))
    if zoo is not None:
        (path / 'zoo.jsonl').write_text(lines(zoo))
    return path
