/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words - who uses each shared word, so that steps nobody can notice are no decisions.
 */
#include "tests/explore/words.h"
#include "tests/explore/world.h"
#include "lib/str.h"

#define WORDS (sizeof(struct world) / sizeof(u32))

static u8 users[WORDS], writers[WORDS]; /* masks of CPUs */
static bool lines[sizeof(struct inval) / CACHE_LINE];
bool words_grew;

static size_t word_index(uintptr_t at)
{
	uintptr_t offset = at - (uintptr_t)&world;

	if (offset >= sizeof(world))
		panic("a shared word lies outside of struct inval");
	return offset / sizeof(u32);
}

void words_forget(void)
{
	memset(users, 0, sizeof(users));
	memset(writers, 0, sizeof(writers));
	memset(lines, 0, sizeof(lines));
}

static void add(u8 *mask, unsigned cpu)
{
	words_grew |= !(*mask & BIT(cpu));
	*mask |= (u8)BIT(cpu);
}

void words_use(uintptr_t at, unsigned size, unsigned cpu, bool writes)
{
	size_t i = word_index(at), end = i + size / sizeof(u32);

	if (writes && i * sizeof(u32) < sizeof(world.iv))
		lines[i * sizeof(u32) / CACHE_LINE] = true;
	for (; i < end; i++) {
		add(&users[i], cpu);
		if (writes)
			add(&writers[i], cpu);
	}
}

bool words_change(uintptr_t at, unsigned cpu)
{
	return config.full || writers[word_index(at)] & ~BIT(cpu);
}

bool words_private(uintptr_t at, unsigned cpu)
{
	return !config.full && !(users[word_index(at)] & ~BIT(cpu));
}

bool words_line(unsigned line)
{
	return lines[line];
}
