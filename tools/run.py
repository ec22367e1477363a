# SPDX-License-Identifier: BSD-2-Clause
"""run - builds the kernel, runs it on a machine, judges what it said

The order keeps what is wrong cheap: words are checked before the build, names
against the image before a machine starts, and only then is anything run.
"""
import contextlib
import os
import shutil
from pathlib import Path

import catalog
import facts
import kernel
import machine
import options
import pin
import report
import status
import symbolise
import timeline
from job import Job
from judge import Judge, decide
from status import Trouble
from ways import WAYS

DEFAULT_SEED = 1
DELAY = 400                   # the kernel's own where CPUs do not race
PATIENCE = 4                  # an emulator's clock may be slow by this
LINE = 4096                   # bytes of command line, boot/info.h
SPACE = 64 << 10              # bytes: a disk with less is full


def image(args):
    if args.elf:
        return Path(args.elf).absolute()
    report.say(f'building: {args.build}')
    return kernel.make(args.build)


def _seed(args, selection):
    """--seed and seed= are one thing; both may stand there only if they agree."""
    word = selection.pop('seed', None)
    if word is None:
        return DEFAULT_SEED if args.seed is None else args.seed
    seed = int(word, 0) if word.lower().startswith('0x') else int(word)
    if args.seed not in (None, seed):
        raise Trouble(f'--seed {args.seed} and seed={word} differ')
    return seed


def cmdline(name, seed, selection):
    """exit= comes first: the kernel needs it to end even where it refuses the rest."""
    way = 'bochs' if name == 'bochs' else 'qemu'
    words = [f'exit={way}', f'seed={seed}']
    return ' '.join(words + [f'{key}={value}' for key, value in selection.items()])


def _check_guest(selection, modules):
    """guest=module:NAME needs a module of that name."""
    kind, _, name = selection.get('guest', '').partition(':')
    names = [string.split()[0] for _, string in modules]
    if kind == 'module' and name not in names:
        have = ', '.join(names) or 'none; see --module'
        raise Trouble(f'no module is called {name}.  There are: {have}')


def _order(chosen, selection):
    """One CPU at a time: what is lost by that, and kicks delayed to make up for it."""
    if chosen.name == 'kvm':
        raise Trouble('a real CPU is not deterministic: --deterministic needs bochs or tcg')
    if chosen.name == 'tcg':
        selection.setdefault('delay', str(DELAY))
        report.say('deterministic: CPUs take turns, so races are hidden; kicks are '
                   f'delayed instead (delay={selection["delay"]})')


def _check_line(line, elf):
    """QEMU puts the image's path before the words, and the kernel must take both."""
    size = len(os.fsencode(f'{elf} {line}'))
    if size > LINE:
        raise Trouble(f'the command line has {size} bytes with the path of the kernel; '
                      f'the kernel takes {LINE}')


@contextlib.contextmanager
def _writes(folder):
    """What cannot be written there is the user's to mend."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Trouble(f'cannot write the results in {folder}: '
                      f'{error.strerror or error}') from None


def _check_space(folder):
    """An emulator drops what it cannot write, without a word."""
    if shutil.disk_usage(folder).free < SPACE:
        raise Trouble(f'cannot write the results in {folder}: the disk is full, and '
                      'what the machine said is lost')


def plan(args, elf):
    """(machine, job) for these arguments, or Trouble."""
    selection = catalog.check(catalog.read(elf), args.selection)
    if args.trace:
        selection.setdefault('trace', str(timeline.DEFAULT))
    _check_guest(selection, args.modules)
    if args.on:
        machine.check_cpus(machine.MACHINES[args.on], args.cpus)
        machine.check_boot(machine.MACHINES[args.on], args.boot)
    chosen, why = machine.choose(args.on)
    machine.check_cpus(chosen, args.cpus)
    machine.check_boot(chosen, args.boot)
    if args.deterministic:
        _order(chosen, selection)
    seed = _seed(args, selection)
    pins, pinned = pin.choose(chosen, args)
    report.say(f'machine: {chosen.name}, {args.cpus} CPUs, {args.mem} MiB: {why}')
    if pinned:
        report.say(pinned)
    report.say(f'seed: {seed}')
    line = cmdline(chosen.name, seed, selection)
    _check_line(line, elf)
    return chosen, Job(elf, line, args.results,
                       args.cpus, args.mem, args.boot, args.modules, args.model,
                       args.deterministic, int(selection.get('secs', '0'), 0), pins)


def execute(chosen, job, timeout, verbose=False, judge=None):
    """Run the job, report it, and return its status; `judge` keeps what was said."""
    judge = judge or Judge()
    if not WAYS[job.boot].quiet:
        judge.expect_loader()

    def feed(chunk):
        for event in judge.feed(chunk):
            report.live(event, verbose, bool(job.modules))

    ending = machine.run(chosen, job, timeout, feed, judge.last_word)
    for event in judge.close():
        report.live(event, verbose, bool(job.modules))
    said = machine.complaint(chosen, job, ending)
    code, sentence, faults = decide(judge, ending, chosen.exit_code)
    code, sentence = machine.confirm(chosen, job, judge, code, sentence)
    if code in (status.CRASH, status.TIMEOUT):
        _check_space(job.results)
    if code == status.CRASH and said and judge.bail is None:
        sentence += f'.  {said}'
    if code == status.TIMEOUT:
        sentence += f' ({timeout} s)'
    facts.write(job.results, facts.of_run(job, chosen.name, judge, code, sentence, ending))
    _leave(judge, job, code, sentence, faults)
    return code


def _leave(judge, job, code, sentence, faults):
    """The two files and the closing lines."""
    lines = report.wedged_lines(judge, lambda rips: symbolise.names(job.elf, rips))
    lines += report.trouble_lines(judge, code, faults,
                                  lambda dump: symbolise.symbolise(job.elf, dump))
    report.write_jsonl(job.results / 'results.jsonl', judge.tests)
    report.write_junit(job.results / 'junit.xml', judge.tests, code, sentence, lines)
    report.closing(judge, code, sentence, lines, _short(job.results),
                   timeline.after_run(job.results, judge.lines))


def _short(path):
    """A path as a person would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith('..') else relative


def main(argv):
    args = options.parse(argv)
    elf = image(args)
    chosen, job = plan(args, elf)
    busy = f'another run uses {args.results}; give this one --results DIR'
    with _writes(args.results), kernel.locked(args.results / '.lock', busy):
        return execute(chosen, job, args.timeout + PATIENCE * job.seconds, args.verbose)


if __name__ == '__main__':
    status.finish(main)
