/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main - the explorer's command line
 *
 *	explore                          the suite
 *	explore --list                   what can be explored
 *	explore PROTOCOL|ROW [OPTION ...]
 *
 * Exit status 0: safe and live (the suite: all as expected); 1: not so; 2: an argument
 * is wrong.
 */
#include "tests/explore/report.h"
#include "tests/explore/rows.h"
#include "tests/explore/suite.h"
#include "inval/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: explore [--list | PROTOCOL | ROW] [OPTION ...]\n"
	"  --ipi flight|instant   when kicks arrive            (flight)\n"
	"  --readers N            CPUs that run the guest      (1)\n"
	"  --initiators N         CPUs that edit               (1)\n"
	"  --runs N               guest runs of each reader    (2)\n"
	"  --edits N              edits of each initiator      (1)\n"
	"  --eats                 the host takes kicks between enter() and VM entry\n"
	"  --replay SCHEDULE      \"0r 1a ...\", or a file with a schedule\n"
	"At most 4 CPUs and 4 edits.\n";

static _Noreturn void refuse(const char *what, const char *which)
{
	fprintf(stderr, "explore: %s%s\n%s", what, which, usage);
	exit(2);
}

static void list(void)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		printf("%-14s %s\n", inval_protos[i]->name, inval_protos[i]->what);
	for (unsigned i = 0; i < inval_mutant_count; i++)
		printf("%-14s %s\n", inval_mutants[i]->name, inval_mutants[i]->what);
	for (unsigned i = 0; i < row_count; i++)
		printf("%-14s %s\n", rows[i].id, rows[i].what);
}

static void choose(const char *name)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(inval_protos[i]->name, name))
			config.proto = inval_protos[i];
	for (unsigned i = 0; i < inval_mutant_count; i++)
		if (!strcmp(inval_mutants[i]->name, name))
			config.proto = inval_mutants[i];
	for (unsigned i = 0; i < row_count && !config.proto; i++)
		if (!strcmp(rows[i].id, name)) {
			config.proto = rows[i].proto;
			config.eats = rows[i].eats;
			config.quarter = rows[i].quarter;
			config.edits = rows[i].edits ? rows[i].edits : 1;
			config.door = rows[i].door;
			config.burden = rows[i].burden;
			config.initiators = rows[i].initiators ? rows[i].initiators : 1;
		}
	if (!config.proto)
		refuse("there is no such protocol: ", name);
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n < 1 || n > 100)
		refuse("not a number from 1 to 100: ", text);
	return (unsigned)n;
}

static void ipi(const char *how)
{
	config.instant = !strcmp(how, "instant");
	if (!config.instant && strcmp(how, "flight"))
		refuse("kicks are flight or instant: ", how);
}

/* The text of --replay's argument, which may name a file. */
static const char *schedule_text(const char *arg)
{
	static char text[65536];
	FILE *f = fopen(arg, "r");

	if (!f)
		return arg;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	return text;
}

/* An option with a value. */
static void option(const char *name, const char *value, const char **replay)
{
	if (!strcmp(name, "--ipi"))
		ipi(value);
	else if (!strcmp(name, "--readers"))
		config.readers = number(value);
	else if (!strcmp(name, "--initiators"))
		config.initiators = number(value);
	else if (!strcmp(name, "--runs"))
		config.runs = number(value);
	else if (!strcmp(name, "--edits"))
		config.edits = number(value);
	else if (!strcmp(name, "--replay"))
		*replay = schedule_text(value);
	else
		refuse("there is no such option: ", name);
}

static int judge(void)
{
	static struct verdict v;

	search(&v);
	printf("%s, %u initiators, %u readers, %u runs, kicks %s\n", config.proto->name,
	       config.initiators, config.readers, config.runs,
	       config.instant ? "arrive at once" : "have a flight time");
	printf("%u states, %u transitions, %u ms%s\n", v.states, v.transitions, v.ms,
	       v.complete ? "" : ", NOT COMPLETE");
	if (v.panic)
		printf("panic: %s\n", v.panic);
	printf("%s\n", v.unsafe ? "UNSAFE" : v.complete ? "safe" : "safe so far");
	if (v.unsafe || v.panic)
		report_schedule(&v.to_unsafe, "");
	if (v.complete)
		printf("%s\n", v.waits ? "un-kicked wait" : "live");
	if (v.waits)
		report_schedule(&v.to_wait, "");
	return !v.complete || v.unsafe || v.waits;
}

int main(int argc, char **argv)
{
	const char *replay = NULL;
	static struct schedule s;

	if (argc == 1)
		return suite();
	if (!strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	config =
		(struct config){ .initiators = 1, .readers = 1, .runs = 2, .edits = 1 };
	choose(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--eats")) {
			config.eats = true;
			continue;
		}
		if (i + 1 == argc)
			refuse("a value is missing for ", argv[i]);
		option(argv[i], argv[i + 1], &replay);
		i++;
	}
	if (cpu_total() > CPUS || page_total() > PAGES)
		refuse("too many CPUs or edits", "");
	if (!replay)
		return judge();
	if (!schedule_read(replay, &s))
		return 2;
	switch (report_replay(&s)) {
	case END_NOTHING:
		return 0;
	case END_IMPOSSIBLE:
		return 2;
	default:
		return 1;
	}
}
