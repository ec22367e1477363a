/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants - gen-smr with one step wrong each: what the threads must report
 *
 * Some let a guest use what is no longer its own; some leave the initiator waiting for
 * a guest that nothing makes leave.  The numbers are those of docs/protocols.md.  A
 * hook that is not wrong is gen-smr's own.
 */
#include "tests/host/mutants.h"
#include "lib/str.h"

/* H3: the generation is loaded before the section is entered. */
static void enter_gen_first(struct inval_reader *r)
{
	u64 gen;

	or_fence(r->active, r->bit);
	gen = load_acquire(&r->iv->gen);
	smr_enter(r->slot);
	if (gen != r->flushed)
		inval_flush(r, gen);
}

/* H10: the section is over before the guest has left. */
static void enter_and_leave(struct inval_reader *r)
{
	gen_smr.enter(r);
	smr_exit(r->slot);
}

static void exit_active_only(struct inval_reader *r)
{
	and_fence(r->active, r->others);
}

/* H8a: readers that enter after the advance may still see the old generation. */
static ticket_t publish_gen_late(struct inval *iv, const struct gather *g)
{
	smr_seq_t goal = smr_advance(&iv->smr);

	(void)g;
	add_fence(&iv->gen, 1ull);
	inval_kick_active(iv);
	return goal;
}

/* H2: nobody is kicked. */
static ticket_t publish_no_kick(struct inval *iv, const struct gather *g)
{
	(void)g;
	add_fence(&iv->gen, 1ull);
	return smr_advance(&iv->smr);
}

/* H6: who enters after the kick, but before the advance, is waited for unkicked. */
static ticket_t publish_kick_first(struct inval *iv, const struct gather *g)
{
	(void)g;
	add_fence(&iv->gen, 1ull);
	inval_kick_active(iv);
	return smr_advance(&iv->smr);
}

/* H5: the section begins before the active set says so. */
static void enter_active_last(struct inval_reader *r)
{
	u64 gen;

	smr_enter(r->slot);
	or_fence(r->active, r->bit);
	gen = load_acquire(&r->iv->gen);
	if (gen != r->flushed)
		inval_flush(r, gen);
}

/* The flush is remembered but not done. */
static void enter_no_flush(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	r->flushed = load_acquire(&r->iv->gen);
}

const struct mutant smr_mutants[] = {
	{ .name = "gen-first", .of = &gen_smr, .enter = enter_gen_first },
	{ .name = "early-exit",
	  .of = &gen_smr,
	  .enter = enter_and_leave,
	  .exit = exit_active_only },
	{ .name = "gen-late", .of = &gen_smr, .publish = publish_gen_late },
	{ .name = "no-kick", .of = &gen_smr, .publish = publish_no_kick },
	{ .name = "kick-first", .of = &gen_smr, .publish = publish_kick_first },
	{ .name = "active-last", .of = &gen_smr, .enter = enter_active_last },
	{ .name = "no-wait", .of = &gen_smr, .done = inval_done_at_once },
	{ .name = "no-flush", .of = &gen_smr, .enter = enter_no_flush },
	{ 0 },
};

static const struct mutant *const groups[] = { smr_mutants, mark_mutants, stop_mutants,
					       ack_mutants, root_mutants };

static const struct inval_proto *proto_of(const struct mutant *m)
{
	static struct inval_proto p;

	p = *m->of;
	p.name = m->name;
	p.sound = false;
	p.enter = m->enter ? m->enter : p.enter;
	p.exit = m->exit ? m->exit : p.exit;
	p.kicked = m->kicked ? m->kicked : p.kicked;
	p.begin = m->begin ? m->begin : p.begin;
	p.publish = m->publish ? m->publish : p.publish;
	p.done = m->done ? m->done : p.done;
	return &p;
}

const struct inval_proto *mutant_or_proto(const char *name)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(inval_protos[i]->name, name))
			return inval_protos[i];
	for (unsigned i = 0; i < ARRAY_LEN(groups); i++)
		for (const struct mutant *m = groups[i]; m->name; m++)
			if (!strcmp(m->name, name))
				return proto_of(m);
	for (const struct door_way *w = &door_ways[1]; w->name; w++)
		if (!strcmp(w->name, name)) {
			door_way = w;
			return &gen_smr;
		}
	return NULL;
}
