#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_loader - boots loader_probe from disk images and GRUB images, in Bochs and QEMU

    test_loader.py [--keep DIR] [WORD]...      only tests with all WORDs in their name

The probe prints what it was handed; here it is compared with what was put in, by both
ways out (port 0xe9 and COM1), and two loaders' memory maps with each other.  Where a
loader could be right by luck - memory that is zero anyway, A20 that is on anyway - the
"dirty" tests start it from a boot record that spoils all that first.  What must not
boot must stop with its sentence.  The last line counts.
"""
import argparse
import os
import re
import shutil
import string
import struct
import sys
import tempfile
from functools import partial
from pathlib import Path

from loader_bench import SENTENCE, TREE, Bench, Run, Skip, bochs, need, qemu

sys.path.insert(0, str(TREE / "tools"))
import mkdisk  # noqa: E402
import mkiso  # noqa: E402
from status import Trouble  # noqa: E402

QEMU_DONE = 33      # isa-debug-exit with 16
DESC = 8 * mkdisk.SECTOR


# What the probe says, and what it should.

def checksum(data: bytes) -> int:
    words, total = len(data) // 4, 0
    for n in (*struct.unpack_from(f"<{words}I", data), *data[4 * words:]):
        total = ((total << 5 | total >> 27) + n) & 0xFFFFFFFF
    return total


class Told(dict):
    """The probe's lines: a list of field lists for each first word."""

    def __init__(self, output: bytes):
        super().__init__()
        for words, text in re.findall(rb"^\r?probe: ([^[\n]*)(\[.*\])?$", output, re.M):
            word, *fields = words.decode().split()
            self.setdefault(word, []).append(fields + [text[1:-1]] * bool(text))

    def only(self, word: str) -> list:
        equal(f"number of {word} lines", len(self.get(word, [])), 1)
        return self[word][0]


def equal(what: str, is_: object, want: object) -> None:
    if is_ != want:
        raise AssertionError(f"{what} is {is_!r:.200}, want {want!r:.200}")


def told(run: Run, done: int) -> Told:
    """The probe's lines, if it reached its end and both outputs agree."""
    equal("exit code", run.code, done)
    by_debug, by_serial = Told(run.debug), Told(run.serial)
    equal("last line", by_debug.get("end"), [[]])
    equal("COM1", by_serial, by_debug)
    return by_debug


def check_common(bench: Bench, t: Told, version: str, cmdline: str, mods: list) -> None:
    kernel = mkdisk.read_kernel(bench.probe)
    start, end, total = (int(f, 16) for f in t.only("image"))
    equal("multiboot", t.only("multiboot"), [version])
    cr0, eflags, *rest = (int(f, 16) for f in t.only("state"))
    equal("CR0.PE and PG", cr0 & 0x80000001, 1)
    equal("EFLAGS.VM and IF", eflags & 0x20200, 0)
    equal("segment limits, A20", rest, [0xFFFFFFFF, 1])
    equal("data, bss is zero", t.only("data"), ["600dda7a", "000000ee", "00000001"])
    equal("image", total, checksum(kernel.image[:end - start]))
    equal("command line", t.only("cmdline"), [os.fsencode(cmdline)])
    equal("number of modules", len(t.get("module", [])), len(mods))
    below = kernel.bss_end
    for (path, name), (first, last, total, text) in zip(mods, t.get("module", [])):
        data = Path(path).read_bytes()
        first, last = int(first, 16), int(last, 16)
        equal(f"module {name!r:.20}: sum, text", [total, text],
              [f"{checksum(data):08x}", os.fsencode(name)])
        equal("size, offset in page", (last - first, first % 4096), (len(data), 0))
        if version == "1":
            equal("order", first >= below, True)
            below = last
    if version == "1":
        equal("reserved words", t.get("reserved", []), [["00000000"]] * len(mods))


def check_map(t: Told) -> None:
    lower, upper = (int(f, 16) for f in t.only("memory"))
    entries = [[int(f, 16) for f in fields] for fields in t.get("map", [])]
    here = [base + length for base, length, kind in entries
            if kind == 1 and base <= 1 << 20 < base + length]
    equal("usable ranges that hold 1 MiB", len(here), 1)
    equal("upper memory", upper << 10, here[0] - (1 << 20))
    equal("lower memory is plausible", 512 <= lower <= 640, True)
    equal("map has a hole for the BIOS", any(
        kind == 2 and base + length == 1 << 20 for base, length, kind in entries), True)


def modules(bench: Bench, *sizes: int) -> list[tuple[Path, str]]:
    made = []
    for i, size in enumerate(sizes):
        path = bench.scratch / f"module.{size}"
        if not path.exists():
            path.write_bytes((bytes(range(1, 252)) * (size // 251 + 1))[:size])
        made.append((path, ("first one, with=spaces", "", "third")[i % 3]))
    return made


def long_line(length=mkdisk.CMDLINE_MAX) -> str:
    words = "".join(c for c in string.printable[:95] if c not in "\\'\" ") + " "
    return (words * (length // len(words) + 1))[:length - 1] + "."


def disk(bench: Bench, cmdline="", mods=()) -> tuple[Path, int]:
    path = bench.scratch / f"disk{bench.count}.img"
    return path, mkdisk.make_disk(bench.probe, path, cmdline, mods, bench.loader)


def iso(bench: Bench, cmdline="", mods=()) -> tuple[Path, int]:
    need("grub-mkrescue")
    path = bench.scratch / f"grub{bench.count}.iso"
    mkiso.make_iso(bench.probe, path, cmdline, mods)
    return path, 0


def patch(image: Path, offset: int, data: bytes) -> None:
    with open(image, "r+b") as f:
        f.seek(offset)
        f.write(data)


# The tests.

def boots(bench: Bench, machine, make, cmdline="", sizes=(), **options) -> Told:
    mods = modules(bench, *sizes)
    run = machine(bench, *make(bench, cmdline, mods), **options)
    t = told(run, QEMU_DONE if machine is qemu else 0)
    check_common(bench, t, "1" if make is disk else "2", cmdline, mods)
    check_map(t)
    if make is disk:
        equal("flags", t.only("flags"), ["0000024d"])
        equal("loader", t.only("loader"), [mkdisk.LOADER_NAME])
    if not sizes:
        kind = f"{machine.__name__}, {options.get('cpus', 1)} CPUs"
        ticks = int(t.only("tsc")[0], 16)
        bench.measured.append(f"{kind}, {make.__name__}: {ticks:,} ticks to the entry, "
                              f"{run.seconds:.2f} s in all")
        # GRUB sorts and joins; no BIOS here needs either.
        equal("map", t["map"], bench.maps.setdefault(kind, t["map"]))
    return t


def boots_dirty(bench: Bench, machine) -> None:
    mods = modules(bench, 4097, (3 << 20) + 1)
    image, cylinders = disk(bench, "dirty", mods)
    dirty = (bench.scratch / "dirty.bin").read_bytes()
    record = image.read_bytes()[:mkdisk.SECTOR]
    end = cylinders * mkdisk.CYLINDER
    os.truncate(image, end + mkdisk.CYLINDER)
    patch(image, end, record)
    # DIRTY ends where the sector number of its disk packet belongs.
    patch(image, 0, dirty + struct.pack("<QH2s", end // mkdisk.SECTOR, 0, b"\x55\xaa"))
    t = told(machine(bench, image, cylinders + 1), QEMU_DONE if machine is qemu else 0)
    check_common(bench, t, "1", "dirty", mods)
    check_map(t)


def boots_without_map(bench: Bench, machine) -> None:
    image, cylinders = disk(bench, "no map")
    code = image.read_bytes()[:DESC]
    ask = b"\x66\xb8\x20\xe8\0\0"
    equal("places that ask for the map", code.count(ask), 1)
    patch(image, code.index(ask), b"\x66\xb8\xff\xe8\0\0")
    t = told(machine(bench, image, cylinders), QEMU_DONE if machine is qemu else 0)
    check_common(bench, t, "1", "no map", [])
    equal("flags", t.only("flags"), ["0000020c"])


def stops(bench: Bench, machine, sentence: str, offset=None, data=b"", sizes=(),
          sectors=None, **options) -> None:
    """The loader says the sentence, on an image that is spoilt at an offset, or cut."""
    image, cylinders = disk(bench, "stops", modules(bench, *sizes))
    if offset is not None:
        patch(image, offset, data)
    if sectors is not None:
        os.truncate(image, sectors * mkdisk.SECTOR)
    run = machine(bench, image, cylinders, **options)
    equal("exit code", run.code, None)
    want = [f"disk loader: {sentence}\r\n".encode()]
    equal("port 0xe9", SENTENCE.findall(run.debug), want)
    equal("COM1", SENTENCE.findall(run.serial), want)


def refuses(bench: Bench, sentence: str, at=0, data=b"", make=disk, cmdline="",
            strings=()) -> None:
    """The tool says the sentence, for a kernel with some bytes changed."""
    spoilt = Bench(bench.scratch)
    spoilt.probe = bench.scratch / "spoilt.elf"
    shutil.copyfile(bench.probe, spoilt.probe)
    patch(spoilt.probe, at, data)
    try:
        make(spoilt, cmdline, [(bench.probe, s) for s in strings])
    except (mkdisk.DiskError, Trouble) as e:
        if sentence not in str(e):
            raise
        return
    raise AssertionError("an image was made")


MB1 = 0x1000            # the probe's headers, in its file
PHDR1, PHDR2 = 64, 64 + 56
VIDEO = 0x10007
TWO = (12345, (3 << 20) + 1)
EIGHT = (1, 514, 0, 515, 65024, 65027, 127 * 1024, 4096)
ODD_TEXT = "a=$b;c|{d} <e> (f)#g !h %i  *j ~k `l` ^m? [n] "

BOOTS = [       # name, loaders, command line, sizes of modules, options
    ("1 cpu", (disk, iso), "run=x", (), {}),
    ("4 cpus", (disk, iso), "run=x", (), {"cpus": 4}),
    ("1 cpu, 2 modules", (disk, iso), ODD_TEXT, TWO, {}),
    ("4 cpus, 2 modules", (disk,), "", TWO, {"cpus": 4}),
    ("8 modules", (disk,), ODD_TEXT, EIGHT, {}),
    ("4096 bytes", (disk, iso), long_line(), (5,), {}),
]
DAMAGED = "the descriptor is damaged."
LITTLE = "too little memory above 1 MiB for kernel and modules."
STOPS = [       # name, machines, sentence, how
    ("no descriptor", (bochs,), "no descriptor follows the loader on this disk.",
     {"offset": DESC, "data": b"s"}),
    ("sum", (bochs, qemu), DAMAGED, {"offset": DESC + 0xa3, "data": b"x"}),
    ("0 sectors", (bochs,), DAMAGED, {"offset": DESC + 8, "data": b"\0"}),
    ("33 sectors", (bochs,), DAMAGED, {"offset": DESC + 8, "data": b"\x21"}),
    ("header", (bochs,), "the kernel has no Multiboot header where it should.",
     {"offset": 40 * mkdisk.SECTOR + 4, "data": b"\xff"}),
    ("memory", (bochs, qemu), LITTLE, {"sizes": TWO, "megs": 4}),
    ("no second stage", (qemu,), "the BIOS could not read the disk.", {"sectors": 4}),
    ("short disk", (qemu,), "the BIOS could not read the disk.",
     {"sizes": TWO, "sectors": 4000}),
]
REFUSES = [     # name, part of the sentence, how
    ("ELF32", "not a little-endian ELF64", {"at": 4, "data": b"\1"}),
    ("no header", "no Multiboot header", {"at": MB1, "data": b"\0"}),
    ("header's sum", "no Multiboot header", {"at": MB1 + 8, "data": b"\0"}),
    ("video", "features 0x4", {"at": MB1 + 4, "data": struct.pack(
        "<Ii", VIDEO, -mkdisk.HEADER_MAGIC - VIDEO)}),
    ("overlap", "overlap at 0x140000", {"at": PHDR2 + 24, "data": b"\0\0\x14"}),
    ("hole", "a hole at 0x140", {"at": PHDR2 + 24, "data": b"\0\0\x18"}),
    ("below 1 MiB", "between 1 MiB and 4 GiB", {"at": PHDR1 + 24, "data": b"\0\0\x0f"}),
    ("long segment", "longer than the file", {"at": PHDR2 + 13, "data": b"\1"}),
    ("other addresses", "do not agree", {"at": PHDR2 + 41, "data": b"\x50"}),
    ("entry", "is outside", {"at": MB1 + 28, "data": b"\0\0\x20"}),
    ("4097 bytes", "4097 bytes", {"cmdline": long_line(4097)}),
    ("NUL", "has a NUL", {"cmdline": "a\0b"}),
    ("9 modules", "9 modules", {"strings": ["x"] * 9}),
    ("long strings", "strings are too long", {"strings": ["x" * 4000] * 5}),
    ("iso, no header", "no Multiboot2 header",
     {"at": MB1 + 32, "data": b"\0", "make": iso}),
    ("iso, quote", "GRUB cannot hand over", {"cmdline": "it's", "make": iso}),
]


def all_tests() -> dict:
    """A function of the bench for each name."""
    tests = {}
    for m in (bochs, qemu):
        for name, makes, cmdline, sizes, options in BOOTS:
            for make in makes:
                tests[f"{m.__name__} {make.__name__} {name}"] = partial(
                    boots, machine=m, make=make, cmdline=cmdline, sizes=sizes,
                    **options)
        tests[f"{m.__name__} disk dirty"] = partial(boots_dirty, machine=m)
        tests[f"{m.__name__} disk without map"] = partial(boots_without_map, machine=m)
        for name, machines, sentence, how in STOPS:
            if m in machines:
                tests[f"{m.__name__} stops: {name}"] = partial(
                    stops, machine=m, sentence=sentence, **how)
    tests["qemu disk 5 GiB"] = partial(
        boots, machine=qemu, make=disk, sizes=(7,), megs=5120)
    for name, sentence, how in REFUSES:
        tests[f"refuses: {name}"] = partial(refuses, sentence=sentence, **how)
    return tests


def main() -> None:
    parser = argparse.ArgumentParser(description="Tests the disk loader and mkiso.")
    parser.add_argument("--keep", type=Path, help="leave all files in this directory")
    parser.add_argument("word", nargs="*", help="part of the names of tests to run")
    args = parser.parse_args()
    if args.keep:
        args.keep.mkdir(parents=True)
    scratch = args.keep or Path(tempfile.mkdtemp(prefix="test_loader."))
    bench = Bench(scratch.resolve())
    count = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        bench.build()
        for name, test in all_tests().items():
            if not all(w in name for w in args.word):
                continue
            outcome, why = "passed", ""
            try:
                test(bench)
            except Skip as e:
                outcome, why = "skipped", f": {e}"
            except (AssertionError, mkdisk.DiskError, Trouble, OSError) as e:
                outcome, why = "failed", f" (run {bench.count}): {e}"
            count[outcome] += 1
            print(f"{outcome}: {name}{why}", flush=True)
    finally:
        if not args.keep:
            shutil.rmtree(scratch, ignore_errors=True)
    for line in bench.measured:
        print(f"# {line}")
    print(", ".join(f"{n} {what}" for what, n in count.items()))
    sys.exit(bool(count["failed"] or not count["passed"]))


if __name__ == "__main__":
    main()
