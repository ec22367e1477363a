/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stores - every single store of an EPT edit, seen as a CPU that walks meanwhile sees
 * it
 *
 * At each store: it is one aligned store of 64 bits [E1]; a table that was in use is
 * still reachable, and not in a gather [E3]; a new table is not reachable yet [E2]; and
 * after it every page translates as before the edit or as asked for.  Nothing else
 * writes to a table: a shadow that knows only these stores stays equal.
 */
#include "mm/ept.h"
#include "mm/mem.h"
#include "lib/str.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

#define FRAMES 40
#define EDITS  10000
#define LOOKS  6
#define SPACE  (SIZE_1G + 8 * SIZE_2M)

enum what { MAP, UNMAP, PROTECT, REMAP };

/* The edit under way, and the pages that are looked at after each store. */
static struct edit {
	enum what what;
	u64 gpa, len, hpa, attr;
	struct look {
		u64 gpa, before;
	} look[LOOKS];
	bool undone; /* a store took something away again */
	unsigned stores;
} edit;

static struct pool pool;
static struct ept ept;
static struct gather g;
static struct rng rng;
static u64 shadow[FRAMES][EPT_ENTRIES];
static u8 state_before[FRAMES];

static u32 index_of(hpa_t pa)
{
	return (u32)((pa.v - RAM_BASE) >> PAGE_SHIFT);
}

static u64 *table(u32 i)
{
	return mem_ptr(HPA(RAM_BASE + i * PAGE_SIZE));
}

/* What a walk of the raw words gives for gpa: the 4 KiB entry, or 0. */
static u64 walk(u64 gpa)
{
	hpa_t at = ept.root;

	for (unsigned level = EPT_LEVELS; level-- > 0;) {
		u64 e = table(index_of(at))[ept_index(gpa, level)];

		if (!(e & EPTE_RWX))
			return 0;
		if (level == 0 || e & EPTE_LEAF)
			return (e & ~EPTE_LEAF) + (gpa & (ept_span(level) - 1));
		at = HPA(e & EPTE_ADDR);
		if (!EXPECT(ram_holds(at)))
			return 0;
	}
	return 0;
}

static u64 asked_for(const struct look *l)
{
	u64 off = l->gpa - edit.gpa;

	if (off >= edit.len)
		return l->before;
	switch (edit.what) {
	case MAP:
		return (edit.hpa + off) | edit.attr;
	case UNMAP:
		return 0;
	case PROTECT:
		return l->before ? (l->before & ~EPTE_RWX) | edit.attr : 0;
	case REMAP:
		return (l->before & ~EPTE_ADDR) | (edit.hpa + off);
	}
	return 0;
}

static void look(void)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		const struct look *l = &edit.look[i];
		u64 is = walk(l->gpa);

		if (is != l->before)
			EXPECT_EQ(is, asked_for(l));
	}
}

/* Does a walk from the root reach frame i as a table? */
static bool reachable(u32 i, hpa_t from, unsigned level)
{
	const u64 *t = table(index_of(from));

	if (index_of(from) == i)
		return true;
	for (unsigned n = 0; level && n < EPT_ENTRIES; n++)
		if (t[n] & EPTE_RWX && !(t[n] & EPTE_LEAF) &&
		    reachable(i, HPA(t[n] & EPTE_ADDR), level - 1))
			return true;
	return false;
}

static void stored(const struct op *op, u64 off)
{
	u32 i = (u32)(off >> PAGE_SHIFT);

	if (!EXPECT_EQ(op->size, 8) || !EXPECT(IS_ALIGNED(off, 8)))
		return;
	edit.stores++;
	edit.undone |= edit.what == MAP && !op->value;
	EXPECT_EQ(pool.frame[i].state, FRAME_USED); /* E3 */
	if (!edit.undone) /* E2 for a new table, E3 for one that was in use */
		EXPECT_EQ(reachable(i, ept.root, EPT_LEVELS - 1),
			  state_before[i] == FRAME_USED);
	shadow[i][off / 8 % EPT_ENTRIES] = op->value;
	look();
}

static void on_op(const struct op *op)
{
	u64 off = (u64)((const u8 *)op->at - (const u8 *)table(0));

	if (op->what == OP_DONE && off < FRAMES * PAGE_SIZE)
		stored(op, off);
}

/* Free frames are full of entries that must never be walked. */
static void litter(void)
{
	for (u32 i = 0; i < FRAMES; i++) {
		state_before[i] = pool.frame[i].state;
		if (state_before[i] == FRAME_USED)
			continue;
		memset(shadow[i], 0, PAGE_SIZE); /* what a new table begins with */
		for (unsigned n = 8; n < EPT_ENTRIES; n++)
			table(i)[n] = 0xbad000 | EPTE_RWX;
	}
}

static void compare_with_shadow(void)
{
	for (u32 i = 0; i < FRAMES; i++)
		if (pool.frame[i].state == FRAME_USED ||
		    pool.frame[i].state == FRAME_DEAD)
			EXPECT(!memcmp(table(i), shadow[i], PAGE_SIZE));
}

static u64 random_page(void)
{
	u64 in_table = PAGE_SIZE * rng_below(&rng, 1024);

	return rng_below(&rng, 2) ? in_table : SIZE_1G - SIZE_2M + in_table;
}

/* Watches `gpa` through the edit; what it translates to now counts as before. */
static void watch(unsigned i, u64 gpa)
{
	edit.look[i] = (struct look){ gpa, walk(gpa) };
}

static void choose(void)
{
	static const u64 span[] = { PAGE_SIZE, PAGE_SIZE, SIZE_2M, SIZE_1G };
	u64 align = span[rng_below(&rng, 4)], n = 1 + rng_below(&rng, 40);

	edit = (struct edit){ .what = (enum what)rng_below(&rng, 4) };
	edit.gpa = random_page() & ~(align - 1);
	edit.len = rng_below(&rng, 4) ? n * PAGE_SIZE : MIN(align, 4 * SIZE_2M);
	edit.hpa = (rng_next(&rng) & BITS(40, 30)) | (edit.gpa & (SIZE_1G - 1));
	if (rng_below(&rng, 3) == 0)
		edit.hpa ^= PAGE_SIZE;
	edit.attr = EPTE_R | (rng_next(&rng) & (EPTE_W | EPTE_X));
	watch(0, edit.gpa);
	watch(1, edit.gpa + edit.len - PAGE_SIZE);
	watch(2, edit.gpa + PAGE_SIZE * rng_below(&rng, edit.len / PAGE_SIZE));
	for (unsigned i = 3; i < LOOKS; i++)
		watch(i, random_page());
}

static enum err run(void)
{
	gpa_t gpa = GPA(edit.gpa);
	hpa_t hpa = HPA(edit.hpa);

	switch (edit.what) {
	case MAP:
		return ept_map(&ept, gpa, hpa, edit.len, edit.attr, &g);
	case UNMAP:
		return ept_unmap(&ept, gpa, edit.len, &g);
	case PROTECT:
		return ept_protect(&ept, gpa, edit.len, edit.attr, &g);
	case REMAP:
		return ept_remap(&ept, gpa, hpa, edit.len, &g);
	}
	return E_INVAL;
}

static void set_up(void)
{
	rng = test_rng();
	ram_pool(&pool, FRAMES);
	g = gather_init();
	litter();
	EXPECT_EQ(ept_init(&ept, &pool, 2), E_OK);
}

TEST(ept_stores_are_whole_and_in_order)
{
	unsigned stores[4] = { 0 }, failed = 0;

	set_up();
	for (unsigned n = 0; n < EDITS; n++) {
		enum err e;

		litter();
		choose();
		record_hook = on_op;
		e = run();
		record_hook = NULL;
		for (unsigned i = 0; i < LOOKS; i++) {
			const struct look *l = &edit.look[i];

			EXPECT_EQ(walk(l->gpa), e ? l->before : asked_for(l));
		}
		compare_with_shadow();
		pool_free_list(&pool, &g.dead);
		g = gather_init();
		stores[edit.what] += edit.stores;
		failed += e != E_OK;
	}
	for (unsigned i = 0; i < ARRAY_LEN(stores); i++)
		EXPECT(stores[i] > 500);
	EXPECT(failed > 1000);
}

/* A whole edit is one store where one entry is all that changes. */
TEST(ept_changes_a_leaf_by_one_store)
{
	set_up();
	litter();
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), 4 * PAGE_SIZE, EPT_RWX, &g), E_OK);
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), HPA(0), SIZE_2M, EPT_RWX, &g), E_OK);
	for (unsigned i = 0; i < FRAMES; i++)
		memcpy(shadow[i], table(i), PAGE_SIZE);
	for (unsigned n = 0; n < 8; n++) {
		static const enum what order[] = { PROTECT, REMAP, UNMAP, MAP };
		u64 size = n < 4 ? PAGE_SIZE : SIZE_2M;

		litter();
		edit = (struct edit){ .what = order[n % 4],
				      .gpa = size,
				      .len = size,
				      .hpa = SIZE_1G,
				      .attr = EPTE_R };
		for (unsigned i = 0; i < LOOKS; i++)
			watch(i, size + i * PAGE_SIZE);
		record_hook = on_op;
		EXPECT_EQ(run(), E_OK);
		record_hook = NULL;
		EXPECT_EQ(edit.stores, 1);
	}
}

static u64 *in_use; /* a leaf's entry that hardware marks in the middle of an edit */

static void mark(const struct op *op)
{
	if ((op->what == OP_STORE || op->what == OP_RMW) && op->at == in_use)
		*in_use |= EPTE_A | EPTE_D;
}

/* A and D that a walk sets between the load and the store of an edit are not lost. */
TEST(ept_edits_keep_what_hardware_sets)
{
	struct ept_leaf l;

	for (unsigned i = 0; i < 2; i++) {
		set_up();
		EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), SIZE_2M, EPT_RWX, &g), E_OK);
		in_use = table(index_of(ept.root));
		for (unsigned level = EPT_LEVELS - 1; level > 1; level--)
			in_use = table(index_of(HPA(*in_use & EPTE_ADDR)));
		record_hook = mark;
		EXPECT_EQ(i ? ept_protect(&ept, GPA(0), SIZE_2M, EPTE_R, &g)
			    : ept_remap(&ept, GPA(0), HPA(SIZE_1G), SIZE_2M, &g),
			  E_OK);
		record_hook = NULL;
		EXPECT(ept_lookup(&ept, GPA(0), &l));
		EXPECT_EQ(l.entry.raw & (EPTE_A | EPTE_D), EPTE_A | EPTE_D);
	}
}
