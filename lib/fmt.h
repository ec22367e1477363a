/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fmt - printf formatting into a sink, without floating point and without memory.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>

#include "lib/types.h"

struct fmt_sink {
	void (*put)(struct fmt_sink *, char);
};

/*
 * Understands %c %s %d %i %u %x %p %%, the length modifiers l, ll and z, the flags
 * 0 and -, a width and a precision for %s.  Anything else prints itself.
 */
void fmt_va(struct fmt_sink *to, const char *f, va_list ap);

/* Formats into buf, always NUL-terminated; returns the length it would have had. */
size_t fmt_str_va(char *buf, size_t size, const char *f, va_list ap);
size_t fmt_str(char *buf, size_t size, const char *f, ...) printf_like(3, 4);

#endif
