/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mtrr_model - types and runs of random registers, held against the model.
 */
#include "tests/unit/mtrr_cpu.h"

#define ROUNDS 3000

static unsigned any_type(struct rng *r)
{
	static const u8 types[] = { WB, WB, WT, UC, WC, WP, 2, 3, 7, 8, 0x86 };

	return types[rng_below(r, ARRAY_LEN(types))];
}

/* A power-of-two range that is near `near`, or a mask of any bits. */
static void any_pair(struct rng *r, unsigned i, u64 near, bool comb)
{
	u64 size = BIT(12 + rng_below(r, 11));
	u64 base = near + (rng_below(r, 1024) << 12);

	if (!rng_below(r, 8))
		size = BIT(12 + rng_below(r, phys_bits - 11));
	range(i, ALIGN_DOWN(base, size) & (BIT(phys_bits) - 1), size, any_type(r));
	if (comb) /* holes, and bits of the base that the mask leaves out */
		for (unsigned n = 0; n < 4; n++) {
			msr[0x201 + 2 * i] ^= BIT(12 + rng_below(r, 12));
			msr[0x200 + 2 * i] ^= BIT(12 + rng_below(r, 12));
		}
	if (!rng_below(r, 6))
		msr[0x201 + 2 * i] &= ~(u64)V;
}

static void any_fixed(struct rng *r)
{
	for (unsigned i = 0; i < ARRAY_LEN(fixed_msr); i++)
		for (unsigned b = 0; b < 8; b++)
			msr[fixed_msr[i]] = msr[fixed_msr[i]] << 8 | any_type(r);
}

/* Fills the registers; what is interesting lies in the 4 MiB from `near` on. */
static void any_cpu(struct rng *r, unsigned bits, u64 near)
{
	unsigned pairs = (unsigned)rng_below(r, 11);

	cpu(bits, pairs, any_type(r) | E | (rng_below(r, 4) ? FE : 0));
	any_fixed(r);
	for (unsigned i = 0; i < pairs; i++)
		any_pair(r, i, near, rng_below(r, 3) == 0);
	if (!rng_below(r, 16))
		msr[0x2ff] &= ~(u64)E;
	if (!rng_below(r, 16))
		msr[0xfe] &= ~(u64)CAP_FIX;
	take();
}

TEST(mtrr_random_registers_are_as_the_model_says)
{
	struct rng r = test_rng();

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned bits = widths[rng_below(&r, ARRAY_LEN(widths))];
		u64 top = BIT(bits), near = 0;

		if (rng_below(&r, 2))
			near = ALIGN_DOWN(rng_next(&r) % top, 4 * MIB);
		if (!rng_below(&r, 8))
			near = top - 2 * MIB; /* and over the end */
		any_cpu(&r, bits, near);
		if (!runs_as_model(near + (rng_below(&r, 16) << 12), 3 * MIB))
			return;
	}
}

/* The bits of addresses are all tried, where the rounds above stay in 4 MiB. */
TEST(mtrr_random_addresses_are_as_the_model_says)
{
	struct rng r = test_rng();

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned bits = widths[rng_below(&r, ARRAY_LEN(widths))];

		cpu(bits, 4, E | any_type(&r));
		for (unsigned p = 0; p < 4; p++) /* few bits: so that some match */
			pair(p, rng_next(&r) & BITS(bits - 1, 12),
			     rng_next(&r) & rng_next(&r) & rng_next(&r) & rng_next(&r) &
				     BITS(bits - 1, 12),
			     any_type(&r));
		take();
		for (unsigned n = 0; n < 32; n++)
			if (!page_as_model(rng_next(&r) & BITS(bits - 1, 12)))
				return;
	}
}

/*
 * Far runs against the model: it looks at random pages, and at both sides of each end.
 * Masks have few zeros above bit 40, so that a run has few pieces.
 */
TEST(mtrr_long_runs_end_where_the_model_changes)
{
	struct rng r = test_rng();

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned bits = widths[rng_below(&r, ARRAY_LEN(widths))], type;
		u64 pa = rng_next(&r) & BITS(bits - 1, 12), run;

		cpu(bits, 3, E | any_type(&r));
		for (unsigned p = 0; p < 3; p++) {
			u64 size = BIT(bits - 1 - rng_below(&r, 20));
			u64 holes = BIT(bits - 1 - rng_below(&r, 10)) |
				    BIT(bits - 1 - rng_below(&r, 10));

			range(p, rng_next(&r) & BITS(bits - 1, 12), size, any_type(&r));
			msr[0x201 + 2 * p] &= ~(holes & ~(u64)V);
		}
		take();
		run = mtrr_run(&m, HPA(pa), BIT(bits) - pa, &type);
		EXPECT_EQ(type, model(pa));
		for (unsigned n = 0; n < 64; n++)
			EXPECT_EQ(model(pa + ALIGN_DOWN(rng_next(&r) % run, PAGE_SIZE)),
				  type);
		EXPECT_EQ(model(pa + run - 1), type);
		EXPECT(pa + run == BIT(bits) || model(pa + run) != type);
	}
}
