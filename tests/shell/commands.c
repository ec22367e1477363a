/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands - what can be typed, but for the listings
 *
 * Words of a run are those of the kernel's command line, by the same parser; a run
 * begins with the configuration that `set` keeps, and changes a copy of it.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/power.h"
#include "lib/console.h"
#include "lib/lineedit.h"
#include "lib/str.h"
#include "tests/operator.h"
#include "tests/shell/parse.h"
#include "tests/shell/shell.h"

/* What is wrong with the words has been printed by who read them. */
static const char *refused(struct shell *sh)
{
	sh->reported = true;
	return config_complaint();
}

/* With fewer CPUs than there are, if that is asked for; the others stay idle. */
static const char *run(struct shell *sh, const struct config *c)
{
	unsigned all = cpu_count;

	if (sh->json)
		print("@{\"type\":\"run\",\"n\":%lu}\n", sh->number);
	cpu_count = (unsigned)MIN(c->cpus, (u64)all);
	sh->status = tests_run(c, sh->pool, sh->no_guests);
	cpu_count = all;
	return sh->status == STATUS_USAGE ? refused(sh) : NULL;
}

/* A run with the words of the line; those without a key are values of `key`. */
static const char *run_words(struct shell *sh, struct config *c, const char *rest,
			     const char *key)
{
	static char words[LINE_MAX + 16];

	if (!parse_words(words, sizeof(words), rest, key))
		return "the line is too long";
	return config_words(c, words) ? run(sh, c) : refused(sh);
}

static const char *do_run(struct shell *sh, const char *rest)
{
	static struct config c;

	c = sh->base;
	return run_words(sh, &c, rest, "run");
}

static const char *do_bench(struct shell *sh, const char *rest)
{
	static struct config c;

	c = sh->base;
	str_copy(c.run, "bench/costs", sizeof(c.run));
	return run_words(sh, &c, rest, "run");
}

static const char *do_zoo(struct shell *sh, const char *rest)
{
	static struct config c;

	if (!CHECKED)
		return "the fast build has no mutants";
	c = sh->base;
	str_copy(c.run, "proto/*", sizeof(c.run));
	str_copy(c.mutant, "*", sizeof(c.mutant));
	return run_words(sh, &c, rest, "mutant");
}

/* KEY=VALUE for all later runs, if it is good. */
static const char *keep(struct shell *sh, const char *key, const char *value)
{
	static struct config c;
	char text[CONFIG_LIST + 40];

	c = sh->base;
	if (fmt_str(text, sizeof(text), "%s=\"%s\"", key, value) >= sizeof(text))
		return "the value is too long";
	if (!config_words(&c, text))
		return refused(sh);
	sh->base = c;
	return NULL;
}

static const char *do_set(struct shell *sh, const char *rest)
{
	char key[PARSE_VERB];
	const char *value = parse_verb(rest, key);

	if (*key && !*value)
		return "set takes a key and a value: set iters 500";
	if (*key)
		return keep(sh, key, value);
	shell_show_set(sh);
	return NULL;
}

static const char *do_seed(struct shell *sh, const char *rest)
{
	return *rest ? keep(sh, "seed", rest) : "seed takes a number: seed 7";
}

static const char *do_repeat(struct shell *sh, const char *rest)
{
	const char *why = NULL;
	char verb[PARSE_VERB];
	u64 n, i, failed = 0;
	static bool inside;
	bool stopped = false;

	rest = parse_number(rest, &n);
	if (!rest || !*rest || !n)
		return "repeat takes a number and a command: repeat 3 run vmx/hello";
	(void)parse_verb(rest, verb);
	if (inside || !strcmp(verb, "repeat"))
		return "repeat does not repeat itself";
	inside = true;
	for (i = 0; i < n && !why && !stopped; i++) {
		operator_begin(); /* for commands that are no runs */
		why = shell_do(sh, rest);
		failed += sh->status == STATUS_FAIL;
		stopped = operator_stopped() || operator_stops();
	}
	operator_end();
	inside = false;
	if (!sh->json)
		print("# repeat: %lu of %lu, %lu failed\n", i, n, failed);
	return why;
}

static const char *do_json(struct shell *sh, const char *rest)
{
	if (strcmp(rest, "on") && strcmp(rest, "off"))
		return "json takes on or off";
	sh->json = !strcmp(rest, "on");
	operator_beats(sh->json);
	return NULL;
}

static const char *do_halt(struct shell *sh, const char *rest)
{
	(void)rest;
	sh->over = true;
	return NULL;
}

static const char *do_reboot(struct shell *sh, const char *rest)
{
	machine_end_by("reboot");
	return do_halt(sh, rest);
}

const struct command shell_commands[] = {
	{ "list", "[GLOB]", "tests, protocols, mutants and options, by name",
	  shell_list },
	{ "run", "[GLOB | KEY=VALUE]...", "runs tests; words as on the command line",
	  do_run },
	{ "bench", "[GLOB | KEY=VALUE]...", "what invalidations cost: run bench/costs",
	  do_bench },
	{ "zoo", "[GLOB | KEY=VALUE]...", "mutants under all scenarios, by name",
	  do_zoo },
	{ "caps", "", "what this CPU can do for guests", shell_caps },
	{ "cpus", "", "the CPUs, their APIC IDs and what they do", shell_cpus },
	{ "trace", "", "the last events of each CPU", shell_trace },
	{ "set", "[KEY VALUE]", "an option of all later runs; alone: lists them",
	  do_set },
	{ "seed", "N", "of every random choice; the same as set seed N", do_seed },
	{ "repeat", "N COMMAND", "a command, so many times, until Ctrl-C", do_repeat },
	{ "json", "on|off", "records for tools, and no echo", do_json },
	{ "reboot", "", "resets the machine", do_reboot },
	{ "halt", "", "ends the machine as exit= says, with the last run's status",
	  do_halt },
	{ "help", "[COMMAND]", "this list", shell_help },
};
const unsigned shell_command_count = ARRAY_LEN(shell_commands);
