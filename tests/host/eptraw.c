/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptraw - the words of nested tables, read as hardware reads them, not as mm/ does
 *
 * What mm/ computes by its own functions is spelled out here a second time, so that a
 * mistake in them cannot hide itself.
 */
#include "tests/host/eptraw.h"
#include "lib/str.h"
#include "mm/dirty.h"
#include "mm/mem.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define WAITING (EPTE_PARKED | EPTE_PARKED_RWX | EPTE_PARKED_TAG)
#define LEAF    (EPTE_RWX | EPTE_MEMORY | EPTE_LEAF | RAW_AD | EPTE_ADDR | EPTE_HELD)

enum nested_format raw_format;

/* The entry with its rights where hardware looks for them, those that are held too. */
static u64 whole(u64 e)
{
	u64 rwx = e & EPTE_PARKED ? e >> 54 & 7 : e & 7;

	rwx |= e >> 52 & 1 ? EPTE_W : 0;
	rwx |= e >> 53 & 1 ? EPTE_X : 0;
	return (e & ~(WAITING | EPTE_HELD | EPTE_LEAF | 7)) | rwx;
}

static unsigned tag_of(u64 e)
{
	return e & EPTE_PARKED ? e >> 57 & 63 : 0;
}

/* `allowed`: the rights that all entries above it give. */
static struct raw_page leaf(u64 *slot, unsigned level, u64 gpa, u64 waits, u64 allowed)
{
	u64 e = raw_words(*slot), off = gpa & (ept_span(level) - 1);
	struct raw_page p = { .slot = slot,
			      .raw = (e & ~EPTE_LEAF) + off,
			      .logical = whole(e) + off,
			      .waits = waits,
			      .level = level,
			      .tag = tag_of(e) };

	e &= ~EPTE_RWX | allowed;
	if (!waits && e & EPTE_RWX)
		p.hw = ((e & ~(EPTE_LEAF | EPTE_HELD)) + off) |
		       field_put(RAW_LEVEL, level);
	return p;
}

struct raw_page raw_page_from(hpa_t table, unsigned level, u64 gpa)
{
	u64 waits = 0, allowed = EPTE_RWX;

	for (;; level--) {
		u64 *slot = (u64 *)mem_ptr(table) + ept_index(gpa, level);
		u64 e = raw_words(*slot);

		if (!e)
			return (struct raw_page){ 0 };
		if (tag_of(e))
			waits |= BIT(tag_of(e));
		if (level == 0 || e & EPTE_LEAF)
			return leaf(slot, level, gpa, waits, allowed);
		allowed &= e;
		table = HPA(e & EPTE_ADDR);
	}
}

struct raw_page raw_page(hpa_t root, u64 gpa)
{
	return raw_page_from(root, EPT_LEVELS - 1, gpa);
}

bool raw_access(hpa_t root, u64 gpa, bool write)
{
	struct raw_page p = raw_page(root, gpa);
	u64 *slot;

	if (!p.hw || (write && !(p.hw & EPTE_W)))
		return false;
	for (unsigned level = EPT_LEVELS - 1;; level--) {
		slot = (u64 *)mem_ptr(root) + ept_index(gpa, level);
		*slot |= raw_flags(EPTE_A);
		if (slot == p.slot)
			break;
		root = HPA(*slot & EPTE_ADDR);
	}
	*slot |= write ? raw_flags(EPTE_D) : 0;
	return true;
}

bool raw_stale(u64 was, u64 is)
{
	u64 lost = was & ~is, differs = was ^ is;

	return was && (lost & (EPTE_RWX | RAW_AD) || differs & ~(EPTE_RWX | RAW_AD));
}

unsigned raw_level_after(unsigned level, u64 page, u64 from, u64 to, unsigned grain)
{
	for (; level; level--) {
		u64 a = ALIGN_DOWN(page, ept_span(level)), b = a + ept_span(level);

		if (a >= to || b <= from || (a >= from && b <= to && level <= grain))
			return level;
	}
	return 0;
}

/* One look at the whole structure. */
struct look {
	const struct ept *e;
	u32 tables, spares;
	u8 linked[RAM_FRAMES];
};

static u32 frame_of(hpa_t pa)
{
	return (u32)((pa.v - RAM_BASE) >> PAGE_SHIFT);
}

/* Was the frame not seen before? */
static bool take(struct look *l, hpa_t pa)
{
	return EXPECT(ram_holds(pa)) && EXPECT_EQ(l->linked[frame_of(pa)]++, 0);
}

static void check_parked(const struct look *l, u64 e)
{
	EXPECT_EQ(e & (EPTE_RWX | EPTE_PARKED), EPTE_PARKED);
	EXPECT(tag_of(e) && l->e->tags & BIT(tag_of(e)));
}

static void check_leaf(struct look *l, u64 e, unsigned level, u64 gpa)
{
	u64 rwx = e & EPTE_PARKED ? e >> 54 : e;
	const struct dirty *d = l->e->dirty;

	EXPECT_EQ(e & ~(LEAF | WAITING), 0);
	EXPECT_EQ(e & EPTE_LEAF, level ? EPTE_LEAF : 0);
	EXPECT(level <= l->e->can.max_leaf);
	EXPECT(IS_ALIGNED(e & EPTE_ADDR, ept_span(level)));
	EXPECT(whole(e) & EPTE_R ||
	       (l->e->can.exec_only && (whole(e) & EPTE_RWX) == EPTE_X));
	EXPECT(!(e & EPTE_HELD_W && rwx & EPTE_W));
	EXPECT(!(e & EPTE_HELD_X && rwx & EPTE_X));
	if (level && !l->e->can.large_exec)
		EXPECT(!(rwx & EPTE_X));
	else
		EXPECT(!(e & EPTE_HELD_X));
	EXPECT(!(e & EPTE_HELD_W) ||
	       (d && d->mode == DIRTY_FAULT && gpa >= d->start && gpa < d->end));
	EXPECT(l->e->can.ad || !(e & RAW_AD));
	EXPECT(!d || level == 0 || gpa >= d->end || gpa + ept_span(level) <= d->start);
	l->spares += level == 2 ? 513 : level;
}

static void check_link(const struct look *l, u64 e)
{
	u64 rwx = e & EPTE_PARKED ? field_get(EPTE_PARKED_RWX, e) : e & EPTE_RWX;

	EXPECT_EQ(rwx, EPTE_RWX);
	EXPECT_EQ(e & ~(EPTE_ADDR | EPTE_RWX | EPTE_A | WAITING), 0);
	EXPECT(l->e->can.ad || !(e & EPTE_A));
}

static void check_table(struct look *l, hpa_t table, unsigned level, u64 gpa)
{
	const u64 *t = mem_ptr(table);
	u64 span = ept_span(level);
	unsigned used = 0;

	if (!take(l, table))
		return;
	l->tables++;
	for (unsigned i = 0; i < EPT_ENTRIES; i++, gpa += span) {
		bool is_leaf = level == 0 || t[i] & EPTE_LEAF;
		u64 e;

		if (!t[i])
			continue;
		used++;
		e = raw_words(t[i]);
		if (raw_format == NESTED_NPT)
			npt_check(t[i], is_leaf);
		if (e & WAITING)
			check_parked(l, e);
		if (is_leaf) {
			check_leaf(l, e, level, gpa);
			continue;
		}
		check_link(l, raw_format == NESTED_NPT ? e & ~EPTE_TYPE : e);
		check_table(l, HPA(e & EPTE_ADDR), level - 1, gpa);
	}
	EXPECT(used || level == EPT_LEVELS - 1);
	EXPECT_EQ(*pool_count(l->e->pool, table), used);
}

/* Hardware walks from the twins, and may have set A in them. */
static void check_twins(const struct ept *e)
{
	const u64 *root = mem_ptr(e->root), *twin = mem_ptr(e->twin);

	for (unsigned i = 0; i < e->twins * EPT_ENTRIES; i++)
		if ((twin[i] ^ root[i % EPT_ENTRIES]) & ~raw_flags(EPTE_A))
			EXPECT_EQ(twin[i], root[i % EPT_ENTRIES]);
}

void raw_check(const struct ept *e, u32 frames, u32 dead)
{
	struct look l = { .e = e };
	hpa_t spare = e->spare;

	check_table(&l, e->root, EPT_LEVELS - 1, 0);
	check_twins(e);
	EXPECT_EQ(e->tables, l.tables);
	EXPECT_EQ(e->spares, l.spares); /* T1 */
	for (u32 i = 0; i < e->spares; i++, spare = *(hpa_t *)mem_ptr(spare))
		if (!take(&l, spare))
			return;
	EXPECT_EQ(pool_available(e->pool) + e->tables + e->spares + e->twins + dead,
		  frames);
}
