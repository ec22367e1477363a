/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * story - a schedule in words: what happened in a step, and the names of words.
 */
#ifndef TESTS_EXPLORE_STORY_H
#define TESTS_EXPLORE_STORY_H

#include "lib/types.h"

/* Off while states are counted, on while a schedule is told. */
extern bool telling;

/* Adds to the text of the present step. */
void story_add(const char *f, ...) printf_like(1, 2);
#define tell(...)                               \
	do {                                    \
		if (telling)                    \
			story_add(__VA_ARGS__); \
	} while (0)

/* The text since the last call; empty when there is none. */
const char *story_take(void);

/* Both return one of a few buffers in turn. */
const char *word_name(uintptr_t at);
const char *word_value(uintptr_t at, u64 value);

#endif
