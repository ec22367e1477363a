#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mkiso - makes a small ISO image that boots a Multiboot2 kernel through GRUB

    mkiso.py ELF OUT [--cmdline STR] [--module PATH[:STRING]]... [--hybrid]

By default for a PC's BIOS and from a CD alone: it gets only the modules of GRUB that this
needs, no fonts, themes or languages; a full image takes 60 % more emulated instructions
to the kernel's first.  A hybrid one boots by BIOS and by UEFI, from a CD, and written as
it is to a disk or a USB stick.  A module's string is its file name if none is given; a
path with a colon needs make_iso().
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grub
from status import Trouble

CD = f"{grub.MODULES} iso9660"
# What the image of a disk asks for by itself; a missing one is an error on the screen.
PARTITIONS = " ".join(f"part_{kind}" for kind in (
    "acorn amiga apple bsd dfly dvh gpt msdos plan sun sunpc").split())
HYBRID = f"{CD} fat {PARTITIONS} {grub.VIDEO}"

Modules = Sequence[tuple[str | os.PathLike, str]]


def mkrescue(root: Path, out: str | os.PathLike, hybrid: bool) -> None:
    options = [f"--install-modules={HYBRID}"] if hybrid else [
        f"--install-modules={CD} biosdisk", "-d", str(grub.platform("i386-pc"))]
    command = ["grub-mkrescue", *options, "--fonts=", "--themes=", "--locales=",
               "-o", os.fspath(out), str(root)]
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, errors="replace")
    except FileNotFoundError:
        raise Trouble("grub-mkrescue is not installed.") from None
    if run.returncode or not Path(out).is_file():
        raise Trouble(f"grub-mkrescue failed ({run.returncode}):\n{run.stdout}")


def make_iso(elf: str | os.PathLike, out: str | os.PathLike, cmdline: str,
             modules: Modules, hybrid: bool = False) -> None:
    """Makes the image `out`."""
    grub.check_header(Path(elf).read_bytes())
    for name in grub.PLATFORMS if hybrid else ["i386-pc"]:
        grub.platform(name)    # grub-mkrescue is content with whatever it finds
    # A failed run must not leave the image of an earlier one behind.
    Path(out).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="mkiso.") as scratch:
        root = Path(scratch)
        (root / "boot/grub").mkdir(parents=True)
        words = grub.script(cmdline, [(f"/boot/module{i}", string) for i, (_, string)
                                      in enumerate(modules)], video=hybrid)
        (root / "boot/grub/grub.cfg").write_bytes(os.fsencode(words))
        shutil.copyfile(elf, f"{root}{grub.KERNEL}")
        for i, (path, _) in enumerate(modules):
            shutil.copyfile(path, root / f"boot/module{i}")
        mkrescue(root, out, hybrid)


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
    parser.add_argument("--hybrid", action="store_true", help="for UEFI too, and disks")
    args = parser.parse_args()
    try:
        make_iso(args.elf, args.out, args.cmdline, args.module, args.hybrid)
    except (Trouble, OSError) as e:
        sys.exit(f"mkiso: {e}")


if __name__ == "__main__":
    main()
