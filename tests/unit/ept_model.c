/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_model - random edits of an EPT beside a flat map of pages
 *
 * The first 3 GiB of an address space.  Edits begin and end at 4 KiB inside of a few
 * windows, at 2 MiB elsewhere, so three pages of each 2 MiB outside of the windows
 * say all about it.  The flat map has an entry for each page that is looked at.
 */
#include "mm/ept.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define SPACE   (3 * SIZE_1G)
#define EDITS   100000
#define REGIONS (SPACE / SIZE_2M)
#define LOOKS   12

/* One page: the entry of a 4 KiB leaf that would translate it, 0 when unmapped. */
struct page {
	u64 gpa, entry;
};

struct range {
	u64 gpa, len;
};

static struct pool pool;
static struct ept ept;
static struct gather g;
static struct rng rng;
static struct page page[REGIONS * 512];
static unsigned pages, first_of[REGIONS + 1];

static bool in_window(u64 region)
{
	u64 last = SIZE_1G / SIZE_2M;

	return region < 2 || (region >= last - 2 && region < last + 2);
}

static void set_up(u32 frames, unsigned max_leaf)
{
	ram_pool(&pool, frames);
	g = gather_init();
	EXPECT_EQ(ept_init(&ept, &pool, max_leaf), E_OK);
	pages = 0;
	for (u64 r = 0; r < REGIONS; r++) {
		u64 step = in_window(r) ? 1 : 255;

		first_of[r] = pages;
		for (u64 i = 0; i < 511; i += step)
			page[pages++] = (struct page){ r * SIZE_2M + i * PAGE_SIZE, 0 };
		page[pages++] = (struct page){ (r + 1) * SIZE_2M - PAGE_SIZE, 0 };
	}
	first_of[REGIONS] = pages;
}

/* The first page at gpa or above it. */
static unsigned page_from(u64 gpa)
{
	unsigned i = first_of[MIN(gpa / SIZE_2M, REGIONS)];

	while (i < pages && page[i].gpa < gpa)
		i++;
	return i;
}

/* An edge of an edit: at 4 KiB in a window, else at 2 MiB, sometimes at 1 GiB. */
static u64 random_edge(void)
{
	static const u64 window[] = { 0, SIZE_1G - 2 * SIZE_2M };

	switch (rng_below(&rng, 16)) {
	case 0:
		return SIZE_1G * rng_below(&rng, 4);
	case 1:
	case 2:
		return SIZE_2M * rng_below(&rng, REGIONS + 1);
	case 3:
	case 4:
		return window[rng_below(&rng, 2)] + SIZE_2M * rng_below(&rng, 4);
	case 5 ... 9:
		return window[0] + PAGE_SIZE * rng_below(&rng, 1024);
	default:
		return window[1] + PAGE_SIZE * rng_below(&rng, 2048);
	}
}

/* Mostly a few pages; sometimes from any edge to any other. */
static struct range random_range(void)
{
	u64 a = random_edge(), b = random_edge();

	if (rng_below(&rng, 16) && in_window(a / SIZE_2M))
		b = a + PAGE_SIZE * (1 + rng_below(&rng, 16));
	if (b > a && !in_window(b / SIZE_2M) && !in_window((b - 1) / SIZE_2M))
		b = ALIGN_UP(b, SIZE_2M);
	if (a == b || MAX(a, b) > SPACE)
		return (struct range){ 0, PAGE_SIZE };
	return (struct range){ MIN(a, b), MAX(a, b) - MIN(a, b) };
}

/* A frame address, more often than not aligned like gpa; long ranges get large leaves.
 */
static u64 random_frame(struct range r)
{
	static const u64 span[] = { PAGE_SIZE, SIZE_2M, SIZE_1G };
	u64 align = r.len > 16 * SIZE_2M ? SIZE_1G : span[rng_below(&rng, 3)];

	return (rng_next(&rng) & BITS(46, 12) & ~(align - 1)) | (r.gpa & (align - 1));
}

static u64 random_rights(void)
{
	return EPTE_R | (rng_next(&rng) & (EPTE_W | EPTE_X));
}

static u64 looked_up(u64 gpa)
{
	struct ept_leaf l;

	if (!ept_lookup(&ept, GPA(gpa), &l))
		return 0;
	return (l.entry.raw & ~EPTE_LEAF) + (gpa - l.start.v);
}

static void look_at(unsigned i)
{
	if (i < pages)
		EXPECT_EQ(looked_up(page[i].gpa), page[i].entry);
}

static void look_at_some(struct range r)
{
	unsigned first = page_from(r.gpa), last = page_from(r.gpa + r.len);

	look_at(first - (first > 0));
	look_at(first);
	look_at(last - (last > 0));
	look_at(last);
	for (unsigned n = 0; n < LOOKS; n++)
		look_at((unsigned)rng_below(&rng, pages));
}

static void look_at_all(void)
{
	for (unsigned i = 0; i < pages; i++)
		look_at(i);
}

static bool gathered(u64 gpa)
{
	for (unsigned i = 0; i < g.n; i++)
		if (gpa - g.range[i].start.v < g.range[i].len)
			return true;
	return g.all;
}

/*
 * Does page i, which `next` would change, have to be flushed?  And may it be in the
 * gather although it does not: as a hole of a table that went as a whole?
 */
static bool must_flush(unsigned i, u64 next)
{
	u64 had = page[i].entry;

	return had && (had & ~EPTE_RWX) != (next & ~EPTE_RWX) ? true
							      : had & ~next & EPTE_RWX;
}

static bool may_flush(unsigned i, struct range r, bool unmap)
{
	u64 region = ALIGN_DOWN(page[i].gpa, SIZE_2M);

	return unmap && region >= r.gpa && region + SIZE_2M <= r.gpa + r.len;
}

/* Brings the flat map up to date by next(), and holds the gather against it. */
static void apply(struct range r, u64 (*next)(const struct page *, u64, u64), u64 arg,
		  bool remap)
{
	unsigned end = page_from(r.gpa + r.len);
	bool unmap = !next;

	for (unsigned i = page_from(r.gpa); i < end; i++) {
		u64 now = next ? next(&page[i], page[i].gpa - r.gpa, arg) : 0;
		bool must = must_flush(i, now) || remap;

		if (must || (!g.all && !may_flush(i, r, unmap)))
			EXPECT_EQ(gathered(page[i].gpa), must);
		page[i].entry = now;
	}
	for (unsigned i = 0; i < g.n; i++)
		EXPECT(g.range[i].start.v >= r.gpa &&
		       g.range[i].start.v + g.range[i].len <= r.gpa + r.len);
}

static u64 next_map(const struct page *p, u64 off, u64 hpa_attr)
{
	(void)p;
	return hpa_attr + off;
}

static u64 next_protect(const struct page *p, u64 off, u64 rwx)
{
	(void)off;
	return p->entry ? (p->entry & ~EPTE_RWX) | rwx : 0;
}

static u64 next_remap(const struct page *p, u64 off, u64 hpa)
{
	return (p->entry & ~EPTE_ADDR) | (hpa + off);
}

static bool any_mapped(struct range r)
{
	unsigned end = page_from(r.gpa + r.len);

	for (unsigned i = page_from(r.gpa); i < end; i++)
		if (page[i].entry)
			return true;
	return false;
}

/* Does a leaf reach over an end of the range? */
static bool splits(struct range r)
{
	struct ept_leaf l;
	u64 end = r.gpa + r.len;

	return (ept_lookup(&ept, GPA(r.gpa), &l) && l.start.v != r.gpa) ||
	       (ept_lookup(&ept, GPA(end), &l) && l.start.v != end);
}

static enum err remap_verdict(struct range r, u64 hpa)
{
	struct ept_leaf l;

	if (splits(r))
		return E_SPLIT;
	for (u64 gpa = r.gpa; gpa < r.gpa + r.len; gpa += ept_span(l.level)) {
		if (!ept_lookup(&ept, GPA(gpa), &l))
			return E_NOENT;
		if (!IS_ALIGNED(hpa + (gpa - r.gpa), ept_span(l.level)))
			return E_INVAL;
	}
	return E_OK;
}

static void edit_map(struct range r)
{
	u64 hpa = random_frame(r),
	    attr = random_rights() | field_put(EPTE_TYPE, EPT_WB);
	bool any = any_mapped(r);
	enum err e = ept_map(&ept, GPA(r.gpa), HPA(hpa), r.len, attr, &g);

	if (e == E_NOMEM)
		EXPECT_EQ(pool_available(&pool), 0);
	else
		EXPECT_EQ(e, any ? E_EXIST : E_OK);
	if (!e) {
		EXPECT(!gather_needs_flush(&g));
		apply(r, next_map, hpa | attr, false);
	}
}

static void edit_unmap(struct range r)
{
	enum err want = splits(r) ? E_SPLIT : E_OK;
	enum err e = ept_unmap(&ept, GPA(r.gpa), r.len, &g);

	EXPECT_EQ(e, want);
	EXPECT(!e || !gather_needs_flush(&g));
	if (!e)
		apply(r, NULL, 0, false);
}

static void edit_protect(struct range r)
{
	u64 rwx = random_rights();
	enum err want = splits(r) ? E_SPLIT : E_OK;
	enum err e = ept_protect(&ept, GPA(r.gpa), r.len, rwx, &g);

	EXPECT_EQ(e, want);
	EXPECT(!e || !gather_needs_flush(&g));
	EXPECT_EQ(g.dead.count, 0);
	if (!e)
		apply(r, next_protect, rwx, false);
}

static void edit_remap(struct range r)
{
	u64 hpa = random_frame(r);
	enum err want = remap_verdict(r, hpa);
	enum err e = ept_remap(&ept, GPA(r.gpa), HPA(hpa), r.len, &g);

	EXPECT_EQ(e, want);
	EXPECT(!e || !gather_needs_flush(&g));
	EXPECT_EQ(g.dead.count, 0);
	if (!e)
		apply(r, next_remap, hpa, true);
}

/* Frames are tables, or dead in the gather, or free. */
static void retire(void)
{
	EXPECT_EQ(pool.frames - pool_available(&pool), ept.tables + g.dead.count);
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool.frames - pool_available(&pool), ept.tables);
	g = gather_init();
}

static void edits(u32 frames, unsigned max_leaf, unsigned count)
{
	static void (*const edit[])(struct range) = {
		edit_map, edit_map, edit_map, edit_unmap, edit_protect, edit_remap,
	};

	set_up(frames, max_leaf);
	for (unsigned i = 0; i < count; i++) {
		struct range r = random_range();

		edit[rng_below(&rng, ARRAY_LEN(edit))](r);
		retire();
		look_at_some(r);
		if (i % 2048 == 0)
			look_at_all();
	}
	look_at_all();
	ept_destroy(&ept, &g);
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool_available(&pool), frames);
}

TEST(ept_agrees_with_a_flat_map)
{
	rng = test_rng();
	edits(RAM_FRAMES, 2, EDITS);
}

/* The same with few table pages: edits fail half-way and undo what they did. */
TEST(ept_agrees_with_a_flat_map_when_memory_is_short)
{
	rng = test_rng();
	edits(24, 2, EDITS / 2);
	edits(600, 1, EDITS / 2);
}
