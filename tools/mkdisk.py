#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mkdisk - makes a hard-disk image that boots a Multiboot kernel through boot/disk.S

    mkdisk.py ELF OUT --loader build/boot/disk.bin [--cmdline STR]
              [--module PATH[:STRING]]...

prints the number of cylinders, of 16 heads and 63 sectors, for the emulator's
configuration.  A module's string is its file name if none is given; a path with a
colon needs make_disk().

What the loader would have to compute on the slow side of the emulator is computed here:
the ELF file becomes one flat image, the modules get their addresses, and the Multiboot
information is written out but for the memory map.  boot/disk.S draws the descriptor
that carries all this; build_descriptor() below is the other half of that drawing.
"""
import argparse
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
CYLINDER = 16 * 63 * SECTOR
PAGE = 4096
LOW_END = 1 << 20           # below is the BIOS's, and the loader's
ADDRESS_END = 1 << 32
CMDLINE_MAX = 4096          # bytes, without the NUL
MODULES_MAX = 8
LOADER_SIZE = 8 * SECTOR
LOADER_NAME = b"shootdown disk loader"

PT_LOAD = 1
HEADER_MAGIC = 0x1BADB002
HEADER_SEARCH = 8192        # Multiboot: the header is within this much of the file
HEADER_UNDERSTOOD = 0x10003  # page-aligned modules, memory information, address fields
INFO_CMDLINE, INFO_MODULES, INFO_NAME = 1 << 2, 1 << 3, 1 << 9

DESC_INFO, DESC_ROWS, ROW_SIZE = 0x20, 0x80, 16
INFO_MODULE_LIST = DESC_ROWS + ROW_SIZE

Modules = Sequence[tuple[str | os.PathLike, str]]


class DiskError(Exception):
    """The image cannot be made; the text is a sentence for the user."""


class Segment(NamedTuple):
    offset: int
    address: int
    filesz: int
    memsz: int


class Kernel(NamedTuple):
    """The flat kernel: what is loaded, where, and what the loader must know of it."""
    image: bytes
    start: int
    bss_end: int
    entry: int
    header: int     # address of the Multiboot header

    @property
    def end(self) -> int:
        return self.start + len(self.image)


class Extent(NamedTuple):
    """Bytes that go from a sector of the disk to an address of the memory."""
    data: bytes
    address: int
    string: bytes
    sector: int


def check(holds: bool, sentence: str) -> None:
    if not holds:
        raise DiskError(sentence)


def hexes(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{n:#x}" for n in numbers)


def round_up(n: int, unit: int) -> int:
    return -(-n // unit) * unit


def elf_segments(elf: bytes) -> list[Segment]:
    """The PT_LOADs of an ELF64 file that occupy memory, by physical address."""
    check(elf[:7] == b"\x7fELF\x02\x01\x01" and len(elf) >= 64,
          "The kernel is not a little-endian ELF64 file.")
    phoff, = struct.unpack_from("<Q", elf, 32)
    phentsize, phnum = struct.unpack_from("<HH", elf, 54)
    check(phentsize == 56 and phoff + 56 * phnum <= len(elf),
          "The kernel's program headers are damaged.")
    found = []
    for i in range(phnum):
        kind, _, offset, _, paddr, filesz, memsz, _ = struct.unpack_from(
            "<IIQQQQQQ", elf, phoff + 56 * i)
        if kind == PT_LOAD and memsz:
            check(filesz <= memsz and offset + filesz <= len(elf),
                  "A segment of the kernel is longer than the file.")
            found.append(Segment(offset, paddr, filesz, memsz))
    check(bool(found), "The kernel has nothing to load.")
    return sorted(found, key=lambda s: s.address)


def flatten(elf: bytes, segments: list[Segment]) -> bytes:
    """One image of all segments.  Zeros fill the gap to a segment on the next page, and
    the memory beyond a segment's bytes if another one follows."""
    start = segments[0].address
    image = bytearray()
    end = start
    for s in segments:
        check(s.address >= end, f"The kernel's segments overlap at {s.address:#x}.")
        check(s.address - end <= PAGE, f"The kernel has a hole at {end:#x}.")
        image.extend(bytes(s.address - start - len(image)))
        image.extend(elf[s.offset:s.offset + s.filesz])
        end = s.address + s.memsz
    return bytes(image)


def find_header(elf: bytes, segments: list[Segment]) -> tuple[int, int]:
    """File offset and address of the Multiboot (1) header."""
    for offset in range(0, min(HEADER_SEARCH, len(elf)) - 11, 4):
        magic, flags, checksum = struct.unpack_from("<III", elf, offset)
        if magic == HEADER_MAGIC and (magic + flags + checksum) % ADDRESS_END == 0:
            break
    else:
        raise DiskError("The kernel has no Multiboot header in its first 8 KiB.")
    unknown = flags & 0xFFFF & ~HEADER_UNDERSTOOD
    check(not unknown, f"The kernel demands Multiboot features {unknown:#x}, "
                       "which this loader lacks.")
    for s in segments:
        if s.offset <= offset and offset + 12 <= s.offset + s.filesz:
            return offset, offset - s.offset + s.address
    raise DiskError("The kernel's Multiboot header is not loaded into memory.")


def entry_point(elf: bytes, segments: list[Segment], offset: int, header: int) -> int:
    """Where to jump to.  Multiboot prefers the header's address fields, if it has them,
    to the ELF headers; the two must tell the same story, or this loader and another
    would load different kernels."""
    entry, = struct.unpack_from("<Q", elf, 24)
    flags, = struct.unpack_from("<I", elf, offset + 4)
    last = segments[-1]
    end = last.address + last.filesz
    if flags & 1 << 16:
        fields = struct.unpack_from("<4I", elf, offset + 12)
        entry, = struct.unpack_from("<I", elf, offset + 28)
        told = header, segments[0].address, end, last.address + last.memsz
        check(fields in (told, (*told[:2], 0, told[3])),
              "The address fields of the Multiboot header do not agree with the ELF "
              f"headers: {hexes(fields)} for {hexes(told)}.")
        check(all(s.address - s.offset == header - offset
                  for s in segments if s.filesz),
              "The kernel has address fields, but gaps differ in file and memory.")
    check(segments[0].address <= entry < end,
          f"The entry point {entry:#x} is outside of the kernel.")
    return entry


def read_kernel(path: str | os.PathLike) -> Kernel:
    elf = Path(path).read_bytes()
    segments = elf_segments(elf)
    start = segments[0].address
    bss_end = segments[-1].address + segments[-1].memsz
    check(start >= LOW_END and bss_end <= ADDRESS_END,
          f"The kernel, {start:#x} to {bss_end:#x}, is not between 1 MiB and 4 GiB.")
    image = flatten(elf, segments)
    offset, header = find_header(elf, segments)
    entry = entry_point(elf, segments, offset, header)
    return Kernel(image, start, bss_end, entry, header)


def read_loader(path: str | os.PathLike) -> tuple[bytes, int, int, int]:
    """The loader, and what it says of its descriptor: address, sector, sectors."""
    loader = Path(path).read_bytes()
    check(len(loader) == LOADER_SIZE and loader[4:8] == b"SDL1"
          and loader[510:512] == b"\x55\xaa", f"{path} is not the disk loader.")
    return loader, *struct.unpack_from("<III", loader, 8)


def text(what: str, string: str) -> bytes:
    encoded = os.fsencode(string)
    check(b"\0" not in encoded, f"{what} has a NUL in it.")
    return encoded


def place(kernel: Kernel, cmdline: str, modules: Modules, sector: int) -> list[Extent]:
    """Gives the kernel, and then each module, its sectors and its address."""
    line = text("The command line", cmdline)
    check(len(line) <= CMDLINE_MAX, f"The command line has {len(line)} bytes; "
                                    f"{CMDLINE_MAX} are possible.")
    check(len(modules) <= MODULES_MAX,
          f"There are {len(modules)} modules; {MODULES_MAX} are possible.")
    extents = [Extent(kernel.image, kernel.start, line, sector)]
    address = kernel.bss_end
    for path, string in modules:
        sector += round_up(len(extents[-1].data), SECTOR) // SECTOR
        address = round_up(address, PAGE)
        data = Path(path).read_bytes()
        extents.append(Extent(data, address, text("A module's string", string), sector))
        address += len(data)
    check(address <= ADDRESS_END, "Kernel and modules do not fit below 4 GiB.")
    return extents


def build_descriptor(base: int, kernel: Kernel, extents: list[Extent]) -> bytes:
    """The descriptor, which the loader reads to the address `base`."""
    strings_at = DESC_ROWS + ROW_SIZE * len(extents)
    strings = bytearray()

    def put(string: bytes) -> int:
        address = base + strings_at + len(strings)
        strings.extend(string + b"\0")
        return address

    rows = [(e.address, e.address + len(e.data), put(e.string), e.sector)
            for e in extents]
    top = max(kernel.bss_end, rows[-1][1])
    desc = bytearray(strings_at)
    # The gaps are memory sizes, boot device; symbols, map, drives, configuration.
    struct.pack_into("<I12xIII36xI", desc, DESC_INFO,
                     INFO_CMDLINE | INFO_MODULES | INFO_NAME, rows[0][2],
                     len(rows) - 1, base + INFO_MODULE_LIST, put(LOADER_NAME))
    for i, row in enumerate(rows):
        struct.pack_into("<IIII", desc, DESC_ROWS + ROW_SIZE * i, *row)
    desc += strings
    desc.extend(bytes(-len(desc) % SECTOR))
    struct.pack_into("<4sIIIIII", desc, 0, b"SDSK", 0, len(desc) // SECTOR,
                     kernel.entry, kernel.header, kernel.bss_end, top)
    struct.pack_into("<I", desc, 4, descriptor_sum(desc))
    return bytes(desc)


def descriptor_sum(desc: bytes) -> int:
    """What must be added for all words of the descriptor to add to zero."""
    return -sum(struct.unpack(f"<{len(desc) // 4}I", desc)) % ADDRESS_END


def write_image(out: str | os.PathLike, extents: list[Extent]) -> int:
    """Writes all extents; the rest of the last cylinder is a hole of the file."""
    last = extents[-1]
    cylinders = -(-(last.sector * SECTOR + len(last.data)) // CYLINDER)
    with open(out, "wb") as image:
        for e in extents:
            image.seek(e.sector * SECTOR)
            image.write(e.data)
        image.truncate(cylinders * CYLINDER)
    return cylinders


def make_disk(elf: str | os.PathLike, out: str | os.PathLike, cmdline: str,
              modules: Modules, loader: str | os.PathLike) -> int:
    """Makes the image `out` and returns its number of cylinders."""
    code, base, desc_sector, desc_max = read_loader(loader)
    kernel = read_kernel(elf)
    # The descriptor's size depends on the strings alone, but its content on where the
    # kernel begins; so the kernel has a fixed place after the largest descriptor.
    extents = place(kernel, cmdline, modules, desc_sector + desc_max)
    desc = build_descriptor(base, kernel, extents)
    check(len(desc) <= desc_max * SECTOR, "The modules' strings are too long.")
    return write_image(out, [Extent(code, 0, b"", 0), Extent(desc, 0, b"", desc_sector),
                             *extents])


def parse_module(arg: str) -> tuple[str, str]:
    path, colon, string = arg.partition(":")
    return path, string if colon else Path(path).name


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a bootable hard-disk image.")
    parser.add_argument("elf", help="the kernel, an ELF64 file with a Multiboot header")
    parser.add_argument("out", help="the image to make")
    parser.add_argument("--loader", default="build/boot/disk.bin",
                        help="boot/disk.S, built (default: %(default)s)")
    parser.add_argument("--cmdline", default="", help="the kernel's command line")
    parser.add_argument("--module", action="append", default=[], type=parse_module,
                        metavar="PATH[:STRING]", help="a module; may be repeated")
    args = parser.parse_args()
    try:
        print(make_disk(args.elf, args.out, args.cmdline, args.module, args.loader))
    except (DiskError, OSError) as e:
        sys.exit(f"mkdisk: {e}")


if __name__ == "__main__":
    main()
