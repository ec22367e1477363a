/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paging - the host's own page tables: nothing is writable and executable at once
 *
 * The image lies where it was loaded; the direct map covers its frames too, so there
 * they have the image's write permission and are never executable.  Only the image's
 * text is executable anywhere.  SDM vol. 3, 4.5.
 */
#include "arch/x86_64/paging.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/msr.h"
#include "lib/str.h"
#include "mm/mem.h"

#define TABLE_ENTRIES 512

/* The linker script's page-aligned borders of the image. */
extern char image_start[], text_end[], rodata_end[], image_end[];

static struct pool *frames;
hpa_t paging_root;

const u64 mem_offset = DIRECT_BASE;

void mem_check(hpa_t pa)
{
	assert(pa.v < DIRECT_SIZE);
}

static hpa_t fresh_frame(void)
{
	hpa_t pa;

	if (pool_alloc(frames, 0, &pa))
		panic("no memory for the host's page tables or stacks");
	memset(mem_ptr(pa), 0, PAGE_SIZE);
	return pa;
}

static u64 span(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}

static u64 *entry_of(u64 *table, u64 va, unsigned level)
{
	return &table[va >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1)];
}

static u64 *table_of(u64 entry)
{
	return mem_ptr(HPA(entry & PTE_ADDR));
}

/* Stores one leaf of the given level, making the tables above it. */
static void map_leaf(u64 va, u64 pa, unsigned level, u64 attr)
{
	u64 *table = table_of(paging_root.v);

	for (unsigned l = 3; l > level; l--) {
		u64 *e = entry_of(table, va, l);

		if (!*e)
			*e = fresh_frame().v | PTE_P | PTE_W;
		assert(!(*e & PTE_PS));
		table = table_of(*e);
	}
	assert(!*entry_of(table, va, level));
	*entry_of(table, va, level) = pa | attr | (level ? PTE_PS : 0);
}

void paging_map(u64 va, hpa_t pa, u64 len, u64 attr)
{
	while (len) {
		unsigned level = IS_ALIGNED(va | pa.v, SIZE_2M) && len >= SIZE_2M;

		map_leaf(va, pa.v, level, attr);
		va += span(level);
		pa.v += span(level);
		len -= span(level);
	}
}

void paging_map_stacks(unsigned cpu)
{
	u64 base = STACK_BASE + (u64)cpu * STACK_SLOT_PAGES * PAGE_SIZE;
	static const u8 pages[] = { STACK_NMI_PAGE, STACK_DF_PAGE, STACK_MC_PAGE };

	for (unsigned i = 0; i < ARRAY_LEN(pages); i++)
		paging_map(base + pages[i] * PAGE_SIZE, fresh_frame(), PAGE_SIZE,
			   PAGE_RW);
	for (unsigned i = 0; i < STACK_MAIN_PAGES; i++)
		paging_map(base + (STACK_MAIN_PAGE + i) * PAGE_SIZE, fresh_frame(),
			   PAGE_SIZE, PAGE_RW);
}

/* Maps physical [start, end) into the direct map. */
static void direct(u64 start, u64 end, u64 attr)
{
	paging_map(DIRECT_BASE + start, HPA(start), end - start, attr);
}

void paging_init(struct pool *pool)
{
	u64 start = (u64)image_start, text = (u64)text_end, ro = (u64)rodata_end,
	    end = (u64)image_end;

	frames = pool;
	paging_root = fresh_frame();
	paging_map(start, HPA(start), text - start, PAGE_RX);
	paging_map(text, HPA(text), ro - text, PAGE_RO);
	paging_map(ro, HPA(ro), end - ro, PAGE_RW);
	direct(0, start, PAGE_RW);
	direct(start, ro, PAGE_RO);
	direct(ro, DIRECT_SIZE, PAGE_RW);
	write_cr3(paging_root.v);
}

bool paging_lookup(u64 va, u64 *entry, u64 *size)
{
	u64 *table = table_of(paging_root.v);

	for (unsigned l = 4; l-- > 0;) {
		u64 e = *entry_of(table, va, l);

		if (!(e & PTE_P))
			return false;
		if (l == 0 || e & PTE_PS) {
			*entry = e;
			*size = span(l);
			return true;
		}
		table = table_of(e);
	}
	return false;
}

/* Is the frame behind an executable page writable through the direct map? */
static bool writable_alias(u64 entry)
{
	u64 alias, size;

	return paging_lookup(DIRECT_BASE + (entry & PTE_ADDR), &alias, &size) &&
	       alias & PTE_W;
}

static const char *check_table(u64 *table, unsigned level, u64 va, u64 *where)
{
	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		u64 e = table[i], at = va + i * span(level);
		const char *why = NULL;

		*where = at;
		if (!(e & PTE_P))
			continue;
		if (level && !(e & PTE_PS))
			why = check_table(table_of(e), level - 1, at, where);
		else if (!(e & PTE_NX) && e & PTE_W)
			why = "a page is writable and executable";
		else if (!(e & PTE_NX) && writable_alias(e))
			why = "an executable frame is writable through the direct map";
		if (why)
			return why;
	}
	return NULL;
}

const char *paging_check(u64 *va)
{
	return check_table(table_of(paging_root.v), 3, 0, va);
}
