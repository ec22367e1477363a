# SPDX-License-Identifier: BSD-2-Clause
#
# disk.mk - builds the boot code of the disk image; included by the Makefile
#
# Everything is in .text and at fixed offsets, so no linker script is needed.  The
# assembler is pinned, because no other file's compiler has a say in what a BIOS runs.

DISK_CC ?= $(CROSS_COMPILE)gcc
DISK_LD ?= $(CROSS_COMPILE)ld

build/boot/disk.bin: build/boot/disk.o
	$(DISK_LD) -m elf_i386 -Ttext=0x7c00 -e start --build-id=none \
		--oformat binary -o $@ $<

build/boot/disk.o: boot/disk.S boot/disk.mk
	@mkdir -p $(@D)
	$(DISK_CC) -m32 -c -o $@ $<
