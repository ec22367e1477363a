/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cluster - CPUs as destinations of the x2APIC, for one write each; see cluster.c.
 */
#ifndef ARCH_CLUSTER_H
#define ARCH_CLUSTER_H

#include "lib/types.h"

struct cluster_part {
	u64 members;  /* CPUs of the word                      */
	u32 cluster;  /* of their logical IDs                  */
	u8 turn;      /* left, from CPU numbers to logical IDs */
	bool goes_on; /* the next part is of the same cluster  */
};

extern struct cluster_part cluster_part[CPU_MAX];

/*
 * CPU i has logical_id[i]; at most CPU_MAX of them.  False when not each names exactly
 * one CPU of a cluster, as in xAPIC mode: then nothing can be sent.
 */
bool cluster_plan(const u32 *logical_id, unsigned n);

static inline u64 rotate_left(u64 x, unsigned n)
{
	return x << n | x >> (-n & 63);
}

/* The destination that names `mine`, which are of that part. */
static inline u32 cluster_dest(const struct cluster_part *p, u64 mine)
{
	return p->cluster | (u32)rotate_left(mine, p->turn);
}

/*
 * Takes the CPUs of one cluster out of `which`, where bit i is CPU base + i; the
 * logical destination that names them.  All CPUs of `which` are planned, and there is
 * one; base is a multiple of 64.
 */
static inline u32 cluster_take(unsigned base, u64 *which)
{
	const struct cluster_part *p = &cluster_part[base];
	u64 rest = *which;
	u32 dest = 0;

	while (!(rest & p->members))
		p++;
	do {
		u64 mine = rest & p->members;

		rest ^= mine;
		dest |= cluster_dest(p, mine);
	} while (p++->goes_on);
	*which = rest;
	return dest;
}

#endif
