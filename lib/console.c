/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console - text out, to every sink that the machine has; whole lines stay whole
 *
 * Who prints is told by the address of its stack frame: a CPU that is stopped for good
 * while it prints can then be found to hold the lock, without this layer knowing CPUs.
 */
#include "lib/console.h"
#include "lib/atomic.h"

static void (*sink[CONSOLE_SINKS])(char c);
static unsigned sinks;
static atomic64_t holder; /* an address on the stack of who prints, or 0 */
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

void console_drop(void)
{
	sinks = 0;
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

bool console_forget(u64 from, u64 to)
{
	u64 who = load_relaxed(&holder);

	return who && who >= from && who < to && cas(&holder, who, 0ull);
}

void print(const char *f, ...)
{
	struct fmt_sink out = { put_all };
	bool locked = !load_relaxed(&broken);
	va_list ap;

	while (locked && !cas(&holder, 0ull, (u64)&out))
		relax();
	va_start(ap, f);
	fmt_va(&out, f, ap);
	va_end(ap);
	if (locked)
		store_release(&holder, 0ull);
}
