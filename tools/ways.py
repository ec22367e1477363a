# SPDX-License-Identifier: BSD-2-Clause
"""ways - how the kernel gets into a machine of QEMU: what each --boot is made of

A way is a firmware and a medium.  What a loader would cut, drop or rename on the way is
refused here, with a sentence, before anything starts.  Where a BIOS has a loader the
machine has no screen, so that what both say goes to the serial line as UEFI's words do.
"""
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mkiso
import tftp
from status import Trouble

MB1_MAGIC = (0x1BADB002).to_bytes(4, 'little')
MB1_SEARCH = 8192
PVH_LINE = 4096                # bytes, with the NUL: QEMU does not look before it writes
OVMF = Path('/usr/share/OVMF')
OVMF_FILES = (('OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'), ('OVMF_CODE.fd', 'OVMF_VARS.fd'))
UEFI_MEM = 128                 # MiB, the least that its firmware starts with
NIC = ['-device', 'virtio-net-pci,netdev=net,bootindex=0']


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
        if (job.scratch / name).exists():
            raise Trouble(f'the name of a module, {name}, is taken')
        try:
            shutil.copyfile(path, job.scratch / name)
        except OSError as error:
            raise Trouble(f'cannot read the module: {error}') from None
        yield string


def _direct(job):
    argv = ['-kernel', os.path.abspath(job.elf), '-append', job.cmdline]
    if job.modules:
        argv += ['-initrd', ','.join(_staged(job))]
    return argv


def without_multiboot1(elf):
    """The image, but for the magic word of its multiboot 1 header."""
    image = bytearray(Path(elf).read_bytes())
    at = image.find(MB1_MAGIC, 0, MB1_SEARCH)
    if at >= 0:
        image[at:at + 4] = bytes(4)
    return bytes(image)


def _pvh(job):
    """QEMU prefers multiboot 1, so it must not find that."""
    if job.modules:
        raise Trouble('by PVH QEMU hands over no name of a module: --module needs '
                      'another --boot')
    if len(os.fsencode(job.cmdline)) >= PVH_LINE:
        raise Trouble(f'by PVH QEMU has {PVH_LINE} bytes for the command line, not '
                      f'{len(os.fsencode(job.cmdline)) + 1}')
    (job.scratch / 'pvh.elf').write_bytes(without_multiboot1(job.elf))
    return ['-kernel', 'pvh.elf', '-append', job.cmdline]


def _iso(job, hybrid):
    mkiso.make_iso(job.elf, job.scratch / 'grub.iso', job.cmdline, job.modules, hybrid)


def _cd(job, way):
    _iso(job, hybrid=way.uefi)
    return ['-cdrom', 'grub.iso', '-boot', 'd']


def _usb(job, way):
    _iso(job, hybrid=True)
    return ['-drive', 'file=grub.iso,format=raw,if=none,id=stick', '-device', 'qemu-xhci',
            '-device', 'usb-storage,drive=stick,bootindex=0']


def _net(job, bootfile):
    return ['-netdev', f'user,id=net,tftp=tftp,bootfile=/{bootfile}', *NIC]


def _pxe(job, way):
    loader = 'uefi' if way.uefi else 'bios'
    made = tftp.make_tree(job.scratch / 'tftp', job.elf, job.cmdline, job.modules, [loader])
    return _net(job, made[loader])


def _ipxe(job, way):
    """The boot ROM of QEMU's network card is an iPXE."""
    made = tftp.make_tree(job.scratch / 'tftp', job.elf, job.cmdline, job.modules, ['ipxe'])
    return _net(job, made['ipxe'])


@dataclass(frozen=True)
class Way:
    name: str
    what: str
    medium: Callable
    loader: str = 'multiboot2'    # as the kernel calls it
    uefi: bool = False
    quiet: bool = False           # the kernel is the first who writes to the serial line


WAYS = {way.name: way for way in (
    Way('direct', "QEMU's -kernel, or Bochs' own disk loader",
        lambda job, way: _direct(job), 'multiboot1', quiet=True),
    Way('pvh', "QEMU's -kernel by PVH", lambda job, way: _pvh(job), 'pvh', quiet=True),
    Way('grub', 'GRUB from a CD, BIOS', _cd),
    Way('uefi', 'GRUB from a CD, UEFI', _cd, uefi=True),
    Way('usb', 'GRUB from a USB stick, BIOS', _usb),
    Way('usb-uefi', 'GRUB from a USB stick, UEFI', _usb, uefi=True),
    Way('pxe', 'GRUB over the network, BIOS', _pxe),
    Way('pxe-uefi', 'GRUB over the network, UEFI', _pxe, uefi=True),
    Way('ipxe', "an iPXE script, with iPXE's own multiboot", _ipxe, 'multiboot1'),
)}


def _ovmf():
    for names in OVMF_FILES:
        code, variables = (OVMF / name for name in names)
        if code.is_file() and variables.is_file():
            return code, variables
    raise Trouble(f'there is no UEFI firmware in {OVMF}: apt-get install ovmf')


def _firmware(job, way):
    if way.quiet:
        return []
    if not way.uefi:
        return ['-M', 'graphics=off']
    if job.mem < UEFI_MEM:
        raise Trouble(f'UEFI needs {UEFI_MEM} MiB at least: --mem {job.mem} is too little')
    code, variables = _ovmf()
    shutil.copyfile(variables, job.scratch / 'uefi.vars')
    return ['-drive', f'if=pflash,format=raw,readonly=on,file={code}',
            '-drive', 'if=pflash,format=raw,file=uefi.vars']


def arguments(job):
    """What QEMU is told about the job's way; the files for it lie in job.scratch."""
    way = WAYS[job.boot]
    try:
        return [*_firmware(job, way), *way.medium(job, way)]
    except OSError as error:
        raise Trouble(f'nothing to boot from: {error}') from None
