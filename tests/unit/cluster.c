/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cluster - destinations of the x2APIC name the CPUs that are meant, and no others
 *
 * Logical IDs follow from APIC IDs, whose layouts are those of machines: as CPUs are
 * numbered, siblings last, with gaps, shuffled.
 */
#include "arch/x86_64/cluster.h"
#include "lib/rng.h"
#include "tests/host/test.h"

#define CPUS   200
#define ROUNDS 2000

static u32 id[CPUS];

static u32 logical(u32 apic_id)
{
	return (apic_id & ~15u) << 12 | 1u << apic_id % 16;
}

/* Does the destination name that CPU? */
static bool names(u32 dest, unsigned cpu)
{
	return dest >> 16 == id[cpu] >> 16 && dest & id[cpu] & 0xffff;
}

/* How many clusters the CPUs are of. */
static unsigned occupied(unsigned base, u64 which)
{
	unsigned n = 0;

	for (unsigned i = base; i < base + 64 && i < CPUS; i++) {
		bool first = which >> i % 64 & 1;

		for (unsigned j = base; j < i; j++)
			if (which >> j % 64 & 1 && id[j] >> 16 == id[i] >> 16)
				first = false;
		n += first;
	}
	return n;
}

static void take_all(unsigned base, u64 which)
{
	unsigned writes = 0, want = occupied(base, which), named[CPUS] = { 0 };
	u64 rest = which;

	while (rest && writes < 64) {
		u32 dest = cluster_take(base, &rest);

		writes++;
		for (unsigned i = 0; i < CPUS; i++)
			named[i] += names(dest, i);
	}
	EXPECT_EQ(writes, want);
	for (unsigned i = 0; i < CPUS; i++)
		EXPECT_EQ(named[i], i / 64 == base / 64 ? which >> i % 64 & 1 : 0);
}

static void against_model(struct rng *rng)
{
	EXPECT(cluster_plan(id, CPUS));
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned base = (unsigned)rng_below(rng, (CPUS + 63) / 64) * 64;
		u64 all = CPUS - base < 64 ? BIT(CPUS - base) - 1 : ~0ull;

		take_all(base, rng_next(rng) & rng_next(rng) & all);
	}
}

TEST(clusters_of_neighbours)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < CPUS; i++)
		id[i] = logical(i);
	against_model(&rng);
}

TEST(clusters_with_gaps)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < CPUS; i++)
		id[i] = logical(i / 12 * 32 + i % 12);
	against_model(&rng);
	for (unsigned i = 0; i < CPUS; i++)
		id[i] = logical(2 * i);
	against_model(&rng);
}

TEST(clusters_with_siblings_last)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < CPUS; i++)
		id[i] = logical(i < CPUS / 2 ? 2 * i : 2 * (i - CPUS / 2) + 1);
	against_model(&rng);
}

TEST(clusters_in_any_order)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < CPUS; i++)
		id[i] = logical(7 * i % 211); /* all different: 211 is a prime */
	against_model(&rng);
}

TEST(clusters_need_one_bit_of_each_cpu)
{
	for (unsigned i = 0; i < CPUS; i++)
		id[i] = logical(i);
	id[100] = 0;
	EXPECT(!cluster_plan(id, CPUS));
	id[100] = 3;
	EXPECT(!cluster_plan(id, CPUS));
	EXPECT(cluster_plan(id, 100));
}
