/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * str - the byte and string functions that a freestanding compiler expects, and glob.
 */
#ifndef LIB_STR_H
#define LIB_STR_H

#include "lib/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* Does `name` match `glob`, where '*' stands for any run and '?' for one character? */
bool str_glob(const char *glob, const char *name);

/*
 * Reads a number, decimal or 0x-hexadecimal, from all of `s` into *out.
 * False when s is empty, holds another character, or does not fit 64 bits.
 */
bool str_u64(const char *s, u64 *out);

/*
 * Writes s into buf as the inside of a JSON string: printable ASCII as it is, except
 * quotes and backslashes, which become \u00XX, and all else as '?'.  Always ends buf
 * with a NUL; what does not fit is left out.  Six bytes for each of s suffice.
 */
void str_json(char *buf, const char *s, size_t size);

/* Copies at most size - 1 bytes of s and always ends `to` with a NUL. */
void str_copy(char *to, const char *s, size_t size);

#endif
