/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * haunt - what the ghost TLB found during a test becomes part of its verdict
 *
 * The first violation is found in a hook, with interrupts off, and the traces go on
 * after it: they are copied there, and printed when the test is over.
 */
#include "tests/haunt.h"
#include "arch/x86_64/cpu.h"
#include "lib/console.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "lib/trace.h"

static struct {
	struct trace_line finder[TRACE_LEN], maker[TRACE_LEN];
} last;

static atomic32_t found;

static void keep_traces(const struct ghost_violation *v)
{
	trace_copy(v->cpu, last.finder);
	if (v->by >= 0)
		trace_copy((unsigned)v->by, last.maker);
	store_release(&found, 1u);
}

bool haunt_found(void)
{
	return load_acquire(&found);
}

void haunt_begin(void)
{
	if (!CHECKED)
		return;
	store_relaxed(&found, 0u);
	ghost_hook(keep_traces);
	ghost_reset();
}

void haunt_take(struct ghost_tally *out)
{
	ghost_tell(out);
	ghost_reset();
}

static void explain(const struct ghost_tally *g)
{
	const struct ghost_violation *v = &g->was;
	char text[200];

	ghost_text(text, sizeof(text), v);
	print("# %s\n", text);
	print("# ghost: %s, root 0x%lx: CPU %u may hold what it walked since edit %lu; "
	      "%lu violations: %lu in the guest, %lu at entry, %lu of a reused root, "
	      "%lu under a tag of another root\n",
	      v->proto, v->root, v->cpu, v->lo > v->born ? v->lo - v->born : 0,
	      g->violations, g->of_kind[GHOST_IN_GUEST], g->of_kind[GHOST_STALE],
	      g->of_kind[GHOST_REUSED], g->of_kind[GHOST_MIXED]);
	trace_print(v->cpu, last.finder);
	if (v->by >= 0 && (unsigned)v->by != v->cpu)
		trace_print((unsigned)v->by, last.maker);
}

void haunt_look(struct run *t)
{
	if (CHECKED && ghost_violations())
		test_saw(t, BY_GHOST);
}

void haunt_judge(struct run *t)
{
	bool control = t->proto && !t->proto->sound;
	char text[200];

	if (!CHECKED)
		return;
	ghost_tell(&t->ghost);
	if (t->ghost.unwatched)
		test_inconclusive(t, "ghost: no room for the roots of %lu VMs",
				  t->ghost.unwatched);
	if (!t->ghost.violations)
		return;
	if (!control || t->mutant)
		explain(&t->ghost);
	ghost_text(text, sizeof(text), &t->ghost.was);
	test_kill(t, BY_GHOST, "%s", text);
}

void haunt_record(const struct run *t, char *buf, size_t size)
{
	char text[200];
	size_t n;

	str_copy(buf, "", size);
	if (!CHECKED)
		return;
	n = fmt_str(buf, size, "\"ghost\":{\"checked\":%lu,\"violations\":%lu",
		    t->ghost.checked, t->ghost.violations);
	if (t->ghost.violations) {
		ghost_text(text, sizeof(text), &t->ghost.was);
		n += fmt_str(buf + n, size - n, ",\"said\":\"%s\"", text);
	}
	fmt_str(buf + n, size - n, "},");
}
