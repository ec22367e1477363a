/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stores - every single store of an EPT edit, seen as a CPU that walks meanwhile sees
 * it
 *
 * At each store: it is one aligned store of 64 bits, and the only one to its entry
 * [E1]; a table that a walk can reach by now is one that a walk could reach before the
 * edit [E2]; a table that is retired is not written, and who still holds a pointer to
 * it reads there what he read before, or nothing [E3]; every page translates as before
 * the edit or as asked for, and one that gets another frame or size does not translate
 * in between [E4].  Nothing else writes to a table that is linked or retired: a shadow
 * that knows only these stores stays equal.
 *
 * At random moments of an edit a CPU uses a page and sets A and D.  They are there in
 * the end, or have been reported.
 */
#include "lib/str.h"
#include "mm/dirty.h"
#include "mm/fault.h"
#include "mm/mem.h"
#include "tests/host/eptraw.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/record/tables.h"
#include "tests/host/test.h"

#define FRAMES  TABLES_FRAMES
#define EDITS   20000
#define LOOKS   6
#define TRACKED 1024

enum what {
	MAP,
	UNMAP,
	PROTECT,
	REMAP,
	RETYPE,
	CLEAR,
	SPLIT,
	PROMOTE,
	START,
	HARVEST,
	STOP,
	FAULT,
	SETTLE,
	WHATS
};

/* The edit under way, and the pages that are looked at after each store. */
static struct edit {
	enum what what;
	u64 gpa, len, hpa, attr;
	unsigned grain;
	struct look {
		u64 gpa;
		struct raw_page before;
		u64 flags; /* that a CPU has set meanwhile */
	} look[LOOKS];
	bool undone;       /* a store took something away again     */
	unsigned accesses; /* that CPUs will make meanwhile at most */
	unsigned stores;
} edit;

static struct pool pool;
static struct ept ept;
static struct gather g[2];
static struct dirty dirty;
static struct rng rng;

static atomic64_t written_map[TRACKED / 64];
static u64 page_map[TRACKED / 64];

static bool in_edit(u64 gpa)
{
	return gpa - edit.gpa < edit.len;
}

/* What the page is to say when the edit is done. */
static u64 asked_for(const struct look *l)
{
	u64 off = l->gpa - edit.gpa, was = l->before.logical;

	if (!in_edit(l->gpa))
		return was;
	switch (edit.what) {
	case MAP:
		return (edit.hpa + off) | edit.attr;
	case UNMAP:
		return 0;
	case PROTECT:
		return was ? (was & ~EPTE_RWX) | (edit.attr & EPTE_RWX) : 0;
	case REMAP:
		return was ? (was & ~EPTE_ADDR) | (edit.hpa + off) : 0;
	case RETYPE:
		return was ? (was & ~EPTE_MEMORY) | (edit.attr & EPTE_MEMORY) : 0;
	default:
		return was;
	}
}

/* Does the edit give the page, which is mapped, another frame or size?  E4 */
static bool moves(const struct look *l, const struct raw_page *is)
{
	u64 want = asked_for(l);

	return l->before.logical && want &&
	       ((l->before.logical ^ want) & EPTE_ADDR || is->level != l->before.level);
}

/* Flags may be set, cleared, and set again; the rest is as before or as asked for. */
static void look(void)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		const struct look *l = &edit.look[i];
		struct raw_page is = raw_page(ept.root, l->gpa);
		u64 now = is.logical & ~RAW_AD, was = l->before.logical & ~RAW_AD;

		if (is.hw && (now != was || is.level != l->before.level)) {
			EXPECT_EQ(now, asked_for(l) & ~RAW_AD);
			EXPECT(!moves(l, &is));
		}
		if (!is.hw && l->before.hw && is.logical)
			EXPECT(moves(l, &is) || !asked_for(l) || !(is.raw & EPTE_RWX));
	}
}

static void stored(const struct op *op, u64 off)
{
	if (!EXPECT_EQ(op->size, 8) || !EXPECT(IS_ALIGNED(off, 8)))
		return;
	edit.stores++;
	edit.undone |= edit.what == MAP && !op->value;
	if (!tables_stored(off, op->value, edit.undone))
		return;
	look();
	walkers_look();
}

/* A CPU uses a page that is looked at, and marks what it walks. */
static void use_a_page(struct look *l)
{
	bool write = rng_below(&rng, 2);

	if (!raw_access(ept.root, l->gpa, write))
		return;
	edit.accesses--;
	l->flags |= EPTE_A | (write ? EPTE_D : 0);
	tables_marked(l->gpa);
}

/* Seldom just now, often right before the page's entry changes. */
static void meanwhile(const struct op *op)
{
	struct look *l = &edit.look[rng_below(&rng, LOOKS)];

	if (rng_below(&rng, 64) == 0)
		use_a_page(l);
	for (unsigned i = 0; i < LOOKS && op->what != OP_LOAD && edit.accesses; i++)
		if (raw_page(ept.root, edit.look[i].gpa).slot == op->at &&
		    rng_below(&rng, 2))
			use_a_page(&edit.look[i]);
}

static void on_op(const struct op *op)
{
	u64 off = (u64)((const u8 *)op->at - (const u8 *)mem_ptr(HPA(RAM_BASE)));

	if (off >= pool.frames * PAGE_SIZE)
		return;
	if (op->what == OP_DONE)
		stored(op, off);
	else if (edit.accesses)
		meanwhile(op);
}

static u64 random_page(void)
{
	u64 in_table = PAGE_SIZE * rng_below(&rng, 1024);

	return rng_below(&rng, 2) ? in_table : SIZE_1G - SIZE_2M + in_table;
}

/* Watches `gpa` through the edit; what it translates to now counts as before. */
static void watch(unsigned i, u64 gpa)
{
	edit.look[i] = (struct look){ gpa, raw_page(ept.root, gpa), 0 };
}

static unsigned grain_of_frames(void)
{
	unsigned level = ept.dirty ? 0 : ept.can.max_leaf;

	while (level && (edit.gpa ^ edit.hpa) & (ept_span(level) - 1))
		level--;
	return level;
}

static u64 random_attr(void)
{
	static const u8 type[] = { EPT_WB, EPT_UC, EPT_WT, EPT_WB };

	return EPTE_R | (rng_next(&rng) & (EPTE_W | EPTE_X | raw_extra(EPTE_IPAT))) |
	       field_put(EPTE_TYPE, type[rng_below(&rng, 4)]);
}

/* A page whose writes are tracked, if it can be one whose entry has this bit. */
static u64 any_tracked(u64 bit)
{
	u64 gpa = 0;

	for (unsigned i = 0; i < 16; i++) {
		u64 n = rng_below(&rng, (dirty.end - dirty.start) / PAGE_SIZE);

		gpa = dirty.start + n * PAGE_SIZE;
		if (raw_page(ept.root, gpa).raw & bit)
			break;
	}
	return gpa;
}

static void choose(void)
{
	static const u64 span[] = { PAGE_SIZE, PAGE_SIZE, SIZE_2M, SIZE_1G };
	u64 align = span[rng_below(&rng, ept.dirty ? 3 : 4)],
	    n = 1 + rng_below(&rng, 40);

	edit = (struct edit){ .what = (enum what)rng_below(&rng, WHATS) };
	edit.gpa = random_page() & ~(align - 1);
	edit.len = rng_below(&rng, 4) ? n * PAGE_SIZE : MIN(align, 4 * SIZE_2M);
	if (align == SIZE_1G && rng_below(&rng, 2))
		edit.len = SIZE_1G;
	edit.hpa = (rng_next(&rng) & BITS(40, 30)) | (edit.gpa & (SIZE_1G - 1));
	if (rng_below(&rng, 3) == 0)
		edit.hpa ^= PAGE_SIZE;
	edit.attr = random_attr();
	if (edit.what == CLEAR)
		edit.attr = rng_below(&rng, 2) ? EPTE_A : EPTE_D;
	edit.accesses = ept.can.ad ? (unsigned)rng_below(&rng, 4) : 0;
	edit.grain = (unsigned)rng_below(&rng, 2);
	if (edit.what == START) {
		edit.gpa &= ~(SIZE_2M - 1);
		edit.len = TRACKED / 2 * PAGE_SIZE;
	}
	if (edit.what == FAULT && ept.dirty) {
		edit.gpa = any_tracked(EPTE_HELD_W);
		edit.len = PAGE_SIZE;
	}
	if (edit.what == HARVEST || edit.what == STOP) {
		edit.gpa = dirty.start;
		edit.len = dirty.end - dirty.start;
	}
	if (edit.len > SIZE_2M && edit.what == REMAP && grain_of_frames() == 0)
		edit.hpa ^= PAGE_SIZE;
}

static void watch_all(void)
{
	watch(0, edit.gpa);
	watch(1, edit.gpa + edit.len - PAGE_SIZE);
	watch(2, edit.gpa + PAGE_SIZE * rng_below(&rng, edit.len / PAGE_SIZE));
	watch(3, edit.gpa ^ PAGE_SIZE);
	for (unsigned i = 4; i < LOOKS; i++)
		watch(i, random_page());
	walkers_start((unsigned)rng_below(&rng, TABLES_WALKERS),
		      edit.look[rng_below(&rng, LOOKS)].gpa,
		      (unsigned)rng_below(&rng, EPT_LEVELS - 1));
}

/* All CPUs have flushed: nobody holds a pointer to a table, or has cached a leaf. */
static void settle(struct gather *a)
{
	walkers_stop();
	a->state = GATHER_PUBLISHED;
	ept_settle(&ept, a);
}

static enum err run(struct gather *a)
{
	gpa_t gpa = GPA(edit.gpa);
	hpa_t hpa = HPA(edit.hpa);
	u64 *map = edit.len <= TRACKED * PAGE_SIZE ? page_map : NULL;

	switch (edit.what) {
	case MAP:
		return ept_map(&ept, gpa, hpa, edit.len, edit.attr, a);
	case UNMAP:
		return ept_unmap(&ept, gpa, edit.len, a);
	case PROTECT:
		return ept_protect(&ept, gpa, edit.len, edit.attr & EPTE_RWX, a);
	case REMAP:
		return ept_remap(&ept, gpa, hpa, edit.len, a);
	case RETYPE:
		return ept_retype(&ept, gpa, edit.len, edit.attr & EPTE_MEMORY, a);
	case CLEAR:
		return ept_clear(&ept, gpa, edit.len, edit.attr, map, a);
	case SPLIT:
		return ept_split(&ept, gpa, edit.len, edit.grain, a);
	case PROMOTE:
		return ept_promote(&ept, gpa, edit.len, a);
	case START:
		memset(written_map, 0, sizeof(written_map));
		return dirty_start(&dirty, &ept,
				   (enum dirty_mode)((edit.hpa >> 30) % 3), gpa,
				   edit.len, written_map, a);
	case HARVEST:
		dirty_harvest(&dirty, page_map, a);
		return E_OK;
	case STOP:
		dirty_stop(&dirty);
		return E_OK;
	case FAULT:
		ept_fault(&ept, gpa, EPTE_W);
		return E_OK;
	default:
		settle(a);
		return E_OK;
	}
}

/* Flags that a CPU has set may be gone if the edit was asked for them. */
static u64 may_go(const struct look *l)
{
	u64 page = (l->gpa - edit.gpa) / PAGE_SIZE, taken = 0;

	if (edit.what == CLEAR)
		taken = edit.attr;
	if (edit.what == HARVEST || edit.what == START)
		taken = EPTE_D;
	if (!in_edit(l->gpa) || edit.what == START || edit.len > TRACKED * PAGE_SIZE)
		return taken;
	return page_map[page / 64] >> page % 64 & 1 ? taken : 0;
}

static void check_end(const struct look *l, enum err e)
{
	struct raw_page is = raw_page(ept.root, l->gpa);
	u64 want = e ? l->before.logical : asked_for(l);

	EXPECT_EQ(is.logical & ~RAW_AD, want & ~RAW_AD);
	if (is.logical && l->before.logical)
		EXPECT_EQ(l->flags & ~is.logical & ~may_go(l), 0);
}

static void one_edit(struct gather *a)
{
	enum err e;

	tables_edit();
	memset(page_map, 0, sizeof(page_map));
	record_hook = on_op;
	e = run(a);
	record_hook = NULL;
	tables_refresh();
	for (unsigned i = 0; i < LOOKS; i++)
		check_end(&edit.look[i], e);
	tables_compare();
}

/* Guests write a few of the pages whose writes are tracked. */
static void write_some(void)
{
	for (unsigned i = 0; i < 4 && ept.dirty; i++) {
		u64 gpa = any_tracked(EPTE_W);
		struct raw_page is = raw_page(ept.root, gpa);

		if (dirty.mode == DIRTY_FAULT && is.raw & EPTE_HELD_W) {
			ept_fault(&ept, GPA(gpa), EPTE_W);
		} else if (ept.can.ad && raw_access(ept.root, gpa, true)) {
			if (dirty.mode == DIRTY_LOG)
				dirty_mark(&dirty, GPA(gpa));
		} else {
			continue;
		}
		tables_marked(gpa);
	}
}

static void set_up(u32 frames, struct ept_features can)
{
	ram_pool(&pool, frames);
	g[0] = g[1] = gather_init();
	walkers_stop();
	tables_begin(&ept, &pool);
	EXPECT_EQ(ept_init(&ept, &pool, can), E_OK);
	tables_learn();
}

static void retire(struct gather *a)
{
	pool_free_list(&pool, &a->dead);
	*a = gather_init();
	tables_litter();
}

/* Who maps anew has waited until nobody translates there any more. */
static void wait_before_map(void)
{
	if (edit.what != MAP)
		return;
	for (unsigned i = 0; i < 2; i++) {
		settle(&g[i]);
		retire(&g[i]);
	}
	tables_learn();
}

static unsigned stores[WHATS], failed;

static void edits(u32 n, struct ept_features can)
{
	set_up(n, can);
	for (unsigned k = 0; k < EDITS; k++) {
		struct gather *a = &g[rng_below(&rng, 2)];

		choose();
		if (!ept.dirty && edit.what >= HARVEST && edit.what <= FAULT)
			continue;
		if (ept.dirty && edit.what == START)
			continue;
		wait_before_map();
		write_some();
		watch_all();
		one_edit(a);
		if (edit.what == SETTLE)
			retire(a);
		tables_litter();
		stores[edit.what] += edit.stores;
		failed += edit.what == MAP && edit.undone;
	}
	if (ept.dirty)
		dirty_stop(&dirty);
}

TEST_BOTH(ept_stores_are_whole_and_in_order, .secs = 120)
{
	memset(stores, 0, sizeof(stores));
	failed = 0;
	rng = test_rng();
	edits(30, (struct ept_features){ 1, true, true, true, raw_format });
	edits(FRAMES, (struct ept_features){ 2, false, true, true, raw_format });
	edits(FRAMES, (struct ept_features){ 2, true, false, false, raw_format });
	for (unsigned i = 0; i < WHATS; i++)
		if (!EXPECT(stores[i] > 100))
			test_say("%u stores of kind %u", stores[i], i);
	EXPECT(failed > 100);
}

/* A whole edit is one store where one entry is all that changes, and one to settle. */
TEST_BOTH(ept_changes_a_leaf_by_one_store)
{
	static const enum what order[] = { PROTECT, RETYPE, REMAP, SETTLE, UNMAP, MAP };

	set_up(FRAMES, (struct ept_features){ 2, true, true, true, raw_format });
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), 4 * PAGE_SIZE, EPT_RWX, &g[0]), E_OK);
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), HPA(0), SIZE_2M, EPT_RWX, &g[0]), E_OK);
	tables_learn();
	for (unsigned n = 0; n < 2 * ARRAY_LEN(order); n++) {
		u64 size = n < ARRAY_LEN(order) ? PAGE_SIZE : SIZE_2M;

		tables_litter();
		edit = (struct edit){ .what = order[n % ARRAY_LEN(order)],
				      .gpa = size,
				      .len = size,
				      .hpa = SIZE_1G,
				      .attr = EPTE_R };
		for (unsigned i = 0; i < LOOKS; i++)
			watch(i, size + i * PAGE_SIZE);
		one_edit(&g[0]);
		EXPECT_EQ(edit.stores, 1);
		if (edit.what == SETTLE)
			retire(&g[0]);
	}
}
