/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words - who uses each shared word, so that steps nobody can notice are no decisions
 *
 * A load of a word that no other CPU writes can be done at any time with the same
 * result; so can a store to a word that no other CPU uses reach memory.  Neither needs
 * to be ordered against the steps of others.  And a word that nobody writes is no part
 * of a state.
 *
 * Who uses what is learnt.  A search that meets a user it did not know of is void and
 * begins again with what it has learnt; the last one has met none.  It is complete: the
 * shortest schedule to a use that it did not know of has only known uses before, so the
 * search would have come to it.
 */
#ifndef TESTS_EXPLORE_WORDS_H
#define TESTS_EXPLORE_WORDS_H

#include "lib/types.h"

extern bool words_grew;

void words_forget(void);

/* A CPU loads or writes the word. */
void words_use(uintptr_t at, unsigned size, unsigned cpu, bool writes);

/* Does another CPU write it?  Does no other CPU use it? */
bool words_change(uintptr_t at, unsigned cpu);
bool words_private(uintptr_t at, unsigned cpu);

/* Is a word in this cache line of struct inval written at all? */
bool words_line(unsigned line);

#endif
