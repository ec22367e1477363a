# SPDX-License-Identifier: BSD-2-Clause
"""qemu - what all machines of QEMU share, and the machine tcg

tcg emulates CPUs with true concurrency, one host thread each, and has SVM but no VMX.
The kernel ends the machine by isa-debug-exit with a code that QEMU never uses for its
own errors; 0 is what a triple fault makes.  kvm.py has the other machine.
"""
import os
import shutil

import pin
import ways
from job import Check, Complaint, Probe

QEMU = 'qemu-system-x86_64'
INSTALL = 'apt-get install qemu-system-x86'
EXIT_OFFSET = 0x10           # the kernel adds it, see its power file
START_FAILED = 1             # what QEMU exits with when it refuses to start
QUIET = ['-display', 'none', '-monitor', 'none', '-net', 'none']


def _control(job):
    """The socket by which QEMU tells the threads of its CPUs."""
    return ['-qmp', f'unix:{pin.SOCKET},server=on,wait=off'] if job.pins else []


def installed(emulator=QEMU):
    return Check(f'{QEMU} is installed', bool(shutil.which(emulator)),
                 f'{QEMU} is not installed', INSTALL)


def _serial(job):
    return f'tcp:127.0.0.1:{job.port}' if job.port else 'file:../serial.log'


class Qemu:
    boots = tuple(ways.WAYS)
    max_cpus = 255
    why_max = 'an 8-bit APIC ID has no room for more'
    threads = True             # a host's thread for each CPU
    pins = False               # bound to a CPU of the host without being asked

    def prepare(self, job):
        argv = [QEMU, *self.accelerator(job), '-M', 'q35', '-smp', str(job.cpus),
                '-m', str(job.mem), '-no-reboot', *QUIET,
                '-serial', _serial(job),
                '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', *_control(job),
                *ways.arguments(job)]
        if job.model:
            argv[argv.index('-cpu') + 1] = job.model
        return argv, dict(os.environ)

    def exit_code(self, status):
        return (status + EXIT_OFFSET) << 1 | 1

    def complaint(self, job, code):
        errors = job.scratch / 'stderr'
        text = errors.read_text(errors='replace') if errors.is_file() else ''
        lines = [line for line in text.splitlines() if 'warning:' not in line]
        if not lines:
            return Complaint(started=code != START_FAILED)
        return Complaint(f'QEMU says: {lines[0]}', started=code != START_FAILED)


class Tcg(Qemu):
    name = 'tcg'
    vmx = False

    def accelerator(self, job):
        if job.deterministic:
            return ['-accel', 'tcg,thread=single', '-cpu', 'max',
                    '-icount', 'shift=10,sleep=off', '-rtc', 'clock=vm,base=2020-01-01']
        return ['-accel', 'tcg,thread=multi', '-cpu', 'max']

    def probe(self):
        return Probe.of([installed()],
                        'runs guests by SVM, with true races, but has no VMX')
