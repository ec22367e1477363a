/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twice - two CPUs free the same block at the same time, by mistake
 *
 * The second one does so after the first has found the block in use.  For a block of
 * the buddy lists that is noticed under the lock.  A single frame ends up in two lists,
 * and is noticed when it leaves the list that it does not name.
 */
#include "mm/pool.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

static struct pool pool;
static hpa_t block;
static bool met;

/* The first operation of CPU 0's free follows its look at the state. */
static void free_too(const struct op *op)
{
	(void)op;
	if (met)
		return;
	met = true;
	cpu_become(1);
	pool_free(&pool, block);
	cpu_become(0);
}

static void prepare(unsigned order)
{
	cpu_become(0);
	ram_pool(&pool, 512);
	EXPECT_EQ(pool_alloc(&pool, order, &block), E_OK);
	met = false;
}

static void free_at_once(void)
{
	record_hook = free_too;
	pool_free(&pool, block);
	record_hook = NULL;
}

TEST(pool_two_frees_at_once_of_a_block_panic)
{
	for (unsigned order = 1; order < POOL_ORDERS; order++) {
		prepare(order);
		EXPECT_PANIC(free_at_once());
		record_hook = NULL;
		EXPECT(met);
	}
}

/* CPU 0 has it last, so it is CPU 1's list that must not have it. */
TEST(pool_two_frees_at_once_of_a_frame_panic_later)
{
	for (unsigned drains = 0; drains < 2; drains++) {
		prepare(0);
		free_at_once();
		EXPECT(met);
		cpu_become(1);
		if (drains)
			EXPECT_PANIC(pool_drain(&pool));
		else
			EXPECT_PANIC((void)!pool_alloc(&pool, 0, &block));
	}
}

/* By way of the other list's owner it comes into one list twice. */
TEST(pool_two_frees_at_once_of_a_frame_are_not_forgotten)
{
	prepare(0);
	free_at_once();
	EXPECT_EQ(pool_alloc(&pool, 0, &block), E_OK);
	cpu_become(1);
	pool_free(&pool, block);
	EXPECT_EQ(pool_alloc(&pool, 0, &block), E_OK);
	EXPECT_PANIC((void)!pool_alloc(&pool, 0, &block));
}
