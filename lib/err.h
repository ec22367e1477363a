/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * err - what can go wrong outside of us, and panic for what can go wrong inside.
 *
 * A machine or an input that lacks something: `return fail(E_...)` where the
 * lack is seen; callers pass the code up unchanged.  A bug of ours: assert(),
 * which ends in panic().  The two are never mixed.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include "build.h"
#include "lib/types.h"

enum err {
	E_OK,
	E_NOMEM,  /* no frame or table page left               */
	E_INVAL,  /* argument out of range or misaligned       */
	E_EXIST,  /* something is mapped there already         */
	E_AGAIN,  /* an edit is under way: try again           */
	E_NOTSUP, /* this machine cannot do it                 */
	E_FORMAT, /* malformed input                           */
};

/* Names where an error was born; supplied by the kernel and by the native tests. */
void err_note(enum err e, const char *file, int line);
const char *err_name(enum err e);

static inline enum err err_born(enum err e, const char *file, int line)
{
	err_note(e, file, line);
	return e;
}
#define fail(e) err_born((e), __FILE__, __LINE__)

/* Stops the machine with a dump.  Never returns. */
_Noreturn void panic(const char *fmt, ...) printf_like(1, 2);

#define assert(cond)                                                          \
	do {                                                                  \
		if (CHECKED && !(cond))                                       \
			panic("%s:%d: assert %s", __FILE__, __LINE__, #cond); \
	} while (0)

#endif
