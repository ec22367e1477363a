/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * story - a schedule in words: what happened in a step, and the names of words.
 */
#include "tests/explore/story.h"
#include "inval/step.h"
#include "tests/explore/world.h"

#include <stdarg.h>
#include <stdio.h>

#define TURNS 8

bool telling;

static char text[2000];
static size_t length;

void story_add(const char *f, ...)
{
	va_list ap;
	int n;

	if (length && length < sizeof(text) - 3) {
		text[length++] = ';';
		text[length++] = ' ';
	}
	va_start(ap, f);
	n = vsnprintf(text + length, sizeof(text) - length, f, ap);
	va_end(ap);
	length = MIN(length + (size_t)MAX(n, 0), sizeof(text) - 1);
}

/* The name of the step that the explored code comes to. */
static void come_to(const char *step)
{
	tell("[%s]", step);
}

void (*step_hook)(const char *step) = come_to;

const char *story_take(void)
{
	static char taken[sizeof(text)];

	snprintf(taken, sizeof(taken), "%.*s", (int)length, text);
	length = 0;
	return taken;
}

static char *turn(size_t *size)
{
	static char buffers[TURNS][80];
	static unsigned next;

	*size = sizeof(buffers[0]);
	return buffers[next++ % TURNS];
}

/* An array of words: `each` bytes apart, `count` of them, from `base` on. */
static const struct region {
	const char *name;
	const void *base;
	size_t each, count;
} regions[] = {
	{ "gen", &world.iv.gen, 8, 1 },
	{ "active", world.iv.active, 8, ARRAY_LEN(world.iv.active) },
	{ "mask", world.iv.mask, 8, ARRAY_LEN(world.iv.mask) },
	{ "shared", world.iv.shared, sizeof(world.iv.shared[0]),
	  ARRAY_LEN(world.iv.shared) },
	{ "wr", &world.iv.smr.wr, 4, 1 },
	{ "rd", &world.iv.smr.rd, 4, 1 },
	{ "slot", &world.iv.smr.slot[0].seen, sizeof(world.iv.smr.slot[0]), CPU_MAX },
	{ "mark", &world.iv.reader[0].mark, sizeof(world.iv.reader[0]), CPU_MAX },
	{ "flushes", &world.iv.reader[0].flushes, sizeof(world.iv.reader[0]), CPU_MAX },
	{ "ept", world.m.ept, 8, PAGES },
	{ "kicks", world.m.kicks, 8, CPUS },
	{ "came", world.m.came, 8, CPUS },
	{ "lock", &world.m.lock, 8, 1 },
	{ "over", &world.m.over, 8, 1 },
	{ "door", &world.iv.door, 8, 1 },
};

static const struct region *find(uintptr_t at, size_t *index)
{
	for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
		size_t offset = at - (uintptr_t)regions[i].base;

		*index = offset / regions[i].each;
		if (*index < regions[i].count && offset % regions[i].each == 0)
			return &regions[i];
	}
	return NULL;
}

const char *word_name(uintptr_t at)
{
	size_t index, size;
	char *out = turn(&size);
	const struct region *r = find(at, &index);

	if (!r)
		snprintf(out, size, "inval+%#lx", at - (uintptr_t)&world.iv);
	else if (r->count == 1)
		snprintf(out, size, "%s", r->name);
	else
		snprintf(out, size, "%s[%zu]", r->name, index);
	return out;
}

/* Sequences start anywhere: they are told as steps from where they started. */
static bool is_sequence(uintptr_t at)
{
	uintptr_t slots = (uintptr_t)world.iv.smr.slot;

	return at == (uintptr_t)&world.iv.smr.wr || at == (uintptr_t)&world.iv.smr.rd ||
	       (at >= slots && at < slots + sizeof(world.iv.smr.slot));
}

const char *word_value(uintptr_t at, u64 value)
{
	size_t size;
	char *out = turn(&size);

	if (is_sequence(at) && value == SMR_IDLE)
		snprintf(out, size, "idle");
	else if (is_sequence(at))
		snprintf(out, size, "seq %u",
			 ((u32)value - world.iv.smr.step.init) /
				 world.iv.smr.step.incr);
	else if (at >= (uintptr_t)world.m.ept && at < (uintptr_t)world.m.kicks)
		snprintf(out, size, "%s", value == EPT_OLD ? "old" : "new");
	else
		snprintf(out, size, value < 10 ? "%lu" : "%#lx", value);
	return out;
}
