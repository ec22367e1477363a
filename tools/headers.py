#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Asserts that the image carries its headers where loaders look for them.

Multiboot 1 searches the first 8 KiB of the file, Multiboot 2 the first 32 KiB.  The
address fields of header 1 describe one contiguous load, so every segment must have the
same distance between file offset and physical address.  A section with a large
alignment would move the headers silently; here it fails the build.  PVH's note must be
in a PT_NOTE, and in a segment that is loaded, or the load would have a hole.
"""
import struct
import sys

MB1_MAGIC, MB1_WANT, MB1_SEARCH = 0x1BADB002, 0x00010003, 8192
MB2_MAGIC, MB2_SEARCH = 0xE85250D6, 32768
PT_LOAD, PT_NOTE = 1, 4
PVH_NOTE = struct.pack("<III4s", 4, 8, 18, b"Xen\0")     # then 8 bytes: where it enters


def fail(why):
    sys.exit(f"headers: {why}")


def find(image, magic, end, align):
    for at in range(0, min(end, len(image) - 32), align):
        if struct.unpack_from("<I", image, at)[0] == magic:
            return at
    return None


def segments(image, wanted=PT_LOAD):
    """Those of a kind as (offset, paddr, filesz, memsz)."""
    phoff, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    for i in range(count):
        kind, _, off, _, pa, filesz, memsz = struct.unpack_from(
            "<IIQQQQQ", image, phoff + i * size)
        if kind == wanted:
            yield off, pa, filesz, memsz


def check_mb1(image):
    at = find(image, MB1_MAGIC, MB1_SEARCH, 4)
    if at is None:
        fail("no multiboot 1 header in the first 8 KiB")
    _, flags, checksum, header, load, load_end, bss_end, entry = struct.unpack_from(
        "<8I", image, at)
    if flags != MB1_WANT or (MB1_MAGIC + flags + checksum) & 0xFFFFFFFF:
        fail("multiboot 1: wrong flags or checksum")
    loads = list(segments(image))
    if {off - pa for off, pa, _, _ in loads} != {at - header}:
        fail("segments are not one contiguous load")
    end = max(pa + memsz for _, pa, _, memsz in loads)
    if load != min(pa for _, pa, _, _ in loads) or bss_end != end:
        fail("multiboot 1: address fields do not match the segments")
    if not load <= entry < load_end <= bss_end:
        fail("multiboot 1: the entry point is outside of the load")


def check_mb2(image):
    at = find(image, MB2_MAGIC, MB2_SEARCH, 8)
    if at is None:
        fail("no multiboot 2 header in the first 32 KiB")
    if sum(struct.unpack_from("<4I", image, at)) & 0xFFFFFFFF:
        fail("multiboot 2: wrong checksum")


def check_pvh(image):
    notes = list(segments(image, PT_NOTE))
    if len(notes) != 1:
        fail(f"{len(notes)} segments of notes where PVH needs one")
    at, addr, size, _ = notes[0]
    if size != len(PVH_NOTE) + 8 or not image.startswith(PVH_NOTE, at):
        fail("the note that says where PVH enters is missing")
    if not any(off - pa == at - addr and pa <= addr and addr + size <= pa + filesz
               for off, pa, filesz, _ in segments(image)):
        fail("PVH's note is in no segment that is loaded")
    entry, = struct.unpack_from("<Q", image, at + len(PVH_NOTE))
    if not any(pa <= entry < pa + filesz for _, pa, filesz, _ in segments(image)):
        fail("PVH's entry point is outside of the load")


def check(image):
    check_mb1(image)
    check_mb2(image)
    check_pvh(image)


def main():
    with open(sys.argv[1], "rb") as f:
        check(f.read())


if __name__ == "__main__":
    main()
