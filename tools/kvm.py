# SPDX-License-Identifier: BSD-2-Clause
"""kvm - the host's own CPU, by nested virtualization: VMX on Intel, SVM on AMD

That /dev/kvm exists says nothing: the CPU must have virtualization to hand on, the
module must nest it with two-level paging, and QEMU, who knows best, must accept it.
Each check costs more than the one before, and the first that fails ends the probe.
What the checks look at is a Host, so that recorded hosts can be tried (test_kvm.py).
Even then the kernel has the last word: doubt() compares what it found.
"""
import errno
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import qemu
from job import Check, Probe

DEVICE = '/dev/kvm'
CONTAINERS = ('/.dockerenv', '/run/.containerenv', '/run/systemd/container')
PATIENCE = 20                 # seconds for QEMU to start a stopped machine


@dataclass(frozen=True)
class Kind:
    """What a vendor calls it; backend is the kernel's word for it."""
    name: str
    flag: str
    module: str
    paging: str                # the module's parameter for two-level paging
    backend: str


INTEL = Kind('VMX', 'vmx', 'kvm_intel', 'ept', 'vmx')
AMD = Kind('SVM', 'svm', 'kvm_amd', 'npt', 'svm')
NESTED = 'nested'


class Host:
    """All that a probe looks at, below `root`, and the emulator that it asks."""

    def __init__(self, root='/', emulator=qemu.QEMU):
        self.root, self.emulator = Path(root), emulator

    def at(self, path):
        return self.root / path.lstrip('/')

    def exists(self, path):
        return self.at(path).exists()

    def text(self, path):
        """What a file says, without blanks around it; '' if it cannot be read."""
        try:
            return self.at(path).read_text(errors='replace').strip()
        except OSError:
            return ''

    def is_device(self, path):
        return stat.S_ISCHR(self.at(path).stat().st_mode)

    def open_error(self, path):
        """The errno of opening it to read and write, 0 if that works.

        Opened for true: access() knows nothing of a container's list of devices, nor
        of a node that was made for a module which is not there.
        """
        try:
            os.close(os.open(self.at(path), os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return error.errno
        return 0

    def for_group(self, path):
        """May its group read and write it?"""
        return self.at(path).stat().st_mode & 0o060 == 0o060

    def modules(self):
        """The kvm_* modules that are in the kernel."""
        return sorted(path.name for path in self.at('/sys/module').glob('kvm_*'))

    def flags(self):
        """The first CPU's flags."""
        found = re.search(r'^flags\s*:(.*)$', self.text('/proc/cpuinfo'), re.M)
        return found[1].split() if found else []

    def in_container(self):
        return any(self.exists(path) for path in CONTAINERS)

    def kind(self):
        """INTEL or AMD, by the CPU's flags; None if it shows neither."""
        flags = self.flags()
        return next((kind for kind in (INTEL, AMD) if kind.flag in flags), None)

    def accepts(self, accelerator):
        """(does QEMU start a stopped machine with it, what it said)."""
        argv = [self.emulator, *accelerator, '-S', '-display', 'none', '-monitor',
                'stdio', '-serial', 'none', '-net', 'none']
        try:
            run = subprocess.run(argv, input=b'quit\n', capture_output=True,
                                 timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            return False, str(error)
        lines = run.stderr.decode(errors='replace').strip().splitlines()
        lines = [re.sub(r'^\S*qemu-system-x86_64: ', '', line) for line in lines]
        said = '; '.join(dict.fromkeys(lines)) or f'exit code {run.returncode}'
        return run.returncode == 0, said


def accelerator(kind, *more):
    """QEMU's arguments; an unknown CPU is left to QEMU to refuse."""
    flags = [f'+{kind.flag}'] if kind else []
    return ['-accel', 'kvm', '-cpu', ','.join(['host', *flags, *more])]


def _node(host):
    """How the device comes to be where its module is loaded."""
    if host.in_container():
        return f'start the container with --device {DEVICE}'
    return f'mknod {DEVICE} c 10 232'


def _absent(host, kind):
    """Why there is no device, and what to do."""
    if not kind:
        return f'{DEVICE} does not exist, and {_no_flag(host)}', _show(host)
    if host.exists(f'/sys/module/{kind.module}'):
        return f'{DEVICE} does not exist, though {kind.module} is loaded', _node(host)
    load = f'modprobe {kind.module}'
    if host.in_container():
        load += f' outside of the container; then {_node(host)}'
    return f'{DEVICE} does not exist: {kind.module} is not loaded', load


def _exists(host, kind):
    what = f'{DEVICE} exists'
    if not host.exists(DEVICE):
        return Check(what, False, *_absent(host, kind))
    return Check(what, host.is_device(DEVICE), f'{DEVICE} is no device',
                 f'rm -r {DEVICE} && {_node(host)}')


def _let_in(host):
    """What lets the user open it."""
    mend = 'adduser "$USER" kvm, and log in again'
    if not host.for_group(DEVICE):
        mend = f'chgrp kvm {DEVICE} && chmod 660 {DEVICE}; {mend}'
    return mend


def _opens(host, kind):
    error = host.open_error(DEVICE)
    mend = ''
    if error == errno.EACCES:
        mend = _let_in(host)
    elif error == errno.EPERM and host.in_container():
        mend = _node(host)
    elif error in (errno.ENODEV, errno.ENXIO):     # a node that no module stands behind
        mend = f'modprobe {kind.module}' if kind else _show(host)
    return Check(f'{DEVICE} can be opened', not error,
                 f'{DEVICE} cannot be opened: {os.strerror(error)}', mend)


def _no_flag(host):
    """The sentence for a CPU that shows nothing, with what else there is to know."""
    said = 'the CPU, or the hypervisor below, shows neither VMX nor SVM'
    for kind in (INTEL, AMD):
        nested = host.text(f'/sys/module/{kind.module}/parameters/{NESTED}')
        if nested:
            said += f', though {kind.module} says {NESTED}={nested}'
    others = [m for m in host.modules() if m not in (INTEL.module, AMD.module)]
    if others:
        said += f'; {DEVICE} is served by {", ".join(others)}, which nests neither'
    return said


def _show(host):
    if 'hypervisor' in host.flags():
        return ('this is a virtual machine: have the hypervisor below hand VMX or SVM '
                'on to it')
    return "switch virtualization (VT-x, SVM) on in the firmware's set-up"


def _shows(host, kind):
    if not kind:
        return Check('the CPU shows VMX or SVM', False, _no_flag(host), _show(host))
    return Check(f'the CPU shows {kind.name}', True)


def _loaded(host, kind):
    return Check(f'{kind.module} is loaded', host.exists(f'/sys/module/{kind.module}'),
                 f'{kind.module} is not loaded', f'modprobe {kind.module}')


def _parameter(host, kind, name, must):
    """A parameter of the module that must be on; `must`: it may not be absent."""
    said = host.text(f'/sys/module/{kind.module}/parameters/{name}')
    good = said in ('Y', '1') or not said and not must
    return Check(f'{kind.module} has {name}=Y', good,
                 f'{kind.module} has {name}={said}' if said else
                 f'{kind.module} has no parameter {name}',
                 f'modprobe -r {kind.module} && modprobe {kind.module} {name}=1')


def _nests(host, kind):
    return _parameter(host, kind, NESTED, True)


def _pages(host, kind):
    return _parameter(host, kind, kind.paging, False)


def _installed(host, kind):
    return qemu.installed(host.emulator)


def _accepts(host, kind):
    argv = accelerator(kind, 'enforce')
    good, said = host.accepts(argv)
    return Check(f'QEMU accepts {" ".join(argv[2:])}', good,
                 f'QEMU refuses nested {kind.name}: {said}')


CHECKS = (_exists, _opens, _shows, _loaded, _nests, _pages, _installed, _accepts)


class Kvm(qemu.Qemu):
    """A virtual machine of KVM; its `host` is looked at anew for each question.

    The interrupt controller is the kernel's (QEMU's default), so the CPU has an x2APIC
    and there may be more than 255 CPUs; a device's interrupt could not be sent to
    those without an IOMMU, but here devices are polled.
    """
    name = 'kvm'
    vmx = True
    pins = True
    max_cpus = 512
    why_max = 'the kernel has room for no more'

    def __init__(self, host=None):
        self.host = host or Host()

    def accelerator(self, job):
        return accelerator(self.host.kind())

    def probe(self):
        kind = self.host.kind()
        good = f'the CPU itself, by nested {kind.name}' if kind else ''
        return Probe.of((check(self.host, kind) for check in CHECKS), good)

    def doubt(self, boot, why):
        """A sentence if the boot record belies the probe, else None.

        `why` is the kernel's reason if it can run no guests.
        """
        kind, found = self.host.kind() or INTEL, boot.get('backend', '')
        if found == kind.backend:
            return None
        said = f'finds {found.upper()} instead' if found else f'says: {why}'
        other = 'bochs' if kind is INTEL else 'tcg'
        return (f'kvm was chosen for nested {kind.name}, but the kernel {said}; next, '
                f'try --on {other}')
