/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resize - a page changes its size behind the door, and is present all the time
 *
 * Guests write to one 4 KiB part of a 2 MiB page, which is split and joined under them:
 *
 *      behind the door   split, the guests' part moves to the other block
 *      plainly           the part moves back: stale uses here are the witnesses
 *      behind the door   joined; split; joined, and all of it moves
 *
 * Behind the door nothing is parked.  So guests must not fault, must not run while it
 * is shut, and must not use the old block once it is open; the ghost judges whether
 * each has flushed in between.
 *
 * Under an unsound protocol the same edits are made in one store each as well, but with
 * no door: guests use the large page and its parts at once, and must be caught.
 *
 * The other tests here have the door, and one step of it wrong.
 */
#include "arch/x86_64/kick.h"
#include "inval/door.h"
#include "tests/guest/abi.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"

#define WINDOW GPA(GUEST_WINDOW)
#define AT     (PART * PAGE_SIZE)
#define EDITS  8    /* of a test that has something wrong */
#define FLIGHT 1000 /* of its kicks: no guest has left when the edit is complete */

struct resize {
	struct stage s; /* first: the VM's owner is a stage */
	bool (*on_fault)(struct vcpu *);
	atomic64_t faults;
	u64 shut; /* how often CPUs were inside when the door was shut */
};

static bool count_fault(struct vcpu *v)
{
	struct resize *z = v->vm->owner;

	if (v->exit.gpa.v >= GUEST_WINDOW)
		add_fence(&z->faults, 1ull);
	return z->on_fault(v);
}

static bool build(struct resize *z, struct run *t, unsigned n)
{
	*z = (struct resize){ 0 };
	if (!stage_build(&z->s, t, t->test->arg, n))
		return false;
	z->on_fault = z->s.vm->fault;
	z->s.vm->fault = count_fault;
	vm_fit_door(z->s.vm);
	vm_start(z->s.vm);
	return true;
}

static enum err move_part(struct stage *s, struct gather *g)
{
	return ept_remap(&s->vm->ept, GPA(GUEST_WINDOW + AT),
			 HPA(s->block[!s->mapped].v + AT), PAGE_SIZE, g);
}

static enum err split(struct stage *s, struct gather *g)
{
	return ept_split(&s->vm->ept, WINDOW, s->size, 0, g);
}

static enum err join(struct stage *s, struct gather *g)
{
	return ept_promote(&s->vm->ept, WINDOW, s->size, g);
}

static enum err move_and_join(struct stage *s, struct gather *g)
{
	enum err e = ept_remap(&s->vm->ept, WINDOW, s->block[!s->mapped], s->size, g);

	return e ? e : join(s, g);
}

struct change {
	enum err (*edit)(struct stage *, struct gather *);
	unsigned level; /* that the page has afterwards      */
	bool moves;     /* the guests' part is in the other block then */
};

#define SPLIT_OFF                  \
	{                          \
		move_part, 0, true \
	}
#define JOIN_ALL                       \
	{                              \
		move_and_join, 1, true \
	}
#define SPLIT_IN_PLACE          \
	{                       \
		split, 0, false \
	}
#define JOIN_IN_PLACE          \
	{                      \
		join, 1, false \
	}

/* The edit, after which the page is present and has another size. */
static void make(struct stage *s, const struct change *c, struct gather *g)
{
	struct ept_leaf l = { 0 };

	EXPECT_EQ(s->t, c->edit(s, g), E_OK);
	EXPECT(s->t, ept_lookup(&s->vm->ept, GPA(GUEST_WINDOW + AT), &l));
	EXPECT_EQ(s->t, l.level, c->level);
	EXPECT(s->t, gather_needs_flush(g) && !g->tag);
}

static unsigned inside(const struct stage *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->vm->vcpus; i++)
		n += inval_active(&s->vm->inval, s->vm->vcpu[i]->cpu);
	return n;
}

/* Nobody uses either block while the door is shut. */
static ticket_t behind_door(struct resize *z, const struct change *c, struct gather *g)
{
	struct stage *s = &z->s;
	ticket_t ticket;

	z->shut += inside(s);
	door_shut(&s->vm->inval, g);
	stage_snapshot(s, s->mapped);
	make(s, c, g);
	stage_watch();
	s->t->violations += stage_uses_since(s, s->mapped);
	ticket = door_open(&s->vm->inval, g);
	return ticket;
}

/* The same stores, while guests run: what a control does. */
static ticket_t in_the_open(struct resize *z, const struct change *c, struct gather *g)
{
	struct stage *s = &z->s;
	ticket_t ticket;

	g->stopped = true;
	make(s, c, g);
	stage_settle();
	stage_snapshot(s, s->mapped);
	(void)stage_await_use(s, s->mapped);
	ticket = vm_invalidate(s->vm, g);
	stage_snapshot(s, s->mapped);
	g->stopped = false;
	return ticket;
}

/* One change, judged.  False: there is no point in more. */
static bool change(struct resize *z, const struct change *c)
{
	struct gather g = gather_init();
	struct stage *s = &z->s;
	struct run *t = s->t;
	bool door = t->proto->sound;
	ticket_t ticket;
	u64 faults;

	if (!stage_progress(s))
		return false;
	stage_note_flushes(s);
	faults = load_acquire(&z->faults);
	stage_fill(s, !s->mapped, TAG_EVEN);
	scenario_delay(t);
	ticket = door ? behind_door(z, c, &g) : in_the_open(z, c, &g);
	if (c->moves) {
		stage_watch();
		t->violations += stage_uses_since(s, s->mapped);
		s->mapped = !s->mapped;
	}
	t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	if (stage_over(s) || !stage_progress(s))
		return false;
	if (door && load_acquire(&z->faults) != faults)
		test_fail(t, "guests fault on a page that is present all the time");
	return t->verdict == PASS && (!door || stage_all_flushed(s));
}

/* A plain edit, not present in between, for what is stale before its return. */
static void witness(struct stage *s)
{
	struct gather g = gather_init();

	stage_fill(s, !s->mapped, TAG_EVEN);
	scenario_delay(s->t);
	EXPECT_EQ(s->t, move_part(s, &g), E_OK);
	stage_settle();
	stage_snapshot(s, s->mapped);
	(void)stage_await_use(s, s->mapped);
	vm_retire(s->vm, vm_invalidate(s->vm, &g), &g);
	s->t->witnesses += stage_uses_since(s, s->mapped);
	s->mapped = !s->mapped;
}

static bool once(struct resize *z)
{
	static const struct change c[] = { SPLIT_OFF, JOIN_IN_PLACE, SPLIT_IN_PLACE,
					   JOIN_ALL };

	if (!change(z, &c[0]))
		return false;
	witness(&z->s);
	return change(z, &c[1]) && change(z, &c[2]) && change(z, &c[3]);
}

static void with_guests(struct resize *z, struct run *t, unsigned n)
{
	u64 share = scenario_share(t), before = t->witnesses + t->violations;

	if (!build(z, t, n))
		return;
	while (share-- && once(z))
		;
	stage_close(&z->s);
	if (t->verdict == PASS && t->proto->sound &&
	    (t->witnesses + t->violations == before || !z->shut))
		test_inconclusive(t,
				  "with %u guests: %lu stale accesses before the "
				  "return, %lu CPUs stopped",
				  n, t->witnesses - before, z->shut);
}

static void run(struct run *t)
{
	static struct resize z;

	for (unsigned n = 1; n < cpu_count && t->verdict == PASS; n++)
		with_guests(&z, t, n);
	scenario_judge(t);
}

SCENARIO_TEST(resize_stopped, run,
	      "change a page's size behind the door while guests write it", ONE_PART,
	      GUEST_WRITER, .cost = 64);

/* The door is not shut: the edit is complete, and guests are inside. */
static void leave_open(struct stage *s, const struct change *c)
{
	struct inval *iv = &s->vm->inval;
	struct gather g = gather_init();
	unsigned old = s->mapped;
	ticket_t ticket;

	kick_delay(FLIGHT);
	g.stopped = true;
	make(s, c, &g);
	stage_settle();
	stage_snapshot(s, old);
	(void)stage_await_use(s, old);
	ticket = vm_publish(s->vm, &g);
	inval_complete(iv, &g);
	stage_watch();
	s->t->witnesses += stage_uses_since(s, old);
	while (!inval_done(iv, ticket))
		relax();
	g.stopped = false;
	vm_retire(s->vm, ticket, &g);
}

/* The door is shut as it should be, but the generation moves once it is open again. */
static void bump_late(struct stage *s, const struct change *c)
{
	struct inval *iv = &s->vm->inval;
	struct gather g = gather_init();
	ticket_t ticket;

	door_shut(iv, &g);
	make(s, c, &g);
	ticket = door_open(iv, &g);
	stage_progress(s);
	add_fence(&iv->gen, 1ull);
	inval_kick_active(iv);
	vm_retire(s->vm, ticket, &g);
}

static ticket_t publish_without_gen(struct inval *iv, const struct gather *g)
{
	smr_seq_t goal = smr_advance(&iv->smr);

	(void)g;
	inval_kick_active(iv);
	return goal;
}

struct mistake {
	struct scenario sc; /* first: of the stage */
	void (*way)(struct stage *, const struct change *);
	struct change change[2];
	ticket_t (*publish)(struct inval *, const struct gather *);
	enum ghost_kind kind; /* as what the ghost finds it */
	bool seen;            /* by the guests' stores too  */
};

static void wrong(struct stage *s, const struct mistake *m)
{
	for (unsigned i = 0; i < EDITS && stage_progress(s); i++) {
		const struct change *c = &m->change[i % 2];

		stage_fill(s, !s->mapped, TAG_EVEN);
		m->way(s, c);
		s->mapped ^= c->moves;
		s->t->invalidations++;
	}
	stage_progress(s);
}

static void run_wrong(struct run *t)
{
	const struct mistake *m = t->test->arg;
	static struct inval_proto p;
	static struct resize z;
	struct ghost_tally found;

	if (!CHECKED) {
		test_skip(t, "the fast build has no ghost");
		return;
	}
	p = gen_smr;
	p.publish = m->publish ? m->publish : p.publish;
	t->proto = &p;
	if (build(&z, t, cpu_count - 1)) {
		wrong(&z.s, m);
		stage_close(&z.s);
		haunt_take(&found);
		EXPECT_EQ(t, t->invalidations, EDITS);
		EXPECT(t, found.of_kind[m->kind] >= EDITS);
		EXPECT_EQ(t, load_acquire(&z.faults), 0);
		EXPECT(t, !m->seen || t->witnesses);
	}
	t->proto = NULL;
}

#define MISTAKE(id, what, ...)                                                \
	TEST_RECORD(proto_##id, "proto/" #id, run_wrong, what,                \
		    .arg = &(const struct mistake){ { .layout = ONE_PART,     \
						      .role = GUEST_WRITER }, \
						    __VA_ARGS__ },            \
		    .vmx = true, .aps = 1)

MISTAKE(resize_unstopped, "a page's size changes while guests run: all of us see it",
	.way = leave_open, .change = { SPLIT_OFF, JOIN_ALL }, .kind = GHOST_IN_GUEST,
	.seen = true);
MISTAKE(resize_bump_late, "the ghost finds a generation bumped behind the open door",
	.way = bump_late, .change = { SPLIT_IN_PLACE, JOIN_IN_PLACE },
	.publish = publish_without_gen, .kind = GHOST_STALE);
