/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writes - a guest that writes while writes are tracked, and a monitor that copies
 *
 * CPUs are played here: each caches translations, with W and D as it found them, and
 * drops them for the ranges of a gather alone.  A page has a version that every write
 * raises; a harvest's pages are copied when its flush is done.  What differs from its
 * copy when the guest has come to rest, and the last harvest is done, is lost.
 */
#ifndef TESTS_UNIT_WRITES_H
#define TESTS_UNIT_WRITES_H

#include "mm/dirty.h"
#include "mm/fault.h"
#include "lib/str.h"
#include "tests/unit/space.h"

#define PAGES 96ull
#define FROM  16ull /* the range that is tracked, in pages */
#define TO    87ull /* 71 of them: two words of a map */
#define CPUS  3
#define WORDS 2
#define LOGS  8

static const char *const mode_name[] = { "fault", "flag", "log" };

static struct dirty dirty;
static atomic64_t marks[WORDS];
static u64 harvest[WORDS];
static u64 version[PAGES], copy[PAGES];
static struct cached {
	bool valid, w, d;
	u64 frame;
} tlb[CPUS][PAGES];
static u64 pml[CPUS][LOGS];
static unsigned logged[CPUS];

static inline bool marked(u64 page)
{
	return load_relaxed(&marks[(page - FROM) / 64]) & BIT((page - FROM) % 64);
}

static inline bool harvested(u64 page)
{
	return harvest[(page - FROM) / 64] & BIT((page - FROM) % 64);
}

/* The guest leaves, and the monitor reads the CPU's log. */
static inline void drain(unsigned cpu)
{
	while (logged[cpu])
		dirty_mark(&dirty, GPA(pml[cpu][--logged[cpu]]));
}

/* A walk for a write: sets A and D, logs, or faults; true when it has W. */
static inline bool walk(unsigned cpu, u64 page)
{
	struct cached *c = &tlb[cpu][page];
	epte_t *slot;

	for (unsigned try = 0; try < 2; try++) {
		u64 raw = at(page * PAGE);

		*c = (struct cached){ .valid = raw,
				      .w = raw & EPTE_W,
				      .frame = raw & EPTE_ADDR };
		if (c->w)
			break;
		if (ept_fault(&ept, GPA(page * PAGE), EPTE_W) != FAULT_OVER)
			return false;
	}
	if (!EXPECT(c->w))
		return false;
	slot = slot_at(page * PAGE);
	if (!(slot->raw & raw_flags(EPTE_D)) && ept.can.ad) {
		if (logged[cpu] == LOGS)
			drain(cpu);
		if (dirty.mode == DIRTY_LOG)
			pml[cpu][logged[cpu]++] = page * PAGE;
		slot->raw |= raw_flags(EPTE_A | EPTE_D);
	}
	return c->d = true;
}

/* A write to a frame that is no longer the page's changes nothing of the page. */
static inline void write(unsigned cpu, u64 page)
{
	const struct cached *c = &tlb[cpu][page];

	if ((c->valid && c->w && c->d) || walk(cpu, page))
		version[page] += c->frame == (found(page * PAGE) & EPTE_ADDR);
}

static inline void flush(const struct gather *of)
{
	for (u64 page = 0; page < PAGES; page++)
		for (unsigned i = 0; i < of->n || of->all; i++) {
			const struct gather_range *r = &of->range[i];

			if (!of->all && page * PAGE - r->start.v >= r->len)
				continue;
			for (unsigned cpu = 0; cpu < CPUS; cpu++)
				tlb[cpu][page].valid = false;
			break;
		}
}

static inline void complete(struct gather *of)
{
	flush(of);
	finish(of);
}

/* Before start() there are no marks, no caches, and nothing to copy. */
static inline void prepare(bool ad)
{
	set_up_with(
		(struct ept_features){ .max_leaf = 1, .large_exec = true, .ad = ad });
	for (unsigned i = 0; i < WORDS; i++)
		store_relaxed(&marks[i], 0ull);
	memset(version, 0, sizeof(version));
	memset(copy, 0, sizeof(copy));
	memset(tlb, 0, sizeof(tlb));
	memset(logged, 0, sizeof(logged));
	memset(&dirty, 0, sizeof(dirty));
}

static inline enum err start(enum dirty_mode mode)
{
	return dirty_start(&dirty, &ept, mode, GPA(FROM * PAGE), (TO - FROM) * PAGE,
			   marks, &g);
}

static inline void begin(enum dirty_mode mode)
{
	prepare(true);
	given(0, 0, PAGES * PAGE, RWX);
	EXPECT_EQ(start(mode), E_OK);
	complete(&g);
}

static inline u64 reap(struct gather *of)
{
	memset(harvest, 0, sizeof(harvest));
	return dirty_harvest(&dirty, harvest, of);
}

static inline void copy_pages(void)
{
	for (u64 page = FROM; page < TO; page++)
		if (harvested(page))
			copy[page] = version[page];
}

/* Harvest, flush, copy. */
static inline u64 round_trip(void)
{
	u64 n;

	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		drain(cpu);
	n = reap(&g);
	complete(&g);
	copy_pages();
	return n;
}

static inline void expect_nothing_lost(void)
{
	round_trip();
	for (u64 page = FROM; page < TO; page++)
		if (found(page * PAGE) && !EXPECT_EQ(copy[page], version[page]))
			test_say("page %lu, mode %s", page, mode_name[dirty.mode]);
}

#endif
