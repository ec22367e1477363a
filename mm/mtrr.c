/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mtrr - the memory type of each physical address, by the MTRRs
 *
 * MTRRs do not reach an access that EPT translates: the leaf's type takes their place
 * (SDM vol. 3, 29.3.7.2).  So whoever fills a leaf asks here for what they would say
 * (12.11.4.1), and host and guest agree on how a frame is cached:
 *
 *      off (E = 0)                           UC, all of it
 *      below 1 MiB, fixed ranges on          the byte of the fixed range
 *      in variable ranges                    the meet of their types
 *      in none                               the default type
 *
 *      meet:    WC   WP   WB        one type with itself is itself; WT and WB meet in
 *                \    |    |        WT, all else in UC.  That is the SDM's rule for UC
 *                 \   |   WT        and for WT with WB, and UC is what this file takes
 *                  \  |   /         where the SDM says `undefined`.  The order in which
 *                     UC            ranges come does not matter.
 *
 * A variable range is all addresses that agree with its base in the bits of its mask.
 * The mask may have holes: the range is then a comb of blocks, as hardware has it.
 * Fixed ranges and mask bits are 4 KiB or more, so no page is of two types.
 *
 * A run goes by steps over which no range begins or ends.  Outside of a range a step
 * doubles, so the masks that firmware sets take few; a comb may take one for each page.
 *
 * Without MTRRs nothing narrows what page tables say, and ours say WB.  The types of
 * SMRRs and of the APIC's page are not here: firmware reports none of it as memory.
 * Checked by: tests/unit/mtrr.c, tests/unit/mtrr_model.c; boot/mtrrs.
 */
#include "mm/mtrr.h"
#include "lib/err.h"
#include "mm/epte.h"

#define MSR_MTRRCAP       0xfe
#define MSR_MTRR_BASE(n)  (0x200 + 2 * (n))
#define MSR_MTRR_MASK(n)  (0x201 + 2 * (n))
#define MSR_MTRR_DEF_TYPE 0x2ff

#define PHYS_BITS_MAX     52 /* what an entry can name: EPTE_ADDR   */
#define PHYS_BITS_DEFAULT 36 /* of a CPU that does not say           */
#define FIXED_END         0x100000
#define NEVER             UINT64_MAX

/* The types that there are: bit n is type n. */
#define TYPES (BIT(EPT_UC) | BIT(EPT_WC) | BIT(EPT_WT) | BIT(EPT_WP) | BIT(EPT_WB))

/* Each of these registers has the types of eight ranges (SDM vol. 3, 12.11.2.2). */
static const struct fixed {
	u32 msr, start, size; /* size: of each of the eight */
} fixed[MTRR_FIXED] = {
	{ 0x250, 0x00000, 0x10000 }, { 0x258, 0x80000, 0x4000 },
	{ 0x259, 0xa0000, 0x4000 },  { 0x268, 0xc0000, 0x1000 },
	{ 0x269, 0xc8000, 0x1000 },  { 0x26a, 0xd0000, 0x1000 },
	{ 0x26b, 0xd8000, 0x1000 },  { 0x26c, 0xe0000, 0x1000 },
	{ 0x26d, 0xe8000, 0x1000 },  { 0x26e, 0xf0000, 0x1000 },
	{ 0x26f, 0xf8000, 0x1000 },
};

static struct mtrr_range read_range(const struct mtrr_cpu *cpu, unsigned i)
{
	struct mtrr_range r = { .mask = cpu->msr(MSR_MTRR_MASK(i)) };

	if (!(r.mask & MTRR_MASK_V))
		return (struct mtrr_range){ 0 };
	r.base = cpu->msr(MSR_MTRR_BASE(i));
	return r;
}

void mtrr_read(struct mtrrs *m, const struct mtrr_cpu *cpu)
{
	*m = (struct mtrrs){ .present = cpu->present,
			     .phys_bits = cpu->phys_bits ? cpu->phys_bits
							 : PHYS_BITS_DEFAULT };
	m->phys_bits = MIN(m->phys_bits, PHYS_BITS_MAX);
	if (!m->present)
		return;
	m->cap = cpu->msr(MSR_MTRRCAP);
	m->def_type = cpu->msr(MSR_MTRR_DEF_TYPE);
	m->ranges = (unsigned)MIN(field_get(MTRR_CAP_VCNT, m->cap), MTRR_RANGES);
	for (unsigned i = 0; m->cap & MTRR_CAP_FIX && i < MTRR_FIXED; i++)
		m->fixed[i] = cpu->msr(fixed[i].msr);
	for (unsigned i = 0; i < m->ranges; i++)
		m->range[i] = read_range(cpu, i);
}

/* A type as a register has it; UC for the numbers that are reserved. */
static u8 type_in(u64 field)
{
	return field < 8 && TYPES & BIT(field) ? (u8)field : EPT_UC;
}

static u8 meet(u8 a, u8 b)
{
	if (a == b)
		return a;
	return (a == EPT_WT && b == EPT_WB) || (a == EPT_WB && b == EPT_WT) ? EPT_WT
									    : EPT_UC;
}

/* The bits of an address that ranges are compared by. */
static u64 phys_mask(const struct mtrrs *m)
{
	return (BIT(m->phys_bits) - 1) & ~(PAGE_SIZE - 1);
}

/* Is all memory of one type, from pa on?  Behind MAXPHYADDR there is none: UC. */
static bool uniform(const struct mtrrs *m, hpa_t pa)
{
	return !m->present || !(m->def_type & MTRR_DEF_E) || pa.v >> m->phys_bits;
}

/* The register that has the type of pa, or NULL when no fixed range does. */
static const struct fixed *fixed_at(const struct mtrrs *m, hpa_t pa)
{
	const struct fixed *f = &fixed[MTRR_FIXED - 1];

	if (!(m->cap & MTRR_CAP_FIX) || !(m->def_type & MTRR_DEF_FE) ||
	    pa.v >= FIXED_END)
		return NULL;
	while (f->start > pa.v)
		f--;
	return f;
}

static u8 fixed_type(const struct mtrrs *m, const struct fixed *f, hpa_t pa)
{
	u64 byte = (pa.v - f->start) / f->size;

	return type_in(m->fixed[f - fixed] >> (8 * byte) & 0xff);
}

/* The bits in which pa is not as the range wants it; none: pa is in the range. */
static u64 differ(const struct mtrrs *m, const struct mtrr_range *r, hpa_t pa)
{
	return (pa.v ^ r->base) & r->mask & phys_mask(m);
}

static u8 range_type(const struct mtrrs *m, hpa_t pa)
{
	u8 type = type_in(field_get(MTRR_DEF_TYPE, m->def_type));
	bool found = false;

	for (unsigned i = 0; i < m->ranges; i++) {
		const struct mtrr_range *r = &m->range[i];
		u8 t = type_in(field_get(MTRR_BASE_TYPE, r->base));

		if (!(r->mask & MTRR_MASK_V) || differ(m, r, pa))
			continue;
		type = found ? meet(type, t) : t;
		found = true;
	}
	return type;
}

u8 mtrr_type(const struct mtrrs *m, hpa_t pa)
{
	const struct fixed *f;

	if (uniform(m, pa))
		return m->present ? EPT_UC : EPT_WB;
	f = fixed_at(m, pa);
	return f ? fixed_type(m, f, pa) : range_type(m, pa);
}

static u64 lowest_bit(u64 v)
{
	return v & -v;
}

static u64 highest_bit(u64 v)
{
	return BIT(63 - __builtin_clzll(v));
}

/*
 * The end of a block around pa that the range has whole or not at all.  In the range:
 * what the lowest bit of the mask tells apart.  Outside: addresses that agree with pa
 * from the highest wrong bit on are all wrong in it.
 */
static u64 block_end(const struct mtrrs *m, const struct mtrr_range *r, hpa_t pa)
{
	u64 wrong = differ(m, r, pa);
	u64 size = wrong ? highest_bit(wrong) : lowest_bit(r->mask & phys_mask(m));

	return size ? ALIGN_DOWN(pa.v, size) + size : NEVER;
}

/* The next address above pa that may be of another type. */
static u64 change(const struct mtrrs *m, hpa_t pa)
{
	const struct fixed *f;
	u64 next = BIT(m->phys_bits);

	if (uniform(m, pa))
		return NEVER;
	f = fixed_at(m, pa);
	if (f)
		return ALIGN_DOWN(pa.v, f->size) + f->size;
	for (unsigned i = 0; i < m->ranges; i++)
		next = MIN(next, block_end(m, &m->range[i], pa));
	return next;
}

u64 mtrr_run(const struct mtrrs *m, hpa_t pa, u64 len, unsigned *type)
{
	u64 end = pa.v + len, at = pa.v;

	assert(IS_ALIGNED(pa.v | len, PAGE_SIZE) && end > pa.v);
	*type = mtrr_type(m, pa);
	do
		at = change(m, HPA(at));
	while (at < end && mtrr_type(m, HPA(at)) == *type);
	return MIN(at, end) - pa.v;
}
