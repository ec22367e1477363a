/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps_text - plans as words, and plans by chance.
 */
#include "lib/fmt.h"
#include "lib/str.h"
#include "tests/steps.h"

#define SPINS_LOG2 12 /* delays are spread evenly over the powers of two up to here */
#define NTH_MAX    4
#define MEETING    3 /* items of one */

static bool number(const char **at, u64 *out)
{
	const char *s = *at;
	u64 n = 0;

	while (*s >= '0' && *s <= '9' && n < UINT32_MAX)
		n = n * 10 + (u64)(*s++ - '0');
	*out = n;
	if (s == *at)
		return false;
	*at = s;
	return true;
}

static bool sign(const char **at, char c)
{
	return **at == c && (*at)++;
}

static bool letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool where(const char **at, struct step_at *out)
{
	unsigned n = 0;
	u64 cpu;

	if (!number(at, &cpu) || cpu >= CPU_MAX || !sign(at, '.'))
		return false;
	out->cpu = (unsigned)cpu;
	while (letter(**at) && n < STEPS_NAME - 1)
		out->step[n++] = *(*at)++;
	out->step[n] = 0;
	return n && sign(at, '.') && number(at, &out->nth) && out->nth;
}

static bool item(const char **at, struct step_item *it)
{
	if (!where(at, &it->at))
		return false;
	if (sign(at, '@')) {
		it->action = STEP_HOLD;
		return where(at, &it->until);
	}
	it->action = **at == '^' ? STEP_KICK : STEP_SPIN;
	if (!sign(at, '^') && !sign(at, '+'))
		return false;
	return number(at, &it->arg) && (it->action == STEP_SPIN || it->arg < CPU_MAX);
}

bool steps_parse(struct step_plan *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	while (*text) {
		if (p->n == STEPS_ITEMS || !item(&text, &p->item[p->n]))
			return false;
		p->n++;
		if (*text && (!sign(&text, ',') || !*text))
			return false;
	}
	return true;
}

static size_t print_at(char *buf, size_t size, const struct step_at *at)
{
	return fmt_str(buf, size, "%u.%s.%lu", at->cpu, at->step, at->nth);
}

void steps_text(char *buf, size_t size, const struct step_plan *p)
{
	static const char mark[] = {
		[STEP_SPIN] = '+', [STEP_HOLD] = '@', [STEP_KICK] = '^'
	};
	size_t n = 0;

	buf[0] = 0;
	for (unsigned i = 0; i < p->n && n < size; i++) {
		const struct step_item *it = &p->item[i];

		if (i)
			n += fmt_str(buf + n, size - n, ",");
		if (n < size)
			n += print_at(buf + n, size - n, &it->at);
		if (n < size)
			n += fmt_str(buf + n, size - n, "%c", mark[it->action]);
		if (n < size && it->action == STEP_HOLD)
			n += print_at(buf + n, size - n, &it->until);
		else if (n < size)
			n += fmt_str(buf + n, size - n, "%lu", it->arg);
	}
}

/* False: no step of that CPU is known. */
static bool draw_at(struct step_at *at, struct rng *rng, unsigned cpu,
		    const struct step_names *k, u64 most)
{
	u64 n = load_acquire(&k->n);

	if (!n)
		return false;
	at->cpu = cpu;
	str_copy(at->step, k->name[rng_below(rng, n)], STEPS_NAME);
	at->nth = rng_below(rng, 2) ? 1 : 1 + rng_below(rng, most);
	return true;
}

static bool draw_item(struct step_item *it, struct rng *rng,
		      const struct step_names *known, unsigned cpus)
{
	unsigned cpu = (unsigned)rng_below(rng, cpus);
	unsigned other = (cpu + 1 + (unsigned)rng_below(rng, cpus - 1)) % cpus;

	if (!draw_at(&it->at, rng, cpu, &known[cpu], NTH_MAX))
		return false;
	switch (rng_below(rng, 4)) {
	case 0:
		it->action = STEP_HOLD;
		return draw_at(&it->until, rng, other, &known[other], NTH_MAX);
	case 1:
		it->action = STEP_KICK;
		it->arg = 1 + rng_below(rng, cpus - 1);
		return true;
	default:
		it->action = STEP_SPIN;
		it->arg = 1 + rng_below(rng, BIT(rng_below(rng, SPINS_LOG2 + 1)));
		return true;
	}
}

/*
 * The initiator waits at one of its steps until a reader has come to one of its own,
 * and the reader sleeps there until the initiator has come to another.  In one of two
 * it is fetched out of its guest for that; else that is up to the protocol.
 */
static bool draw_meeting(struct step_plan *p, struct rng *rng,
			 const struct step_names *known, unsigned cpus)
{
	struct step_item *fetch = &p->item[0], *wait = &p->item[1],
			 *sleep = &p->item[2];
	unsigned reader = 1 + (unsigned)rng_below(rng, cpus - 1);

	if (!draw_at(&fetch->at, rng, 0, &known[0], 1) ||
	    !draw_at(&sleep->at, rng, reader, &known[reader], 1) ||
	    !draw_at(&sleep->until, rng, 0, &known[0], 1))
		return false;
	fetch->action = rng_below(rng, 2) ? STEP_KICK : STEP_SPIN;
	fetch->arg = fetch->action == STEP_KICK ? reader : 1;
	wait->action = sleep->action = STEP_HOLD;
	wait->at = fetch->at;
	wait->until = sleep->at;
	p->n = MEETING;
	return true;
}

void steps_draw(struct step_plan *p, struct rng *rng, unsigned items,
		const struct step_names *known, unsigned cpus)
{
	memset(p, 0, sizeof(*p));
	if (items >= MEETING && rng_below(rng, 2) && draw_meeting(p, rng, known, cpus))
		return;
	for (unsigned i = 0; i < MIN(items, (unsigned)STEPS_ITEMS); i++)
		if (draw_item(&p->item[p->n], rng, known, cpus))
			p->n++;
}
