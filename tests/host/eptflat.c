/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptflat - an EPT beside a flat map of its pages, and what must hold between both
 *
 * The first 2 GiB of an address space.  Edits begin and end at 4 KiB inside of two
 * windows, at 2 MiB elsewhere, so three pages of each 2 MiB outside of the windows say
 * all about it.  For each page that is looked at:
 *
 *   - the tables say in the end what the edits asked for, by a leaf of the size that
 *     follows from them;
 *   - a page that got another frame or size is not present until its gather is settled,
 *     others stay as visible as they were;
 *   - a gather has the page if a CPU may go on with less than was taken away, and has
 *     it not if nothing about it changed.
 *
 * A few translations are cached as CPUs would do it, and go when a gather that was
 * published later is done.  What is cached and differs from what is there now, by less
 * rights or otherwise, is in a gather that is not done; and frame or size never differ
 * while both can be used.
 */
#include "tests/host/eptflat.h"
#include "lib/str.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define CACHED 16

struct flat flat;
struct flat_page flat_page[FLAT_REGIONS * EPT_ENTRIES];
unsigned flat_pages;

static unsigned first_of[FLAT_REGIONS + 1];

/* What a CPU has cached. */
static struct cached {
	u64 gpa, hw, since;
} cached[CACHED];
static unsigned next_cached;

/* How many pages a table translates, of those that are looked at; for T1 and tables. */
static struct expected {
	u32 mapped, tables, spares;
	u32 by_small[FLAT_REGIONS];         /* at level 0    */
	u32 by_table[FLAT_SPACE / SIZE_1G]; /* below level 2 */
} expected;

bool flat_in_window(u64 region)
{
	u64 last = SIZE_1G / SIZE_2M;

	return region < 2 || (region >= last - 2 && region < last + 2);
}

static void add_page(u64 gpa)
{
	flat_page[flat_pages++] = (struct flat_page){ .gpa = gpa };
}

void flat_begin(u32 frames, struct ept_features can)
{
	memset(&flat, 0, sizeof(flat));
	memset(cached, 0, sizeof(cached));
	ram_pool(&flat.pool, frames);
	flat.frames = frames;
	raw_format = can.format;
	for (unsigned i = 0; i < FLAT_SLOTS; i++)
		flat.slot[i] = (struct flat_slot){ gather_init(), 1, 0 };
	EXPECT_EQ(ept_init(&flat.ept, &flat.pool, can), E_OK);
	EXPECT_EQ(ept_twin(&flat.ept, 1), E_OK);
	expected = (struct expected){ .tables = 1 };
	flat_pages = 0;
	for (u64 r = 0; r < FLAT_REGIONS; r++) {
		u64 step = flat_in_window(r) ? 1 : 255;

		first_of[r] = flat_pages;
		for (u64 i = 0; i < EPT_ENTRIES - 1; i += step)
			add_page(r * SIZE_2M + i * PAGE_SIZE);
		add_page((r + 1) * SIZE_2M - PAGE_SIZE);
	}
	first_of[FLAT_REGIONS] = flat_pages;
}

unsigned flat_from(u64 gpa)
{
	u64 region = MIN(gpa / SIZE_2M, FLAT_REGIONS);
	unsigned i = first_of[region];

	if (region < FLAT_REGIONS && flat_in_window(region))
		return i + (unsigned)(gpa % SIZE_2M / PAGE_SIZE);
	while (i < flat_pages && flat_page[i].gpa < gpa)
		i++;
	return i;
}

bool flat_gathered(const struct flat_slot *s, u64 gpa)
{
	for (unsigned i = 0; i < s->g.n; i++)
		if (gpa - s->g.range[i].start.v < s->g.range[i].len)
			return true;
	return s->g.all;
}

static void add_to_count(u32 *count, int n)
{
	bool was = *count, is = *count + (u32)n;

	*count += (u32)n;
	expected.tables += (u32)is - (u32)was;
}

/* The page is translated by a leaf of `level`, once more or once less. */
static void count_page(u64 gpa, unsigned level, int n)
{
	add_to_count(&expected.mapped, n);
	if (level < 2)
		add_to_count(&expected.by_table[gpa / SIZE_1G], n);
	if (level < 1)
		add_to_count(&expected.by_small[gpa / SIZE_2M], n);
	if (level == 1 && IS_ALIGNED(gpa, SIZE_2M))
		expected.spares += (u32)n;
	if (level == 2 && IS_ALIGNED(gpa, SIZE_1G))
		expected.spares += (u32)n * 513;
}

/*
 * Does the page mean less, or something else?  X alone may have been held, so that
 * nobody has it.
 */
static bool means_less(u64 was, u64 is, u64 rights)
{
	return was && (was & ~is & rights || (was ^ is) & ~EPTE_RWX);
}

/*
 * More rights need no flush.  A page that means less does, even when it is not present
 * now: whoever parked it, or took its W, may not have flushed yet.
 */
static void check_gathered(struct flat_page *p, struct flat_slot *s,
			   const struct raw_page *is, bool may)
{
	unsigned i = (unsigned)(s - flat.slot);
	bool stale = raw_stale(p->hw, is->hw) ||
		     means_less(p->want, is->logical, EPTE_R | EPTE_W);

	if (may || stale || is->level != p->level ||
	    means_less(p->want, is->logical, EPTE_RWX))
		p->touched[i] = s->epoch;
	if (stale)
		EXPECT(flat_gathered(s, p->gpa));
	else if (p->touched[i] != s->epoch && !s->g.all)
		EXPECT(!flat_gathered(s, p->gpa));
}

/* E4 */
static void check_visible(const struct flat_page *p, const struct flat_slot *s,
			  const struct raw_page *is, u64 want, unsigned level)
{
	bool moved = level != p->level || (want ^ p->want) & EPTE_ADDR;

	if (!want || !p->want)
		return;
	EXPECT_EQ(!is->waits, !moved && !p->waits);
	if (moved && !p->waits)
		EXPECT(is->waits == BIT(s->g.tag) && p->gpa >= s->g.parked_from &&
		       p->gpa < s->g.parked_to);
}

/* D1: the next write to a page whose bit is clear will be noticed. */
static void check_watched(const struct flat_page *p, const struct raw_page *is)
{
	const struct dirty *d = flat.ept.dirty;
	u64 rwx = is->tag ? is->raw >> 54 : is->raw;

	if (!d || p->gpa < d->start || p->gpa >= d->end || p->written || !is->raw)
		return;
	if (d->mode == DIRTY_FAULT)
		EXPECT(!(rwx & EPTE_W));
	else if (d->mode == DIRTY_LOG)
		EXPECT(!(is->raw & EPTE_D));
}

static void learn(struct flat_page *p, const struct raw_page *is)
{
	p->raw = is->raw;
	p->hw = is->hw;
	p->waits = is->waits;
}

void flat_renew(struct flat_page *p, struct flat_slot *s, u64 want, unsigned level,
		bool whole)
{
	struct raw_page is = raw_page(flat.ept.root, p->gpa);

	level = want ? level : 0;
	EXPECT_EQ(is.logical, want);
	EXPECT_EQ(is.level, level);
	check_gathered(p, s, &is, whole);
	check_visible(p, s, &is, want, level);
	if (p->want)
		count_page(p->gpa, p->level, -1);
	if (want)
		count_page(p->gpa, level, 1);
	p->want = want;
	p->level = level;
	learn(p, &is);
	check_watched(p, &is);
}

/* The two ways to ask mm/ for a leaf agree with what hardware reads. */
static void check_lookup(u64 gpa, const struct raw_page *is)
{
	struct ept_leaf l = { .level = 0 };
	u64 span;

	EXPECT_EQ(ept_find(&flat.ept, GPA(gpa), &l), is->raw != 0);
	EXPECT_EQ(ept_lookup(&flat.ept, GPA(gpa), &l), is->hw != 0);
	if (!is->raw)
		return;
	span = ept_span(is->level);
	EXPECT_EQ(l.level, is->level);
	EXPECT_EQ(l.start.v, ALIGN_DOWN(gpa, span));
	EXPECT_EQ((raw_words(l.entry.raw) & ~EPTE_LEAF) + (gpa & (span - 1)), is->raw);
	EXPECT_EQ(ept_attr(&flat.ept, &l), is->raw & (EPTE_RWX | EPTE_MEMORY | RAW_AD));
}

void flat_look(const struct flat_page *p)
{
	struct raw_page is = raw_page(flat.ept.root, p->gpa);

	EXPECT_EQ(is.logical, p->want);
	EXPECT_EQ(is.level, p->level);
	EXPECT_EQ(is.raw, p->raw);
	EXPECT_EQ(is.hw, p->hw);
	EXPECT_EQ(is.waits, p->waits);
	check_lookup(p->gpa, &is);
	check_watched(p, &is);
}

static u32 dead(void)
{
	u32 n = 0;

	for (unsigned i = 0; i < FLAT_SLOTS; i++)
		n += flat.slot[i].g.dead.count;
	return n;
}

/* Will what was cached at `since` go? */
static bool will_go(const struct cached *c)
{
	for (unsigned i = 0; i < FLAT_SLOTS; i++) {
		const struct flat_slot *s = &flat.slot[i];

		if ((s->g.state == GATHER_OPEN || s->published > c->since) &&
		    flat_gathered(s, c->gpa))
			return true;
	}
	return false;
}

static void check_cached(const struct cached *c)
{
	u64 hw = raw_page(flat.ept.root, c->gpa).hw;

	if (hw)
		EXPECT(raw_same_place(c->hw, hw)); /* E4 */
	if (raw_stale(c->hw, hw))
		EXPECT(will_go(c));
}

void flat_check(void)
{
	EXPECT_EQ(flat.ept.tables, expected.tables);
	EXPECT_EQ(flat.ept.spares, expected.spares);
	EXPECT_EQ(pool_available(&flat.pool) + expected.tables + expected.spares +
			  flat.ept.twins + dead(),
		  flat.frames);
	for (unsigned i = 0; i < CACHED; i++)
		if (cached[i].hw)
			check_cached(&cached[i]);
}

static void check_exact(const struct flat_page *p)
{
	for (unsigned i = 0; i < FLAT_SLOTS; i++) {
		const struct flat_slot *s = &flat.slot[i];

		if (!s->g.all && p->touched[i] != s->epoch)
			EXPECT(!flat_gathered(s, p->gpa));
	}
}

static void check_tags(void)
{
	u64 tags = 1;

	for (unsigned i = 0; i < FLAT_SLOTS; i++)
		if (flat.slot[i].g.tag)
			tags |= BIT(flat.slot[i].g.tag);
	EXPECT_EQ(flat.ept.tags, tags);
}

void flat_check_all(void)
{
	for (unsigned i = 0; i < flat_pages; i++) {
		flat_look(&flat_page[i]);
		check_exact(&flat_page[i]);
	}
	check_tags();
	flat_check();
	raw_check(&flat.ept, flat.frames, dead());
}

/* The flags that hardware has set, in all pages that the leaf translates. */
static void note_flags(const struct flat_page *p)
{
	struct raw_page is = raw_page(flat.ept.root, p->gpa);
	u64 span = ept_span(is.level), flags = is.raw & RAW_AD;
	struct range r = { ALIGN_DOWN(p->gpa, span), span };

	flat_each(q, r)
	{
		q->want |= flags;
		q->raw |= flags;
		q->hw |= q->hw ? flags : 0;
	}
}

bool flat_access(struct flat_page *p, bool write)
{
	struct dirty *d = flat.ept.dirty;
	bool was = p->raw & EPTE_D;

	if (!flat.ept.can.ad) {
		if (!p->hw || (write && !(p->hw & EPTE_W)))
			return false;
	} else if (!raw_access(flat.ept.root, p->gpa, write)) {
		EXPECT(!p->hw || (write && !(p->hw & EPTE_W)));
		return false;
	} else {
		note_flags(p);
	}
	if (write && d && d->mode == DIRTY_LOG && !was) {
		dirty_mark(d, GPA(p->gpa));
		p->written |= p->gpa >= d->start && p->gpa < d->end;
	}
	cached[next_cached++ % CACHED] = (struct cached){ p->gpa, p->hw, flat.now };
	return true;
}

bool flat_cached_stale(struct range r)
{
	for (unsigned i = 0; i < CACHED; i++)
		if (cached[i].gpa - r.gpa < r.len && cached[i].hw &&
		    cached[i].hw != raw_page(flat.ept.root, cached[i].gpa).hw)
			return true;
	return false;
}

void flat_publish(struct flat_slot *s)
{
	s->g.state = GATHER_PUBLISHED;
	s->published = ++flat.now;
}

static void flush(const struct flat_slot *s)
{
	for (unsigned i = 0; i < CACHED; i++)
		if (cached[i].since < s->published && flat_gathered(s, cached[i].gpa))
			cached[i].hw = 0;
}

void flat_done(struct flat_slot *s)
{
	u64 tag = s->g.tag ? BIT(s->g.tag) : 0;

	flush(s);
	ept_settle(&flat.ept, &s->g);
	for (unsigned i = 0; tag && i < flat_pages; i++) {
		struct flat_page *p = &flat_page[i];
		struct raw_page is;

		if (!(p->waits & tag))
			continue;
		is = raw_page(flat.ept.root, p->gpa);
		EXPECT_EQ(is.waits, p->waits & ~tag);
		EXPECT_EQ(is.logical, p->want);
		learn(p, &is);
	}
	flat_check();
	pool_free_list(&flat.pool, &s->g.dead);
	*s = (struct flat_slot){ gather_init(), s->epoch + 1, 0 };
	flat_check();
}

void flat_done_all(void)
{
	for (unsigned i = 0; i < FLAT_SLOTS; i++) {
		flat_publish(&flat.slot[i]);
		flat_done(&flat.slot[i]);
	}
}

void flat_end(void)
{
	if (flat.ept.dirty)
		dirty_stop(&flat.dirty);
	flat_done_all();
	raw_check(&flat.ept, flat.frames, 0);
	ept_destroy(&flat.ept, &flat.slot[0].g);
	pool_free_list(&flat.pool, &flat.slot[0].g.dead);
	EXPECT_EQ(pool_available(&flat.pool), flat.frames);
	raw_format = NESTED_EPT;
}
