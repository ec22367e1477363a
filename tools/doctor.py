# SPDX-License-Identifier: BSD-2-Clause
"""doctor - `shootdown doctor [--json]`: what can be used here, and what mends the rest

Each machine has its table: the checks of its probe up to the first that failed, and
what to do about that one.  What a run would have to install is told by the shell front,
which owns that list, in --lacks.
"""
import glob
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import flags
import machine
import pin
import status

EMULATORS = (('bochs', ['bochs', '--help']),
             ('qemu', ['qemu-system-x86_64', '--version']))
VERSION = re.compile(r'(?:version|Emulator) (\d+[\w.+~-]*)')
SERIAL = ('/dev/ttyS*', '/dev/ttyUSB*')
PATIENCE = 20                 # seconds for an emulator to say its version


def version(argv):
    """An emulator's version, '' where it is not installed or does not say."""
    if not shutil.which(argv[0]):
        return ''
    try:
        run = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return ''
    found = VERSION.search((run.stdout + run.stderr).decode(errors='replace'))
    return found[1] if found else ''


def memory():
    """MiB that are free for a machine, and all."""
    text = Path('/proc/meminfo').read_text()
    size = dict(re.findall(r'^(\w+):\s+(\d+) kB$', text, re.M))
    return int(size['MemAvailable']) >> 10, int(size['MemTotal']) >> 10


def _machine(one):
    probe = one.probe()
    checks = [{'check': check.what, 'good': check.good,
               **({} if check.good else {'said': check.said, 'mend': check.mend})}
              for check in probe.checks]
    return {'usable': probe.usable, 'reason': probe.reason, 'mend': probe.mend,
            'checks': checks}


def _serial():
    return [{'device': path, 'usable': os.access(path, os.R_OK | os.W_OK)}
            for pattern in SERIAL for path in sorted(glob.glob(pattern))]


def _lacks(words):
    """{command: packages} of the front's words "COMMAND: PACKAGE..."."""
    rows = (word.partition(':') for word in words)
    return {command: packages.split() for command, _, packages in rows}


def examine(lacks=()):
    """Everything that doctor tells, as JSON has it."""
    cpus, cores = pin.order(pin.allowed())
    free, all_ = memory()
    machines = {name: _machine(one) for name, one in machine.MACHINES.items()}
    usable = [name for name in machine.CHOICE if machines[name]['usable']]
    return {'machines': machines, 'choice': usable[0] if usable else None,
            'emulators': {name: version(argv) for name, argv in EMULATORS},
            'host': {'cpus': len(cpus), 'cores': cores, 'memory_free': free,
                     'memory': all_},
            'serial': _serial(), 'lacks': _lacks(lacks)}


def _machine_lines(name, one):
    yield f'{name:6} {"yes" if one["usable"] else "no":4} {one["reason"]}'
    rows = [(row['check'], 'yes' if row['good'] else 'NO') for row in one['checks']]
    wide = max((len(check) for check, _ in rows), default=0)
    for check, good in rows:
        yield f'{"":11} {check:{wide}}  {good}'
    if one['mend']:
        yield f'{"":11} to mend: {one["mend"]}'


def _serial_lines(devices):
    if not devices:
        yield 'serial: no /dev/ttyS* and no /dev/ttyUSB*'
    for row in devices:
        closed = '' if row['usable'] else ', which this user may not open'
        yield f'serial: {row["device"]}{closed}'


def lines(said):
    """What examine() found, for people."""
    for name, one in said['machines'].items():
        yield from _machine_lines(name, one)
    yield (f'`shootdown run` takes {said["choice"]}.' if said['choice'] else
           '`shootdown run` has no machine with VMX here.')
    told = (f'{name} {number or "not installed"}'
            for name, number in said['emulators'].items())
    yield f'emulators: {", ".join(told)}'
    host = said['host']
    yield f'host: {host["cpus"]} CPUs of {host["cores"]} cores for this process'
    yield f'memory: {host["memory_free"]} of {host["memory"]} MiB free'
    yield from _serial_lines(said['serial'])
    for command, packages in said['lacks'].items():
        yield f'{command} would install: {" ".join(packages)}'
    if not said['lacks']:
        yield 'packages: nothing is missing for any command'


def main(argv):
    parser = flags.Parser('The option of doctor is: --json')
    parser.add_argument('--json', action='store_true')
    parser.add_argument('--lacks', action='append', default=[])
    args = parser.parse_args(argv)
    said = examine(args.lacks)
    if args.json:
        print(json.dumps(said, indent=2))
    else:
        print('\n'.join(lines(said)))
    return status.PASS if said['choice'] else status.USAGE


if __name__ == '__main__':
    status.finish(main)
