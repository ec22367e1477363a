# SPDX-License-Identifier: BSD-2-Clause
"""fakes - a kernel image, a serial stream and a machine that are none

The machine is a small program that writes a canned stream to the place where an
emulator would, in pieces and with pauses, and then ends as it is told: by a code, by
a signal, or never.  So each way in which a run can go wrong is tried in milliseconds.
"""
import json
import os
import struct
import sys
import tempfile
import unittest
from pathlib import Path

from job import Complaint, Job, Probe

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT / 'tools'

CATALOG = ('test\tproto/remap\tremaps a page', 'test\tproto/unmap\tunmaps a page',
           'test\tvmx/hello\tsays hello', 'proto\tgen-smr\twaits',
           'proto\tgen-ipi\tdoes not wait',
           *(f'option\t{key}\t...' for key in ('run', 'proto', 'seed', 'exit', 'cpus',
                                               'apic', 'guest')))
POINTS = {'PASS': ('ok', ''), 'FAIL': ('not ok', ''), 'XFAIL': ('not ok', ' # XFAIL x'),
          'SKIP': ('ok', ' # SKIP x'), 'INCONCLUSIVE': ('ok', ' # SKIP x')}
BOOT = '@{"type":"boot","version":"0","build":"checked","cpus":4,"vmx":true,"seed":1}'


def elf(strings=CATALOG, section='.catalog'):
    """An ELF64 image with one section, padded as an aligning linker pads it."""
    data = b'\0\0'.join(text.encode() for text in strings) + b'\0\0\0'
    names = b'\0' + section.encode() + b'\0'
    at_names = 64 + len(data)
    at_headers = at_names + len(names)
    image = bytearray(64)
    image[:6] = b'\x7fELF\x02\x01'
    struct.pack_into('<Q', image, 0x28, at_headers)
    struct.pack_into('<HHH', image, 0x3a, 64, 3, 2)
    headers = [(0, 0, 0, 0, 0, 0), (1, 1, 0, 0, 64, len(data)),
               (0, 3, 0, 0, at_names, len(names))]
    rows = b''.join(struct.pack('<IIQQQQ', *row).ljust(64, b'\0') for row in headers)
    return bytes(image) + data + names + rows


def record(name, verdict='PASS', proto='', **more):
    violations = 7 if verdict in ('FAIL', 'XFAIL') else 0
    return {'type': 'test', 'name': name, 'proto': proto, 'cpus': 4,
            'verdict': verdict, 'witnesses': 1000, 'violations': violations, 'seed': 1,
            'ticks': 5, 'invalidations': 1000, 'why': 'because', **more}


def line(value):
    return '@' + json.dumps(value)


def point(number, name, verdict):
    word, directive = POINTS[verdict]
    return f'{word} {number} {name}{directive}'


def end(records, status=0, **more):
    counts = {verdict.lower(): sum(r['verdict'] == verdict for r in records)
              for verdict in POINTS}
    return {'type': 'end', 'status': status, 'tests': len(records), **counts, **more}


def stream(records, status=0):
    """What a kernel says that ran these tests, as a list of lines."""
    lines = ['# shootdown', BOOT, 'KTAP version 1', f'1..{len(records)}']
    for i, test in enumerate(records):
        name = '/'.join(filter(None, (test['name'], test['proto'])))
        lines += [point(i + 1, name, test['verdict']), line(test)]
    return lines + [line(end(records, status))]


def text(lines):
    return ''.join(item + '\n' for item in lines)


class Machine:
    """Looks like a machine of tools/; runs fake_machine.py."""
    name, max_cpus, why_max, vmx = 'fake', 8, 'it is a fake', True
    boots = ('direct',)

    def __init__(self, pieces, **script):
        self.script = {'pieces': pieces, 'code': 0, **script}
        self.said = Complaint()

    def probe(self):
        return Probe(True, 'a fake')

    def prepare(self, job):
        script = job.scratch / 'script.json'
        script.write_text(json.dumps({**self.script, 'serial': str(job.serial)}))
        argv = [sys.executable, '-IS', str(HERE / 'fake_machine.py'), str(script)]
        return argv, dict(os.environ)

    def exit_code(self, status):
        return status

    def complaint(self, job, code):
        return self.said


class Case(unittest.TestCase):
    """A test with a folder of its own that vanishes with it."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix='runner.')
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.image = self.scratch / 'kernel.elf'
        self.image.write_bytes(elf())

    def job(self, **more):
        return Job(self.image, **{'cmdline': 'run=x', 'results': self.scratch / 'results',
                                  **more})
