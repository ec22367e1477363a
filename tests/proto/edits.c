/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edits - the scenarios: each kind of edit that takes a translation away, while guests
 * read or write through it
 */
#include "mm/mem.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define WINDOW GPA(GUEST_WINDOW)

static struct ept *ept(struct stage *s)
{
	return &s->vm->ept;
}

/* The old block becomes somebody else's: stale accesses spoil it or see poison. */
static u64 poisoned(struct stage *s, struct gather *g, unsigned old)
{
	(void)g;
	stage_fill(s, old, TAG_POISON);
	stage_watch();
	return stage_poison_used(s, old);
}

/* The old block stays where it is, but must not be used any more. */
static u64 watched(struct stage *s, struct gather *g, unsigned old)
{
	(void)g;
	stage_snapshot(s, old);
	stage_watch();
	return stage_uses_since(s, old);
}

static enum err remap(struct stage *s, struct gather *g)
{
	return ept_remap(ept(s), WINDOW, s->block[!s->mapped], s->size, g);
}

static enum err remapped(struct stage *s, struct gather *g)
{
	(void)g;
	s->mapped = !s->mapped;
	return E_OK;
}

static enum err unmap(struct stage *s, struct gather *g)
{
	return ept_unmap(ept(s), WINDOW, s->size, g);
}

static enum err map(struct stage *s, struct gather *g)
{
	s->mapped = !s->mapped;
	return ept_map(ept(s), WINDOW, s->block[s->mapped], s->size, EPT_RW, g);
}

static enum err read_only(struct stage *s, struct gather *g)
{
	return ept_protect(ept(s), WINDOW, s->size, EPTE_R, g);
}

static enum err writable(struct stage *s, struct gather *g)
{
	return ept_protect(ept(s), WINDOW, s->size, EPTE_R | EPTE_W, g);
}

#define REMAP   .edit = remap, .restore = remapped, .reuse = poisoned
#define UNMAP   .edit = unmap, .restore = map, .reuse = poisoned
#define PROTECT .edit = read_only, .restore = writable, .reuse = watched

SCENARIO(remap_write_4k, "remap a 4K page while guests write it", ONE_PAGE,
	 GUEST_WRITER, REMAP);
SCENARIO(remap_write_2m, "remap a 2M page while guests write it", SPREAD, GUEST_WRITER,
	 REMAP);
SCENARIO(remap_read_4k, "remap a 4K page while guests read it", ONE_PAGE, GUEST_READER,
	 REMAP);
SCENARIO(remap_read_2m, "remap a 2M page while guests read it", SPREAD, GUEST_READER,
	 REMAP);
SCENARIO(unmap_reuse_write_4k, "unmap a 4K page while guests write it, reuse its frame",
	 ONE_PAGE, GUEST_WRITER, UNMAP);
SCENARIO(unmap_reuse_write_2m, "unmap a 2M page while guests write it, reuse its frame",
	 SPREAD, GUEST_WRITER, UNMAP);
SCENARIO(unmap_reuse_read_4k, "unmap a 4K page while guests read it, reuse its frame",
	 ONE_PAGE, GUEST_READER, UNMAP);
SCENARIO(unmap_reuse_read_2m, "unmap a 2M page while guests read it, reuse its frame",
	 SPREAD, GUEST_READER, UNMAP);
SCENARIO(protect_write_4k, "write-protect a 4K page while guests write it", ONE_PAGE,
	 GUEST_WRITER, PROTECT);
SCENARIO(protect_write_2m, "write-protect a 2M page while guests write it", SPREAD,
	 GUEST_WRITER, PROTECT);

/* The level of the window's leaf that the guests use; -1: there is none. */
static int level(struct stage *s)
{
	struct ept_leaf l;

	return ept_find(ept(s), GPA(GUEST_WINDOW + PART * PAGE_SIZE), &l) ? (int)l.level
									  : -1;
}

/* Moves one part of the large page to the other block, which splits the page. */
static enum err split(struct stage *s, struct gather *g)
{
	u64 at = PART * PAGE_SIZE;

	EXPECT_EQ(s->t, level(s), 1);
	return ept_remap(ept(s), GPA(GUEST_WINDOW + at),
			 HPA(s->block[!s->mapped].v + at), PAGE_SIZE, g);
}

/* The other parts follow, and the large page is whole again. */
static enum err join(struct stage *s, struct gather *g)
{
	enum err e;

	EXPECT_EQ(s->t, level(s), 0);
	s->mapped = !s->mapped;
	e = ept_remap(ept(s), WINDOW, s->block[s->mapped], s->size, g);
	return e ? e : ept_promote(ept(s), WINDOW, s->size, g);
}

SCENARIO(split, "split a 2M page whose 4K part moves while guests write it", ONE_PART,
	 GUEST_WRITER, .edit = split, .restore = join, .reuse = poisoned, .cost = 16);

/* All parts but that of the guests belong to the other block. */
static enum err surround(struct stage *s, struct gather *g)
{
	u64 at = PART * PAGE_SIZE, after = at + PAGE_SIZE,
	    other = s->block[!s->mapped].v;
	enum err e = ept_remap(ept(s), WINDOW, HPA(other), at, g);

	return e ? e
		 : ept_remap(ept(s), GPA(GUEST_WINDOW + after), HPA(other + after),
			     s->size - after, g);
}

static enum err open_surrounded(struct stage *s, struct gather *g)
{
	enum err e = ept_map(ept(s), WINDOW, s->block[0], s->size, EPT_RW, g);

	return e ? e : surround(s, g);
}

/* The guests' part joins the others, and they become one large page. */
static enum err promote(struct stage *s, struct gather *g)
{
	enum err e;

	EXPECT_EQ(s->t, level(s), 0);
	e = ept_remap(ept(s), WINDOW, s->block[!s->mapped], s->size, g);
	return e ? e : ept_promote(ept(s), WINDOW, s->size, g);
}

static enum err promoted(struct stage *s, struct gather *g)
{
	EXPECT_EQ(s->t, level(s), 1);
	s->mapped = !s->mapped;
	return surround(s, g);
}

SCENARIO(promote,
	 "promote 4K pages to a 2M page, of which one moves, while guests write it",
	 ONE_PART, GUEST_WRITER, .open = open_surrounded, .edit = promote,
	 .restore = promoted, .reuse = poisoned, .cost = 16);

/* An entry that is a leaf for the tripwire where a 4 KiB leaf is expected, and a link
 * to a table of such leaves elsewhere.
 */
static u64 wire(const struct stage *s)
{
	return epte_table(s->vm->ept.format, s->tripwire).raw;
}

static void fill_with_wires(const struct stage *s, hpa_t frame)
{
	atomic64_t *word = mem_ptr(frame);

	for (unsigned i = 0; i < EPT_ENTRIES; i++)
		store_release(&word[i], wire(s));
}

static u64 wires_cut(struct stage *s)
{
	atomic64_t *word = mem_ptr(s->tripwire);
	u64 bad = swap(&s->tripped, 0ull);

	for (unsigned i = 0; i < EPT_ENTRIES; i++)
		bad += load_acquire(&word[i]) != wire(s);
	return bad;
}

/*
 * The tables that mapped the window become somebody else's, whose data happen to look
 * like entries: who still walks there ends at the tripwire.
 */
static u64 rewired(struct stage *s, struct gather *g, unsigned old)
{
	const struct pool *p = s->t->pool;

	EXPECT(s->t, g->dead.count >= 2);
	stage_fill(s, old, TAG_POISON);
	fill_with_wires(s, s->tripwire);
	for (u32 i = g->dead.head; i != POOL_NONE; i = p->frame[i].next)
		fill_with_wires(s, HPA(p->base.v + i * PAGE_SIZE));
	stage_watch();
	return stage_poison_used(s, old) + wires_cut(s);
}

SCENARIO(reclaim, "reuse the EPT's own tables after an unmap while guests write",
	 ONE_PAGE, GUEST_WRITER, .edit = unmap, .restore = map, .reuse = rewired,
	 .cost = 8);
