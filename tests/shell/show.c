/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show - listings: a line each for people, or a record each for tools
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "lib/console.h"
#include "lib/str.h"
#include "lib/trace.h"
#include "tests/shell/parse.h"
#include "tests/shell/shell.h"
#include "vm/vm.h"

#define ENTRIES 512

extern const char catalog_start[], catalog_end[];

/*
 * Texts "KIND\tNAME\tWHAT", each ended by at least one NUL (lib/catalog.h).  They are
 * looked for once: a completion asks for each of them many times.
 */
static const char *entry_at(unsigned i)
{
	static const char *entry[ENTRIES];
	static unsigned n;
	const char *at = n ? catalog_end : catalog_start;

	for (; at < catalog_end && n < ENTRIES; at += strlen(at) + 1)
		if (*at)
			entry[n++] = at;
	return i < n ? entry[i] : NULL;
}

static const char *column(const char *s, char *to, size_t size)
{
	size_t n = 0;

	while (s[n] && s[n] != '\t')
		n++;
	str_copy(to, s, MIN(n + 1, size));
	return s + n + (s[n] == '\t');
}

bool shell_catalog(unsigned i, struct catalog_entry *out)
{
	const char *at = entry_at(i);

	if (!at)
		return false;
	at = column(at, out->kind, sizeof(out->kind));
	out->what = column(at, out->name, sizeof(out->name));
	return true;
}

/* Members of the record: which runs take it.  So a tool can ask for a part of a run. */
static const char *test_taken(const char *name)
{
	const struct test *t = tests_start;

	while (t < tests_end && strcmp(t->name, name) != 0)
		t++;
	if (t == tests_end)
		return "";
	if (t->hidden)
		return t->protocols ? "\"hidden\":true,\"protocols\":true,"
				    : "\"hidden\":true,";
	return t->protocols ? "\"protocols\":true," : "";
}

static const char *taken(const struct catalog_entry *e)
{
	if (!strcmp(e->kind, "test"))
		return test_taken(e->name);
	if (strcmp(e->kind, "proto") != 0)
		return "";
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(e->name, inval_protos[i]->name) && inval_protos[i]->basic)
			return "\"basic\":true,";
	return "";
}

static void show_entry(const struct shell *sh, const struct catalog_entry *e)
{
	char what[120];

	parse_clean(what, sizeof(what), e->what);
	if (sh->json)
		print("@{\"type\":\"item\",\"of\":\"list\",\"kind\":\"%s\",\"name\":\"%s\","
		      "%s\"what\":\"%s\"}\n",
		      e->kind, e->name, taken(e), what);
	else
		print("# %-6s %-28s %s\n", e->kind, e->name, e->what);
}

/* Of one kind, by name. */
static unsigned show_kind(const struct shell *sh, const char *kind, const char *glob)
{
	static struct catalog_entry e[ENTRIES], now;
	unsigned n = 0;

	for (unsigned i = 0; shell_catalog(i, &now) && n < ENTRIES; i++) {
		unsigned at = n;

		if (strcmp(now.kind, kind) || !config_match(glob, now.name))
			continue;
		for (n++; at && strcmp(now.name, e[at - 1].name) < 0; at--)
			e[at] = e[at - 1];
		e[at] = now;
	}
	for (unsigned i = 0; i < n; i++)
		show_entry(sh, &e[i]);
	return n;
}

const char *shell_list(struct shell *sh, const char *rest)
{
	static const char *const kinds[] = { "test", "proto", "mutant", "option" };
	unsigned n = 0;

	if (strlen(rest) >= CONFIG_LIST)
		return "the glob is too long";
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		n += show_kind(sh, kinds[i], *rest ? rest : "*");
	return n ? NULL : "nothing has such a name";
}

static struct shell *teller;

static void tell(const char *name, u64 value)
{
	if (teller->json)
		print("@{\"type\":\"item\",\"of\":\"caps\",\"name\":\"%s\",\"value\":%lu}\n",
		      name, value);
	else
		print("# %-28s 0x%lx\n", name, value);
}

/* The backend's words as it has agreed on them with the CPU, and what they come to. */
const char *shell_caps(struct shell *sh, const char *rest)
{
	(void)rest;
	if (sh->no_guests)
		return sh->no_guests;
	teller = sh;
	if (sh->json)
		print("@{\"type\":\"item\",\"of\":\"caps\",\"name\":\"backend\",\"value\":"
		      "\"%s\"}\n",
		      backend->name);
	else
		print("# %-28s %s\n", "backend", backend->name);
	backend->tell(tell);
	tell("largest leaf, as a level", backend->max_leaf());
	tell("timer of guest time", backend->has_timer());
	tell("accessed and dirty flags", backend->has_ad());
	tell("page-modification log", backend->has_pml());
	tell("execute-only pages", backend->exec_only());
	tell("machine check on page size", backend->multihit());
	return NULL;
}

const char *shell_cpus(struct shell *sh, const char *rest)
{
	(void)rest;
	if (!sh->json)
		print("# %u CPUs, %s\n", cpu_count, apic_mode_name());
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu_public *pub = &cpus[i]->pub;
		const char *state = !i                         ? "shell"
				    : load_relaxed(&pub->work) ? "busy"
							       : "idle";

		if (sh->json)
			print("@{\"type\":\"item\",\"of\":\"cpus\",\"cpu\":%u,\"apic\":%u,"
			      "\"state\":\"%s\",\"kicks\":%lu}\n",
			      i, cpus[i]->apic_id, state, load_relaxed(&pub->kicks));
		else
			print("# cpu %u apic 0x%x %s, %lu kicks taken\n", i,
			      cpus[i]->apic_id, state, load_relaxed(&pub->kicks));
	}
	return NULL;
}

static void trace_records(unsigned cpu)
{
	struct trace_line e[TRACE_LEN];

	trace_copy(cpu, e);
	for (unsigned i = 0; i < TRACE_LEN; i++)
		if (e[i].what)
			print("@{\"type\":\"item\",\"of\":\"trace\",\"cpu\":%u,\"tsc\":%lu,"
			      "\"event\":\"%s\",\"a\":%lu,\"b\":%lu}\n",
			      cpu, e[i].tsc, trace_event_name(e[i].what), e[i].a,
			      e[i].b);
}

const char *shell_trace(struct shell *sh, const char *rest)
{
	(void)rest;
	if (!CHECKED)
		return "the fast build has no trace";
	if (!sh->json)
		trace_dump(cpu_count);
	for (unsigned i = 0; i < cpu_count && sh->json; i++)
		trace_records(i);
	return NULL;
}

void shell_show_set(struct shell *sh)
{
	char value[CONFIG_LIST], clean[CONFIG_LIST];
	const char *key, *what;

	for (unsigned i = 0; (key = config_option(i, &what)); i++) {
		config_value(&sh->base, key, value, sizeof(value));
		parse_clean(clean, sizeof(clean), value);
		if (sh->json)
			print("@{\"type\":\"item\",\"of\":\"set\",\"key\":\"%s\","
			      "\"value\":\"%s\"}\n",
			      key, clean);
		else
			print("# %-8s %-12s %s\n", key, *value ? value : "-", what);
	}
}

const char *shell_help(struct shell *sh, const char *rest)
{
	unsigned n = 0;

	for (unsigned i = 0; i < shell_command_count; i++) {
		const struct command *c = &shell_commands[i];

		if (*rest && strcmp(rest, c->name))
			continue;
		n++;
		if (sh->json)
			print("@{\"type\":\"item\",\"of\":\"help\",\"name\":\"%s\","
			      "\"args\":\"%s\",\"what\":\"%s\"}\n",
			      c->name, c->args, c->what);
		else
			print("# %-7s%-23s %s\n", c->name, c->args, c->what);
	}
	if (!sh->json && !*rest)
		print("# Ctrl-C stops a run; TAB completes, twice it lists\n");
	return n ? NULL : "there is no such command: help lists them";
}
