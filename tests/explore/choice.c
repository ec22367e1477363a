/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choice - what may happen next, one thing at a time.
 */
#include "tests/explore/choice.h"
#include "tests/explore/cpu.h"
#include "tests/explore/story.h"
#include "tests/explore/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char letters[CHOICE_KINDS + 1] = "rdalf";

static bool can_fill(const struct xcpu *c, unsigned page)
{
	return c->guest && !config.no_fill && page < page_total() &&
	       c->tlb[c->root][page] == TLB_EMPTY;
}

static bool possible(struct choice c)
{
	const struct xcpu *x = &world.m.cpu[c.cpu];

	switch (c.kind) {
	case CHOICE_RUN:
		return cpu_can_run(c.cpu);
	case CHOICE_DRAIN:
		return x->count;
	case CHOICE_ARRIVE:
		return x->flight;
	case CHOICE_LEAVE:
		return x->guest;
	default:
		return can_fill(x, c.page);
	}
}

unsigned choice_list(struct choice out[CHOICE_MAX])
{
	unsigned n = 0;

	for (u8 cpu = 0; cpu < cpu_total(); cpu++)
		for (u8 kind = 0; kind < CHOICE_KINDS; kind++)
			for (u8 page = 0; page < PAGES; page++) {
				out[n] = (struct choice){ kind, cpu, page };
				if (possible(out[n]))
					n++;
				if (kind != CHOICE_FILL)
					break;
			}
	return n;
}

static void fill(unsigned cpu, unsigned page)
{
	struct xcpu *c = &world.m.cpu[cpu];
	const atomic64_t *word = &world.m.ept[page];
	u64 entry = word->raw;

	words_use((uintptr_t)word, sizeof(*word), cpu, false);
	c->tlb[c->root][page] = (u8)entry;
	tell("fills its TLB from %s: %s", word_name((uintptr_t)word),
	     entry == EPT_OLD ? "old" : "new");
}

bool choice_apply(struct choice c)
{
	if (!possible(c))
		return false;
	switch (c.kind) {
	case CHOICE_RUN:
		cpu_run(c.cpu);
		break;
	case CHOICE_DRAIN:
		cpu_drain(c.cpu);
		break;
	case CHOICE_ARRIVE:
		world.m.cpu[c.cpu].flight--;
		cpu_arrive(c.cpu);
		break;
	case CHOICE_LEAVE:
		tell("the guest leaves by itself");
		cpu_leave(c.cpu);
		break;
	default:
		fill(c.cpu, c.page);
	}
	for (unsigned i = 0; i < cpu_total(); i++)
		if (world.m.cpu[i].resume) {
			world.m.cpu[i].resume = 0;
			cpu_run(i);
		}
	return true;
}

void choice_print(struct choice c, char out[8])
{
	snprintf(out, 8, c.kind == CHOICE_FILL ? "%u%c%u" : "%u%c", c.cpu,
		 letters[c.kind], c.page);
}

const char *choice_scan(const char *text, struct choice *c)
{
	const char *letter;

	while (isspace((unsigned char)*text))
		text++;
	if (!isdigit((unsigned char)text[0]) ||
	    (unsigned)(text[0] - '0') >= cpu_total())
		return NULL;
	letter = text[1] ? strchr(letters, text[1]) : NULL;
	if (!letter)
		return NULL;
	*c = (struct choice){ (u8)(letter - letters), (u8)(text[0] - '0'), 0 };
	text += 2;
	if (c->kind == CHOICE_FILL) {
		if (!isdigit((unsigned char)*text))
			return NULL;
		c->page = (u8)(*text++ - '0');
	}
	return !*text || isspace((unsigned char)*text) ? text : NULL;
}
