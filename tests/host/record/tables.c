/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables - which frames are tables of an EPT at each store, and what they say
 *
 * A table is linked by an entry that is used, and walked if hardware can use all
 * entries on the way.  From the moment when it is linked until it is free again a
 * shadow knows what it says: what it said then, and the stores that were shown to us.
 */
#include "tests/host/record/tables.h"
#include "lib/str.h"
#include "mm/mem.h"
#include "tests/host/eptraw.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

/* A CPU with a cached pointer to a table. */
static struct walker {
	u64 gpa, last;
	hpa_t table;
	unsigned level;
} walker[TABLES_WALKERS];

static const struct ept *ept;
static const struct pool *pool;

static u64 shadow[TABLES_FRAMES][EPT_ENTRIES];
static u32 changed[TABLES_FRAMES][EPT_ENTRIES], edit_number;
static bool linked[TABLES_FRAMES]; /* by an entry that is used            */
static bool walked[TABLES_FRAMES]; /* by one that hardware can use        */
static bool walked_before[TABLES_FRAMES], littered[TABLES_FRAMES];

static u32 index_of(hpa_t pa)
{
	return (u32)((pa.v - RAM_BASE) >> PAGE_SHIFT);
}

static u64 *table(u32 i)
{
	return mem_ptr(HPA(RAM_BASE + i * PAGE_SIZE));
}

/* The states of frames that matter here, and the only place that asks for them. */
static bool is_dead(u32 i)
{
	return pool->frame[i].state == FRAME_DEAD;
}

static bool is_used(u32 i)
{
	return pool->frame[i].state == FRAME_USED;
}

/* Finds the tables anew.  One that has just been linked is known from here on. */
static void find_tables(hpa_t from, unsigned level, bool can_walk, bool *was)
{
	u32 i = index_of(from);
	const u64 *t = table(i);

	if (!was[i])
		memcpy(shadow[i], t, PAGE_SIZE);
	linked[i] = true;
	walked[i] |= can_walk;
	for (unsigned n = 0; level && n < EPT_ENTRIES; n++)
		if (t[n] && !(t[n] & EPTE_LEAF))
			find_tables(HPA(t[n] & EPTE_ADDR), level - 1,
				    can_walk && raw_words(t[n]) & EPTE_RWX, was);
}

void tables_refresh(void)
{
	bool was[TABLES_FRAMES];

	memcpy(was, linked, sizeof(was));
	memset(linked, 0, sizeof(linked));
	memset(walked, 0, sizeof(walked));
	find_tables(ept->root, EPT_LEVELS - 1, true, was);
}

void tables_learn(void)
{
	memset(linked, 0, sizeof(linked));
	tables_refresh();
}

static bool is_link(u64 e)
{
	return e && !(e & EPTE_LEAF) && ram_holds(HPA(e & EPTE_ADDR));
}

void tables_begin(const struct ept *e, const struct pool *p)
{
	assert(p->frames <= TABLES_FRAMES);
	ept = e;
	pool = p;
	memset(littered, 0, sizeof(littered));
	tables_litter();
}

void tables_edit(void)
{
	edit_number++;
	memcpy(walked_before, walked, sizeof(walked));
}

bool tables_stored(u64 off, u64 value, bool undone)
{
	u32 i = (u32)(off >> PAGE_SHIFT);
	unsigned n = off / 8 % EPT_ENTRIES;
	u64 was = shadow[i][n];

	EXPECT(is_used(i)); /* E3 */
	if (!linked[i])
		return false;
	if (!undone) {
		EXPECT(!walked[i] || walked_before[i]); /* E2 */
		EXPECT(changed[i][n] != edit_number);   /* E1 */
	}
	changed[i][n] = edit_number;
	shadow[i][n] = value;
	if (is_link(was) || is_link(value))
		tables_refresh();
	return true;
}

void tables_marked(u64 gpa)
{
	hpa_t at = ept->root;

	for (unsigned level = EPT_LEVELS; level-- > 0;) {
		u32 i = index_of(at);
		unsigned n = ept_index(gpa, level);

		shadow[i][n] = table(i)[n];
		if (shadow[i][n] & EPTE_LEAF)
			break;
		at = HPA(shadow[i][n] & EPTE_ADDR);
	}
}

void tables_litter(void)
{
	for (u32 i = 0; i < pool->frames; i++) {
		bool free = !is_used(i) && !is_dead(i);

		if (free && !littered[i])
			for (unsigned n = 8; n < EPT_ENTRIES; n++)
				table(i)[n] = 0xbad000 | EPTE_RWX;
		littered[i] = free;
	}
}

void tables_compare(void)
{
	for (u32 i = 0; i < pool->frames; i++)
		if (linked[i] || is_dead(i))
			EXPECT(!memcmp(table(i), shadow[i], PAGE_SIZE));
}

void walkers_look(void)
{
	for (unsigned i = 0; i < TABLES_WALKERS; i++) {
		struct walker *w = &walker[i];
		u64 is, now;

		if (!w->table.v)
			continue;
		is = raw_page_from(w->table, w->level, w->gpa).hw & ~RAW_AD;
		now = raw_page(ept->root, w->gpa).hw & ~RAW_AD;
		if (is == now)
			w->last = is;
		else
			EXPECT(!is || is == w->last);
	}
}

void walkers_start(unsigned i, u64 gpa, unsigned level)
{
	struct raw_page is = raw_page(ept->root, gpa);
	hpa_t at = ept->root;

	walker[i] = (struct walker){ 0 };
	if (!is.hw || is.level > level)
		return;
	for (unsigned l = EPT_LEVELS - 1; l > level; l--)
		at = HPA(table(index_of(at))[ept_index(gpa, l)] & EPTE_ADDR);
	walker[i] = (struct walker){ gpa, is.hw & ~RAW_AD, at, level };
}

void walkers_stop(void)
{
	memset(walker, 0, sizeof(walker));
}
