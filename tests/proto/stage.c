/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage - guests that hammer on a window, and what the host sees of it
 *
 * A writer stores an ever higher number into its word: the word of the block itself
 * tells how often it was written.  A reader counts, in its own page, what it has read
 * by tag.  A read that began before a snapshot may be counted after it, so one read
 * of each guest is never taken for evidence.  Accesses that a real CPU has translated
 * but not yet done when the entry changes are over when stage_settle() is.
 */
#include "arch/x86_64/kick.h"
#include "arch/x86_64/platform.h"
#include "lib/console.h"
#include "mm/mem.h"
#include "tests/guest/abi.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"
#include "vm/guest.h"

#define PROGRESS_SPINS 20000000
#define WATCH_SPINS    100
#define AWAIT_SPINS    50000
#define SETTLE_SPINS   32 /* over 1000 cycles where PAUSE takes 40 or more */
#define PAUSE_MOST     2048
#define POISON         (TAG_BITS | TAG_POISON)

static bool reads(const struct stage *s)
{
	return s->scenario->role == GUEST_READER;
}

static u64 window_size(enum layout layout)
{
	switch (layout) {
	case ONE_PAGE:
		return PAGE_SIZE;
	case SPREAD:
	case ONE_PART:
		return SIZE_2M;
	case PAGED:
		return STAGE_PAGES * PAGE_SIZE;
	}
	return 0;
}

static u64 slot_offset(const struct stage *s, unsigned vcpu)
{
	switch (s->scenario->layout) {
	case ONE_PAGE:
		return vcpu * 8ull;
	case SPREAD:
		return vcpu * 16 * PAGE_SIZE % SIZE_2M + vcpu / 32 * 64;
	case ONE_PART:
		return PART * PAGE_SIZE + vcpu * 8ull;
	case PAGED:
		return vcpu % STAGE_PAGES * PAGE_SIZE + vcpu / STAGE_PAGES * 8ull;
	}
	return 0;
}

atomic64_t *stage_word(const struct stage *s, unsigned block, unsigned vcpu)
{
	return mem_ptr(HPA(s->block[block].v + slot_offset(s, vcpu)));
}

static struct guest_page *page(const struct stage *s, unsigned vcpu)
{
	return vm_ptr(s->vm, vm_page_gpa(s->vm, vcpu), PAGE_SIZE);
}

/* A guest that faults on the window waits in the host until the entry allows it. */
static bool wait_for_window(struct vcpu *v)
{
	struct stage *s = v->vm->owner;
	unsigned pause = 1;
	struct ept_leaf l;

	if (v->exit.gpa.v < GUEST_WINDOW)
		return false;
	while (!load_acquire(&v->request)) {
		bool found = vcpu_lookup(v, v->exit.gpa, &l);

		if (found && s->tripwire.v && epte_addr(l.entry).v == s->tripwire.v)
			add_fence(&s->tripped, 1ull);
		else if (found && !(v->exit.access & ~ept_attr(&v->vm->ept, &l)))
			break;
		/* Longer and longer outside of the walk, for those who wait for it. */
		for (unsigned n = 0; n < pause; n++)
			relax();
		pause = MIN(2 * pause, PAUSE_MOST);
	}
	return true;
}

static void tell_guest(const struct stage *s, unsigned vcpu, unsigned vcpus)
{
	struct guest_page *p = page(s, vcpu);

	p->vcpu = vcpu;
	p->role = s->scenario->role;
	p->slot = GUEST_WINDOW + slot_offset(s, vcpu);
	/* A sweeper has each vcpus-th page, from its own on. */
	p->stride = vcpus * PAGE_SIZE;
	p->count = vcpus < STAGE_PAGES ? (STAGE_PAGES - vcpu + vcpus - 1) / vcpus : 1;
}

static const char *add_guests(struct stage *s, unsigned vcpus)
{
	const struct guest *g = guest_find("hammer");
	const char *why = g ? guest_load(s->vm, g->start, g->end - g->start, VCPU_LONG)
			    : "the payload hammer is missing";

	for (unsigned i = 0; i < vcpus && !why; i++) {
		struct vcpu *v;

		if (vm_add_vcpu(s->vm, i + 1, &v))
			return "out of memory";
		tell_guest(s, i, vcpus);
	}
	return why;
}

static enum err map_window(struct stage *s, struct gather *g)
{
	return ept_map(&s->vm->ept, GPA(GUEST_WINDOW), s->block[0], s->size, EPT_RW, g);
}

static const char *build(struct stage *s, unsigned vcpus)
{
	const struct scenario *sc = s->scenario;
	enum err (*open)(struct stage *, struct gather *) = sc->open ? sc->open
								     : map_window;
	struct gather g = gather_init();
	const char *why;
	enum err e;

	for (unsigned i = 0; i < 2; i++)
		if (pool_alloc(s->t->pool, pool_order(s->size), &s->block[i]))
			return "out of memory";
	if (pool_alloc(s->t->pool, 0, &s->tripwire))
		return "out of memory";
	why = add_guests(s, vcpus);
	if (why)
		return why;
	stage_fill(s, 0, TAG_EVEN);
	e = open(s, &g);
	vm_finish(s->vm, &g);
	return e ? "the window cannot be mapped" : NULL;
}

bool stage_build(struct stage *s, struct run *t, const struct scenario *sc,
		 unsigned vcpus)
{
	const char *why;

	*s = (struct stage){ .scenario = sc,
			     .t = t,
			     .size = window_size(sc->layout),
			     .caught = t->violations };
	if (s->size == SIZE_2M && backend->max_leaf() < 1) {
		test_skip(t, "this CPU has no 2 MiB EPT pages");
		return false;
	}
	if (vm_create(&s->vm, t->pool, t->proto, 1)) {
		test_fail(t, "no memory for a VM");
		return false;
	}
	s->vm->owner = s;
	s->vm->fault = wait_for_window;
	why = build(s, vcpus);
	if (!why)
		return true;
	test_fail(t, "%s", why);
	stage_close(s);
	return false;
}

bool stage_open(struct stage *s, struct run *t, const struct scenario *sc,
		unsigned vcpus)
{
	if (!stage_build(s, t, sc, vcpus))
		return false;
	vm_start(s->vm);
	return true;
}

/* Takes the window away; its blocks go back by the same way as any others. */
static void drop_window(struct stage *s)
{
	struct gather g = gather_init();

	if (ept_unmap(&s->vm->ept, GPA(GUEST_WINDOW), s->size, &g))
		test_fail(s->t, "the window cannot be unmapped");
	for (unsigned i = 0; i < 2; i++)
		if (s->block[i].v)
			gather_block(&g, s->t->pool, s->block[i]);
	if (s->tripwire.v)
		gather_block(&g, s->t->pool, s->tripwire);
	vm_retire(s->vm, vm_invalidate(s->vm, &g), &g);
}

void stage_close(struct stage *s)
{
	kick_delay(KICK_NOW);
	vm_stop(s->vm);
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		if (s->vm->vcpu[i]->stopped)
			test_fail(s->t, "guest %u stopped: %s", i,
				  s->vm->vcpu[i]->stopped);
	drop_window(s);
	vm_destroy(s->vm);
}

u64 stage_uses(const struct stage *s, unsigned vcpu, unsigned block)
{
	if (reads(s))
		return page(s, vcpu)->seen[block ? TAG_ODD : TAG_EVEN];
	return load_acquire(stage_word(s, block, vcpu));
}

void stage_snapshot(struct stage *s, unsigned block)
{
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		s->before[i] = stage_uses(s, i, block);
}

u64 stage_uses_since(const struct stage *s, unsigned block)
{
	u64 sum = 0;

	for (unsigned i = 0; i < s->vm->vcpus; i++) {
		u64 uses = stage_uses(s, i, block) - s->before[i];

		sum += reads(s) && uses ? uses - 1 : uses;
	}
	return sum;
}

u64 stage_await(u64 (*seen)(const struct stage *, const void *), const struct stage *s,
		const void *arg)
{
	unsigned turns = platform_is_tcg() ? AWAIT_SPINS : 0;
	u64 n;

	while (!(n = seen(s, arg)) && turns--)
		relax();
	return n;
}

static u64 uses_of(const struct stage *s, const void *block)
{
	return stage_uses_since(s, *(const unsigned *)block);
}

u64 stage_await_use(const struct stage *s, unsigned block)
{
	return stage_await(uses_of, s, &block);
}

/*
 * A guest gets nowhere.  Where a CPU may stand still at any moment, all watches after
 * the return can have missed that it is stale; but what it uses now tells.
 */
static void not_here(struct stage *s, unsigned vcpu)
{
	if (stage_uses(s, vcpu, !s->mapped) != s->elsewhere[vcpu])
		s->t->violations++;
	else
		test_fail(s->t, "guest %u makes no progress", vcpu);
}

bool stage_progress(struct stage *s)
{
	u64 spins = 0;

	if (test_stopped(s->t))
		return false;
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		s->elsewhere[i] = stage_uses(s, i, !s->mapped);
	stage_snapshot(s, s->mapped);
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		while (stage_uses(s, i, s->mapped) - s->before[i] < 2) {
			relax();
			if (++spins < PROGRESS_SPINS && !smp_done(&s->vm->work[i]))
				continue;
			not_here(s, i);
			return false;
		}
	return true;
}

/* Did the initiator wait in vain?  Records who for, and is true. */
static bool stuck(struct stage *s)
{
	if (s->vm->watchdog.fired)
		test_kill(s->t, BY_WATCHDOG,
			  "the initiator waits for CPU %d, and no kick is on its way",
			  s->vm->watchdog.cpu);
	return s->vm->watchdog.fired;
}

bool stage_over(struct stage *s)
{
	bool caught = s->t->violations > s->caught;

	haunt_look(s->t);
	if (caught)
		test_saw(s->t, BY_GROUND);
	return stuck(s) || caught;
}

static u64 flushes_of(const struct stage *s, unsigned vcpu)
{
	return load_relaxed(&s->vm->vcpu[vcpu]->reader->flushes);
}

static u64 root_of(const struct stage *s, unsigned vcpu)
{
	return load_relaxed(&s->vm->vcpu[vcpu]->reader->root);
}

void stage_note_flushes(struct stage *s)
{
	for (unsigned i = 0; i < s->vm->vcpus; i++) {
		s->flushes[i] = flushes_of(s, i);
		s->root[i] = root_of(s, i);
	}
}

bool stage_all_flushed(struct stage *s)
{
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		if (flushes_of(s, i) == s->flushes[i] && root_of(s, i) == s->root[i]) {
			test_kill(s->t, BY_FLUSH, "guest %u went on without a flush",
				  i);
			return false;
		}
	return true;
}

void stage_fill(struct stage *s, unsigned block, u64 tag)
{
	u64 v = tag == TAG_POISON || reads(s) ? TAG_BITS | tag : 0;

	for (unsigned i = 0; i < s->vm->vcpus; i++)
		store_release(stage_word(s, block, i), v);
}

u64 stage_poison_used(const struct stage *s, unsigned block)
{
	u64 bad = 0;

	for (unsigned i = 0; i < s->vm->vcpus; i++) {
		struct guest_page *p = page(s, i);

		bad += load_acquire(stage_word(s, block, i)) != POISON;
		bad += p->seen[TAG_POISON] != 0 || p->seen[TAG_OTHER] != 0;
		p->seen[TAG_POISON] = 0;
		p->seen[TAG_OTHER] = 0;
	}
	return bad;
}

void stage_settle(void)
{
	for (unsigned i = 0; i < SETTLE_SPINS; i++)
		relax();
}

void stage_watch(void)
{
	for (unsigned i = 0; i < WATCH_SPINS || kick_in_flight(); i++)
		relax();
}

u64 stage_watch_for(u64 (*bad)(const struct stage *, const void *),
		    const struct stage *s, const void *arg)
{
	u64 n;

	do
		n = bad(s, arg);
	while (!n && kick_in_flight());
	return n;
}
