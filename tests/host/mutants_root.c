/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants_root - new-root with one step wrong each: what the threads must report.
 */
#include "inval/hw.h"
#include "tests/host/mutants.h"

static u64 section(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	return load_acquire(&r->iv->gen);
}

/* V2: a root that comes again is taken as it is. */
static void enter_no_flush(struct inval_reader *r)
{
	u64 gen = section(r);

	if (gen != r->flushed)
		inval_use_root(r, gen & (r->iv->roots - 1));
	r->flushed = gen;
}

/* V2: only the root that comes is flushed, but all of them count as clean. */
static void enter_flush_one(struct inval_reader *r)
{
	u64 gen = section(r), n = gen & (r->iv->roots - 1);

	if (gen == r->flushed)
		return;
	if (!(r->own & BIT(n))) {
		hw_flush(r->iv->root + n * PAGE_SIZE);
		r->own = ~0ull;
	}
	r->own &= ~BIT(n);
	inval_use_root(r, n);
	r->flushed = gen;
}

/* V3: the root is marked as used, and not taken. */
static void enter_no_switch(struct inval_reader *r)
{
	u64 gen = section(r), bit = BIT(gen & (r->iv->roots - 1));

	if (gen == r->flushed)
		return;
	if (!(r->own & bit)) {
		inval_flush_roots(r);
		r->own = ~0ull;
	}
	r->own &= ~bit;
	r->flushed = gen;
}

/* R2: the generation is loaded before the section is entered. */
static void enter_gen_first(struct inval_reader *r)
{
	u64 gen = load_acquire(&r->iv->gen);

	section(r);
	if (gen == r->flushed)
		return;
	inval_flush_roots(r);
	inval_use_root(r, gen & (r->iv->roots - 1));
	r->flushed = gen;
}

const struct mutant root_mutants[] = {
	{ .name = "new-root-no-flush", .of = &new_root, .enter = enter_no_flush },
	{ .name = "new-root-flush-one", .of = &new_root, .enter = enter_flush_one },
	{ .name = "new-root-no-switch", .of = &new_root, .enter = enter_no_switch },
	{ .name = "new-root-gen-first", .of = &new_root, .enter = enter_gen_first },
	{ .name = "new-root-no-wait", .of = &new_root, .done = inval_done_at_once },
	{ 0 },
};
