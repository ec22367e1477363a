/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words - what may stand at some place of a line, for its completion
 */
#include "lib/str.h"
#include "tests/shell/parse.h"
#include "tests/shell/shell.h"

static const char *command(unsigned i)
{
	return i < shell_command_count ? shell_commands[i].name : NULL;
}

/* The i-th name of a kind in the catalogue; names of options end with `tail`. */
static const char *named(const char *kind, unsigned i, const char *tail)
{
	static struct catalog_entry e;
	static char text[80];

	for (unsigned k = 0; shell_catalog(k, &e); k++)
		if (!strcmp(e.kind, kind) && !i--) {
			fmt_str(text, sizeof(text), "%s%s", e.name, tail);
			return text;
		}
	return NULL;
}

/* Words of a run: a kind's names, then the options. */
static const char *name_or_option(const char *kind, unsigned i)
{
	const char *name = named(kind, i, "");
	static struct catalog_entry e;
	unsigned names = 0;

	if (name)
		return name;
	for (unsigned k = 0; shell_catalog(k, &e); k++)
		names += !strcmp(e.kind, kind);
	return named("option", i - names, "=");
}

/* The key before line[stem], if a value stands there. */
static bool value_of(const char *line, size_t stem, const char *key)
{
	size_t n = strlen(key);

	while (stem && line[stem - 1] != '=' && line[stem - 1] != ' ')
		stem--;
	return stem > n && line[stem - 1] == '=' &&
	       !strncmp(line + stem - 1 - n, key, n);
}

static const char *value(const char *line, size_t stem, unsigned i)
{
	static const struct {
		const char *key, *kind;
	} of[] = { { "run", "test" }, { "proto", "proto" }, { "mutant", "mutant" } };

	for (unsigned k = 0; k < ARRAY_LEN(of); k++)
		if (value_of(line, stem, of[k].key))
			return named(of[k].kind, i, "");
	return NULL;
}

/* Is there a '=' in the word that goes on at line[stem]? */
static bool in_value(const char *line, size_t stem)
{
	while (stem && line[stem - 1] != ' ')
		if (line[--stem] == '=')
			return true;
	return false;
}

static const char *argument(const char *verb, unsigned i)
{
	static const char *const switches[] = { "on", "off" };

	if (!strcmp(verb, "run") || !strcmp(verb, "bench") || !strcmp(verb, "list"))
		return name_or_option("test", i);
	if (!strcmp(verb, "zoo"))
		return name_or_option("mutant", i);
	if (!strcmp(verb, "set"))
		return named("option", i, "");
	if (!strcmp(verb, "help"))
		return command(i);
	if (!strcmp(verb, "json") && i < ARRAY_LEN(switches))
		return switches[i];
	return NULL;
}

const char *shell_words(const char *line, size_t stem, unsigned i)
{
	const char *end = line + stem;
	char verb[PARSE_VERB];
	const char *rest = parse_verb(line, verb);
	u64 n;

	if (rest <= end && !strcmp(verb, "repeat")) {
		line = parse_number(rest, &n);
		if (!line || line > end)
			return NULL;
		rest = parse_verb(line, verb);
		stem = (size_t)(end - line);
	}
	if (!*verb || rest > end || end == line)
		return command(i);
	return in_value(line, stem) ? value(line, stem, i) : argument(verb, i);
}
