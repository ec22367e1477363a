/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cluster - destinations of the x2APIC name the CPUs that are meant, and no others
 *
 * Logical IDs follow from APIC IDs, whose layouts are those of machines: as CPUs are
 * numbered, siblings last, with gaps, shuffled, and wider than the byte of an xAPIC.
 */
#include "arch/x86_64/cluster.h"
#include "lib/rng.h"
#include "tests/host/test.h"

#define MANY   200
#define ROUNDS 2000

static u32 id[CPU_MAX];
static unsigned cpus = MANY; /* of them are there */

/* SDM vol. 3, 11.12.10.2: of bits 19:4 and 3:0. */
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

	for (unsigned i = base; i < base + 64 && i < cpus; i++) {
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
	unsigned writes = 0, want = occupied(base, which), named[CPU_MAX] = { 0 };
	u64 rest = which;

	while (rest && writes < 64) {
		u32 dest = cluster_take(base, &rest);

		writes++;
		for (unsigned i = 0; i < cpus; i++)
			named[i] += names(dest, i);
	}
	EXPECT_EQ(writes, want);
	for (unsigned i = 0; i < cpus; i++)
		EXPECT_EQ(named[i], i / 64 == base / 64 ? which >> i % 64 & 1 : 0);
}

static void against_model(struct rng *rng)
{
	EXPECT(cluster_plan(id, cpus));
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned base = (unsigned)rng_below(rng, (cpus + 63) / 64) * 64;
		u64 all = cpus - base < 64 ? BIT(cpus - base) - 1 : ~0ull;

		take_all(base, rng_next(rng) & rng_next(rng) & all);
	}
}

TEST(clusters_of_neighbours)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < MANY; i++)
		id[i] = logical(i);
	against_model(&rng);
}

TEST(clusters_with_gaps)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < MANY; i++)
		id[i] = logical(i / 12 * 32 + i % 12);
	against_model(&rng);
	for (unsigned i = 0; i < MANY; i++)
		id[i] = logical(2 * i);
	against_model(&rng);
}

TEST(clusters_with_siblings_last)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < MANY; i++)
		id[i] = logical(i < MANY / 2 ? 2 * i : 2 * (i - MANY / 2) + 1);
	against_model(&rng);
}

TEST(clusters_in_any_order)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < MANY; i++)
		id[i] = logical(7 * i % 211); /* all different: 211 is a prime */
	against_model(&rng);
}

TEST(clusters_of_more_cpus_than_a_byte_has_ids)
{
	static const u32 first[] = { 0, 250, 0x1000, 0xfff00 - CPU_MAX };
	struct rng rng = test_rng();

	for (unsigned n = 0; n < 2 * ARRAY_LEN(first); n++) {
		cpus = n % 2 ? CPU_MAX : 300;
		for (unsigned i = 0; i < cpus; i++)
			id[i] = logical(first[n / 2] +
					(n % 2 ? i : i / 12 * 16 + i % 12));
		against_model(&rng);
	}
	cpus = MANY;
}

/* One write reaches 16 CPUs at most, and none of another cluster. */
TEST(cluster_destinations_as_words)
{
	u64 which;

	for (unsigned i = 0; i < CPU_MAX; i++)
		id[i] = logical(0xff0 + i);
	EXPECT(cluster_plan(id, CPU_MAX));
	which = ~0ull;
	EXPECT_EQ(cluster_take(0, &which), 0x00ffffff);
	EXPECT_EQ(which, ~0xffffull);
	EXPECT_EQ(cluster_take(0, &which), 0x0100ffff);
	which = BIT(63);
	EXPECT_EQ(cluster_take(448, &which), 0x011e8000);
	EXPECT_EQ(which, 0);
}

TEST(clusters_need_one_bit_of_each_cpu)
{
	for (unsigned i = 0; i < MANY; i++)
		id[i] = logical(i);
	id[100] = 0;
	EXPECT(!cluster_plan(id, MANY));
	id[100] = 3;
	EXPECT(!cluster_plan(id, MANY));
	EXPECT(cluster_plan(id, 100));
}
