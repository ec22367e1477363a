/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doors - edits behind the door of inval/door.h, and behind doors that are wrong
 *
 * DOOR_ALL_COME is the rendezvous as FreeBSD has it: whoever has the mutex kicks all
 * CPUs and waits until each has come to the kick's handler, where it stays.  It is fine
 * with one initiator.  A second one that waits for the mutex with interrupts off never
 * comes; nor does a CPU that waits with interrupts off for a lock of the initiator's,
 * or for what it does later.
 */
#include "tests/explore/doors.h"
#include "inval/door.h"
#include "inval/hw.h"
#include "tests/explore/world.h"

void doors_enter(struct inval_reader *r)
{
	while (config.door == DOOR_LOOK_FIRST && load_acquire(&r->iv->door))
		relax();
	switch (config.door) {
	case DOOR_NONE:
	case DOOR_LOOK_FIRST:
	case DOOR_ALL_COME: /* the handler holds who comes */
		config.proto->enter(r);
		break;
	default:
		door_enter(r);
	}
}

static void lock_up(void)
{
	while (config.burden == BURDEN_LOCK && swap(&world.m.lock, 1ull))
		relax();
}

static void let_go(void)
{
	if (config.burden == BURDEN_LOCK)
		store_release(&world.m.lock, 0ull);
}

void doors_burden(void)
{
	lock_up();
	let_go();
	while (config.burden == BURDEN_WAIT && !load_acquire(&world.m.over))
		relax();
}

static void take(struct inval *iv)
{
	while (!cas(&iv->door, 0ull, hw_self() + 1ull))
		relax();
}

static void all_come(struct inval *iv)
{
	u64 self = hw_self() + 1ull;

	for (unsigned i = 0; i < iv->cpus; i++)
		if (i != hw_self())
			hw_kick(i);
	for (unsigned i = 0; i < iv->cpus; i++)
		while (i != hw_self() && load_acquire(&world.m.came[i]) != self)
			relax();
}

static void wait_for_all(const struct inval *iv)
{
	for (unsigned i = 0; i < iv->cpus; i++)
		while (inval_active(iv, i))
			relax();
}

void doors_shut(struct inval *iv, struct gather *g)
{
	lock_up();
	switch (config.door) {
	case DOOR_NO_WAIT:
		take(iv);
		inval_kick_active(iv);
		break;
	case DOOR_NO_KICK:
		take(iv);
		wait_for_all(iv);
		break;
	case DOOR_INSIDE:
		config.proto->enter(&iv->reader[hw_self()]);
		take(iv);
		inval_kick_active(iv);
		wait_for_all(iv);
		break;
	case DOOR_ALL_COME:
		take(iv);
		all_come(iv);
		break;
	default:
		door_shut(iv, g);
	}
}

static void open_first(struct inval *iv, struct gather *g)
{
	store_release(&iv->door, 0ull);
	for (ticket_t t = inval_publish(iv, g); !inval_done(iv, t);)
		relax();
}

void doors_open(struct inval *iv, struct gather *g)
{
	if (config.door == DOOR_OPEN_FIRST)
		open_first(iv, g);
	else
		(void)door_open(iv, g);
	let_go();
	if (config.burden == BURDEN_WAIT)
		store_release(&world.m.over, 1ull);
}

void doors_kicked(void)
{
	u64 who;

	if (config.door != DOOR_ALL_COME)
		return;
	who = load_acquire(&world.iv.door);
	store_release(&world.m.came[hw_self()], who);
	while (who && load_acquire(&world.iv.door) == who)
		relax();
}
