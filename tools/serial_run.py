# SPDX-License-Identifier: BSD-2-Clause
"""serial_run - `shootdown serial`: runs tests on a real machine over its serial line

The machine has booted a kernel whose console waits on its line (docs/lab.md).  What is
kept and what is printed at the end is what `shootdown run` keeps and prints.
"""
import contextlib
import os
import signal
from pathlib import Path

import flags
import kernel
import outcome
import port
import portlock
import report
import status
import symbolise
import units
from session import Patience, Session
from status import Trouble

# The flag, its value's name, its default, and what it means.
OPTIONS = (
    ('--baud', 'N', 115200, 'bits a second of a device (115200); 8N1 always'),
    ('--rtscts', None, False, 'flow control by RTS and CTS'),
    ('--heartbeat', 'S', 30, 'seconds of silence in a run: the machine is wedged (30)'),
    ('--power-cycle', 'CMD', None, 'switches the machine off and on; the shell runs it'),
    ('--power-cycles', 'N', 3, 'how often it is run at most (3)'),
    ('--boot-timeout', 'S', 300, 'seconds from the power to the prompt (300)'),
    ('--reconnects', 'N', 5, 'how often a line that is cut is opened again (5)'),
    ('--timeout', 'S', 3600, 'seconds for the whole selection (3600)'),
    ('--results', 'DIR', None, 'where the results go (build/results)'),
    ('--elf', 'FILE', None, 'the kernel that runs there, for the names in a dump'),
    ('--verbose', None, False, 'the whole serial log as it comes'),
)
RANGES = {'--baud': (50, 4000000), '--heartbeat': (1, 86400), '--power-cycles': (0, 1000),
          '--boot-timeout': (1, 86400), '--reconnects': (0, 1000), '--timeout': (1, 1 << 20)}


def usage():
    return flags.usage('usage: shootdown serial DEV|HOST:PORT [OPTION]... [SELECTION]...',
                       OPTIONS, 20)


def parse(argv):
    parser = flags.Parser(usage(), 'shootdown serial')
    flags.add(parser, OPTIONS, RANGES)
    parser.add_argument('line')
    parser.add_argument('selection', nargs='*')
    args = parser.read(argv)
    args.results = Path(args.results or kernel.ROOT / 'build' / 'results').absolute()
    args.selection = units.read(args.selection)
    return args


def patience(args):
    return Patience(args.heartbeat, args.boot_timeout, args.timeout,
                    args.power_cycles if args.power_cycle else 0, args.reconnects)


@contextlib.contextmanager
def stopping():
    """A function that is true once after a signal; the second signal ends us at once."""
    asked = []

    def ask(*_):
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        report.say('stopping the run on the machine; once more leaves it as it is')

    def stop():
        first = asked == [True]
        if first:
            asked.append(False)
        return first

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def clean(folder):
    """No file of an earlier run may be taken for one of this run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ('results.jsonl', 'junit.xml', 'serial.log'):
        (folder / name).unlink(missing_ok=True)


def visit(line, args, cycle, stop, show):
    """Run args.selection over the open line; the Session when it is over."""
    driver_log = args.results / 'serial.log'
    with open(driver_log, 'wb') as log:
        driver = port.Driver(line, log, cycle, stop)
        session = Session(args.selection, patience(args), show, driver.clock())
        driver.run(session.play())
    return session


def _names(elf, dump):
    """The dump with names, by the image that is told, or by the last that was built."""
    image = Path(elf) if elf else kernel.image('checked')
    if not image.is_file():
        return [*dump, f'no names: there is no {image}; --elf FILE tells which kernel ran']
    return [*symbolise.symbolise(image, dump), f'the names are those of {image}']


def leave(session, folder, elf=None):
    """Write the files, print the closing lines, return the status."""
    story = outcome.Story(session)
    code, sentence, faults = outcome.decide(session)
    lines = report.trouble_lines(story, code, faults, lambda dump: _names(elf, dump))
    lines += [f'note: {text}' for text in session.notes]
    report.write_jsonl(folder / 'results.jsonl', story.tests)
    report.write_junit(folder / 'junit.xml', story.tests, code, sentence, lines)
    report.closing(story, code, sentence, lines, _short(folder))
    return code


def _short(path):
    """A path as a person would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith('..') else relative


def main(argv):
    args = parse(argv)
    if args.elf and not Path(args.elf).is_file():
        raise Trouble(f'--elf: there is no file {args.elf}')
    busy = f'another run uses {args.results}; give this one --results DIR'
    cycle = (lambda: port.power(args.power_cycle)) if args.power_cycle else None
    with kernel.locked(args.results / '.lock', busy), \
            portlock.locked(args.line, port.place(args.line)), stopping() as stop:
        line = port.open_port(args.line, args.baud, args.rtscts)
        clean(args.results)
        report.say(f'line: {args.line}')
        try:
            session = visit(line, args, cycle, stop,
                            lambda *event: report.live(event, args.verbose))
        finally:
            line.close()
    return leave(session, args.results, args.elf)


if __name__ == '__main__':
    status.finish(main)
