/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest - loading a VM: an ELF64 into its RAM, page tables that map it one to one
 *
 *      0x1000  PML4    0x2000  PDPT    0x3000, 0x4000  PD for 0 .. 2 GiB
 *      0x8000  first address that an executable may use
 */
#include "vm/guest.h"
#include "arch/x86_64/paging.h"
#include "lib/str.h"
#include "mm/mem.h"
#include "vm/elf.h"

#define PML4      GPA(0x1000)
#define PDPT      GPA(0x2000)
#define PD        GPA(0x3000)
#define PD_PAGES  2
#define LOAD_BASE 0x8000
#define ENTRIES   512

/* Accessed and dirty are set already: a walk then never writes to the tables. */
#define TABLE_BITS (PTE_P | PTE_W | PTE_A)
#define LEAF_BITS  (PTE_P | PTE_W | PTE_A | PTE_D | PTE_PS)

extern const struct guest guests_start[], guests_end[];

const struct guest *guest_find(const char *name)
{
	for (const struct guest *g = guests_start; g < guests_end; g++)
		if (!strcmp(g->name, name))
			return g;
	return NULL;
}

static void build_tables(struct vm *vm)
{
	u64 *pml4 = vm_ptr(vm, PML4, PAGE_SIZE), *pdpt = vm_ptr(vm, PDPT, PAGE_SIZE);
	u64 *pd = vm_ptr(vm, PD, PD_PAGES * PAGE_SIZE);

	pml4[0] = PDPT.v | TABLE_BITS;
	for (unsigned i = 0; i < PD_PAGES; i++)
		pdpt[i] = (PD.v + i * PAGE_SIZE) | TABLE_BITS;
	for (u64 i = 0; i < PD_PAGES * ENTRIES; i++)
		pd[i] = i * SIZE_2M | LEAF_BITS;
}

/* Copies to guest RAM, whose blocks need not be neighbours in host memory. */
static void copy_in(struct vm *vm, u64 gpa, const char *from, u64 len)
{
	while (len) {
		u64 n = MIN(len, SIZE_2M - gpa % SIZE_2M);

		memcpy(vm_ptr(vm, GPA(gpa), n), from, n);
		gpa += n;
		from += n;
		len -= n;
	}
}

const char *guest_load(struct vm *vm, const void *image, u64 size, enum vcpu_mode mode)
{
	u64 top = vm->ram_blocks * SIZE_2M - cpu_count * PAGE_SIZE;
	struct elf elf;
	const char *why = elf_open(&elf, image, size, LOAD_BASE, top);

	if (why)
		return why;
	for (unsigned i = 0; i < elf.segments; i++) {
		const struct elf_segment *s = &elf.segment[i];

		copy_in(vm, s->gpa, s->bytes, s->filesz);
	}
	if (mode == VCPU_LONG)
		build_tables(vm);
	vm->mode = mode;
	vm->entry = GPA(elf.entry);
	return NULL;
}
