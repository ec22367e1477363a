/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob - bytes put together one field at a time, for inputs of parsers.
 */
#ifndef TESTS_HOST_BLOB_H
#define TESTS_HOST_BLOB_H

#include <stdlib.h>

#include "lib/rng.h"
#include "lib/str.h"
#include "lib/types.h"

struct blob {
	u8 b[32768];
	u32 n;
};

static inline void blob_bytes(struct blob *to, const void *from, size_t len)
{
	if (len > sizeof(to->b) - to->n)
		abort();
	memcpy(to->b + to->n, from, len);
	to->n += (u32)len;
}

/* The low `size` bytes of v, little-endian. */
static inline void blob_put(struct blob *to, u64 v, unsigned size)
{
	blob_bytes(to, &v, size);
}

static inline void blob_u8(struct blob *to, u8 v)
{
	blob_put(to, v, 1);
}

static inline void blob_u16(struct blob *to, u16 v)
{
	blob_put(to, v, 2);
}

static inline void blob_u32(struct blob *to, u32 v)
{
	blob_put(to, v, 4);
}

static inline void blob_u64(struct blob *to, u64 v)
{
	blob_put(to, v, 8);
}

/* The characters with their NUL. */
static inline void blob_str(struct blob *to, const char *s)
{
	blob_bytes(to, s, strlen(s) + 1);
}

/* Zeros up to offset `at`. */
static inline void blob_fill(struct blob *to, u32 at)
{
	while (to->n < at)
		blob_u8(to, 0);
}

static inline void blob_align(struct blob *to, u32 to_multiple)
{
	while (to->n % to_multiple)
		blob_u8(to, 0);
}

/* Overwrites the low `size` bytes at `at`. */
static inline void blob_poke(struct blob *to, u32 at, u64 v, unsigned size)
{
	memcpy(to->b + at, &v, size);
}

/* Changes one to eight bytes at random, often to values that matter to parsers. */
static inline void blob_mutate(struct blob *to, struct rng *rng)
{
	static const u32 hot[] = { 0,          1,          7,          8,
				   0x7f,       0x80,       0xff,       0x1000,
				   0x7fffffff, 0x80000000, 0xfffffff8, ~0u };

	for (u64 i = 1 + rng_below(rng, 8); i && to->n >= 4; i--) {
		u32 at = (u32)rng_below(rng, to->n - 3);

		if (rng_below(rng, 2))
			to->b[at] = (u8)rng_next(rng);
		else
			blob_poke(to, at & ~3u, hot[rng_below(rng, ARRAY_LEN(hot))], 4);
	}
}

#endif
