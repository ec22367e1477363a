/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paging - the host's own page tables: nothing is writable and executable at once.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "mm/pool.h"

/* Page attributes (SDM vol. 3, 4.5). */
#define PTE_P    BIT(0)
#define PTE_W    BIT(1)
#define PTE_PWT  BIT(3)
#define PTE_PCD  BIT(4)
#define PTE_A    BIT(5)
#define PTE_D    BIT(6)
#define PTE_PS   BIT(7)
#define PTE_ADDR BITS(51, 12)
#define PTE_NX   BIT(63)

#define PAGE_RX PTE_P
#define PAGE_RO (PTE_P | PTE_NX)
#define PAGE_RW (PTE_P | PTE_W | PTE_NX)
#define PAGE_IO (PAGE_RW | PTE_PCD | PTE_PWT)

/*
 * Builds the address space of layout.h from frames of `pool` and loads it on this
 * CPU.  Panics when the pool runs out: nothing works without it.
 */
void paging_init(struct pool *pool);

/* CR3 of that address space; trampoline.S loads it on each AP. */
extern hpa_t paging_root;

/* Maps [va, va + len) to pa on.  The range was not mapped. */
void paging_map(u64 va, hpa_t pa, u64 len, u64 attr);

/* Maps the stacks of a CPU's slot on fresh frames, guard pages between them. */
void paging_map_stacks(unsigned cpu);

/* The leaf that translates va: its entry and its size; false when there is none. */
bool paging_lookup(u64 va, u64 *entry, u64 *size);

/*
 * Looks for a page that is writable and executable, by one mapping or by two.
 * Returns NULL, or a sentence; *va is where.
 */
const char *paging_check(u64 *va);

#endif
