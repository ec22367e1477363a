# SPDX-License-Identifier: BSD-2-Clause
"""bios - which BIOS boots in this Bochs, and what SeaBIOS must be told

The Bochs BIOS starts fastest.  Some distributions' builds of it (Ubuntu 22.04's is one)
crash before they boot anything, on any configuration; so whether one
boots is tried, with a disk whose only sector ends the machine.  SeaBIOS stands in.
It reads the number of CPUs, the memory and the boot device from CMOS cells that Bochs
fills for its own BIOS only; so the CMOS comes from an image that is made here.
"""
import json
from dataclasses import dataclass
from pathlib import Path

CMOS_SIZE = 128
LOW_MEMORY_MAX = 3072          # MiB that Bochs puts below 4 GiB
BOOT_DEVICE = {'disk': 2, 'cdrom': 3}

# mov $0x8900, %dx; mov $'D', %al; out %al, (%dx); jmp .
END_AT_ONCE = bytes.fromhex('ba0089 b044 ee ebfe').ljust(510, b'\0') + b'\x55\xaa'


@dataclass(frozen=True)
class Bios:
    name: str
    path: Path
    options: str               # of the configuration's romimage
    needs_cmos: bool

    def key(self):
        """Changes when the file does."""
        stat = self.path.stat()
        return f'{self.path} {stat.st_size} {stat.st_mtime_ns}'


ALL = (
    Bios('Bochs BIOS', Path('/usr/share/bochs/BIOS-bochs-latest'),
         ', options=fastboot', False),
    Bios('SeaBIOS', Path('/usr/share/seabios/bios.bin'), '', True),
)


def _known(cache):
    """The keys that are known to boot; a damaged file knows none."""
    try:
        keys = json.loads(cache.read_text())
    except (OSError, ValueError):
        return []
    return keys if isinstance(keys, list) else []


def choose(boots, cache, candidates=ALL):
    """The first BIOS for which boots(bios), or None.

    What boots is kept in the file `cache`.  What does not is tried again: it crashes
    at once, and a busy host must not condemn a good one for ever.
    """
    for bios in candidates:
        if not bios.path.is_file():
            continue
        known = _known(cache)
        if bios.key() in known:
            return bios
        if boots(bios):
            cache.parent.mkdir(parents=True, exist_ok=True)
            cache.write_text(json.dumps(known + [bios.key()]))
            return bios
    return None


def _put(cmos, at, value, size=2):
    cmos[at:at + size] = value.to_bytes(size, 'little')


def cmos(cpus, mem, boot):
    """The CMOS image for that many CPUs, MiB of memory, and boot device."""
    image = bytearray(CMOS_SIZE)
    image[0x0a], image[0x0b], image[0x0d] = 0x26, 0x02, 0x80    # the clock runs
    low = min(mem, LOW_MEMORY_MAX)
    _put(image, 0x15, 640)                                  # KiB below 1 MiB
    _put(image, 0x17, min(low - 1, 63) << 10)               # KiB from there
    _put(image, 0x30, min(low - 1, 63) << 10)
    _put(image, 0x34, max(low - 16, 0) << 4)                # 64 KiB from 16 MiB
    _put(image, 0x5b, (mem - low) << 4, 3)                  # 64 KiB from 4 GiB
    image[0x38], image[0x3d] = 1, BOOT_DEVICE[boot]
    image[0x5f] = cpus - 1
    return bytes(image)
