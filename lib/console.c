/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console - text out, to every sink that the machine has; whole lines stay whole.
 */
#include "lib/console.h"
#include "lib/lock.h"

static void (*sink[CONSOLE_SINKS])(char c);
static unsigned sinks;
static struct lock console_lock;
static atomic32_t broken;

void console_add(void (*put)(char c))
{
	if (sinks < CONSOLE_SINKS)
		sink[sinks++] = put;
}

unsigned console_count(void)
{
	return sinks;
}

static void put_all(struct fmt_sink *self, char c)
{
	(void)self;
	for (unsigned i = 0; i < sinks; i++)
		sink[i](c);
}

void console_break_lock(void)
{
	store_relaxed(&broken, 1u);
}

void print(const char *f, ...)
{
	struct fmt_sink to = { put_all };
	bool locked = !load_relaxed(&broken);
	va_list ap;

	if (locked)
		lock(&console_lock);
	va_start(ap, f);
	fmt_va(&to, f, ap);
	va_end(ap);
	if (locked)
		unlock(&console_lock);
}
