/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf - fuzzes guest images, and touches all bytes that they may load.
 */
#include <stdlib.h>

#include "vm/elf.h"

#define LIMIT (64ull << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Not static, so that reading the bytes is not optimised away. */
extern u64 touched;
u64 touched;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elf_segment s;
	struct elf elf;

	if (elf_open(&elf, data, size, 0x1000, LIMIT))
		return 0;
	for (unsigned i = 0; elf_segment(&elf, i, &s); i++) {
		if (s.gpa < 0x1000 || s.gpa > LIMIT || s.memsz > LIMIT - s.gpa)
			abort();
		for (u64 k = 0; k < s.filesz; k++)
			touched += ((const u8 *)s.bytes)[k];
	}
	return 0;
}
