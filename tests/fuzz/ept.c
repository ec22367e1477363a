/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - fuzzes edits of an EPT or NPT: bytes choose format, features, edits, which of
 * them find no memory, and when gathers are published and done
 *
 * When the bytes are used up, some steps follow by chance, as the bytes have it: a new
 * state is of use only if something is done to it.
 *
 * What holds after each edit is in tests/host/eptflat.c, as for tests/unit/ept_model.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <stdarg.h>

#include "tests/host/eptsteps.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define STEPS 1000
#define MORE  200

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 *at, *end;
static struct rng rng;

static u64 pick(u64 n)
{
	u64 v = 0;

	if (at == end)
		return rng_below(&rng, n);
	for (u64 most = 1; most < n && at < end; most <<= 8)
		v = v << 8 | *at++;
	return v % n;
}

bool test_true(bool ok, const char *file, int line, const char *expr)
{
	if (!ok)
		panic("%s:%d: %s is false", file, line, expr);
	return ok;
}

bool test_equal(u64 is, u64 want, const char *file, int line, const char *expr)
{
	if (is != want)
		panic("%s:%d: %s is 0x%lx, want 0x%lx", file, line, expr, is, want);
	return true;
}

_Noreturn void panic(const char *f, ...)
{
	va_list ap;

	va_start(ap, f);
	vfprintf(stderr, f, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void err_note(enum err e, const char *file, int line)
{
	(void)e;
	(void)file;
	(void)line;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	rng = (struct rng){ 1 };
	for (at = data, end = data + size; at < end; at++)
		rng.state = rng_next(&rng) ^ *at;
	at = data;
	flat_begin(pick(4) ? RAM_FRAMES : 24 + (u32)pick(600), steps_features(pick));
	for (unsigned n = 0; n < STEPS && at < end; n++)
		steps_one(pick);
	for (unsigned n = 0; n < MORE; n++)
		steps_one(pick);
	flat_check_all();
	flat_end();
	return 0;
}
