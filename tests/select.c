/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select - which tests run, in which order
 *
 * The linker may put records in any order, so they are sorted by file and line.
 */
#include "tests/select.h"
#include "inval/zoo.h"
#include "lib/console.h"
#include "lib/str.h"

static bool before(const struct test *a, const struct test *b)
{
	int c = strcmp(a->file, b->file);

	return c < 0 || (c == 0 && a->line < b->line);
}

static unsigned sorted(const struct test **out)
{
	unsigned n = 0;

	for (const struct test *t = tests_start; t < tests_end; t++) {
		unsigned i = n++;

		if (n > SELECT_MAX)
			panic("more than %u tests", SELECT_MAX);
		for (; i && before(t, out[i - 1]); i--)
			out[i] = out[i - 1];
		out[i] = t;
	}
	return n;
}

static bool wanted(const struct config *c, const struct test *t)
{
	if (!*c->run)
		return !t->hidden;
	return t->hidden ? config_names(c->run, t->name)
			 : config_match(c->run, t->name);
}

static void add(struct selection *s, const struct test *t, const struct inval_proto *p,
		bool mutant)
{
	if (s->n == SELECT_MAX)
		panic("more than %u tests are selected", SELECT_MAX);
	s->test[s->n] = t;
	s->mutant[s->n] = mutant;
	s->proto[s->n++] = p;
}

static void add_protocols(struct selection *s, const struct config *c,
			  const struct test *t)
{
	for (unsigned i = 0; i < inval_proto_count; i++) {
		const struct inval_proto *p = inval_protos[i];

		if (*c->proto ? config_match(c->proto, p->name)
			      : p->basic && !*c->mutant)
			add(s, t, p, false);
	}
	for (unsigned i = 0; i < inval_mutant_count; i++)
		if (config_match(c->mutant, mutant_name(inval_mutants[i])))
			add(s, t, inval_mutants[i], true);
}

static bool test_exists(const char *glob)
{
	for (const struct test *t = tests_start; t < tests_end; t++)
		if (config_match(glob, t->name))
			return true;
	return false;
}

static bool proto_exists(const char *glob)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (config_match(glob, inval_protos[i]->name))
			return true;
	return false;
}

static bool mutant_exists(const char *glob)
{
	for (unsigned i = 0; i < inval_mutant_count; i++)
		if (config_match(glob, mutant_name(inval_mutants[i])))
			return true;
	return false;
}

/* Does each glob of the list match something? */
static bool each_exists(const char *list, bool (*exists)(const char *), const char *key)
{
	char glob[CONFIG_LIST];

	while (*list) {
		size_t n = 0;

		while (list[n] && list[n] != ',')
			n++;
		str_copy(glob, list, n + 1);
		if (!exists(glob)) {
			config_complain("nothing matches %s=%s", key, glob);
			return false;
		}
		list += n + (list[n] == ',');
	}
	return true;
}

static void list_all(const struct test **all, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		print("#   run=%s\n", all[i]->name);
	for (unsigned i = 0; i < inval_proto_count; i++)
		print("#   proto=%s\n", inval_protos[i]->name);
	for (unsigned i = 0; i < inval_mutant_count; i++)
		print("#   mutant=%s\n", mutant_name(inval_mutants[i]));
}

bool select_tests(struct selection *s, const struct config *c)
{
	static const struct test *all[SELECT_MAX];
	unsigned n = sorted(all);
	struct step_plan plan;

	s->n = 0;
	if (!steps_parse(&plan, c->replay)) {
		config_complain("replay=%s is no schedule; see tests/steps.h",
				c->replay);
		return false;
	}
	if (!each_exists(c->run, test_exists, "run") ||
	    !each_exists(c->proto, proto_exists, "proto") ||
	    !each_exists(c->mutant, mutant_exists, "mutant")) {
		list_all(all, n);
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!wanted(c, all[i]))
			continue;
		if (all[i]->protocols)
			add_protocols(s, c, all[i]);
		else if ((!*c->proto && !*c->mutant) || *c->run)
			add(s, all[i], NULL, false);
	}
	if (!s->n)
		config_complain("the selection is empty");
	return s->n;
}
