/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline - the command line, word by word
 *
 * Words are separated by white space and read `key=value` or `key`.  Double quotes
 * keep spaces together, around a value or around a whole word, and are dropped.  A
 * backslash before a backslash or a quote takes it literally, because GRUB writes
 * quotes that way.
 */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include "lib/types.h"

struct cmdword {
	char key[32];
	char value[1024]; /* "" when the word has no '=' */
	bool has_value;
};

/*
 * Where the words for us begin: behind the image's name, which QEMU and iPXE put in
 * front (a first word without '=' that contains '/' or ends in .elf or .bin).
 */
const char *cmdline_start(const char *text);

/*
 * Reads the word at *at and moves *at behind it.  False at the end of the line, then
 * *error is NULL, and at a word that is malformed or too long: then *error says why
 * and *at stays.
 */
must_check bool cmdline_next(const char **at, struct cmdword *w, const char **error);

/*
 * The last word of `text` whose key is `key`, in *w, before any that is in error: how
 * the machine ends must be known even where the rest is refused.  False when there is
 * none; then *error is NULL, or says why the words behind could not be read.
 */
must_check bool cmdline_find(const char *text, const char *key, struct cmdword *w,
			     const char **error);

#endif
