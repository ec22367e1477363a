/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell - commands on the serial line; docs/console.md is the contract
 *
 * It stands above the tests and below the init list: it starts runs as the init list
 * does, by tests_run(), and no test knows of it.  What a running test needs of the
 * line, to be stopped and to tell that it lives, is tests/operator.h.
 */
#include "tests/shell/shell.h"
#include "arch/x86_64/uart.h"
#include "arch/x86_64/watch.h"
#include "lib/atomic.h"
#include "lib/console.h"
#include "lib/lineedit.h"
#include "lib/str.h"
#include "tests/operator.h"
#include "tests/shell/parse.h"

_Static_assert(UART_LOST == LINE_LOST, "the line tells the editor");

static struct lineedit line;

static void put(const char *text)
{
	print("%s", text);
}

static int next_byte(void)
{
	int c;

	while ((c = uart_get()) == UART_NONE) {
		lineedit_show(&line);
		if (operator_pump())
			lineedit_spoilt(&line);
		watch_beat();
		relax();
	}
	return c;
}

static enum line_event read_line(void)
{
	enum line_event e;

	lineedit_begin(&line);
	do
		e = lineedit_feed(&line, next_byte());
	while (e == LINE_MORE);
	return e;
}

const char *shell_do(struct shell *sh, const char *text)
{
	static char why[80];
	char verb[PARSE_VERB];
	const char *rest = parse_verb(text, verb);

	for (unsigned i = 0; i < shell_command_count; i++)
		if (!strcmp(shell_commands[i].name, verb))
			return shell_commands[i].run(sh, rest);
	parse_clean(verb, sizeof(verb), verb);
	fmt_str(why, sizeof(why), "there is no command %s: help lists them", verb);
	return why;
}

/* Says how a command ended: to people if it did not, to tools always. */
static void done(struct shell *sh, bool json, const char *text, const char *why)
{
	char verb[PARSE_VERB], clean[300];

	if (why && !sh->reported)
		print("# console: %s\n", why);
	if (!json)
		return;
	(void)parse_verb(text, verb);
	parse_clean(verb, sizeof(verb), verb);
	parse_clean(clean, sizeof(clean), why ? why : "");
	print("@{\"type\":\"done\",\"command\":\"%s\",\"ok\":%s,%s%s%s\"n\":%lu}\n",
	      verb, why ? "false" : "true", why ? "\"error\":\"" : "", clean,
	      why ? "\"," : "", sh->number);
}

static void carry_out(struct shell *sh, const char *text)
{
	bool json = sh->json;
	char verb[PARSE_VERB];
	const char *why;

	(void)parse_verb(text, verb);
	if (!*verb)
		return;
	sh->number++;
	sh->reported = false;
	why = shell_do(sh, text);
	done(sh, json || sh->json, text, why); /* json off has one, too */
}

static const char *refusal(enum line_flaw flaw)
{
	static const char *const why[LINE_FLAWS] = {
		[LINE_LONG] = "a line of more than 4096 bytes is not run",
		[LINE_BINARY] = "a line with bytes that are no text is not run",
		[LINE_LOSSY] = "a line of which bytes were lost is not run",
	};

	return why[flaw];
}

static void loop(struct shell *sh)
{
	line.prompt = "shootdown> ";
	line.put = put;
	line.words = shell_words;
	while (!sh->over) {
		line.quiet = sh->json;
		switch (read_line()) {
		case LINE_DONE:
			carry_out(sh, line.text);
			break;
		case LINE_REFUSED:
			sh->number++;
			sh->reported = false;
			done(sh, sh->json, "", refusal(line.flaw));
			break;
		default:
			break;
		}
	}
}

/* A selection is for one run; numbers stay. */
static void forget_selection(struct config *c)
{
	*c->run = *c->proto = *c->mutant = *c->replay = 0;
	c->up = true;
}

static enum status first_run(const struct config *c, struct pool *pool,
			     const char *no_guests)
{
	if (c->refused) /* what the boot said since may fill a screen */
		print("# command line: %s\n"
		      "@{\"type\":\"end\",\"status\":%u,\"tests\":0}\n",
		      config_complaint(), STATUS_USAGE);
	if (c->idle)
		return c->refused ? STATUS_USAGE : STATUS_PASS;
	return tests_run(c, pool, no_guests);
}

enum status shell_boot(struct config *c, struct pool *pool, const char *no_guests)
{
	static struct shell sh;

	if (c->console)
		operator_listen();
	sh.status = first_run(c, pool, no_guests);
	if (!c->console)
		return sh.status;
	if (!uart_present()) {
		print("# console: there is no serial line\n");
		return sh.status;
	}
	sh.base = *c;
	sh.pool = pool;
	sh.no_guests = no_guests;
	forget_selection(&sh.base);
	print("# console: help lists the commands\n");
	loop(&sh);
	return sh.status;
}
