/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost - the ghost TLB finds on the machine what no emulator shows
 *
 * Each test runs guests under a variant of gen-smr with one step wrong, and expects the
 * ghost to name it.  Bochs flushes at each entry, so there the guests' own tags have
 * nothing to say; on a real CPU the stale guests would be real.  So where a variant
 * leaves a flush out, it is only the ghost that is not told: the backend flushes.  With
 * ASIDs the ghost hears what the VMCB says, and no flush can be kept from it: there the
 * flush is left out indeed, on an emulator that flushes at each VMRUN, and nowhere
 * else.
 */
#include "arch/x86_64/kick.h"
#include "arch/x86_64/platform.h"
#include "inval/hw.h"
#include "lib/console.h"
#include "tests/guest/abi.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"

#define SPINS 1000000
#define EDITS 8

static const struct scenario writing = { .layout = ONE_PAGE, .role = GUEST_WRITER };

static bool spin_until(const atomic64_t *flag)
{
	for (unsigned i = 0; i < SPINS && !load_acquire(flag); i++)
		relax();
	return load_acquire(flag);
}

static void enter_section(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	smr_enter(r->slot);
}

static void flush_unheard(struct inval_reader *r)
{
	if (!backend->told)
		backend->flush(r->iv->root);
}

/* The flush is remembered, but not done. */
static void enter_forgets(struct inval_reader *r)
{
	u64 gen;

	enter_section(r);
	gen = load_acquire(&r->iv->gen);
	if (gen != r->flushed)
		flush_unheard(r);
	r->flushed = gen;
}

/* M13: a root is flushed, but not this one. */
static void enter_flushes_another(struct inval_reader *r)
{
	u64 gen;

	enter_section(r);
	gen = load_acquire(&r->iv->gen);
	if (gen == r->flushed)
		return;
	flush_unheard(r);
	hw_flush(r->iv->root + PAGE_SIZE);
	r->flushed = gen;
}

/* H3: the generation is loaded before the section is entered, and that takes a while.
 */
static atomic64_t hold, held;

static void enter_late(struct inval_reader *r)
{
	u64 gen;

	or_fence(r->active, r->bit);
	gen = load_acquire(&r->iv->gen);
	if (load_acquire(&hold)) {
		store_release(&held, 1ull);
		while (load_acquire(&hold))
			relax();
	}
	smr_enter(r->slot);
	if (gen != r->flushed)
		inval_flush(r, gen);
}

/* H7: the generation moves before the EPT does. */
static ticket_t publish_without_gen(struct inval *iv, const struct gather *g)
{
	smr_seq_t goal = smr_advance(&iv->smr);

	(void)g;
	inval_kick_active(iv);
	return goal;
}

static bool edit(struct stage *s)
{
	struct gather g = gather_init();

	if (ept_remap(&s->vm->ept, GPA(GUEST_WINDOW), s->block[!s->mapped], s->size,
		      &g))
		test_fail(s->t, "the window cannot be remapped");
	vm_finish(s->vm, &g);
	s->mapped = !s->mapped;
	return s->t->verdict == PASS;
}

static void edit_plainly(struct stage *s)
{
	for (unsigned i = 0; i < EDITS && edit(s) && stage_progress(s); i++)
		s->t->invalidations++;
}

static void edit_while_held(struct stage *s)
{
	unsigned cpu = s->vm->vcpu[0]->cpu;

	for (unsigned i = 0; i < EDITS; i++) {
		store_relaxed(&held, 0ull);
		store_release(&hold, 1ull);
		kick_now(cpu);
		EXPECT(s->t, spin_until(&held));
		edit(s); /* is done at once: nobody is in the section */
		store_release(&hold, 0ull);
		if (!stage_progress(s))
			return;
		s->t->invalidations++;
	}
}

/* The others have flushed for the new generation before the edit is made. */
static void edit_after_gen(struct stage *s)
{
	struct inval *iv = &s->vm->inval;

	for (unsigned i = 0; i < EDITS; i++) {
		stage_note_flushes(s);
		add_fence(&iv->gen, 1ull);
		inval_kick_active(iv);
		if (!stage_progress(s) || !stage_progress(s) || !stage_all_flushed(s) ||
		    !edit(s) || !stage_progress(s))
			return;
		s->t->invalidations++;
	}
}

struct variant {
	void (*enter)(struct inval_reader *);
	ticket_t (*publish)(struct inval *, const struct gather *);
	void (*edit)(struct stage *);
	unsigned guests; /* 0: all */
	bool omits;      /* a flush of the guests' root */
};

/* NULL, or why the variant is not for this machine or build. */
static const char *unfit(const struct variant *v)
{
	if (!CHECKED)
		return "the fast build has no ghost";
	if (v->omits && backend->told && !platform_emulator())
		return "a flush that is left out would be missed, not only by the ghost";
	return NULL;
}

/*
 * Where CPUs truly race, one may be back so soon that it is found inside and nowhere
 * else: its next entry follows the next edit, for which it flushes.
 */
static bool often_enough(const struct ghost_tally *g)
{
	u64 n = g->of_kind[GHOST_STALE];

	return n + (platform_is_tcg() ? g->of_kind[GHOST_IN_GUEST] : 0) >= EDITS;
}

/*
 * A CPU that is back before the completion is judged is found inside, and at its next
 * entry; one that never flushed may bring along what it holds from earlier tests.
 */
static void expect_found(struct run *t, const struct ghost_tally *g)
{
	const struct ghost_violation *v = &g->was;
	char text[200];

	EXPECT_EQ(t, t->invalidations, EDITS);
	EXPECT(t, g->checked >= EDITS);
	EXPECT(t, often_enough(g));
	EXPECT(t, v->cpu >= 1 && v->lo < v->edit);
	EXPECT(t, v->by >= 0 && v->why);
	ghost_text(text, sizeof(text), v);
	print("# %s\n", text);
}

static void run(struct run *t)
{
	const struct variant *variant = t->test->arg;
	static struct inval_proto p;
	static struct stage s;
	struct ghost_tally found;

	if (unfit(variant)) {
		test_skip(t, "%s", unfit(variant));
		return;
	}
	p = gen_smr;
	p.enter = variant->enter ? variant->enter : p.enter;
	p.publish = variant->publish ? variant->publish : p.publish;
	t->proto = &p;
	if (stage_open(&s, t, &writing,
		       variant->guests ? variant->guests : cpu_count - 1)) {
		if (stage_progress(&s))
			variant->edit(&s);
		stage_close(&s);
		haunt_take(&found);
		expect_found(t, &found);
	}
	t->proto = NULL;
}

#define VARIANT(id, what, ...)                                                  \
	TEST_RECORD(proto_##id, "proto/" #id, run, what,                        \
		    .arg = &(const struct variant){ __VA_ARGS__ }, .vmx = true, \
		    .aps = 1)

VARIANT(ghost_no_flush, "the ghost finds an enter hook that does not flush",
	.enter = enter_forgets, .edit = edit_plainly, .omits = true);
VARIANT(ghost_wrong_root, "the ghost finds a flush of another root",
	.enter = enter_flushes_another, .edit = edit_plainly, .omits = true);
VARIANT(ghost_gen_first, "the ghost finds a generation loaded before the section",
	.enter = enter_late, .edit = edit_while_held, .guests = 1);
VARIANT(ghost_gen_early, "the ghost finds a generation bumped before the edit",
	.publish = publish_without_gen, .edit = edit_after_gen);
