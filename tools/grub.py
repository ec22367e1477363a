# SPDX-License-Identifier: BSD-2-Clause
"""grub - what GRUB is told, whatever medium it starts from

GRUB hands over words, not text: it puts a word with a space into double quotes, and a
backslash before each quote and backslash.  So the text is quoted word by word, and one
that could not arrive as it is is refused.

The script is no menu: where a command fails GRUB would wait for a key that nobody
presses.  Here the next line says so on the serial port, in the words that end a run.
What GRUB writes there ends in a whole line, so that the kernel's first one is whole too.
"""
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from status import Trouble

GRUB_DIR = Path('/usr/lib/grub')
PLATFORMS = {'i386-pc': ("a PC's BIOS", 'grub-pc-bin'),
             'x86_64-efi': ('UEFI', 'grub-efi-amd64-bin')}
HEADER_MAGIC = 0xE85250D6
HEADER_SEARCH = 32768       # Multiboot2: the header is within this much of the file
KERNEL = '/boot/shootdown.elf'
MODULES = 'multiboot2 normal serial echo sleep'  # of GRUB's own, besides the medium's
VIDEO = 'all_video'         # without it UEFI's GRUB tells of no frame buffer
PLAIN = re.compile(r'[A-Za-z0-9_./,:=@%+-]+')
FAILED = 'Bail out! GRUB could not load the kernel or a module.'


def platform(name: str) -> Path:
    """Where GRUB's files for this platform are."""
    what, package = PLATFORMS[name]
    if not (GRUB_DIR / name / 'multiboot2.mod').is_file():
        raise Trouble(f'{GRUB_DIR / name} has no GRUB for {what}: apt-get install {package}')
    return GRUB_DIR / name


def check_header(elf: bytes) -> None:
    """GRUB would say this too, but on the screen of a machine that then waits."""
    for offset in range(0, min(HEADER_SEARCH, len(elf)) - 15, 8):
        words = struct.unpack_from('<IIII', elf, offset)
        if words[0] == HEADER_MAGIC and sum(words) % (1 << 32) == 0:
            return
    raise Trouble('The kernel has no Multiboot2 header in its first 32 KiB.')


def quote(string: str) -> str:
    """The string as words of GRUB's script, which GRUB joins by one space each."""
    if bad := re.search(r"[\\'\"\0-\x1f\x7f]", string):
        raise Trouble(f'GRUB cannot hand over {bad[0]!r}: {string!r}.')
    return ' '.join(w if PLAIN.fullmatch(w) else f"'{w}'" for w in string.split(' '))


def _command(name: str, path: str, string: str) -> str:
    """An empty string adds no word, so that none is handed over."""
    return f'{name} {path} {quote(string)}' if string else f'{name} {path}'


def script(cmdline: str, modules: Sequence[tuple[str, str]], video: bool) -> str:
    """grub.cfg for these words and modules: (path on the medium, string)."""
    loads = [_command('multiboot2', KERNEL, cmdline)]
    loads += [_command('module2', path, string) for path, string in modules]
    lines = ['if serial --unit=0 --speed=115200; then terminal_output console serial; fi',
             *[f'insmod {VIDEO}'] * video, 'echo', *(f'if {load}; then' for load in loads), '\tboot', *['fi'] * len(loads),
             'echo', f"echo '{FAILED}'", 'sleep 1000000']
    return '\n'.join(lines) + '\n'
