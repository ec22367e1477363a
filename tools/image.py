# SPDX-License-Identifier: BSD-2-Clause
"""image - `shootdown image`: one file that boots from a USB stick or a CD, BIOS and UEFI

The selection is the kernel's command line, checked against the kernel as a run's is.
Unless told how to end, the kernel ends in its shell.
"""
from pathlib import Path

import catalog
import flags
import kernel
import mkiso
import options
import report
import status
from status import Trouble

EXITS = ('halt', 'reboot', 'bochs', 'qemu')
USAGE = ('The options are: --iso FILE, --build BUILD, --elf FILE, '
         '--module FILE[:NAME ARGS], --exit HOW')
MIB = 1 << 20


def _parse(argv):
    parser = flags.Parser(USAGE)
    parser.add_argument('--iso', default='shootdown.iso')
    parser.add_argument('--build', choices=kernel.BUILDS, default='checked')
    parser.add_argument('--elf')
    parser.add_argument('--module', action='append', default=[])
    parser.add_argument('--exit', choices=EXITS)
    parser.add_argument('selection', nargs='*')
    return parser.read(argv)


def main(argv):
    args = _parse(argv)
    modules = [options.module(text) for text in args.module]
    elf = Path(args.elf) if args.elf else kernel.make(args.build)
    line = catalog.line(elf, args.exit, args.selection)
    try:
        mkiso.make_iso(elf, args.iso, line, modules, hybrid=True)
    except OSError as error:
        raise Trouble(f'cannot make {args.iso}: {error}') from None
    size = Path(args.iso).stat().st_size / MIB
    report.say(f'{args.iso}: {size:.1f} MiB, boots by BIOS and UEFI, from a CD or a stick')
    report.say(f'command line: {line}')
    report.say(f'to a stick:   dd if={args.iso} of=/dev/sdX bs=1M conv=fsync')
    report.say('its words:    first serial port, 115200 8N1')
    return status.PASS


if __name__ == '__main__':
    status.finish(main)
