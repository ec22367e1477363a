# SPDX-License-Identifier: BSD-2-Clause
"""machine - which machines there are, which can be used here, and a run on one

kvm comes first because it is a real CPU; Bochs stands in where there is none.  tcg
has SVM and no VMX, so it is never chosen for a user who did not ask for it.
"""
import re
import shutil

import pin
import process
import report
import status
from bochs import Bochs
from kvm import Kvm
from qemu import Tcg
from status import Trouble

MACHINES = {machine.name: machine for machine in (Kvm(), Bochs(), Tcg())}
CHOICE = ('kvm', 'bochs')
# What an earlier run may have left in its folder.
LEFT = ('results.jsonl', 'junit.xml', 'run.json', 'bench.json', 'costs.svg',
        'trace.json', 'trace.svg')


def describe(name, probe):
    mend = f'; to mend: {probe.mend}' if probe.mend else ''
    return f'{name} cannot be used: {probe.reason}{mend}'


def choose(wanted=None):
    """(machine, why in one line); Trouble if none can be used."""
    reasons = []
    for name in [wanted] if wanted else CHOICE:
        machine = MACHINES[name]
        probe = machine.probe()
        if probe.usable:
            asked = ['asked for'] if wanted else []
            return machine, '; '.join(asked + [probe.reason] + reasons)
        reasons.append(describe(name, probe))
    raise Trouble('.  '.join(reasons))


def check_cpus(machine, cpus):
    if cpus > machine.max_cpus:
        raise Trouble(f'{machine.name} has at most {machine.max_cpus} CPUs, '
                      f'not {cpus}: {machine.why_max}')


def check_boot(machine, boot):
    if boot not in machine.boots:
        others = [name for name, one in MACHINES.items() if boot in one.boots]
        raise Trouble(f'{machine.name} cannot boot by {boot}, only by '
                      f'{" or ".join(machine.boots)}; there is --on {" or ".join(others)}')


def clean(job):
    """No file of an earlier run may be taken for one of this run."""
    job.results.mkdir(parents=True, exist_ok=True)
    for name in LEFT:
        (job.results / name).unlink(missing_ok=True)
    shutil.rmtree(job.scratch, ignore_errors=True)
    job.scratch.mkdir()
    job.serial.write_bytes(b'')


def _pin(job, child):
    """Bind the machine's CPUs if the job says so; one that cannot be bound goes on."""
    if not job.pins:
        return
    try:
        pin.pin(job.scratch, job.pins, lambda: not child.ended())
    except pin.Unpinned as why:
        report.say(f'not pinned after all: {why}')
    except BaseException:
        child.kill()
        raise


def run(machine, job, timeout, feed, last_word):
    """Start the machine, feed what it says, and see to its end."""
    clean(job)
    argv, env = machine.prepare(job)
    with open(job.scratch / 'stdout', 'wb') as out, \
            open(job.scratch / 'stderr', 'wb') as err, open(job.serial, 'rb') as log:
        try:
            child = process.Process(argv, job.scratch, env, out, err)
        except OSError as error:
            raise Trouble(f'{machine.name} cannot be started: {error}') from None
        _pin(job, child)
        return process.watch(child, log, timeout, feed, last_word)


def complaint(machine, job, ending):
    """What the emulator says; Trouble when it never started the machine."""
    said = machine.complaint(job, ending.code)
    if ending.kind == 'exited' and not said.started and not job.serial.stat().st_size:
        text = said.text or f'exit code {ending.code}'
        raise Trouble(f'{machine.name} did not start.  {text}')
    return re.sub(r'[^ -~]', '?', said.text)


def confirm(machine, job, judge, code, sentence):
    """(status, sentence), less good if the kernel found no such CPU as was promised.

    With a model of the user's own nothing was promised.
    """
    doubt = getattr(machine, 'doubt', None)
    if not doubt or job.model or judge.boot is None:
        return code, sentence
    why = doubt(judge.boot, judge.no_guests())
    if not why:
        return code, sentence
    if code in (status.PASS, status.NOTHING):
        return status.NOTHING, f'NO VERDICT: {why}'
    return code, f'{sentence}.  {why}'
