/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cluster - CPUs as destinations of the x2APIC: one for all those of a cluster
 *
 * In x2APIC mode a CPU's logical ID follows from its APIC ID (SDM vol. 3, 11.12.10.2):
 * bits 31:16 name the cluster, one of bits 15:0 the CPU in it.  A destination is a
 * cluster and any of its CPUs, so one write reaches 16 at most.
 *
 *      CPUs of a word, a bit each         011...0 10...01 1...100
 *      parts of clusters                 |   2   |   1   |   0   |
 *      part & which, turned: bits 15:0 of a destination
 *
 * A part is what one rotation brings from CPU numbers to logical IDs: neighbours with
 * neighbouring APIC IDs.  Parts of one cluster lie side by side and share a write; a
 * cluster whose CPUs are in several words takes one for each.
 *
 * Checked by: tests/unit/cluster.c; boot/kicks and bench/costs on the machine.
 */
#include "arch/x86_64/cluster.h"

#define CLUSTER BITS(31, 16)
#define CPU_BIT BITS(15, 0)

/* Those of a word begin at its first CPU's place: there are no more than CPUs. */
struct cluster_part cluster_part[CPU_MAX];

/* Adds a CPU to the last part, or to a new one: the last part. */
static struct cluster_part *add(struct cluster_part *last, unsigned cpu, u32 logical_id)
{
	u32 cluster = logical_id & CLUSTER;
	u8 turn = ((unsigned)__builtin_ctz(logical_id & CPU_BIT) - cpu) % 64;

	if (last->members && (last->turn != turn || last->cluster != cluster)) {
		last->goes_on = last->cluster == cluster;
		last++;
	}
	*last = (struct cluster_part){ last->members | BIT(cpu % 64), cluster, turn,
				       false };
	return last;
}

static void plan_word(const u32 *id, unsigned base, unsigned end)
{
	struct cluster_part *last = &cluster_part[base];
	u64 planned = 0;

	for (unsigned i = base; i < end; i++) {
		if (planned & BIT(i % 64))
			continue;
		for (unsigned j = i; j < end; j++) {
			if ((id[j] ^ id[i]) & CLUSTER)
				continue;
			last = add(last, j, id[j]);
			planned |= BIT(j % 64);
		}
	}
}

bool cluster_plan(const u32 *logical_id, unsigned n)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		cluster_part[i] = (struct cluster_part){ 0 };
	for (unsigned i = 0; i < n; i++) {
		u32 bit = logical_id[i] & CPU_BIT;

		if (!bit || bit & (bit - 1))
			return false;
	}
	for (unsigned base = 0; base < n; base += 64)
		plan_word(logical_id, base, MIN(n, base + 64));
	return true;
}
