/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mtrr_cpu - a CPU with MTRRs for the tests of mm/mtrr.c, and a model of its types
 *
 * The model follows the SDM's rules (vol. 3, 12.11.4.1) one after the other: it
 * collects the set of types that apply to a byte and judges the set.  It shares no code
 * with mm/mtrr.c, not even its constants.
 */
#ifndef TESTS_UNIT_MTRR_CPU_H
#define TESTS_UNIT_MTRR_CPU_H

#include <string.h>

#include "lib/err.h"
#include "mm/mtrr.h"
#include "tests/host/test.h"

#define MIB     0x100000ull
#define MSRS    0x300
#define V       0x800 /* of a mask */
#define FE      0x400 /* of the default type */
#define E       0x800
#define CAP_FIX 0x100

#define UC 0
#define WC 1
#define WT 4
#define WP 5
#define WB 6

/* Values of MAXPHYADDR. */
static const unsigned widths[] = { 36, 39, 40, 46, 52 };

/* The CPU: its registers, and which of them it has. */
static u64 msr[MSRS];
static bool has[MSRS];
static bool present;
static unsigned phys_bits;
static struct mtrrs m;

static inline u64 read_msr(u32 number)
{
	if (number >= MSRS || !has[number])
		panic("MSR 0x%x does not exist on this CPU", number);
	return msr[number];
}

static inline void msr_is(u32 number, u64 value)
{
	has[number] = true;
	msr[number] = value;
}

static const u32 fixed_msr[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
				 0x26b, 0x26c, 0x26d, 0x26e, 0x26f };

/* A CPU with `pairs` empty pairs and fixed ranges of UC. */
static inline void cpu(unsigned bits, unsigned pairs, u64 def_type)
{
	memset(has, 0, sizeof(has));
	present = true;
	phys_bits = bits;
	msr_is(0xfe, pairs | CAP_FIX | BIT(10));
	msr_is(0x2ff, def_type);
	for (unsigned i = 0; i < ARRAY_LEN(fixed_msr); i++)
		msr_is(fixed_msr[i], 0);
	for (unsigned i = 0; i < 2 * pairs; i++)
		msr_is(0x200 + i, 0);
}

/* Pair i: the bytes that agree with base in the bits of mask. */
static inline void pair(unsigned i, u64 base, u64 mask, unsigned type)
{
	msr_is(0x200 + 2 * i, base | type);
	msr_is(0x201 + 2 * i, mask | V);
}

/* Pair i: `size` bytes from base on, as firmware does it. */
static inline void range(unsigned i, u64 base, u64 size, unsigned type)
{
	pair(i, base, (BIT(phys_bits) - 1) & ~(size - 1), type);
}

static inline void take(void)
{
	struct mtrr_cpu c = { present, phys_bits, read_msr };

	mtrr_read(&m, &c);
}

static inline unsigned type_at(u64 pa)
{
	return mtrr_type(&m, HPA(pa));
}

/* Rule 1: the type of a byte below 1 MiB by the fixed registers. */
static inline unsigned model_fixed(u64 pa)
{
	u32 number;
	unsigned byte;

	if (pa < 0x80000) {
		number = 0x250;
		byte = (unsigned)(pa >> 16);
	} else if (pa < 0xc0000) {
		number = 0x258 + (unsigned)((pa - 0x80000) >> 17);
		byte = (unsigned)(pa >> 14) & 7;
	} else {
		number = 0x268 + (unsigned)((pa - 0xc0000) >> 15);
		byte = (unsigned)(pa >> 12) & 7;
	}
	return msr[number] >> (8 * byte) & 0xff;
}

/* What the types of all ranges that match come to; bit n is type n. */
static inline unsigned judge(unsigned set)
{
	switch (set) {
	case 1 << WC:
		return WC;
	case 1 << WT:
	case 1 << WT | 1 << WB:
		return WT;
	case 1 << WP:
		return WP;
	case 1 << WB:
		return WB;
	default:
		return UC;
	}
}

/* All numbers that name no type are one more bit, which judge() does not know. */
static inline unsigned set_of(unsigned type)
{
	return 1u << MIN(type, 7u);
}

static inline unsigned model_ranges(u64 pa)
{
	unsigned set = 0;

	for (unsigned i = 0; i < (msr[0xfe] & 0xff); i++) {
		bool match = msr[0x201 + 2 * i] & V;

		for (unsigned b = 12; b < phys_bits; b++)
			if (msr[0x201 + 2 * i] >> b & 1 &&
			    (msr[0x200 + 2 * i] >> b & 1) != (pa >> b & 1))
				match = false;
		if (match)
			set |= set_of(msr[0x200 + 2 * i] & 0xff);
	}
	return judge(set ? set : set_of(msr[0x2ff] & 0xff));
}

static inline unsigned model(u64 pa)
{
	if (!present)
		return WB;
	if (!(msr[0x2ff] & E) || pa >= BIT(phys_bits))
		return UC;
	if (msr[0xfe] & CAP_FIX && msr[0x2ff] & FE && pa < MIB)
		return judge(set_of(model_fixed(pa)));
	return model_ranges(pa);
}

/* Each byte that could differ from its neighbours in a page: the first and the last. */
static inline bool page_as_model(u64 pa)
{
	return EXPECT_EQ(type_at(pa), model(pa)) &&
	       EXPECT_EQ(type_at(pa + PAGE_SIZE - 1), model(pa + PAGE_SIZE - 1));
}

/* All runs of [pa, pa + len) against mtrr_type and the model at every page. */
static inline bool runs_as_model(u64 pa, u64 len)
{
	unsigned before = ~0u, type;
	u64 run;

	for (u64 end = pa + len; pa < end; pa += run, before = type) {
		run = mtrr_run(&m, HPA(pa), end - pa, &type);
		if (!EXPECT(run && IS_ALIGNED(run, PAGE_SIZE) && run <= end - pa) ||
		    !EXPECT(type != before)) /* as long as can be */
			return false;
		for (u64 at = pa; at < pa + run; at += PAGE_SIZE)
			if (!page_as_model(at) || !EXPECT_EQ(type_at(at), type))
				return false;
	}
	return true;
}

#endif
