/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants_door - the door with one step wrong each, around gen-smr.
 */
#include "tests/host/mutants.h"
#include "inval/door.h"
#include "inval/hw.h"

static void take(struct inval *iv, struct gather *g)
{
	while (!cas(&iv->door, 0ull, hw_self() + 1ull))
		relax();
	g->stopped = true;
}

static void wait_for(struct inval *iv, unsigned from)
{
	for (unsigned i = from; i < iv->cpus; i++)
		while (inval_active(iv, i))
			relax();
}

/* B2: the kicks are sent, and nobody is waited for. */
static void shut_no_wait(struct inval *iv, struct gather *g)
{
	take(iv, g);
	inval_kick_active(iv);
}

/* B2: one CPU is forgotten. */
static void shut_all_but_one(struct inval *iv, struct gather *g)
{
	take(iv, g);
	inval_kick_active(iv);
	wait_for(iv, 1);
}

/* B2: nobody is kicked. */
static void shut_no_kick(struct inval *iv, struct gather *g)
{
	take(iv, g);
	wait_for(iv, 0);
}

/* B2 before B1: who gets in between is not kicked. */
static void shut_kick_first(struct inval *iv, struct gather *g)
{
	inval_kick_active(iv);
	shut_no_kick(iv, g);
}

/* B5 before B4. */
static ticket_t open_first(struct inval *iv, struct gather *g)
{
	ticket_t t;

	store_fence(&iv->door, 0ull);
	t = inval_publish(iv, g);
	while (!inval_done(iv, t))
		relax();
	g->stopped = false;
	return t;
}

/* No B4: who was stopped goes on with what it had. */
static ticket_t open_no_gen(struct inval *iv, struct gather *g)
{
	g->state = GATHER_PUBLISHED;
	g->stopped = false;
	store_fence(&iv->door, 0ull);
	return smr_advance(&iv->smr);
}

const struct door_way door_ways[] = {
	{ "door", door_enter, door_shut, door_open },
	{ "door-no-wait", door_enter, shut_no_wait, door_open },
	{ "door-all-but-one", door_enter, shut_all_but_one, door_open },
	{ "door-no-kick", door_enter, shut_no_kick, door_open },
	{ "door-kick-first", door_enter, shut_kick_first, door_open },
	{ "door-open-first", door_enter, door_shut, open_first },
	{ "door-no-gen", door_enter, door_shut, open_no_gen },
	{ 0 },
};

const struct door_way *door_way = &door_ways[0];
