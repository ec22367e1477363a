/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doors - edits behind the door of inval/door.h, and behind doors that are wrong.
 */
#ifndef TESTS_EXPLORE_DOORS_H
#define TESTS_EXPLORE_DOORS_H

#include "inval/inval.h"

enum door {
	DOOR_NONE,       /* edits are plain                                  */
	DOOR,            /* the shipping one                                 */
	DOOR_LOOK_FIRST, /* B3 before the enter hook                         */
	DOOR_NO_WAIT,    /* B2 without the wait                              */
	DOOR_NO_KICK,    /* B2 without the kick                              */
	DOOR_OPEN_FIRST, /* B5 before B4                                     */
	DOOR_INSIDE,     /* shut from between enter() and exit(), without the check  */
	DOOR_ALL_COME, /* every CPU must come to the kick's handler: smp_rendezvous() */
};

/* What a reader does between two runs, interrupts off, that ties it to an initiator. */
enum burden {
	BURDEN_NONE,
	BURDEN_LOCK, /* takes a lock, which an initiator holds at the door */
	BURDEN_WAIT, /* waits until an initiator is through                */
};

/* Between the exit hook and the moment when interrupts are on. */
void doors_burden(void);

/* The enter hook, by way of the door that is configured. */
void doors_enter(struct inval_reader *r);

void doors_shut(struct inval *iv, struct gather *g);
void doors_open(struct inval *iv, struct gather *g);

/* A CPU takes a kick outside of the guest. */
void doors_kicked(void);

#endif
