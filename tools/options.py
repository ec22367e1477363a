# SPDX-License-Identifier: BSD-2-Clause
"""options - the words after `shootdown run`

Options and SELECTION words may stand in any order.  What cannot be right is refused
here, with what can be, before anything is built or started.
"""
import os
import re
from pathlib import Path

import flags
import kernel
from machine import MACHINES
from status import Trouble
from ways import WAYS

# The flag, its value's name, its default, and what it means.
OPTIONS = (
    ('--on', 'MACHINE', None, 'bochs, tcg or kvm; else kvm if it works, or bochs'),
    ('--cpus', 'N', 4, 'CPUs of the machine (4)'),
    ('--mem', 'M', None, 'memory in MiB (256; 512 with more than 64 CPUs)'),
    ('--seed', 'S', None, 'of every random choice (1)'),
    ('--timeout', 'S', 120, 'seconds until the machine is stopped (120)'),
    ('--results', 'DIR', None, 'where the results go (build/results)'),
    ('--build', 'BUILD', 'checked', 'checked or fast (checked)'),
    ('--boot', 'HOW', 'direct', 'the way it boots (direct)'),
    ('--model', 'CPU', None, 'CPU model of the emulator, by its own name'),
    ('--deterministic', None, False, 'tcg: the same log each time, but no race is seen'),
    ('--pin', None, False, 'tcg: a CPU of the host for each CPU; kvm does so anyway'),
    ('--no-pin', None, False, 'kvm: leave it to the host where CPUs run'),
    ('--module', 'FILE[:NAME ARGS]', [], 'a file for guest=module:NAME; repeatable'),
    ('--elf', 'FILE', None, 'run this kernel; nothing is built'),
    ('--trace', None, False, 'trace.json, a timeline for Perfetto; trace=N events a CPU'),
    ('--verbose', None, False, 'the whole serial log as it comes'),
)
CHOICES = {'--on': tuple(MACHINES), '--build': kernel.BUILDS,
           '--boot': tuple(WAYS)}
# The least and the most that makes sense of each number.
RANGES = {'--cpus': (1, 1 << 16), '--mem': (16, 1 << 20), '--seed': (0, (1 << 64) - 1),
          '--timeout': (1, 1 << 20)}
MODULE_NAME = 127              # bytes of its string, boot/info.h
MANY_CPUS, MEM, MEM_MANY = 64, 256, 512


def usage():
    return flags.usage('Options:', OPTIONS)


def module(text):
    """FILE[:NAME ARGS] as (path, "NAME ARGS"); the name is the file's by default."""
    path, colon, string = text.partition(':')
    string = string if colon else os.path.basename(path)
    if not os.path.isfile(path):
        raise Trouble(f'--module: there is no file {path}')
    if not string.split():
        raise Trouble(f'--module: {text} gives the module no name')
    if not re.fullmatch('[ -~]*', string) or len(string) > MODULE_NAME:
        raise Trouble(f'--module: {string!a} is not up to {MODULE_NAME} characters of '
                      'printable ASCII')
    return os.path.abspath(path), string


def parse(argv):
    """The arguments of a run, checked as far as that goes without the kernel."""
    parser = flags.Parser(usage(), 'shootdown run')
    flags.add(parser, OPTIONS, RANGES, CHOICES)
    parser.add_argument('selection', nargs='*')
    args = parser.read(argv)
    if args.trace and args.build == 'fast':
        raise Trouble('--trace needs the checked build: the fast one keeps no trace, so '
                      'that what it measures is the price of protocols alone')
    args.modules = [module(text) for text in args.module]
    args.results = Path(args.results or kernel.ROOT / 'build' / 'results').absolute()
    args.mem = args.mem or (MEM_MANY if args.cpus > MANY_CPUS else MEM)
    return args
