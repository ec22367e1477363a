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
from pathlib import Path

import kernel
import mkdisk
import mkiso
from job import Complaint, Probe
from status import Trouble

MODEL = 'corei7_skylake_x'
BIOS = Path('/usr/share/bochs/BIOS-bochs-latest')
VGA_BIOSES = [Path('/usr/share', path) for path in
              ('bochs/VGABIOS-lgpl-latest', 'bochs/VGABIOS-lgpl-latest.bin',
               'vgabios/vgabios.bin')]
INSTALL = 'apt-get install bochs bochs-term bochsbios vgabios'
HOST_MEMORY = 2048                 # MiB; the rest of a larger guest is swapped

CONFIG = '''\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=0, parallel=0, serial=1, \
iodebug=1, gameport=0
config_interface: textconfig
display_library: term
romimage: file={bios}, options=fastboot
vgaromimage: file={vga}
cpu: model={model}, count={cpus}, ips=1000000, reset_on_triple_fault=0
{memory}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: {master}
ata0-slave: type=cdrom, path=empty.iso, status=inserted
boot: {boot}
port_e9_hack: enabled=1
magic_break: enabled=1
com1: enabled=1, mode=file, dev=../serial.log
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
clock: sync=none, time0=946684800
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


class Bochs:
    name = 'bochs'
    max_cpus = 14
    why_max = 'Bochs has 64 timers, and each CPU takes some'
    vmx = True

    def probe(self):
        if not shutil.which('bochs'):
            return Probe(False, 'bochs is not installed', INSTALL)
        if not BIOS.is_file():
            return Probe(False, f'{BIOS} is missing', INSTALL)
        if not _vga_bios():
            return Probe(False, f'{VGA_BIOSES[0]} is missing', INSTALL)
        if not re.search(rf'^{MODEL}$', _models(), re.M):
            return Probe(False, f'this Bochs does not know the CPU {MODEL}',
                         'Bochs 2.7 or later, with VMX compiled in')
        return Probe(True, 'emulates VMX with EPT, up to 14 CPUs')

    def prepare(self, job):
        """Write what Bochs reads; return its command line and environment."""
        (job.scratch / 'config').write_text(self._config(job))
        (job.scratch / 'commands').write_text('c\nq\n')
        (job.scratch / 'empty.iso').write_bytes(bytes(1 << 20))
        argv = ['bochs', '-q', '-f', 'config', '-rc', 'commands']
        return argv, {**os.environ, 'TERM': 'xterm'}

    def _config(self, job):
        boot, master = self._medium(job)
        memory = f'megs: {job.mem}'
        if job.mem > HOST_MEMORY:
            memory = f'memory: guest={job.mem}, host={HOST_MEMORY}'
        return CONFIG.format(bios=BIOS, vga=_vga_bios(), model=job.model or MODEL, cpus=job.cpus,
                             memory=memory, boot=boot, master=master)

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
        except (mkdisk.DiskError, mkiso.IsoError, OSError) as error:
            raise Trouble(f'nothing to boot from: {error}') from None
        return 'disk', (f'type=disk, path=disk.img, mode=flat, '
                        f'cylinders={cylinders}, heads=16, spt=63')

    def exit_code(self, status):
        """The code of a kernel that ends with this status in its end record."""
        return 0

    def complaint(self, job, code):
        panics = _panics(job.scratch)
        if not panics:
            return Complaint()
        ticks, text = panics[0]
        return Complaint(f'Bochs says: {text}', started=ticks > 0)
