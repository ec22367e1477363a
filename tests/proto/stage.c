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
#include "lib/console.h"
#include "mm/mem.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"
#include "vm/guest.h"

#define PROGRESS_SPINS 20000000
#define WATCH_SPINS    100
#define SETTLE_SPINS   32 /* over 1000 cycles where PAUSE takes 40 or more */
#define POISON         (TAG_BITS | TAG_POISON)

static u64 slot_offset(const struct stage *s, unsigned vcpu)
{
	/* Small page: words side by side.  Large page: spread over its 4 KiB parts. */
	return s->scenario->large ? vcpu * 16 * PAGE_SIZE % SIZE_2M + vcpu / 32 * 64
				  : vcpu * 8ull;
}

static atomic64_t *word(const struct stage *s, unsigned block, unsigned vcpu)
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
	struct ept_leaf l;

	if (v->exit.gpa.v < GUEST_WINDOW)
		return false;
	while (!load_acquire(&v->request)) {
		if (vcpu_lookup(v, v->exit.gpa, &l) && !(v->exit.access & ~l.entry.raw))
			break;
		relax();
	}
	return true;
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
		page(s, i)->vcpu = i;
		page(s, i)->role = s->scenario->reads ? GUEST_READER : GUEST_WRITER;
		page(s, i)->slot = GUEST_WINDOW + slot_offset(s, i);
	}
	return why;
}

static const char *build(struct stage *s, unsigned vcpus)
{
	unsigned order = s->scenario->large ? POOL_ORDER_2M : 0;
	struct gather g = gather_init();
	const char *why;

	for (unsigned i = 0; i < 2; i++)
		if (pool_alloc(s->t->pool, order, &s->block[i]))
			return "out of memory";
	why = add_guests(s, vcpus);
	if (why)
		return why;
	stage_fill(s, 0, TAG_EVEN);
	return ept_map(&s->vm->ept, GPA(GUEST_WINDOW), s->block[0], s->size, EPT_RWX,
		       &g)
		       ? "the window cannot be mapped"
		       : NULL;
}

bool stage_open(struct stage *s, struct run *t, const struct scenario *sc,
		unsigned vcpus)
{
	const char *why;

	*s = (struct stage){ .scenario = sc,
			     .t = t,
			     .size = sc->large ? SIZE_2M : PAGE_SIZE };
	if (sc->large && backend->max_leaf() < 1) {
		test_skip(t, "this CPU has no 2 MiB EPT pages");
		return false;
	}
	if (vm_create(&s->vm, t->pool, t->proto, 1)) {
		test_fail(t, "no memory for a VM");
		return false;
	}
	s->vm->fault = wait_for_window;
	why = build(s, vcpus);
	if (why) {
		test_fail(t, "%s", why);
		stage_close(s);
		return false;
	}
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
	if (s->scenario->reads)
		return page(s, vcpu)->seen[block ? TAG_ODD : TAG_EVEN];
	return load_acquire(word(s, block, vcpu));
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

		sum += s->scenario->reads && uses ? uses - 1 : uses;
	}
	return sum;
}

bool stage_progress(struct stage *s)
{
	u64 spins = 0;

	stage_snapshot(s, s->mapped);
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		while (stage_uses(s, i, s->mapped) - s->before[i] < 2) {
			relax();
			if (++spins < PROGRESS_SPINS && !smp_done(&s->vm->work[i]))
				continue;
			test_fail(s->t, "guest %u makes no progress", i);
			return false;
		}
	return true;
}

static u64 flushes_of(const struct stage *s, unsigned vcpu)
{
	return load_relaxed(&s->vm->vcpu[vcpu]->reader->flushes);
}

void stage_note_flushes(struct stage *s)
{
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		s->flushes[i] = flushes_of(s, i);
}

bool stage_all_flushed(struct stage *s)
{
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		if (flushes_of(s, i) == s->flushes[i]) {
			test_fail(s->t, "guest %u went on without a flush", i);
			return false;
		}
	return true;
}

void stage_fill(struct stage *s, unsigned block, u64 tag)
{
	u64 v = tag == TAG_POISON || s->scenario->reads ? TAG_BITS | tag : 0;

	for (unsigned i = 0; i < s->vm->vcpus; i++)
		store_release(word(s, block, i), v);
}

u64 stage_poison_used(const struct stage *s, unsigned block)
{
	u64 bad = 0;

	for (unsigned i = 0; i < s->vm->vcpus; i++) {
		struct guest_page *p = page(s, i);

		bad += load_acquire(word(s, block, i)) != POISON;
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
