/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * root_reuse - a new VM whose root is a dead VM's does not inherit its translations
 *
 * Translations are tagged by the address of the root alone (SDM vol. 3, 29.4.1), and a
 * VM that ends flushes nobody who has left it.  So each CPU flushes before it enters a
 * VM for the first time.  Where an emulator flushes at each entry by itself, the count
 * of flushes is what can be tested; the words that guests read are looked at as well.
 * The ghost TLB remembers what CPUs hold for the dead VM's root, and judges both tests.
 */
#include "lib/str.h"
#include "tests/guest/abi.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"
#include "vm/guest.h"

#define HOARD 256

static const struct scenario reading = { .layout = ONE_PAGE, .role = GUEST_READER };

struct hoard {
	hpa_t frame[HOARD];
	unsigned n;
};

/* Takes frames until the next one that is handed out is `want`. */
static bool hoard_until(struct pool *p, struct hoard *h, hpa_t want)
{
	hpa_t got = HPA(0);

	while (h->n < HOARD && !pool_alloc(p, 0, &got) && got.v != want.v)
		h->frame[h->n++] = got;
	if (got.v != want.v)
		return false;
	pool_free(p, got);
	return true;
}

/*
 * Starts a stage whose guests never leave: were X held from RAM, the first fetch would
 * invalidate, and the flush for that be counted.
 */
static bool open(struct stage *s, struct run *t)
{
	struct gather g = gather_init();
	struct ept *e;

	if (!stage_build(s, t, &reading, cpu_count - 1))
		return false;
	e = &s->vm->ept;
	e->can.large_exec = true;
	EXPECT_EQ(t, ept_protect(e, GPA(0), SIZE_2M, EPTE_RWX, &g), E_OK);
	EXPECT(t, !gather_needs_flush(&g));
	vm_start(s->vm);
	return true;
}

static void expect_fresh(struct run *t, struct stage *s)
{
	for (unsigned i = 0; i < s->vm->vcpus; i++) {
		struct guest_page *p = vm_ptr(s->vm, vm_page_gpa(s->vm, i), PAGE_SIZE);

		EXPECT(t, load_relaxed(&s->vm->vcpu[i]->reader->flushes) == 1);
		EXPECT_EQ(t,
			  p->seen[TAG_ODD] + p->seen[TAG_POISON] + p->seen[TAG_OTHER],
			  0);
	}
}

/*
 * A VM that lives and dies, and one at its root whose CPUs enter by `enter` and whose
 * guests are looked at by `look`.
 */
static void reuse(struct run *t, void (*enter)(struct inval_reader *),
		  void (*look)(struct run *, struct stage *))
{
	static struct inval_proto p;
	static struct stage s;
	static struct hoard h;
	hpa_t root, block;

	h.n = 0;
	p = gen_smr;
	t->proto = &p;
	if (!open(&s, t))
		return;
	root = s.vm->ept.root;
	block = s.block[0];
	EXPECT(t, stage_progress(&s));
	stage_close(&s);
	p.enter = enter;
	if (!hoard_until(t->pool, &h, root))
		test_inconclusive(t, "the pool does not hand the root out again");
	else if (open(&s, t)) {
		EXPECT_EQ(t, s.vm->ept.root.v, root.v);
		EXPECT(t, s.block[0].v != block.v);
		EXPECT(t, stage_progress(&s));
		look(t, &s);
		t->invalidations = 1;
		stage_close(&s);
	}
	while (h.n)
		pool_free(t->pool, h.frame[--h.n]);
	t->proto = NULL;
}

TEST(proto, root_reuse, "a VM at a dead VM's root begins with a flush on every CPU",
     .vmx = true, .aps = 1)
{
	reuse(t, gen_smr.enter, expect_fresh);
}

/* Flushes, lest the guests use a dead VM's memory, but does not tell the ghost. */
static void enter_unflushed(struct inval_reader *r)
{
	if (!r->flushed) {
		r->flushed = load_acquire(&r->iv->gen);
		backend->flush(r->iv->root);
	}
	gen_smr.enter(r);
}

static void expect_haunted(struct run *t, struct stage *s)
{
	struct ghost_tally g;

	haunt_take(&g);
	EXPECT_EQ(t, g.of_kind[GHOST_REUSED], s->vm->vcpus);
	EXPECT_EQ(t, g.violations, s->vm->vcpus);
}

TEST(proto, ghost_root_reuse, "the ghost finds a VM that inherits translations",
     .vmx = true, .aps = 1)
{
	if (!CHECKED)
		test_skip(t, "the fast build has no ghost");
	else if (backend->told)
		test_skip(t, "each vCPU begins with an ASID of its own: none inherits");
	else
		reuse(t, enter_unflushed, expect_haunted);
}
