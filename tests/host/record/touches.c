/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * touches - an edit of a range visits each table once, whatever it does there
 *
 * The tables that are accessed form a path from the root.  One that the path has left
 * is done with: an access after that is a second visit.  Tables that the edit itself
 * makes are filled before they are linked and do not count.
 */
#include "mm/dirty.h"
#include "mm/mem.h"
#include "tests/host/eptraw.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

#define FRAMES 1024
#define FROM   (SIZE_1G - 3 * SIZE_2M - 5 * PAGE_SIZE)
#define LEN    (6 * SIZE_2M + 11 * PAGE_SIZE)

static struct pool pool;
static struct ept ept;
static struct gather g;

static u32 path[EPT_LEVELS + 1];
static unsigned depth, twice, visits;
static bool left[FRAMES], old[FRAMES];

static void touch(u32 table)
{
	unsigned i = 0;

	while (i < depth && path[i] != table)
		i++;
	if (i < depth) {
		while (depth > i + 1)
			left[path[--depth]] = true;
		return;
	}
	twice += left[table];
	visits++;
	if (depth < ARRAY_LEN(path))
		path[depth++] = table;
}

static void on_op(const struct op *op)
{
	u64 off = (u64)((const u8 *)op->at - (const u8 *)mem_ptr(HPA(RAM_BASE)));

	if (op->what != OP_DONE && off < FRAMES * PAGE_SIZE && old[off / PAGE_SIZE])
		touch((u32)(off / PAGE_SIZE));
}

static void begin(void)
{
	depth = twice = visits = 0;
	for (u32 i = 0; i < FRAMES; i++) {
		left[i] = false;
		old[i] = pool.frame[i].state == FRAME_USED;
	}
	record_hook = on_op;
}

/* How many tables were visited; each once. */
static unsigned end(enum err e)
{
	record_hook = NULL;
	EXPECT_EQ(e, E_OK);
	EXPECT_EQ(twice, 0);
	return visits;
}

static unsigned settle(void)
{
	unsigned n;

	g.state = GATHER_PUBLISHED;
	begin();
	ept_settle(&ept, &g);
	n = end(E_OK);
	pool_free_list(&pool, &g.dead);
	g = gather_init();
	return n;
}

/* Tables of 4 KiB leaves left and right of 1 GiB: two of level 1, ten of level 0. */
static void set_up(unsigned max_leaf)
{
	ram_pool(&pool, FRAMES);
	g = gather_init();
	EXPECT_EQ(ept_init(&ept, &pool,
			   (struct ept_features){ .max_leaf = max_leaf,
						  .ad = true,
						  .format = raw_format }),
		  E_OK);
	EXPECT_EQ(ept_map(&ept, GPA(FROM & ~(SIZE_2M - 1)), HPA(0), 8 * SIZE_2M, EPT_RW,
			  &g),
		  E_OK);
}

/* The root, one of level 2, two of level 1, and those of level 0 in the range. */
#define ALL (4 + 8)

TEST_BOTH(ept_changes_visit_each_table_once)
{
	gpa_t from = GPA(FROM);

	set_up(0);
	begin();
	EXPECT_EQ(end(ept_protect(&ept, from, LEN, EPTE_R, &g)), ALL);
	begin();
	EXPECT_EQ(end(ept_retype(&ept, from, LEN, EPT_WT << 3, &g)), ALL);
	begin();
	EXPECT_EQ(end(ept_clear(&ept, from, LEN, EPTE_D, NULL, &g)), ALL);
	begin();
	EXPECT_EQ(end(ept_remap(&ept, from, HPA(PAGE_SIZE), LEN, &g)), ALL);
	EXPECT_EQ(settle(), ALL);
	begin(); /* six tables go as a whole, without a look into them */
	EXPECT_EQ(end(ept_unmap(&ept, from, LEN, &g)), ALL - 6);
	settle();
	begin();
	end(ept_map(&ept, from, HPA(SIZE_1G), LEN, EPT_RW, &g));
}

TEST_BOTH(ept_resizing_visits_each_table_once)
{
	gpa_t from = GPA(FROM);

	set_up(1);
	begin();
	EXPECT_EQ(end(ept_split(&ept, from, LEN, 0, &g)), ALL);
	EXPECT_EQ(settle(), ALL);
	begin(); /* the first and the last table are in the range only in part */
	EXPECT_EQ(end(ept_promote(&ept, from, LEN, &g)), ALL - 2);
	settle();
	begin();
	EXPECT_EQ(end(ept_unmap(&ept, from, LEN, &g)), 4 + 2);
	settle();
}

TEST_BOTH(dirty_harvest_visits_each_table_once)
{
	static atomic64_t map[LEN / PAGE_SIZE / 64 + 1];
	u64 written[ARRAY_LEN(map)] = { 0 };
	struct dirty d;

	for (unsigned mode = 0; mode < 3; mode++) {
		set_up(0);
		EXPECT_EQ(dirty_start(&d, &ept, (enum dirty_mode)mode, GPA(FROM), LEN,
				      map, &g),
			  E_OK);
		settle();
		dirty_mark_range(&d, GPA(FROM), LEN);
		begin();
		EXPECT_EQ(dirty_harvest(&d, written, &g), LEN / PAGE_SIZE);
		EXPECT_EQ(end(E_OK), ALL);
		dirty_stop(&d);
	}
}
