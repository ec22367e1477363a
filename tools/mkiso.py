#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mkiso - makes a small ISO image that boots a Multiboot2 kernel through GRUB on a BIOS

    mkiso.py ELF OUT [--cmdline STR] [--module PATH[:STRING]]...

GRUB gets only the modules that this needs, no fonts, themes or languages, and no menu:
a full image takes 60 % more emulated instructions to the kernel's first.  A module's
string is its file name if none is given; a path with a colon needs make_iso().

GRUB hands over words, not text: it puts a word with a space into double quotes, and a
backslash before each quote and backslash.  So the text is quoted word by word, and one
that could not arrive as it is is refused.
"""
import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

GRUB_DIR = "/usr/lib/grub/i386-pc"
GRUB_MODULES = "multiboot2 normal iso9660 biosdisk"
HEADER_MAGIC = 0xE85250D6
HEADER_SEARCH = 32768       # Multiboot2: the header is within this much of the file

Modules = Sequence[tuple[str | os.PathLike, str]]


class IsoError(Exception):
    """The image cannot be made; the text is a sentence for the user."""


def check_header(elf: bytes) -> None:
    """GRUB would say this too, but on the screen of a machine that then waits."""
    for offset in range(0, min(HEADER_SEARCH, len(elf)) - 15, 8):
        words = struct.unpack_from("<IIII", elf, offset)
        if words[0] == HEADER_MAGIC and sum(words) % (1 << 32) == 0:
            return
    raise IsoError("The kernel has no Multiboot2 header in its first 32 KiB.")


def quote(string: str) -> str:
    """The string as words of GRUB's script, which GRUB joins by one space each."""
    if bad := re.search(r"[\\'\"\0-\x1f\x7f]", string):
        raise IsoError(f"GRUB cannot hand over {bad[0]!r}: {string!r}.")
    plain = re.compile(r"[A-Za-z0-9_./,:=@%+-]+")
    return " ".join(w if plain.fullmatch(w) else f"'{w}'" for w in string.split(" "))


def script(cmdline: str, modules: Modules) -> str:
    """grub.cfg.  An empty string adds no word, so that none is handed over."""
    lines = ["set timeout=0", "menuentry shootdown {",
             f"\tmultiboot2 /boot/shootdown.elf {quote(cmdline) if cmdline else ''}"]
    lines += [f"\tmodule2 /boot/module{i} {quote(string) if string else ''}"
              for i, (_, string) in enumerate(modules)]
    return "\n".join(line.rstrip() for line in lines) + "\n}\n"


def mkrescue(root: Path, out: str | os.PathLike, grub_dir: str) -> None:
    command = ["grub-mkrescue", "-d", grub_dir, f"--install-modules={GRUB_MODULES}",
               "--fonts=", "--themes=", "--locales=", "-o", os.fspath(out), str(root)]
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, errors="replace")
    except FileNotFoundError:
        raise IsoError("grub-mkrescue is not installed.") from None
    if run.returncode or not Path(out).is_file():
        raise IsoError(f"grub-mkrescue failed ({run.returncode}):\n{run.stdout}")


def make_iso(elf: str | os.PathLike, out: str | os.PathLike, cmdline: str,
             modules: Modules, grub_dir: str = GRUB_DIR) -> None:
    """Makes the image `out`."""
    check_header(Path(elf).read_bytes())
    if not Path(grub_dir, "multiboot2.mod").is_file():
        raise IsoError(f"{grub_dir} has no GRUB for a PC's BIOS.")
    # A failed run must not leave the image of an earlier one behind.
    Path(out).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="mkiso.") as scratch:
        root = Path(scratch)
        (root / "boot/grub").mkdir(parents=True)
        (root / "boot/grub/grub.cfg").write_bytes(
            os.fsencode(script(cmdline, modules)))
        shutil.copyfile(elf, root / "boot/shootdown.elf")
        for i, (path, _) in enumerate(modules):
            shutil.copyfile(path, root / f"boot/module{i}")
        mkrescue(root, out, grub_dir)


def parse_module(arg: str) -> tuple[str, str]:
    path, colon, string = arg.partition(":")
    return path, string if colon else Path(path).name


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a bootable GRUB ISO image.")
    parser.add_argument("elf", help="the kernel, an ELF file with a Multiboot2 header")
    parser.add_argument("out", help="the image to make")
    parser.add_argument("--cmdline", default="", help="the kernel's command line")
    parser.add_argument("--module", action="append", default=[], type=parse_module,
                        metavar="PATH[:STRING]", help="a module; may be repeated")
    parser.add_argument("--grub-dir", default=GRUB_DIR,
                        help="GRUB's platform directory (default: %(default)s)")
    args = parser.parse_args()
    try:
        make_iso(args.elf, args.out, args.cmdline, args.module, args.grub_dir)
    except (IsoError, OSError) as e:
        sys.exit(f"mkiso: {e}")


if __name__ == "__main__":
    main()
