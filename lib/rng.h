/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng - every random choice comes from here, seeded by the printed seed.
 *
 * splitmix64: one word of state, any seed is good, and fork() gives each test a
 * stream of its own so that selecting fewer tests does not change the others.
 */
#ifndef LIB_RNG_H
#define LIB_RNG_H

#include "lib/types.h"

struct rng {
	u64 state;
};

static inline u64 rng_next(struct rng *r)
{
	u64 z = (r->state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A number in 0 .. n - 1; n is not 0. */
static inline u64 rng_below(struct rng *r, u64 n)
{
	return rng_next(r) % n;
}

/* A stream that depends on the seed and on a name alone. */
static inline struct rng rng_named(u64 seed, const char *name)
{
	struct rng r = { seed };

	for (; *name; name++)
		r.state = rng_next(&r) ^ (u8)*name;
	return r;
}

#endif
