/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptalloc - makes the n-th pool_alloc() from now fail; linked by --wrap=pool_alloc
 *
 * The linker sends each call of pool_alloc() from another file here, so that mm/ needs
 * no hook of its own.
 */
#include "tests/host/eptalloc.h"
#include "mm/pool.h"

static u64 until = UINT64_MAX, failed;
static bool for_good;

enum err __real_pool_alloc(struct pool *p, unsigned order, hpa_t *out);
enum err __wrap_pool_alloc(struct pool *p, unsigned order, hpa_t *out);

enum err __wrap_pool_alloc(struct pool *p, unsigned order, hpa_t *out)
{
	if (until == UINT64_MAX || until-- > 0)
		return __real_pool_alloc(p, order, out);
	until = for_good ? 0 : UINT64_MAX;
	failed++;
	return fail(E_NOMEM);
}

void alloc_fail(u64 n, bool all)
{
	until = n;
	for_good = all;
	failed = 0;
}

u64 alloc_end(void)
{
	until = UINT64_MAX;
	return failed;
}
