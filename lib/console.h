/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console - text out, to every sink that the machine has; whole lines stay whole.
 */
#ifndef LIB_CONSOLE_H
#define LIB_CONSOLE_H

#include "lib/fmt.h"

#define CONSOLE_SINKS 4

/* Adds a device: put() writes one byte and waits as long as the device needs. */
void console_add(void (*put)(char c));

/* How many devices there are. */
unsigned console_count(void);

/* Without any device from here on: for tests. */
void console_drop(void);

/* Formatted text, under the console's lock.  See fmt_va() for the conversions. */
void print(const char *f, ...) printf_like(1, 2);

/*
 * From here on print() ignores the lock: the panic path must not wait for a CPU
 * that may have been stopped while it held it.
 */
void console_break_lock(void);

/*
 * Who has its stack in [from, to) is gone for good: takes the lock back if it has that,
 * and is true then.
 */
bool console_forget(u64 from, u64 to);

#endif
