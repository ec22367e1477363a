/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse - a command and its words, from a line; pure, so that native tests have it.
 */
#ifndef TESTS_SHELL_PARSE_H
#define TESTS_SHELL_PARSE_H

#include "lib/types.h"

#define PARSE_VERB 16

/* The first word of a line, cut to PARSE_VERB - 1 characters, and where the rest
 * begins.
 */
const char *parse_verb(const char *line, char verb[static PARSE_VERB]);

/*
 * Puts the words of `line` into `to` as the kernel's command line has them: words with
 * a
 * '=' as they are, all others as one list, key=WORD,WORD.  False: there is no room.
 */
must_check bool parse_words(char *to, size_t size, const char *line, const char *key);

/* The first blank-separated word as a number, and where the rest begins; NULL: none. */
const char *parse_number(const char *line, u64 *out);

/* A text that may stand in a record: what JSON or a line has no place for becomes '. */
void parse_clean(char *to, size_t size, const char *text);

#endif
