/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell - commands on the serial line; docs/console.md is the contract
 */
#ifndef TESTS_SHELL_SHELL_H
#define TESTS_SHELL_SHELL_H

#include "tests/test.h"

/*
 * Runs what the command line asks for, then commands if the configuration says so.  The
 * status of the last run, when the machine is to end.
 */
enum status shell_boot(struct config *c, struct pool *pool, const char *no_guests);

/* What the commands share. */
struct shell {
	struct config base; /* what later runs begin with */
	struct pool *pool;
	const char *no_guests; /* why no guests can run here, or NULL */
	enum status status;    /* of the last run                     */
	bool json;
	bool over;     /* no more commands                               */
	bool reported; /* what is wrong has been printed                 */
	u64 number;    /* of the command                                 */
};

/*
 * A command: takes what stands behind its name.  NULL, or a sentence why it has not
 * been carried out.
 */
struct command {
	const char *name, *args, *what;
	const char *(*run)(struct shell *, const char *rest);
};
extern const struct command shell_commands[];
extern const unsigned shell_command_count;

/* Carries out a line; the sentence as above. */
const char *shell_do(struct shell *sh, const char *line);

/* Listings, tests/shell/show.c. */
const char *shell_list(struct shell *sh, const char *rest);
const char *shell_caps(struct shell *sh, const char *rest);
const char *shell_cpus(struct shell *sh, const char *rest);
const char *shell_trace(struct shell *sh, const char *rest);
const char *shell_help(struct shell *sh, const char *rest);
void shell_show_set(struct shell *sh);

/* The i-th entry of the image's catalogue; false past the last one. */
struct catalog_entry {
	char kind[8], name[64];
	const char *what;
};
bool shell_catalog(unsigned i, struct catalog_entry *out);

/* What may stand at line[stem]: for lineedit. */
const char *shell_words(const char *line, size_t stem, unsigned i);

#endif
