/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf - a guest's image: what a statically linked ELF64 wants loaded, and where
 *
 * The image is checked once, in elf_open(); what elf_segment() gives afterwards is
 * in bounds.  Addresses are physical ones (p_paddr): they are the guest's.
 */
#ifndef VM_ELF_H
#define VM_ELF_H

#include "lib/types.h"

#define ELF_SEGMENTS_MAX 16

/* p_flags (System V gABI, Program Header). */
#define ELF_X BIT(0)
#define ELF_W BIT(1)
#define ELF_R BIT(2)

struct elf_segment {
	u64 gpa;
	u64 memsz;         /* bytes in the guest, not 0; those past filesz are zero */
	const void *bytes; /* filesz bytes inside the image, at any alignment       */
	u64 filesz;
	u32 flags; /* ELF_R, ELF_W, ELF_X */
};

struct elf {
	u64 entry;         /* guest-physical address of the first instruction */
	unsigned segments; /* 1 .. ELF_SEGMENTS_MAX                           */
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/*
 * Checks the `size` bytes at `image`, at any alignment, and fills *e, which points
 * into the image.  Every segment must lie in guest addresses [floor, limit).  NULL
 * when all is well, else a sentence that says what is wrong.
 */
must_check const char *elf_open(struct elf *e, const void *image, u64 size, u64 floor,
				u64 limit);

/* The i-th segment, in the file's order; false past the last one. */
bool elf_segment(const struct elf *e, unsigned i, struct elf_segment *out);

#endif
