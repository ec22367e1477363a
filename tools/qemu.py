# SPDX-License-Identifier: BSD-2-Clause
"""qemu - the machines tcg and kvm

tcg emulates CPUs with true concurrency, one host thread each, and has SVM but no VMX.
kvm uses the host's CPU and needs nested VMX; that /dev/kvm exists says nothing about it,
so the probe asks QEMU itself.  The kernel ends the machine by isa-debug-exit with a
code that QEMU never uses for its own errors; 0 is what a triple fault makes.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import mkiso
from job import Complaint, Probe
from status import Trouble

QEMU = 'qemu-system-x86_64'
INSTALL = 'apt-get install qemu-system-x86'
EXIT_OFFSET = 0x10           # the kernel adds it, see its power file
START_FAILED = 1             # what QEMU exits with when it refuses to start
QUIET = ['-display', 'none', '-monitor', 'none', '-net', 'none']


def _medium(job):
    """The arguments that say what it boots."""
    if job.boot == 'grub':
        iso = job.scratch / 'grub.iso'
        try:
            mkiso.make_iso(job.elf, iso, job.cmdline, job.modules)
        except (mkiso.IsoError, OSError) as error:
            raise Trouble(f'nothing to boot from: {error}') from None
        return ['-cdrom', 'grub.iso', '-boot', 'd']
    argv = ['-kernel', os.path.abspath(job.elf), '-append', job.cmdline]
    if job.modules:
        argv += ['-initrd', ','.join(_staged(job))]
    return argv


def _staged(job):
    """Copy each module to a file with the module's name.

    QEMU puts the file's name before the module's words, so the kernel then reads
    exactly "NAME ARGS", as it does from every other loader.
    """
    for path, string in job.modules:
        name = string.split(' ')[0]
        if ',' in string:
            raise Trouble(f'QEMU cannot pass a comma to a module: {string}')
        if not re.fullmatch(r'[A-Za-z0-9_+-][A-Za-z0-9_.+-]*', name):
            raise Trouble(f'QEMU cannot pass a module by the name {name!r}')
        _stage(path, job.scratch / name)
        yield string


def _stage(path, place):
    if place.exists():
        raise Trouble(f'the name of a module, {place.name}, is taken')
    try:
        shutil.copyfile(path, place)
    except OSError as error:
        raise Trouble(f'cannot read the module: {error}') from None


class Qemu:
    max_cpus = 255
    why_max = 'an 8-bit APIC ID has no room for more'

    def prepare(self, job):
        argv = [QEMU, *self.accelerator(job), '-M', 'q35', '-smp', str(job.cpus),
                '-m', str(job.mem), '-no-reboot', *QUIET,
                '-serial', 'file:../serial.log',
                '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', *_medium(job)]
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
        if not shutil.which(QEMU):
            return Probe(False, f'{QEMU} is not installed', INSTALL)
        return Probe(True, 'runs guests by SVM, with true races, but has no VMX')


def _vmx_in_cpuinfo(path='/proc/cpuinfo'):
    try:
        text = Path(path).read_text(errors='replace')
    except OSError:
        return False
    return re.search(r'^flags\b.*\bvmx\b', text, re.M) is not None


def _nested(path='/sys/module/kvm_intel/parameters/nested'):
    try:
        return Path(path).read_text().strip() in ('Y', '1')
    except OSError:
        return False


def _accepts(accelerator):
    """Does QEMU start a stopped machine with it?  The monitor then quits at once."""
    argv = [QEMU, *accelerator, '-S', '-display', 'none', '-monitor', 'stdio',
            '-serial', 'none', '-net', 'none']
    try:
        run = subprocess.run(argv, input=b'quit\n', capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    lines = run.stderr.decode(errors='replace').strip().splitlines()
    return run.returncode == 0, lines[-1] if lines else f'exit code {run.returncode}'


class Kvm(Qemu):
    name = 'kvm'
    vmx = True

    def accelerator(self, job):
        return ['-accel', 'kvm', '-cpu', 'host,+vmx']

    def probe(self):
        """Each step costs more than the one before it; the last has authority."""
        if not os.path.exists('/dev/kvm'):
            return Probe(False, '/dev/kvm does not exist', 'modprobe kvm_intel')
        if not os.access('/dev/kvm', os.R_OK | os.W_OK):
            return Probe(False, '/dev/kvm may not be opened by this user',
                         'adduser "$USER" kvm, and log in again')
        if not _vmx_in_cpuinfo():
            return Probe(False, 'the CPU, or the hypervisor below, shows no VMX')
        if not _nested():
            return Probe(False, 'kvm_intel does not nest VMX',
                         'modprobe -r kvm_intel && modprobe kvm_intel nested=1')
        if not shutil.which(QEMU):
            return Probe(False, f'{QEMU} is not installed', INSTALL)
        good, said = _accepts(['-accel', 'kvm', '-cpu', 'host,+vmx,enforce'])
        if not good:
            return Probe(False, f'QEMU refuses nested VMX: {said}')
        return Probe(True, 'the CPU itself, by nested VMX')
