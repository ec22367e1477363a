/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space - an address space for a test to edit: frames, an EPT, a gather, and what must
 * hold of them after every edit.  Its format is raw_format.
 */
#ifndef TESTS_UNIT_SPACE_H
#define TESTS_UNIT_SPACE_H

#include "mm/ept.h"
#include "mm/mem.h"
#include "tests/host/eptraw.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define FRAMES RAM_FRAMES
#define RWX    EPT_RWX
#define PAGE   PAGE_SIZE

static struct pool pool;
static struct ept ept;
static struct gather g;

static inline void set_up_with(struct ept_features can)
{
	ram_pool(&pool, FRAMES);
	g = gather_init();
	can.format = raw_format;
	EXPECT_EQ(ept_init(&ept, &pool, can), E_OK);
}

/* A CPU that can do everything else. */
static inline void set_up(unsigned max_leaf)
{
	set_up_with((struct ept_features){ .max_leaf = max_leaf,
					   .large_exec = true,
					   .exec_only = true,
					   .ad = true });
}

/* What the tables of an EPT hold, as a walk of ours counts it. */
struct audit {
	u32 tables, spares;
	unsigned parked;
};

static inline void audit_table(struct audit *a, hpa_t table, unsigned level)
{
	const epte_t *t = mem_ptr(table);
	unsigned used = 0;

	a->tables++;
	for (unsigned i = 0; i < EPT_ENTRIES; i++) {
		if (!t[i].raw)
			continue;
		used++;
		if (raw_format == NESTED_NPT)
			npt_check(t[i].raw, !level || t[i].raw & EPTE_LEAF);
		a->parked += epte_parked(t[i]);
		if (level && !(t[i].raw & EPTE_LEAF))
			audit_table(a, epte_addr(t[i]), level - 1);
		else
			a->spares += level == 2 ? 513 : level;
	}
	EXPECT_EQ(*pool_count(&pool, table), used);
	EXPECT(used || level == 3); /* empty tables are gone at once */
}

/* T1, exact counts, and no frame that nobody knows of; `dead` wait in gathers. */
static inline unsigned audit(u32 dead)
{
	struct audit a = { 0 };

	audit_table(&a, ept.root, 3);
	EXPECT_EQ(ept.tables, a.tables);
	EXPECT_EQ(ept.spares, a.spares);
	EXPECT_EQ(pool_available(&pool), FRAMES - a.tables - a.spares - dead);
	return a.parked;
}

/* The invalidation of a gather is over. */
static inline void finish(struct gather *of)
{
	of->state = GATHER_PUBLISHED;
	ept_settle(&ept, of);
	EXPECT_EQ(of->tag, 0);
	pool_free_list(&pool, &of->dead);
	*of = gather_init();
}

static inline void done(void)
{
	finish(&g);
	EXPECT_EQ(audit(0), 0);
	EXPECT_EQ(ept.tags, 1);
}

/* Maps, for the state that a test starts from. */
static inline void given(u64 gpa, u64 hpa, u64 len, u64 attr)
{
	EXPECT_EQ(ept_map(&ept, GPA(gpa), HPA(hpa), len, attr, &g), E_OK);
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(g.tag, 0);
}

/* The entry in which a walk for gpa ends: a leaf, or an unused one. */
static inline epte_t *slot_at(u64 gpa)
{
	epte_t *t = mem_ptr(ept.root);

	for (unsigned level = 3;; level--) {
		epte_t *slot = &t[ept_index(gpa, level)];

		if (!slot->raw || !level || slot->raw & EPTE_LEAF)
			return slot;
		t = mem_ptr(epte_addr(*slot));
	}
}

/* What hardware does in an entry: sets EPTE_A, EPTE_D. */
static inline void touch(u64 gpa, u64 flags)
{
	slot_at(gpa)->raw |= raw_flags(flags);
}

/* The raw translation of one page: address and attributes, 0 when there is none. */
static inline u64 at(u64 gpa)
{
	struct ept_leaf l;

	if (!ept_lookup(&ept, GPA(gpa), &l))
		return 0;
	EXPECT(gpa >= l.start.v && gpa - l.start.v < ept_span(l.level));
	EXPECT(IS_ALIGNED(l.start.v, ept_span(l.level)));
	EXPECT_EQ(l.entry.raw & EPTE_LEAF, l.level ? EPTE_LEAF : 0);
	return (raw_words(l.entry.raw) & ~EPTE_LEAF) + (gpa - l.start.v);
}

/* As at(), and parked entries as what they become. */
static inline u64 found(u64 gpa)
{
	struct ept_leaf l;

	if (!ept_find(&ept, GPA(gpa), &l))
		return 0;
	return (raw_words(epte_final(l.entry).raw) & ~EPTE_LEAF) + (gpa - l.start.v);
}

static inline int level_at(u64 gpa)
{
	struct ept_leaf l;

	return ept_find(&ept, GPA(gpa), &l) ? (int)l.level : -1;
}

/* The i-th range of the gather is this one. */
#define EXPECT_RANGE(i, from, length, reason)               \
	do {                                                \
		if (!EXPECT(g.n > (i)))                     \
			break;                              \
		EXPECT_EQ(g.range[i].start.v, (u64)(from)); \
		EXPECT_EQ(g.range[i].len, (u64)(length));   \
		EXPECT_EQ(g.range[i].why, (u64)(reason));   \
	} while (0)

/* It is the only one. */
#define EXPECT_ONLY(from, length, reason)               \
	do {                                            \
		EXPECT_EQ(g.n, 1);                      \
		EXPECT(!g.all);                         \
		EXPECT_RANGE(0u, from, length, reason); \
	} while (0)

/* Nothing to flush, to settle or to free. */
#define EXPECT_NO_DUTY()                         \
	do {                                     \
		EXPECT(!gather_needs_flush(&g)); \
		EXPECT_EQ(g.tag, 0);             \
	} while (0)

#endif
