# SPDX-License-Identifier: BSD-2-Clause
"""loader_bench - what test_loader.py boots on: the programs it builds, and two emulators

Bench has the directory of one run of the tests.  bochs() and qemu() boot an image there
and hand back what came out of port 0xe9 and COM1.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
LIMIT = 60          # seconds for one machine; then it is killed
MEGS = 256
SENTENCE = re.compile(rb"disk loader: .*\r\n")

BOCHSRC = """\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=0, parallel=0, serial=1, \
iodebug=1, gameport=0
config_interface: textconfig
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_skylake_x, count={cpus}, ips=1000000, reset_on_triple_fault=0
megs: {megs}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: {master}
ata0-slave: type=cdrom, path=empty.iso, status=inserted
boot: {boot}
port_e9_hack: enabled=1
com1: enabled=1, mode=file, dev=serial.out
log: bochs.log
panic: action=fatal
error: action=report
clock: sync=none, time0=946684800
"""

# A boot record that runs before the loader's: it moves away, fills memory from 1 to
# 9 MiB and what the loader uses below 1 MiB, loads the loader's record, turns A20 off,
# spoils registers and flags, and starts the loader at 07c0:0.
DIRTY = """\
	.code16
	.globl start
start:	cli; cld
	xorw %ax, %ax; movw %ax, %ds; movw %ax, %es; movw %ax, %ss
	movw $0x600, %sp
	movw $0x7c00, %si; movw $0x600, %di; movw $256, %cx; rep movsw
	ljmp $0, $1f
1:	lgdtl gdtr
	movl %cr0, %eax; orb $1, %al; movl %eax, %cr0
	movw $8, %bx; movw %bx, %es
	andb $0xfe, %al; movl %eax, %cr0
	xorw %ax, %ax; movw %ax, %es
	movl $0xa5a5a5a5, %eax
	movl $0x7e00, %edi; movl $(0x18200 / 4), %ecx; rep stosl %eax, %es:(%edi)
	movl $0x100000, %edi; movl $(0x800000 / 4), %ecx; rep stosl %eax, %es:(%edi)
	sti
	movb $0x42, %ah; movw $packet, %si; int $0x13
	inb $0x92, %al; andb $0xfc, %al; outb %al, $0x92
	movl $0xdeadbeef, %eax; movl %eax, %ebx; movl %eax, %ecx
	movl %eax, %esi; movl %eax, %edi; movl %eax, %ebp
	movw %ax, %ds; movw %ax, %es
	std
	ljmp $0x07c0, $0
	.balign 8
gdt:	.quad 0, 0x00cf93000000ffff
gdtr:	.word 15; .long gdt
	.org 0x1ec
packet:	.byte 16, 0; .word 1, 0, 0x07c0
"""


class Skip(Exception):
    """The test cannot run here."""


def need(program: str) -> None:
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


class Run(NamedTuple):
    debug: bytes        # what came out of port 0xe9
    serial: bytes
    code: int | None    # None: ended here, because the loader had stopped
    seconds: float      # to the probe's end


class Bench:
    """The directory of one test run, what was built, and what was measured."""

    def __init__(self, scratch: Path):
        self.scratch = scratch
        self.probe = scratch / "probe.elf"
        self.loader = TREE / "build/boot/disk.bin"
        self.count = 0
        self.measured: list[str] = []
        self.maps: dict[str, list] = {}

    def fresh(self) -> Path:
        self.count += 1
        path = self.scratch / f"run{self.count}"
        path.mkdir()
        return path

    def command(self, *args) -> None:
        run = subprocess.run([str(a) for a in args], cwd=TREE, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        if run.returncode or "warning" in run.stdout.lower():
            sys.exit(f"test_loader: {' '.join(map(str, args))}:\n{run.stdout}")

    def build(self) -> None:
        at = self.scratch
        cc, ld = os.environ.get("CC", "gcc"), os.environ.get("LD", "ld")
        (at / "dirty.S").write_text(DIRTY)
        self.command("make", "-s", "-f", "boot/disk.mk", "build/boot/disk.bin")
        self.command(cc, "-m64", "-c", "-o", at / "probe.o", HERE / "loader_probe.S")
        self.command(ld, "-m", "elf_x86_64", "-z", "max-page-size=4096",
                     "-T", HERE / "loader_probe.ld", "-o", self.probe, at / "probe.o")
        self.command(cc, "-m32", "-c", "-o", at / "dirty.o", at / "dirty.S")
        self.command(ld, "-m", "elf_i386", "-Ttext=0x600", "-e", "start",
                     "--oformat", "binary", "-o", at / "dirty.bin", at / "dirty.o")


def watch(command: list[str], where: Path, debug: str) -> Run:
    """Runs an emulator until it ends, or until the loader says why it stops."""
    begin = time.monotonic()
    with open(where / "stdout", "wb") as out:
        child = subprocess.Popen(
            ["timeout", "--foreground", "-s", "KILL", str(LIMIT), *command], cwd=where,
            stdout=out, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, "TERM": "xterm"})
    outputs = where / debug, where / "serial.out"

    def output() -> list[bytes]:
        return [path.read_bytes() if path.is_file() else b"" for path in outputs]

    code = None
    try:
        while (code := child.poll()) is None:
            time.sleep(0.02)
            if all(SENTENCE.search(text) for text in output()):
                break
    finally:
        if code is None:
            child.send_signal(signal.SIGALRM)   # to timeout: the time is over
            child.wait()
    return Run(*output(), code, time.monotonic() - begin)


def bochs(bench: Bench, image: Path, cylinders: int, cpus=1, megs=MEGS) -> Run:
    """Boots a disk image, or with 0 cylinders an ISO image."""
    need("bochs")
    where = bench.fresh()
    boot, master = "cdrom", f"type=cdrom, path={image}, status=inserted"
    if cylinders:
        boot, master = "disk", (f"type=disk, path={image}, mode=flat, "
                                f"cylinders={cylinders}, heads=16, spt=63")
    (where / "rc").write_text(BOCHSRC.format(
        cpus=cpus, megs=megs, boot=boot, master=master))
    (where / "commands").write_text("c\nq\n")
    (where / "empty.iso").write_bytes(bytes(1 << 20))
    return watch(["bochs", "-q", "-f", "rc", "-rc", "commands"], where, "stdout")


def qemu(bench: Bench, image: Path, cylinders: int, cpus=1, megs=MEGS) -> Run:
    """As bochs().  TCG always: /dev/kvm may be there and be of no use."""
    need("qemu-system-x86_64")
    where = bench.fresh()
    drive = (["-drive", f"file={image},format=raw,if=ide"] if cylinders else
             ["-cdrom", str(image), "-boot", "d"])
    return watch(["qemu-system-x86_64", "-accel", "tcg", "-m", str(megs),
                  "-smp", str(cpus), "-display", "none", "-monitor", "none",
                  "-no-reboot", "-nic", "none",
                  "-debugcon", "file:debug.out", "-serial", "file:serial.out",
                  "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *drive],
                 where, "debug.out")
