/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * door - keeps every CPU of a VM in the host while an edit is made; door.c argues why.
 *
 *      door_fit(iv)                   once, before the first entry
 *
 *      door_shut(iv, &g)              no CPU is in the guest, none gets in
 *      ept_split(..., &g)             any edits; nothing is parked
 *      t = door_open(iv, &g)          each flushes before its next guest instruction
 *      inval_retire(iv, t, &g)
 */
#ifndef INVAL_DOOR_H
#define INVAL_DOOR_H

#include "inval/inval.h"

/* From now on readers enter by door_enter().  Before the first entry; once. */
void door_fit(struct inval *iv);

/* The enter hook of a reader that comes by the door: right before VM entry. */
void door_enter(struct inval_reader *r);

/*
 * Waits until no CPU is in the guest of `iv`, and keeps it so.  g is open.  The caller
 * is neither between enter() and exit() nor between inval_begin() and its publish, and
 * comes back by door_open(), without waiting for a CPU in between.
 */
void door_shut(struct inval *iv, struct gather *g);

/*
 * Publishes g, whose edits are made, and lets the CPUs go on.  The invalidation is done
 * and judged; what is left is inval_retire(), and there is nothing to settle.
 */
ticket_t door_open(struct inval *iv, struct gather *g);

#endif
