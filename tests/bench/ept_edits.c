/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_edits - what edits of an EPT cost, for each leaf, and the memory of its tables
 *
 * No guest runs: this is the path of the initiator alone, without an invalidation.  In
 * Bochs the TSC counts instructions; elsewhere the figures are TSC cycles.
 */
#include "arch/x86_64/insn.h"
#include "lib/str.h"
#include "mm/dirty.h"
#include "mm/mem.h"
#include "tests/bench/tsc.h"
#include "tests/test.h"

#define BAR           40 /* instructions for each leaf of 4 KiB, fast build */
#define FRAMES        HPA(4 * SIZE_1G)                  /* nobody looks into them */
#define RANGE         (CHECKED ? SIZE_1G / 8 : SIZE_1G) /* figures are of the fast build */
#define PAGES         (RANGE / PAGE_SIZE)
#define MINIMUM       (RANGE / SIZE_2M + 3) /* tables: of level 0, and one of each above */
#define PART_RANGE    (64 * SIZE_2M)        /* where an edit of all of it takes long */
#define PART_PAGES    (PART_RANGE / PAGE_SIZE)
#define TRACKED       (16 * SIZE_2M)
#define TRACKED_PAGES (TRACKED / PAGE_SIZE)

/* One bench: an EPT of its own, and the clock since the last lap. */
struct bench {
	struct run *t;
	struct ept ept;
	struct gather g;
	u64 start;
};

static bool begin(struct bench *b, struct run *t, unsigned max_leaf)
{
	struct ept_features can = { .max_leaf = max_leaf,
				    .large_exec = true,
				    .ad = true };

	*b = (struct bench){ .t = t, .g = gather_init() };
	if (ept_init(&b->ept, t->pool, can)) {
		test_fail(t, "no memory for an EPT");
		return false;
	}
	return true;
}

/* Nobody runs under this EPT: what would follow the invalidation follows at once. */
static void finish(struct bench *b)
{
	b->g.state = GATHER_PUBLISHED;
	ept_settle(&b->ept, &b->g);
	pool_free_list(b->t->pool, &b->g.dead);
	b->g = gather_init();
}

static void end(struct bench *b)
{
	ept_destroy(&b->ept, &b->g);
	finish(b);
}

static void lap_begin(struct bench *b)
{
	b->start = rdtsc();
}

/* Reports what has passed since, divided by n, in tenths; fails above the bar. */
static void lap(struct bench *b, const char *what, u64 n, enum err e, bool bar)
{
	u64 ticks = rdtsc() - b->start, each = (10 * ticks + n / 2) / n;
	bool counts = tsc_counts_instructions();

	if (e)
		test_fail(b->t, "%s: %s", what, err_name(e));
	test_figure(b->t, what, each,
		    counts ? "tenths of an instruction" : "tenths of a TSC cycle");
	if (bar && !CHECKED && counts && each > 10 * BAR)
		test_fail(b->t, "%s: %lu tenths, the bar is %u", what, each, 10 * BAR);
}

/* All but the first page of each table, so that no table goes as a whole. */
static enum err unmap_leaves(struct bench *b)
{
	enum err e = E_OK;

	for (u64 at = PAGE_SIZE; at < RANGE && !e; at += SIZE_2M)
		e = ept_unmap(&b->ept, GPA(at), SIZE_2M - PAGE_SIZE, &b->g);
	return e;
}

static void change_leaves(struct bench *b)
{
	enum err e = ept_map(&b->ept, GPA(0), FRAMES, PART_RANGE, EPT_RWX, &b->g);

	lap_begin(b);
	if (!e)
		e = ept_protect(&b->ept, GPA(0), PART_RANGE, EPTE_R, &b->g);
	lap(b, "protect, per leaf", PART_PAGES, e, true);
	lap_begin(b);
	if (!e)
		e = ept_remap(&b->ept, GPA(0), HPA(FRAMES.v + RANGE), PART_RANGE,
			      &b->g);
	lap(b, "remap, per leaf", PART_PAGES, e, false);
	lap_begin(b);
	finish(b);
	lap(b, "settle, per leaf", PART_PAGES, e, true);
	lap_begin(b);
	if (!e)
		e = ept_unmap(&b->ept, GPA(0), PART_RANGE, &b->g);
	lap(b, "unmap by whole tables, per leaf", PART_PAGES, e, true);
}

TEST(bench, ept_map, "cost of mapping, unmapping and changing 4K leaves in a range",
     .measures = true)
{
	struct bench b;
	enum err e;

	if (!begin(&b, t, 0))
		return;
	lap_begin(&b);
	e = ept_map(&b.ept, GPA(0), FRAMES, RANGE, EPT_RWX, &b.g);
	lap(&b, "map, per leaf", PAGES, e, true);
	test_figure(t, "table memory over the minimum",
		    (b.ept.tables + b.ept.spares - MINIMUM) * 1000 / MINIMUM,
		    "per thousand");
	EXPECT(t, (b.ept.tables + b.ept.spares - MINIMUM) * 100 <= MINIMUM);
	lap_begin(&b);
	e = unmap_leaves(&b);
	lap(&b, "unmap leaf by leaf, per leaf", PAGES - PAGES / 512, e, true);
	e = ept_unmap(&b.ept, GPA(0), RANGE, &b.g);
	finish(&b);
	if (!e)
		change_leaves(&b);
	end(&b);
}

TEST(bench, ept_resize, "cost of splitting 2M leaves and of promoting them again",
     .measures = true)
{
	u64 n = TRACKED / SIZE_2M;
	struct bench b;
	enum err e;

	if (!begin(&b, t, 1))
		return;
	e = ept_map(&b.ept, GPA(0), FRAMES, TRACKED, EPT_RWX, &b.g);
	test_figure(t, "pages set aside, per 2M leaf", b.ept.spares / n, "pages");
	lap_begin(&b);
	if (!e)
		e = ept_split(&b.ept, GPA(0), TRACKED, 0, &b.g);
	lap(&b, "split, per 2M leaf", n, e, false);
	lap_begin(&b);
	finish(&b);
	lap(&b, "settle a split, per 2M leaf", n, e, false);
	lap_begin(&b);
	e = ept_promote(&b.ept, GPA(0), TRACKED, &b.g);
	lap(&b, "promote, per 2M leaf", n, e, false);
	EXPECT_EQ(t, b.g.dead.count, n);
	finish(&b);
	end(&b);
}

/* Every page is written, then harvested; then a harvest that finds nothing. */
static void harvest(struct run *t, enum dirty_mode mode, const char *dirty,
		    const char *clean)
{
	static atomic64_t marked[TRACKED_PAGES / 64];
	static u64 map[TRACKED_PAGES / 64];
	struct bench b;
	struct dirty d;
	u64 pages;
	enum err e;

	if (!begin(&b, t, 1))
		return;
	e = ept_map(&b.ept, GPA(0), FRAMES, TRACKED, EPT_RWX, &b.g);
	if (!e)
		e = dirty_start(&d, &b.ept, mode, GPA(0), TRACKED, marked, &b.g);
	finish(&b);
	dirty_mark_range(&d, GPA(0), TRACKED);
	memset(map, 0, sizeof(map));
	lap_begin(&b);
	pages = dirty_harvest(&d, map, &b.g);
	lap(&b, dirty, TRACKED_PAGES, e, false);
	EXPECT_EQ(t, pages, TRACKED_PAGES);
	memset(map, 0, sizeof(map));
	lap_begin(&b);
	pages = dirty_harvest(&d, map, &b.g);
	lap(&b, clean, TRACKED_PAGES, e, false);
	EXPECT_EQ(t, pages, 0);
	dirty_stop(&d);
	finish(&b);
	end(&b);
}

TEST(bench, ept_harvest, "cost of harvesting dirty pages, for each page",
     .measures = true)
{
	harvest(t, DIRTY_FAULT, "harvest by faults, per dirty page",
		"harvest by faults, per clean page");
	harvest(t, DIRTY_FLAG, "harvest by flags, per dirty page",
		"harvest by flags, per clean page");
	harvest(t, DIRTY_LOG, "harvest by the log, per dirty page",
		"harvest by the log, per clean page");
}
