/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - each edit by itself: leaf sizes, errors that change nothing, duties, frames.
 *
 * Random edits beside a flat map are in ept_model.c; the order of stores is in
 * tests/host/record/stores.c.
 */
#include "mm/ept.h"
#include "mm/mem.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define FRAMES 64
#define RWX    EPT_RWX

static struct pool pool;
static struct ept ept;
static struct gather g;

static void set_up(unsigned max_leaf)
{
	ram_pool(&pool, FRAMES);
	g = gather_init();
	EXPECT_EQ(ept_init(&ept, &pool, max_leaf), E_OK);
}

/* Maps, and forgets any duty: for the state that a test starts from. */
static void given(u64 gpa, u64 hpa, u64 len, u64 attr)
{
	EXPECT_EQ(ept_map(&ept, GPA(gpa), HPA(hpa), len, attr, &g), E_OK);
	EXPECT(!gather_needs_flush(&g));
}

static void retire(void)
{
	pool_free_list(&pool, &g.dead);
	g = gather_init();
	EXPECT_EQ(pool.frames - pool_available(&pool), ept.tables);
}

/* The raw translation of one page: address and attributes, 0 when there is none. */
static u64 at(u64 gpa)
{
	struct ept_leaf l;

	if (!ept_lookup(&ept, GPA(gpa), &l))
		return 0;
	EXPECT(gpa >= l.start.v && gpa - l.start.v < ept_span(l.level));
	EXPECT(IS_ALIGNED(l.start.v, ept_span(l.level)));
	EXPECT_EQ(l.entry.raw & EPTE_LEAF, l.level ? EPTE_LEAF : 0);
	return (l.entry.raw & ~EPTE_LEAF) + (gpa - l.start.v);
}

static int level_at(u64 gpa)
{
	struct ept_leaf l;

	return ept_lookup(&ept, GPA(gpa), &l) ? (int)l.level : -1;
}

static void expect_gather(u64 start, u64 len)
{
	EXPECT_EQ(g.n, 1);
	EXPECT(!g.all);
	EXPECT_EQ(g.range[0].start.v, start);
	EXPECT_EQ(g.range[0].len, len);
}

TEST(epte_words_are_those_of_the_manual)
{
	EXPECT_EQ(epte_leaf(HPA(0x1234000), EPT_RWX, 0).raw, 0x1234037);
	EXPECT_EQ(epte_leaf(HPA(0x40000000), EPT_RW, 2).raw, 0x400000b3);
	EXPECT_EQ(epte_table(HPA(0x5000)).raw, 0x5007);
	EXPECT(!epte_present((epte_t){ EPTE_ADDR | EPTE_TYPE | EPTE_LEAF }));
	EXPECT(epte_present((epte_t){ EPTE_X }));
	EXPECT_EQ(ept_index(0x0000ffffffffffff, 3), 511);
	EXPECT_EQ(ept_index(0x0000008000000000, 3), 1);
	EXPECT_EQ(ept_index(0x0000008000000000, 2), 0);
	EXPECT_EQ(ept_span(2), SIZE_1G);
	set_up(2);
	EXPECT_EQ(ept_pointer(&ept, false), ept.root.v | 0x1e);
	EXPECT_EQ(ept_pointer(&ept, true), ept.root.v | 0x5e);
}

TEST(ept_begins_empty)
{
	set_up(2);
	EXPECT_EQ(ept.tables, 1);
	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(at(EPT_GPA_MAX - PAGE_SIZE), 0);
	EXPECT_EQ(at(EPT_GPA_MAX), 0);
	EXPECT_EQ(at(~0ull & ~0xfffull), 0);
}

TEST(ept_map_takes_the_largest_leaf_that_fits)
{
	u64 base = SIZE_1G - SIZE_2M - PAGE_SIZE;

	set_up(2);
	given(base, 3 * SIZE_1G + base, 2 * (SIZE_2M + PAGE_SIZE) + SIZE_1G, RWX);
	EXPECT_EQ(level_at(base), 0);
	EXPECT_EQ(level_at(SIZE_1G - 1), 1);
	EXPECT_EQ(level_at(SIZE_1G), 2);
	EXPECT_EQ(level_at(2 * SIZE_1G), 1);
	EXPECT_EQ(level_at(2 * SIZE_1G + SIZE_2M), 0);
	EXPECT_EQ(level_at(2 * SIZE_1G + SIZE_2M + PAGE_SIZE), -1);
	EXPECT_EQ(level_at(base - 1), -1);
	for (u64 off = 0; off < SIZE_1G + 2 * SIZE_2M; off += 509 * PAGE_SIZE)
		EXPECT_EQ(at(base + off), (3 * SIZE_1G + base + off) | RWX);
}

TEST(ept_map_obeys_max_leaf_and_alignment)
{
	for (unsigned max = 0; max < 3; max++) {
		set_up(max);
		given(SIZE_2M, SIZE_1G, SIZE_2M, RWX);
		EXPECT_EQ(level_at(SIZE_2M), MIN(max, 1u));
		given(SIZE_1G, SIZE_1G, 2 * SIZE_2M, RWX); /* too short for 1 GiB */
		EXPECT_EQ(level_at(SIZE_1G), MIN(max, 1u));
		given(2 * SIZE_1G, SIZE_1G + PAGE_SIZE, SIZE_2M, RWX);
		EXPECT_EQ(level_at(2 * SIZE_1G), 0);
		given(3 * SIZE_1G, SIZE_2M, 2 * SIZE_2M, RWX);
		EXPECT_EQ(level_at(3 * SIZE_1G), MIN(max, 1u));
	}
}

TEST(ept_map_reaches_both_ends)
{
	set_up(2);
	given(0, PAGE_SIZE, PAGE_SIZE, RWX);
	given(EPT_GPA_MAX - PAGE_SIZE, BIT(52) - PAGE_SIZE, PAGE_SIZE, RWX);
	EXPECT_EQ(at(EPT_GPA_MAX - PAGE_SIZE), (BIT(52) - PAGE_SIZE) | RWX);
	EXPECT_EQ(ept_unmap(&ept, GPA(EPT_GPA_MAX - PAGE_SIZE), PAGE_SIZE, &g), E_OK);
	EXPECT_EQ(at(EPT_GPA_MAX - PAGE_SIZE), 0);
	EXPECT(at(0));
}

TEST(ept_edits_refuse_bad_ranges)
{
	static const struct {
		u64 gpa, len;
	} bad[] = {
		{ 0, 0 },
		{ 1, PAGE_SIZE },
		{ 0, PAGE_SIZE + 1 },
		{ EPT_GPA_MAX, PAGE_SIZE },
		{ EPT_GPA_MAX - PAGE_SIZE, 2 * PAGE_SIZE },
		{ PAGE_SIZE, ~0ull & ~0xfffull },
		{ ~0ull & ~0xfffull, 2 * PAGE_SIZE },
	};

	set_up(2);
	given(0, SIZE_1G, SIZE_2M, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		gpa_t a = GPA(bad[i].gpa);
		u64 len = bad[i].len;

		EXPECT_EQ(ept_map(&ept, a, HPA(0), len, RWX, &g), E_INVAL);
		EXPECT_EQ(ept_unmap(&ept, a, len, &g), E_INVAL);
		EXPECT_EQ(ept_protect(&ept, a, len, EPTE_R, &g), E_INVAL);
		EXPECT_EQ(ept_remap(&ept, a, HPA(0), len, &g), E_INVAL);
	}
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(at(0), SIZE_1G | RWX);
}

TEST(ept_edits_refuse_bad_frames_and_rights)
{
	set_up(2);
	given(0, 0, 4 * PAGE_SIZE, RWX);
	for (unsigned i = 0; i < 3; i++) {
		static const u64 bad[] = { 1, BIT(52), BIT(63) };
		gpa_t a = GPA(SIZE_2M);

		EXPECT_EQ(ept_map(&ept, a, HPA(bad[i]), PAGE_SIZE, RWX, &g), E_INVAL);
		EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(bad[i]), PAGE_SIZE, &g), E_INVAL);
	}
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), HPA(0), PAGE_SIZE, EPTE_W, &g), E_INVAL);
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), HPA(0), PAGE_SIZE, 0, &g), E_INVAL);
	EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE_SIZE, 0, &g), E_INVAL);
	EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE_SIZE, EPTE_W | EPTE_X, &g), E_INVAL);
	EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE_SIZE, EPTE_R | EPTE_D, &g), E_INVAL);
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(at(0), RWX);
}

/* Frames that begin below 2^52 and end above it: bit 52 is not part of an address. */
TEST(ept_edits_refuse_frames_past_the_last)
{
	hpa_t last = HPA(BIT(52) - PAGE_SIZE);

	set_up(2);
	given(0, 0, 4 * PAGE_SIZE, RWX);
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), last, 2 * PAGE_SIZE, RWX, &g), E_INVAL);
	EXPECT_EQ(at(SIZE_2M), 0);
	EXPECT_EQ(ept_remap(&ept, GPA(0), last, 2 * PAGE_SIZE, &g), E_INVAL);
	EXPECT_EQ(at(0), RWX);
	EXPECT_EQ(ept_remap(&ept, GPA(0), last, PAGE_SIZE, &g), E_OK);
}

TEST(ept_map_over_something_changes_nothing)
{
	set_up(2);
	given(SIZE_2M, SIZE_1G, SIZE_2M, RWX);
	given(3 * SIZE_2M + 5 * PAGE_SIZE, 0, PAGE_SIZE, RWX);
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), SIZE_1G, RWX, &g), E_EXIST);
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), HPA(0), PAGE_SIZE, RWX, &g), E_EXIST);
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(PAGE_SIZE), 4 * SIZE_2M, RWX, &g), E_EXIST);
	EXPECT_EQ(ept_map(&ept, GPA(2 * SIZE_2M), HPA(0), 2 * SIZE_2M, RWX, &g),
		  E_EXIST);
	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(at(SIZE_2M), SIZE_1G | RWX);
	EXPECT_EQ(at(2 * SIZE_2M), 0);
	EXPECT_EQ(at(3 * SIZE_2M), 0);
	EXPECT_EQ(at(3 * SIZE_2M + 5 * PAGE_SIZE), RWX);
	retire();
}

/* What a failing map had stored was visible for a while: it must be flushed. */
TEST(ept_map_that_fails_half_way_leaves_its_duty)
{
	set_up(0);
	given(8 * PAGE_SIZE, 0, PAGE_SIZE, RWX);
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), 16 * PAGE_SIZE, RWX, &g), E_EXIST);
	expect_gather(0, 8 * PAGE_SIZE);
}

TEST(ept_edits_refuse_to_split_a_leaf)
{
	static const struct {
		u64 gpa, len;
	} cut[] = {
		{ SIZE_2M, PAGE_SIZE },
		{ SIZE_2M + PAGE_SIZE, SIZE_2M - PAGE_SIZE },
		{ 0, SIZE_2M + PAGE_SIZE },
		{ 2 * SIZE_2M - PAGE_SIZE, SIZE_2M },
		{ SIZE_1G, SIZE_2M },
		{ 0, SIZE_1G + SIZE_2M },
	};

	set_up(2);
	given(0, 0, PAGE_SIZE, RWX);
	given(SIZE_2M, SIZE_1G, SIZE_2M, RWX);
	given(SIZE_1G, SIZE_1G, SIZE_1G, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(cut); i++) {
		gpa_t a = GPA(cut[i].gpa);
		u64 len = cut[i].len;

		EXPECT_EQ(ept_unmap(&ept, a, len, &g), E_SPLIT);
		EXPECT_EQ(ept_protect(&ept, a, len, EPTE_R, &g), E_SPLIT);
		EXPECT_EQ(ept_remap(&ept, a, HPA(0), len, &g), E_SPLIT);
	}
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(at(0), RWX);
	EXPECT_EQ(at(SIZE_2M), SIZE_1G | RWX);
	EXPECT_EQ(at(SIZE_1G), SIZE_1G | RWX);
}

/* Tables go to the gather, whole ones only, and to the pool not before it retires. */
TEST(ept_unmap_gathers_ranges_and_tables)
{
	u32 left;

	set_up(0);
	given(SIZE_2M, SIZE_1G, 2 * SIZE_2M, RWX); /* two tables of level 0 */
	left = pool_available(&pool);
	EXPECT_EQ(ept.tables, 5);
	EXPECT_EQ(ept_unmap(&ept, GPA(SIZE_2M), SIZE_2M + PAGE_SIZE, &g), E_OK);
	expect_gather(SIZE_2M, SIZE_2M + PAGE_SIZE);
	EXPECT_EQ(g.dead.count, 1);
	EXPECT_EQ(ept.tables, 4);
	EXPECT_EQ(pool_available(&pool), left);
	EXPECT_EQ(at(2 * SIZE_2M), 0);
	EXPECT_EQ(at(2 * SIZE_2M + PAGE_SIZE), (SIZE_1G + SIZE_2M + PAGE_SIZE) | RWX);
	retire();
	EXPECT_EQ(pool_available(&pool), left + 1);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), BIT(39), &g), E_OK);
	EXPECT_EQ(g.dead.count, 3);
	EXPECT_EQ(ept.tables, 1);
	retire();
}

TEST(ept_unmap_of_nothing_needs_no_flush)
{
	set_up(2);
	given(SIZE_2M, 0, PAGE_SIZE, RWX);
	EXPECT_EQ(ept_unmap(&ept, GPA(SIZE_2M + PAGE_SIZE), SIZE_2M - PAGE_SIZE, &g),
		  E_OK);
	EXPECT_EQ(ept_unmap(&ept, GPA(SIZE_1G), SIZE_1G, &g), E_OK);
	EXPECT(!gather_needs_flush(&g));
}

TEST(ept_protect_flushes_for_a_downgrade_only)
{
	u64 page = 5 * PAGE_SIZE;

	set_up(2);
	given(0, 0, 8 * PAGE_SIZE, RWX);
	EXPECT_EQ(ept_protect(&ept, GPA(page), PAGE_SIZE, EPTE_R | EPTE_W, &g), E_OK);
	expect_gather(page, PAGE_SIZE);
	EXPECT_EQ(at(page), page | EPT_RW);
	EXPECT_EQ(at(page - PAGE_SIZE), (page - PAGE_SIZE) | RWX);
	retire();
	EXPECT_EQ(ept_protect(&ept, GPA(page), PAGE_SIZE, EPTE_RWX, &g), E_OK);
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(at(page), page | RWX);
	EXPECT_EQ(ept_protect(&ept, GPA(0), 8 * PAGE_SIZE, EPTE_RWX, &g), E_OK);
	EXPECT(!gather_needs_flush(&g));
	/* One right lost and one won is a downgrade. */
	EXPECT_EQ(ept_protect(&ept, GPA(page), PAGE_SIZE, EPTE_R | EPTE_X, &g), E_OK);
	retire();
	EXPECT_EQ(ept_protect(&ept, GPA(page), PAGE_SIZE, EPTE_R | EPTE_W, &g), E_OK);
	expect_gather(page, PAGE_SIZE);
}

TEST(ept_remap_keeps_rights_and_checks_first)
{
	set_up(2);
	given(0, 0, 2 * PAGE_SIZE, EPT_RW | EPTE_IPAT);
	given(SIZE_2M, 0, SIZE_2M, RWX);
	EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_1G), 2 * PAGE_SIZE, &g), E_OK);
	expect_gather(0, 2 * PAGE_SIZE);
	EXPECT_EQ(at(PAGE_SIZE), (SIZE_1G + PAGE_SIZE) | EPT_RW | EPTE_IPAT);
	retire();
	/* The third page is a hole, the 2 MiB leaf is unsuited: nothing changes. */
	EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(0), 3 * PAGE_SIZE, &g), E_NOENT);
	EXPECT_EQ(ept_remap(&ept, GPA(SIZE_2M), HPA(PAGE_SIZE), SIZE_2M, &g), E_INVAL);
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(at(0), SIZE_1G | EPT_RW | EPTE_IPAT);
	EXPECT_EQ(at(SIZE_2M), RWX);
}

/* With every possible number of frames left, a map works or changes nothing. */
TEST(ept_map_without_memory_changes_nothing)
{
	u64 gpa = SIZE_1G - 2 * SIZE_2M - PAGE_SIZE, len = 5 * SIZE_2M;
	unsigned need = 0;

	for (unsigned left = 0; left < 16; left++) {
		hpa_t hoard[FRAMES];
		unsigned n = 0;
		enum err e;

		set_up(0);
		given(0, SIZE_1G, PAGE_SIZE, RWX);
		while (pool_available(&pool) > left)
			EXPECT_EQ(pool_alloc(&pool, 0, &hoard[n++]), E_OK);
		e = ept_map(&ept, GPA(gpa), HPA(0), len, RWX, &g);
		EXPECT(e == E_OK || (e == E_NOMEM && need == left));
		need += e != E_OK;
		for (u64 off = 0; off < len; off += 129 * PAGE_SIZE)
			EXPECT_EQ(at(gpa + off), e ? 0 : off | RWX);
		EXPECT_EQ(at(gpa + len), 0);
		EXPECT_EQ(at(0), SIZE_1G | RWX);
		ept_destroy(&ept, &g);
		pool_free_list(&pool, &g.dead);
		while (n)
			pool_free(&pool, hoard[--n]);
		EXPECT_EQ(pool_available(&pool), FRAMES);
	}
	EXPECT_EQ(need, 7); /* six tables of level 0 and one of level 1 */
}

TEST(ept_init_without_memory_fails)
{
	struct ept e;

	ram_pool(&pool, FRAMES);
	while (pool_available(&pool))
		EXPECT_EQ(pool_alloc(&pool, 0, &(hpa_t){ 0 }), E_OK);
	EXPECT_EQ(ept_init(&e, &pool, 2), E_NOMEM);
	EXPECT_PANIC((void)!ept_init(&e, &pool, 3));
}

TEST(ept_destroy_returns_every_frame)
{
	set_up(2);
	for (u64 i = 0; i < 12; i++)
		given(i * i * SIZE_1G + i * SIZE_2M, 0, PAGE_SIZE, RWX);
	ept_destroy(&ept, &g);
	EXPECT(g.range[0].start.v == 0 && g.range[0].len == EPT_GPA_MAX);
	EXPECT(pool_available(&pool) < FRAMES);
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool_available(&pool), FRAMES);
}
