/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptsteps - random edits of the address space of eptflat.h
 *
 * An edit goes to one of a few gathers, which are published and done in any order. What
 * it makes of each page follows from the flat map alone.  While it runs pool_alloc()
 * fails: at once, but for ept_map() and ept_promote(), which may say E_NOMEM; these are
 * tried with the first, the second, ... allocation failing until they succeed, and must
 * have undone everything each time.
 */
#include "tests/host/eptsteps.h"
#include "lib/str.h"
#include "mm/fault.h"
#include "tests/host/eptalloc.h"
#include "tests/host/test.h"

#define TRACKED 2048 /* pages of which ept_clear() is asked for a map, at most */
#define LOOKS   6

struct steps_tally tally;
pick_fn *steps_pick;
static struct range last;
static u64 page_map[TRACKED / 64];

struct ept_features steps_features(pick_fn *p)
{
	return (struct ept_features){ .max_leaf = (unsigned)p(3),
				      .large_exec = p(2),
				      .exec_only = p(2),
				      .ad = p(4),
				      .format = p(2) ? NESTED_NPT : NESTED_EPT };
}

/* An edge of an edit: at 4 KiB in a window, else at 2 MiB, sometimes at 1 GiB. */
static u64 random_edge(void)
{
	static const u64 window[] = { 0, SIZE_1G - 2 * SIZE_2M };

	switch (steps_pick(16)) {
	case 0:
		return SIZE_1G * steps_pick(3);
	case 1 ... 3:
		return SIZE_2M * steps_pick(FLAT_REGIONS + 1);
	case 4 ... 5:
		return window[steps_pick(2)] + SIZE_2M * steps_pick(4);
	case 6 ... 10:
		return window[0] + PAGE_SIZE * steps_pick(1024);
	default:
		return window[1] + PAGE_SIZE * steps_pick(2048);
	}
}

/* Mostly a few pages or one large leaf; sometimes from any edge to any other. */
static struct range random_range(void)
{
	u64 a = random_edge(), b = random_edge(), dice = steps_pick(64);

	if (dice < 12 && last.len)
		return last;
	if (dice == 13 && !flat.ept.dirty)
		return (struct range){ SIZE_1G * steps_pick(2), SIZE_1G };
	if (dice > 12 && flat_in_window(a / SIZE_2M))
		b = a + PAGE_SIZE * (1 + steps_pick(16));
	else if (dice > 12)
		b = a + SIZE_2M * (1 + steps_pick(2));
	if (b > a && !flat_in_window(b / SIZE_2M) && !flat_in_window((b - 1) / SIZE_2M))
		b = ALIGN_UP(b, SIZE_2M);
	if (a == b || MAX(a, b) > FLAT_SPACE ||
	    (flat.ept.dirty && MAX(a, b) - MIN(a, b) > 4 * SIZE_2M))
		return (struct range){ 0, PAGE_SIZE };
	return (struct range){ MIN(a, b), MAX(a, b) - MIN(a, b) };
}

/* A frame address, more often than not aligned like gpa; long ranges get large leaves.
 */
static u64 random_frame(struct range r)
{
	static const u64 span[] = { PAGE_SIZE, SIZE_2M, SIZE_1G };
	u64 align = r.len > 16 * SIZE_2M ? SIZE_1G : span[steps_pick(3)];

	return (steps_pick(256) * 0x1234567890 & BITS(46, 12) & ~(align - 1)) |
	       (r.gpa & (align - 1));
}

static u64 random_rights(void)
{
	if (flat.ept.can.exec_only && steps_pick(8) == 0)
		return EPTE_X;
	return EPTE_R | (steps_pick(3) ? EPTE_W : 0) | (steps_pick(3) ? 0 : EPTE_X);
}

static u64 random_memory(void)
{
	static const u8 type[] = { EPT_WB, EPT_UC, EPT_WT, EPT_WC, EPT_WP };
	u64 t = steps_pick(4) ? 0 : steps_pick(raw_format == NESTED_NPT ? 3 : 5);

	return field_put(EPTE_TYPE, type[t]) |
	       raw_extra((!steps_pick(4) * EPTE_IPAT) | (!steps_pick(4) * EPTE_SVE));
}

static bool inside(struct range r, u64 gpa, u64 len)
{
	return gpa >= r.gpa && gpa + len <= r.gpa + r.len;
}

struct flat_page *steps_any_page(void)
{
	return &flat_page[steps_pick(flat_pages)];
}

/* The range, and what belongs to leaves that reach over its ends. */
static struct range zone(struct range r)
{
	const struct flat_page *a = &flat_page[flat_from(r.gpa)],
			       *b = &flat_page[flat_from(r.gpa + r.len) - 1];
	u64 from = ALIGN_DOWN(r.gpa, ept_span(a->level)),
	    to = ALIGN_UP(r.gpa + r.len, ept_span(b->level));

	return (struct range){ from, to - from };
}

/* Holds all pages that the edit of r may have changed. */
void steps_renew(struct range r, struct flat_slot *s, steps_next *next, u64 arg,
		 unsigned grain)
{
	struct range z = zone(r);

	flat_each(p, z)
	{
		u64 want = p->want, region = ALIGN_DOWN(p->gpa, SIZE_2M);
		unsigned level =
			raw_level_after(p->level, p->gpa, r.gpa, r.gpa + r.len, grain);

		if (want && inside(r, p->gpa, PAGE_SIZE))
			want = next ? next(p, p->gpa - r.gpa, arg) : 0;
		if (p->level > level && IS_ALIGNED(p->gpa, ept_span(p->level)))
			tally.splits++;
		flat_renew(p, s, want, level, !next && inside(r, region, SIZE_2M));
	}
}

/* Holds the pages of the range that an edit did not change: all, or some of many. */
void steps_look(struct range r)
{
	unsigned from = flat_from(r.gpa), to = flat_from(r.gpa + r.len);

	flat_look(&flat_page[from - (from > 0)]);
	flat_look(&flat_page[MIN(to, flat_pages - 1)]);
	for (unsigned i = from; i < to; i += 1 + (to - from) / 32)
		flat_look(&flat_page[i]);
	flat_check();
}

static bool any_mapped(struct range r)
{
	flat_each(p, r) if (p->want) return true;
	return false;
}

static unsigned grain_of(u64 gpa, u64 hpa)
{
	unsigned level = flat.ept.dirty ? 0 : flat.ept.can.max_leaf;

	while (level && (gpa ^ hpa) & (ept_span(level) - 1))
		level--;
	return level;
}

static void mark_written(struct range r)
{
	const struct dirty *d = flat.ept.dirty;

	flat_each(p, r) p->written |= d && p->gpa >= d->start && p->gpa < d->end;
}

static void mapped(struct range r, u64 hpa, u64 attr, struct flat_slot *s)
{
	unsigned grain = grain_of(r.gpa, hpa);

	mark_written(r);
	flat_each(p, r)
	{
		unsigned level = grain;

		while (level &&
		       !inside(r, ALIGN_DOWN(p->gpa, ept_span(level)), ept_span(level)))
			level--;
		flat_renew(p, s, (hpa + (p->gpa - r.gpa)) | attr, level, false);
	}
}

/* Maps with the n-th allocation failing; *failed: that is what happened. */
static enum err try_map(struct range r, u64 hpa, u64 attr, u64 n, bool *failed)
{
	struct gather t = gather_init();
	enum err e;

	alloc_fail(n, n & 1);
	if (n & 2)
		e = ept_fill(&flat.ept, ept_fill_begin(&flat.ept), GPA(r.gpa), HPA(hpa),
			     r.len, attr, &t);
	else
		e = ept_map(&flat.ept, GPA(r.gpa), HPA(hpa), r.len, attr, &t);
	*failed = alloc_end();
	EXPECT(e || !gather_needs_flush(&t));
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(inside(r, t.range[i].start.v, t.range[i].len));
	EXPECT(!t.tag);
	pool_free_list(&flat.pool, &t.dead);
	return e;
}

/* While a range is held, and to who asked before that, a hole is not filled. */
static void hold(struct range r, u64 hpa)
{
	u64 before = ept_fill_begin(&flat.ept), during;
	struct gather t = gather_init();

	ept_hold(&flat.ept, GPA(r.gpa), r.len);
	during = ept_fill_begin(&flat.ept);
	EXPECT_EQ(ept_fill(&flat.ept, during, GPA(r.gpa + r.len - PAGE_SIZE), HPA(hpa),
			   SIZE_2M, EPT_RWX, &t),
		  E_AGAIN);
	ept_release(&flat.ept);
	EXPECT_EQ(ept_fill(&flat.ept, before, GPA(r.gpa), HPA(hpa), r.len, EPT_RWX, &t),
		  E_AGAIN);
	EXPECT(!gather_needs_flush(&t));
}

static void edit_map(struct range r, struct flat_slot *s)
{
	u64 hpa = random_frame(r), attr = random_rights() | random_memory(), n = 0;
	bool any = any_mapped(r), every = steps_pick(256) == 0, failed;
	enum err e;

	if (flat_cached_stale(r)) /* who maps again has waited */
		flat_done_all();
	if (steps_pick(16) == 0)
		hold(r, hpa);
	for (;; n += every || n < 5 ? 1 : 1 + n / 3) {
		e = try_map(r, hpa, attr, n, &failed);
		if (!failed)
			break;
		tally.failures++;
		EXPECT_EQ(e, E_NOMEM);
		steps_look(r);
	}
	if (e == E_NOMEM)
		EXPECT(pool_available(&flat.pool) < 2 * 513 + 3);
	else
		EXPECT_EQ(e, any ? E_EXIST : E_OK);
	if (!e)
		mapped(r, hpa, attr, s);
}

/* A page that goes takes its D along. */
static void note_written(struct range r)
{
	const struct dirty *d = flat.ept.dirty;

	flat_each(p, r) p->written |= d && d->mode != DIRTY_FAULT && p->want & EPTE_D &&
				      p->gpa >= d->start && p->gpa < d->end;
}

static void edit_unmap(struct range r, struct flat_slot *s)
{
	note_written(r);
	EXPECT_EQ(ept_unmap(&flat.ept, GPA(r.gpa), r.len, &s->g), E_OK);
	steps_renew(r, s, NULL, 0, EPT_LEVELS);
}

static u64 next_protect(const struct flat_page *p, u64 off, u64 rwx)
{
	(void)off;
	return (p->want & ~EPTE_RWX) | rwx;
}

static void edit_protect(struct range r, struct flat_slot *s)
{
	u64 rwx = random_rights();

	EXPECT_EQ(ept_protect(&flat.ept, GPA(r.gpa), r.len, rwx, &s->g), E_OK);
	steps_renew(r, s, next_protect, rwx, EPT_LEVELS);
}

static u64 next_remap(const struct flat_page *p, u64 off, u64 hpa)
{
	return (p->want & ~EPTE_ADDR) | (hpa + off);
}

static void edit_remap(struct range r, struct flat_slot *s)
{
	u64 hpa = random_frame(r);

	EXPECT_EQ(ept_remap(&flat.ept, GPA(r.gpa), HPA(hpa), r.len, &s->g), E_OK);
	mark_written(r);
	steps_renew(r, s, next_remap, hpa, grain_of(r.gpa, hpa));
}

static u64 next_retype(const struct flat_page *p, u64 off, u64 memory)
{
	(void)off;
	return (p->want & ~EPTE_MEMORY) | memory;
}

static void edit_retype(struct range r, struct flat_slot *s)
{
	u64 memory = random_memory();

	EXPECT_EQ(ept_retype(&flat.ept, GPA(r.gpa), r.len, memory, &s->g), E_OK);
	steps_renew(r, s, next_retype, memory, EPT_LEVELS);
}

static u64 next_clear(const struct flat_page *p, u64 off, u64 flag)
{
	(void)off;
	return p->want & ~flag;
}

static void edit_clear(struct range r, struct flat_slot *s)
{
	u64 flag = steps_pick(2) ? EPTE_A : EPTE_D;
	u64 *map = r.len <= TRACKED * PAGE_SIZE ? page_map : NULL;
	enum err want = flat.ept.can.ad ? E_OK : E_NOTSUP;

	memset(page_map, 0, sizeof(page_map));
	EXPECT_EQ(ept_clear(&flat.ept, GPA(r.gpa), r.len, flag, map, &s->g), want);
	if (want)
		return;
	if (map)
		flat_each(p, r)
		{
			u64 i = (p->gpa - r.gpa) / PAGE_SIZE;

			EXPECT_EQ(map[i / 64] >> i % 64 & 1, !!(p->want & flag));
		}
	steps_renew(r, s, next_clear, flag, EPT_LEVELS);
}

u64 steps_same(const struct flat_page *p, u64 off, u64 arg)
{
	(void)off;
	(void)arg;
	return p->want;
}

static void edit_split(struct range r, struct flat_slot *s)
{
	unsigned level = (unsigned)steps_pick(3);

	EXPECT_EQ(ept_split(&flat.ept, GPA(r.gpa), r.len, level, &s->g), E_OK);
	r.len = ALIGN_UP(r.gpa + r.len, ept_span(level)); /* a leaf of it may stay */
	r.gpa = ALIGN_DOWN(r.gpa, ept_span(level));
	r.len -= r.gpa;
	steps_renew(r, s, steps_same, 0, level);
}

/* Does the table that translates [gpa, gpa + ept_span(level)) say what a leaf can say?
 */
static bool fits(u64 gpa, unsigned level, unsigned tag)
{
	u64 span = ept_span(level - 1);
	struct raw_page first = raw_page(flat.ept.root, gpa);
	const struct ept_features *can = &flat.ept.can;

	if (!first.logical || first.level != level - 1 || level > can->max_leaf ||
	    flat.ept.dirty || first.logical & EPTE_ADDR & (ept_span(level) - 1) ||
	    (first.logical & EPTE_X && level == 1 && !can->large_exec))
		return false;
	for (u64 i = 0; i < EPT_ENTRIES; i++) {
		struct raw_page p = raw_page(flat.ept.root, gpa + i * span);

		if (p.level != level - 1 || (p.tag && p.tag != tag) ||
		    (p.logical ^ (first.logical + i * span)) & ~RAW_AD)
			return false;
	}
	return true;
}

/* What can be promoted, in the order of a walk. */
static struct joint {
	u64 gpa;
	unsigned level;
} joint[FLAT_REGIONS];

static unsigned find_joints(struct range r, unsigned tag)
{
	unsigned n = 0;

	for (u64 gpa = ALIGN_UP(r.gpa, SIZE_2M); gpa + SIZE_2M <= r.gpa + r.len;) {
		unsigned level = IS_ALIGNED(gpa, SIZE_1G) && inside(r, gpa, SIZE_1G) &&
						 fits(gpa, 2, tag)
					 ? 2
					 : fits(gpa, 1, tag);

		if (level)
			joint[n++] = (struct joint){ gpa, level };
		gpa += MAX(SIZE_2M, ept_span(level));
	}
	return n;
}

static void promoted(struct joint j, struct flat_slot *s)
{
	struct range r = { j.gpa, ept_span(j.level) };

	tally.promotes++;
	flat_each(p, r) flat_renew(p, s, p->want | (flat.ept.can.ad ? RAW_AD : 0),
				   j.level, true);
}

/* Makes one page of a table differ from the others: the first one or the last. */
static void spoil(struct joint j, struct flat_slot *s)
{
	static void (*const edit[])(struct range,
				    struct flat_slot *) = { edit_protect, edit_remap,
							    edit_retype, edit_unmap };
	u64 off = steps_pick(2) ? 0 : ept_span(j.level) - PAGE_SIZE;

	edit[steps_pick(ARRAY_LEN(edit))]((struct range){ j.gpa + off, PAGE_SIZE }, s);
}

static void edit_promote(struct range r, struct flat_slot *s)
{
	unsigned n = find_joints(r, s->g.tag), lost;
	bool all = steps_pick(2);
	enum err e;

	if (n && steps_pick(4) == 0) {
		spoil(joint[steps_pick(n)], s);
		n = find_joints(r, s->g.tag);
	}
	lost = (unsigned)steps_pick(n + 1);
	if (pool_available(&flat.pool) < n)
		return;
	alloc_fail(lost, all);
	e = ept_promote(&flat.ept, GPA(r.gpa), r.len, &s->g);
	tally.failures += alloc_end();
	EXPECT_EQ(e, lost < n ? E_NOMEM : E_OK);
	for (unsigned i = 0; i < n; i++)
		if (all ? i < lost : i != lost)
			promoted(joint[i], s);
	steps_look(r);
}

static void edit_enable_ad(struct range r, struct flat_slot *s)
{
	(void)r;
	if (!flat.ept.can.ad && steps_pick(16))
		return;
	for (unsigned i = 0; !flat.ept.can.ad && i < flat_pages; i++)
		flat_page[i].touched[s - flat.slot] = s->epoch;
	if (!flat.ept.can.ad) {
		ept_enable_ad(&flat.ept, &s->g);
		EXPECT(flat_gathered(s, 0) && flat_gathered(s, EPT_GPA_MAX - 1));
	}
	ept_enable_ad(&flat.ept, &s->g);
	for (unsigned i = 0; i < LOOKS; i++)
		flat_look(steps_any_page());
}

static void edit_one(struct flat_slot *s)
{
	static void (*const edit[])(struct range, struct flat_slot *) = {
		edit_map,    edit_map,    edit_map,    edit_unmap,   edit_unmap,
		edit_remap,  edit_split,  edit_clear,  edit_protect, edit_retype,
		guest_track, guest_track, guest_track, edit_promote, edit_enable_ad,
	};
	void (*chosen)(struct range, struct flat_slot *) =
		edit[steps_pick(ARRAY_LEN(edit))];
	struct range r = random_range();

	alloc_fail(0, true); /* edit_map and edit_promote say otherwise */
	chosen(r, s);
	EXPECT(chosen == edit_map || chosen == edit_promote || !alloc_end());
	alloc_end();
	last = r;
	tally.edits++;
	for (unsigned i = 0; i < LOOKS; i++)
		flat_look(steps_any_page());
	steps_look((struct range){ r.gpa, PAGE_SIZE });
}

void steps_one(pick_fn *from)
{
	struct flat_slot *s;

	steps_pick = from;
	s = &flat.slot[steps_pick(FLAT_SLOTS)];
	flat.now++;
	if (steps_pick(4) == 0)
		guest_steps(last);
	else if (s->g.state == GATHER_OPEN && steps_pick(3))
		edit_one(s);
	else if (s->g.state == GATHER_OPEN)
		flat_publish(s);
	else
		flat_done(s);
	flat_check();
}
