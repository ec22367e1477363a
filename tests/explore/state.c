/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - the parts of the world that change, as one block of bytes, and its hash
 *
 *      | machine, with the CPUs in use | lines of struct inval | live stacks |
 *
 * A line of struct inval is saved when a CPU is known to write an atomic word in it
 * (words_line()), or when a protocol may write it plainly: the first one, and those of
 * the readers.  That nothing else changes is checked against the first state.
 */
#include "tests/explore/state.h"
#include "tests/explore/words.h"

#include <string.h>

#define LINES (sizeof(struct inval) / CACHE_LINE)

static struct inval base;
static unsigned lines[LINES], line_count;

static bool is_saved(unsigned line)
{
	size_t at = line * (size_t)CACHE_LINE;
	size_t readers = offsetof(struct inval, reader);

	return !line || words_line(line) ||
	       (at >= readers && at < readers + cpu_total() * sizeof(base.reader[0]));
}

void state_base(void)
{
	line_count = 0;
	for (unsigned i = 0; i < LINES; i++)
		if (is_saved(i))
			lines[line_count++] = i;
	base = world.iv;
}

static u8 *line_at(struct inval *iv, unsigned line)
{
	return (u8 *)iv + line * (size_t)CACHE_LINE;
}

bool state_leaks(void)
{
	for (unsigned i = 0; i < LINES; i++)
		if (!is_saved(i) &&
		    memcmp(line_at(&base, i), line_at(&world.iv, i), CACHE_LINE))
			return true;
	return false;
}

static size_t machine_size(void)
{
	return offsetof(struct machine, cpu) + cpu_total() * sizeof(struct xcpu);
}

/* From the stack pointer of a CPU to the top of its stack. */
static size_t live(unsigned cpu)
{
	return (size_t)(world.stack[cpu] + STACK - (u8 *)world.m.cpu[cpu].sp);
}

size_t state_save(u8 *out)
{
	u8 *at = out;

	memcpy(at, &world.m, machine_size());
	at += machine_size();
	for (unsigned i = 0; i < line_count; i++, at += CACHE_LINE)
		memcpy(at, line_at(&world.iv, lines[i]), CACHE_LINE);
	for (unsigned i = 0; i < cpu_total(); i++) {
		memcpy(at, world.m.cpu[i].sp, live(i));
		at += live(i);
	}
	return (size_t)(at - out);
}

void state_load(const u8 *in)
{
	memcpy(&world.m, in, machine_size());
	in += machine_size();
	for (unsigned i = 0; i < line_count; i++, in += CACHE_LINE)
		memcpy(line_at(&world.iv, lines[i]), in, CACHE_LINE);
	for (unsigned i = 0; i < cpu_total(); i++) {
		u8 *sp = world.m.cpu[i].sp;

		memset(sp - CLEARED, 0, CLEARED);
		memcpy(sp, in, live(i));
		in += live(i);
	}
}

struct state_hash state_hash(const u8 *in, size_t size)
{
	u64 a = 0x9e3779b97f4a7c15, b = 0xc2b2ae3d27d4eb4f ^ size;

	for (size_t i = 0; i < size; i += sizeof(u64)) {
		u64 word;

		memcpy(&word, in + i, sizeof(word));
		a = (a ^ word) * 0xff51afd7ed558ccd;
		a ^= a >> 32;
		b = (b + word) * 0xc4ceb9fe1a85ec53;
		b ^= b >> 29;
	}
	return (struct state_hash){ a ^ b >> 31, b };
}
