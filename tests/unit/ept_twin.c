/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_twin - roots that are kept alike, whatever is linked and unlinked; the random
 * edits of ept_model.c have twins as well.
 */
#include "tests/host/eptalloc.h"
#include "tests/unit/space.h"

#define ORDER 3
#define TWINS (1u << ORDER)
#define FAR   (7 * BIT(39)) /* another entry of the root */

static void set_up_twins(void)
{
	set_up(2);
	EXPECT_EQ(ept_twin(&ept, ORDER), E_OK);
}

static hpa_t twin(unsigned i)
{
	return HPA(ept_top(&ept).v + i * PAGE);
}

/* Each twin has what the root has, which are `used` entries. */
static void expect_alike(unsigned used)
{
	const epte_t *root = mem_ptr(ept.root);
	unsigned found = 0;

	for (unsigned i = 0; i < EPT_ENTRIES; i++) {
		found += epte_used(root[i]);
		for (unsigned n = 0; n < TWINS; n++)
			EXPECT_EQ(((epte_t *)mem_ptr(twin(n)))[i].raw, root[i].raw);
	}
	EXPECT_EQ(found, used);
}

TEST(ept_pointer_is_that_of_the_first_twin)
{
	u64 flags;

	set_up(2);
	flags = ept_pointer(&ept) ^ ept.root.v;
	EXPECT_EQ(ept_twin(&ept, ORDER), E_OK);
	EXPECT_EQ(ept_pointer(&ept), ept.twin.v | flags);
	EXPECT(ept.twin.v + TWINS * PAGE <= ept.root.v || ept.root.v < ept.twin.v);
	expect_alike(0);
}

TEST_BOTH(ept_twins_get_and_lose_what_the_root_does)
{
	set_up_twins();
	given(0, SIZE_1G, PAGE, RWX);
	expect_alike(1);
	given(FAR, SIZE_1G, SIZE_2M, RWX);
	given(FAR + SIZE_1G, SIZE_1G, SIZE_1G, RWX);
	expect_alike(2);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), PAGE, &g), E_OK); /* the last one there */
	expect_alike(1);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), EPT_GPA_MAX, &g), E_OK);
	expect_alike(0);
	finish(&g);
}

/* A map that fails half-way leaves no link behind in any of them. */
TEST_BOTH(ept_twins_are_alike_after_an_error)
{
	for (unsigned n = 0; n < 6; n++) {
		set_up_twins();
		alloc_fail(n, true);
		EXPECT_EQ(
			ept_map(&ept, GPA(FAR - PAGE), HPA(SIZE_1G), 2 * PAGE, RWX, &g),
			E_NOMEM);
		alloc_end();
		expect_alike(0);
		finish(&g);
		EXPECT_EQ(pool_available(&pool), FRAMES - 1 - TWINS);
	}
}

TEST_BOTH(ept_twins_end_with_the_root)
{
	set_up_twins();
	given(FAR, SIZE_1G, PAGE, RWX);
	ept_destroy(&ept, &g);
	EXPECT_EQ(pool_available(&pool), FRAMES - 4 - TWINS);
	g.state = GATHER_PUBLISHED;
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool_available(&pool), FRAMES);
}

TEST_BOTH(ept_twins_that_do_not_fit_change_nothing)
{
	set_up(2);
	alloc_fail(0, true);
	EXPECT_EQ(ept_twin(&ept, ORDER), E_NOMEM);
	alloc_end();
	EXPECT_EQ(ept_top(&ept).v, ept.root.v);
	EXPECT_EQ(pool_available(&pool), FRAMES - 1);
}
