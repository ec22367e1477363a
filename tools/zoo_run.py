# SPDX-License-Identifier: BSD-2-Clause
"""zoo_run - runs one mutant before each detector, and notes who killed it

In the kernel: a linked mutant by mutant=NAME, one of another source in an image of its
own, in Bochs (by VMX) or QEMU TCG (by SVM), with one seed after another until all that
are expected have spoken.  In the explorer: a linked mutant.  Natively: the programs that
its header names, linked with the mutant's source.  The sound ones go the same ways, and
nobody may complain.
"""
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import kernel
import mutate
import status
from status import Trouble

# Guests of `accessed` stay in the guest after an edit; those of the others fault, and
# come to no harm from what only hurts who stays.  `guided` holds CPUs at their steps.
SCENARIOS = ('proto/guided', 'proto/accessed', 'proto/remap_write_4k', 'proto/remap_read_4k',
             'proto/unmap_reuse_write_4k', 'proto/protect_write_4k', 'proto/fault_race')
LIMIT = 120              # seconds for one machine or program
THREADS = ('3', '20000', '10000')    # readers, edits at most, milliseconds: threads.sh
RUNS = 5                 # of the threads, each with another seed
STATUS = {65: 'stale data', 66: 'a data race', 67: 'a wait for ever', 70: 'stale data',
          71: 'the ghost'}
BUSY = 77
TSAN = 'exitcode=66 halt_on_error=1 report_signal_unsafe=0 atexit_sleep_ms=0 symbolize=0'
ZOO = kernel.ROOT / 'build' / 'zoo'
ONE_MACHINE = threading.Lock()


@dataclass(frozen=True)
class Kill:
    """How a detector noticed: after so many tries of which kind, and what it said."""
    tries: int
    unit: str
    where: str
    said: str


@dataclass
class Row:
    mutant: mutate.Mutant
    machine: str = 'bochs'
    kills: dict = field(default_factory=dict)     # detector -> Kill, the first one
    tried: dict = field(default_factory=dict)     # detector -> tries, of who was asked
    faults: list = field(default_factory=list)    # why the row cannot be believed

    def kill(self, detector, *how):
        self.kills.setdefault(detector, Kill(*how))


# The kernel

def said(who, test):
    """What the detector said; a record has one `why`, that of the first."""
    if who == 'ghost':
        return test['ghost']['said']
    if who == 'ground':
        return f'{test["violations"]} stale accesses'
    return test['why']


def take(row, records, code, bail):
    """Add what one machine said to the row."""
    before = row.tried.get('ground', 0)
    for who in mutate.KERNEL:
        row.tried.setdefault(who, 0)
    for test in records:
        killed = test.get('killed', {})
        for who, tries in killed.items():
            row.kill(who, before + tries, 'invalidations', test['name'], said(who, test))
        before += test['invalidations']
        # What is left when all detectors have been named: an EXPECT, a guest that died.
        if test['verdict'] == 'FAIL' and not (killed and not row.mutant.of):
            row.kill('other', before, 'invalidations', test['name'], test['why'])
    for who in mutate.KERNEL:
        row.tried[who] = before
    if code == status.CRASH and bail:
        row.kill('panic', before + 1, 'invalidations', 'the kernel', bail)
    elif code not in (status.PASS, status.FAIL, status.NOTHING):
        row.faults.append(f'the run ended with status {code} '
                          f'({status.MEANING.get(code, "?")})')
    elif not any(test['verdict'] != 'SKIP' for test in records):
        row.faults.append('no test ran in the kernel')


def heard(folder):
    """(records, why it bailed out or None) of what tools/run.py has left there."""
    path, log = folder / 'results.jsonl', folder / 'serial.log'
    rows = path.read_text().splitlines() if path.is_file() else []
    text = log.read_text(errors='replace') if log.is_file() else ''
    found = re.search(r'^Bail out!(.*)', text, re.M)
    return [json.loads(row) for row in rows], found and found[1].strip()


def boot(elf, args, machine, folder, seed, words):
    """One machine: (records, status, why it bailed out or None)."""
    argv = [sys.executable, kernel.ROOT / 'tools' / 'run.py', '--elf', elf, '--on',
            machine, '--cpus', args.cpus, '--seed', seed, '--timeout', LIMIT,
            '--results', folder, f'iters={args.iters}', *words]
    for old in ('results.jsonl', 'serial.log'):
        (folder / old).unlink(missing_ok=True)
    with ONE_MACHINE:
        code = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode
    records, bail = heard(folder)
    return records, code, bail


def _expected_left(row):
    """Is somebody in the kernel still expected to speak?"""
    wanted = set(row.mutant.expect) & set(mutate.KERNEL)
    return row.mutant.sound or not row.kills or wanted - set(row.kills)


def in_kernel(row, args):
    """One machine after another, each with another seed."""
    mutant, elf = row.mutant, kernel.image('checked')
    words = [f'mutant={mutant.name}']
    if mutant.name == mutant.of:
        words = [f'proto={mutant.of}']
    elif mutant.file:
        elf, words = ZOO / mutant.name / 'shootdown.elf', ['proto=gen-smr']
    words.append('run=' + ','.join(mutant.run or SCENARIOS))
    for seed in range(args.seed, args.seed + args.seeds):
        records, code, bail = boot(elf, args, row.machine,
                                   args.results / row.machine / mutant.name, seed, words)
        if mutant.name == mutant.of:
            records = [r for r in records if r['proto'] == mutant.of]
        take(row, records, code, bail)
        if row.faults or not _expected_left(row):
            break


def _run(argv, **environment):
    """(exit code, output); None for the code when it was stopped."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace',
                              timeout=LIMIT, env={**os.environ, **environment})
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return None, ''


# The explorer

def take_explored(row, text, code):
    """Add what `explore PROTOCOL` printed."""
    found = re.search(r'^(\d+) states', text, re.M)
    said = [word for word in ('UNSAFE', 'un-kicked wait', 'panic')
            if re.search(f'^{word}', text, re.M)]
    if not found or 'NOT COMPLETE' in text and not said or bool(code) != bool(said):
        row.faults.append(f'the explorer ended with {code}: {text.strip()[:200]}')
        return
    row.tried['explorer'] = row.tried.get('explorer', 0) + int(found[1])
    if said:
        row.kill('explorer', int(found[1]), 'states', 'explorer', ', '.join(said))


def explore(row):
    mutant = row.mutant
    name = mutant.of if mutant.name == mutant.of else f'mutant-{mutant.name}'
    argv = [kernel.ROOT / 'build' / 'explore' / 'explore', name, *mutant.explore]
    code, text = _run(argv)
    take_explored(row, text, code)


# The native programs

def make(targets):
    argv = ['make', '-s', '-j2', *(str(t.relative_to(kernel.ROOT)) for t in targets)]
    with kernel.locked(kernel.ROOT / 'build' / '.lock'):
        done = subprocess.run(argv, cwd=kernel.ROOT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace')
    if done.returncode != 0:
        raise Trouble(f'`{" ".join(argv)}` failed:\n' + done.stdout[-3000:])


def take_tests(row, program, text, code):
    """Add what a program of native tests printed."""
    failed = re.findall(r'^not ok \d+ (\S+)', text, re.M)
    count = re.search(r'^(\d+) passed, (\d+) failed', text, re.M)
    row.tried['native'] = row.tried.get('native', 0) + 1
    if code == 0 and count and int(count[1]):
        return
    if code == 1 and failed and count:
        row.kill('native', 1, 'run', f'{program} {failed[0]}',
                 f'{len(failed)} of its tests fail')
    elif code and code != 2 and re.search('Sanitizer|Bail out!|runtime error', text):
        bail = re.search(r'^Bail out! (.*)', text, re.M)
        row.kill('native', 1, 'run', program,
                 bail[1] if bail else 'a sanitizer stops it')
    else:
        row.faults.append(f'{program} ended with {code}: {text.strip()[-200:]}')


def take_threads(row, code):
    """Add one run of the threads; True when another seed may say more."""
    if code == BUSY:
        return True
    row.tried['native'] = tries = row.tried.get('native', 0) + 1
    if code in STATUS:
        row.kill('native', tries, 'runs', 'threads', STATUS[code])
    elif code != 0:
        row.faults.append(f'threads ended with {code}')
    return code == 0


def _threads(row, path, seed, watched):
    """The threads with one seed after another; with the ghost TSan reports nothing."""
    tsan = TSAN + (' report_bugs=0' if watched else '')
    for seed in range(seed, seed + RUNS):
        argv = [path, row.mutant.of or 'gen-smr', *THREADS, str(seed), *watched]
        code, text = _run(argv, TSAN_OPTIONS=tsan)
        if 'unexpected memory mapping' in text:
            argv = ['setarch', os.uname().machine, '-R', *argv]
            code, _ = _run(argv, TSAN_OPTIONS=tsan)
        if not take_threads(row, code):
            return


def natively(row, seed, path):
    """Run the native programs of the header, until one kills.

    path(program) is where the program lies that has this mutant in it.
    """
    for word in row.mutant.native:
        program, _, glob = word.partition(':')
        if program == 'threads':
            _threads(row, path(program), seed, [glob] if glob else [])
        else:
            code, text = _run([path(program), *([glob] if glob else [])])
            take_tests(row, program, text, code)
        if 'native' in row.kills or row.faults:
            return
