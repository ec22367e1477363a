# SPDX-License-Identifier: BSD-2-Clause
"""bochs - the machine that runs VMX without VMX hardware

The configuration is what boots fastest without a screen: the terminal display opens
a pty of its own, an empty CD spares the BIOS a time-out, and the slowest clock makes
emulated waits short.  The debugger is compiled in: it continues once, and quits with
0 when the kernel breaks into it, so exit code 0 is what a kernel that is done makes;
a triple fault is a panic of the emulator, and 1.
"""
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import bios
import kernel
import mkdisk
import mkiso
import process
from job import Check, Complaint, Probe
from status import Trouble

MODEL = 'corei7_skylake_x'
VGA_BIOSES = [Path('/usr/share', path) for path in
              ('bochs/VGABIOS-lgpl-latest', 'bochs/VGABIOS-lgpl-latest.bin',
               'vgabios/vgabios.bin')]
INSTALL = 'apt-get install bochs bochs-term bochsbios seabios vgabios'
HOST_MEMORY = 2048                 # MiB; the rest of a larger guest is swapped
SLOWEST, REAL = 1000000, 30000000   # instructions in a second of its clock
TRIAL = 30                         # seconds for a BIOS to boot a single sector

CONFIG = '''\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=0, parallel=0, serial=1, \
iodebug=1, gameport=0
config_interface: textconfig
display_library: term
romimage: file={bios.path}{bios.options}
vgaromimage: file={vga}
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0
{memory}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: {master}
ata0-slave: type=cdrom, path=empty.iso, status=inserted
boot: {boot}
port_e9_hack: enabled=1
magic_break: enabled=1
com1: enabled=1, {com1}
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
clock: sync=none, time0=946684800
{cmos}
'''


def _vga_bios():
    return next((path for path in VGA_BIOSES if path.is_file()), None)


def _models():
    """What `bochs --help cpu` prints, or an empty text."""
    try:
        run = subprocess.run(['bochs', '--help', 'cpu'], stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return (run.stdout + run.stderr).decode(errors='replace')


def _panics(folder):
    """(ticks, text) of each emulator panic, oldest first."""
    text = ''.join((folder / name).read_text(errors='replace')
                   for name in ('bochs.log', 'stderr') if (folder / name).is_file())
    found = re.findall(r'^(\d+)p\[(.*?) *\] >>PANIC<< (.*)$', text, re.M)
    return [(int(ticks), f'{device}: {what}'.lstrip(': '))
            for ticks, device, what in found]


def _com1(port):
    """Where the serial line goes: to whoever listens at the port, or to a file."""
    return f'mode=socket-client, dev=127.0.0.1:{port}' if port else \
        'mode=file, dev=../serial.log'


def _config(rom, cpus, mem, boot, master, model=MODEL, ips=SLOWEST, port=0):
    """The text of the configuration file."""
    memory = f'megs: {mem}'
    if mem > HOST_MEMORY:
        memory = f'memory: guest={mem}, host={HOST_MEMORY}'
    cmos = 'cmosimage: file=cmos.img, rtc_init=time0' if rom.needs_cmos else ''
    return CONFIG.format(bios=rom, vga=_vga_bios(), model=model, cpus=cpus, ips=ips,
                         memory=memory, boot=boot, master=master, cmos=cmos,
                         com1=_com1(port))


def _write(folder, rom, cpus, mem, boot, master, **more):
    """Write what Bochs reads into `folder`; return its command line, environment."""
    (folder / 'config').write_text(_config(rom, cpus, mem, boot, master, **more))
    (folder / 'commands').write_text('c\nq\n')
    (folder / 'empty.iso').write_bytes(bytes(1 << 20))
    if rom.needs_cmos:
        (folder / 'cmos.img').write_bytes(bios.cmos(cpus, mem, boot))
    argv = ['bochs', '-q', '-f', 'config', '-rc', 'commands']
    # Nobody reads that pty: what a terminal with a cursor to hide is told, fills it in
    # minutes, and then Bochs waits for ever.
    return argv, {**os.environ, 'TERM': 'vt100'}


def _disk(cylinders):
    return (f'type=disk, path=disk.img, mode=flat, cylinders={cylinders}, heads=16, '
            'spt=63')


def _boots(rom):
    """Does this BIOS boot a disk whose only sector ends the machine?"""
    with tempfile.TemporaryDirectory(prefix='bios.') as scratch:
        folder = Path(scratch, 'machine')
        folder.mkdir()
        disk = bios.END_AT_ONCE.ljust(mkdisk.CYLINDER, b'\0')
        (folder / 'disk.img').write_bytes(disk)
        argv, env = _write(folder, rom, 1, 32, 'disk', _disk(1))
        with open(folder / 'stdout', 'wb') as out:
            child = process.Process(argv, folder, env, out, subprocess.STDOUT)
            try:
                ended = child.wait(TRIAL)
            finally:
                code = child.kill()
    return ended and code == 0


def _bios():
    return bios.choose(_boots, kernel.ROOT / 'build' / 'bios.json')


def _checks():
    yield Check('bochs is installed', bool(shutil.which('bochs')),
                'bochs is not installed', INSTALL)
    yield Check('it has a VGA BIOS', bool(_vga_bios()),
                f'{VGA_BIOSES[0]} is missing', INSTALL)
    yield Check(f'it knows the CPU {MODEL}',
                bool(re.search(rf'^{MODEL}$', _models(), re.M)),
                f'this Bochs does not know the CPU {MODEL}',
                'Bochs 2.7 or later, with VMX compiled in')
    yield Check('it boots by a BIOS', bool(_bios()), 'no BIOS boots in this Bochs',
                INSTALL)


class Bochs:
    name = 'bochs'
    boots = ('direct', 'grub')
    max_cpus = 14
    why_max = 'Bochs has 64 timers, and each CPU takes some'
    vmx = True

    def probe(self):
        probe = Probe.of(_checks(), 'emulates VMX with EPT, up to 14 CPUs')
        if probe.usable:
            probe = replace(probe, reason=f'{probe.reason}, {_bios().name}')
        return probe

    def prepare(self, job):
        """Write what Bochs reads; return its command line and environment."""
        boot, master = self._medium(job)
        return _write(job.scratch, _bios(), job.cpus, job.mem, boot, master,
                      model=job.model or MODEL,
                      ips=REAL if job.seconds else SLOWEST, port=job.port)

    def _medium(self, job):
        """Make what it boots from; (boot device, ata0-master line)."""
        try:
            if job.boot == 'grub':
                mkiso.make_iso(job.elf, job.scratch / 'grub.iso', job.cmdline,
                               job.modules)
                return 'cdrom', 'type=cdrom, path=grub.iso, status=inserted'
            disk = job.scratch / 'disk.img'
            disk.with_name('disk.img.lock').unlink(missing_ok=True)
            cylinders = mkdisk.make_disk(job.elf, disk, job.cmdline, job.modules,
                                         kernel.disk_loader())
        except (mkdisk.DiskError, OSError) as error:
            raise Trouble(f'nothing to boot from: {error}') from None
        return 'disk', _disk(cylinders)

    def exit_code(self, status):
        """The code of a kernel that ends with this status in its end record."""
        return 0

    def complaint(self, job, code):
        panics = _panics(job.scratch)
        if not panics:
            return Complaint()
        ticks, text = panics[0]
        return Complaint(f'Bochs says: {text}', started=ticks > 0)
