/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptguest - a guest in the address space of eptflat.h, and who asks what it has
 * written
 */
#include "lib/str.h"
#include "mm/fault.h"
#include "tests/host/eptsteps.h"
#include "tests/host/test.h"

#define TRACKED 1024 /* pages at most */

static atomic64_t written_map[TRACKED / 64];
static u64 page_map[TRACKED / 64];

/* A range of pages that are all looked at. */
static struct range tracked_range(void)
{
	u64 window = steps_pick(2), from = steps_pick(1024),
	    n = 1 + steps_pick(window ? 1024 : 1024 - from);

	return (struct range){ (window ? SIZE_1G - 2 * SIZE_2M : 0) + from * PAGE_SIZE,
			       n * PAGE_SIZE };
}

static u64 next_tracked(const struct flat_page *p, u64 off, u64 mode)
{
	(void)off;
	return mode == DIRTY_FAULT ? p->want : p->want & ~EPTE_D;
}

/* Tracking gathers a page whatever it says: W may be gone, and cached still. */
static void may_gather(struct flat_page *p, const struct flat_slot *s)
{
	p->touched[s - flat.slot] = s->epoch;
}

static void start(struct range r, struct flat_slot *s)
{
	enum dirty_mode mode = (enum dirty_mode)steps_pick(3);
	enum err want = mode == DIRTY_FAULT || flat.ept.can.ad ? E_OK : E_NOTSUP;

	memset(written_map, 0, sizeof(written_map));
	flat_each(p, r) p->written = false;
	EXPECT_EQ(dirty_start(&flat.dirty, &flat.ept, mode, GPA(r.gpa), r.len,
			      written_map, &s->g),
		  want);
	if (want)
		return;
	flat_each(p, r) may_gather(p, s);
	steps_renew(r, s, next_tracked, mode, 0);
}

static u64 next_harvested(const struct flat_page *p, u64 off, u64 mode)
{
	(void)off;
	if (mode == DIRTY_FLAG || (mode == DIRTY_LOG && p->written))
		return p->want & ~EPTE_D;
	return p->want;
}

static void harvest(struct flat_slot *s)
{
	struct dirty *d = &flat.dirty;
	struct range r = { d->start, d->end - d->start };
	u64 n, want = 0;

	memset(page_map, 0, sizeof(page_map));
	n = dirty_harvest(d, page_map, &s->g);
	flat_each(p, r)
	{
		u64 i = (p->gpa - r.gpa) / PAGE_SIZE;
		bool is = p->written || (d->mode == DIRTY_FLAG && p->want & EPTE_D);

		want += is;
		EXPECT_EQ(page_map[i / 64] >> i % 64 & 1, is);
	}
	EXPECT_EQ(n, want);
	flat_each(p, r)
	{
		u64 is = next_harvested(p, 0, d->mode);

		if (p->written)
			may_gather(p, s);
		p->written = false;
		flat_renew(p, s, is, 0, false);
	}
}

static void stop(struct flat_slot *s)
{
	struct range r = { flat.dirty.start, flat.dirty.end - flat.dirty.start };

	dirty_stop(&flat.dirty);
	steps_renew(r, s, steps_same, 0, EPT_LEVELS);
}

void guest_track(struct range r, struct flat_slot *s)
{
	struct dirty other;

	r = tracked_range();
	if (!flat.ept.dirty && steps_pick(16) == 0) {
		start(r, s);
	} else if (flat.ept.dirty && steps_pick(3)) {
		harvest(s);
	} else if (flat.ept.dirty && steps_pick(3)) {
		stop(s);
	} else if (flat.ept.dirty) {
		EXPECT_EQ(dirty_start(steps_pick(2) ? &other : &flat.dirty, &flat.ept,
				      DIRTY_FAULT, GPA(r.gpa), r.len, written_map,
				      &s->g),
			  E_EXIST);
		steps_look(r);
	}
}

static enum ept_fault verdict(const struct flat_page *p, u64 access)
{
	if (!p->want)
		return FAULT_HOLE;
	if (access & ~p->want)
		return FAULT_DENIED;
	if (p->waits)
		return FAULT_WAIT;
	return access & EPTE_X && p->raw & EPTE_HELD_X ? FAULT_SPLIT : FAULT_OVER;
}

/* The guest accesses a page; a fault that is over leaves it able to. */
static void guest(struct flat_page *p, u64 access)
{
	const struct dirty *d = flat.ept.dirty;
	enum ept_fault want = verdict(p, access);
	struct raw_page is;

	if (p->hw & access && flat_access(p, access & EPTE_W))
		return;
	EXPECT_EQ(ept_fault(&flat.ept, GPA(p->gpa), access), want);
	is = raw_page(flat.ept.root, p->gpa);
	if (want == FAULT_OVER) {
		EXPECT_EQ(is.hw & access, access);
		EXPECT_EQ(is.raw ^ p->raw, EPTE_W | EPTE_HELD_W);
		p->written |= d && p->gpa >= d->start && p->gpa < d->end;
		p->raw = is.raw;
		p->hw = is.hw;
	}
	flat_look(p);
}

void guest_steps(struct range last)
{
	for (u64 n = 1 + steps_pick(4); n; n--) {
		struct flat_page *p = steps_any_page();

		if (last.len && steps_pick(2))
			p = &flat_page[flat_from(last.gpa)];
		guest(p, BIT(steps_pick(3)));
	}
}
