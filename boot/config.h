/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config - the kernel's command line as values.
 */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include "arch/x86_64/apic.h"
#include "arch/x86_64/power.h"
#include "boot/info.h"
#include "lib/fmt.h"

#define CONFIG_LIST  256
#define CONFIG_STEPS 8

struct config {
	char run[CONFIG_LIST]; /* globs over test names, comma between; "" = default */
	char proto[CONFIG_LIST];  /* globs over protocol names; "" = all */
	char mutant[CONFIG_LIST]; /* globs over mutants; "" = none */
	char guest[CONFIG_LIST];  /* "module:NAME" or "" */
	u64 seed;
	u64 cpus;  /* how many CPUs are used at most    */
	u64 iters; /* invalidations per scenario; 0 = the test's own */
	u64 delay; /* longest flight of a kick, in APIC timer clocks */
	u64 mute;  /* APIC ID of a CPU that is not woken, for tests  */
	u64 pool;  /* memory that is used, in MiB                    */
	u64 wedge; /* ticks after which a CPU is suspected; 0: the machine's own */
	u64 secs;  /* of a soak, 0 = its own */
	u64 trace; /* events that each CPU keeps for a timeline, 0 = no timeline  */
	u64 steps; /* items of the plan that each invalidation is made under     */
	char replay[CONFIG_LIST]; /* the plan itself, tests/steps.h; "" = drawn   */
	enum apic_mode apic;
	bool console; /* a shell follows the tests                             */
	bool idle;    /* and nothing is run before it                          */
	bool refused; /* the command line was: these are the defaults          */
	bool up;      /* the machine is: what brought it up is fixed           */
	const struct boot_info *info;
};

/*
 * Parses info's command line.  One that is wrong gives a line that says what is, and
 * lines that list what exists; then c has the defaults and is `refused`.  False if that
 * is to end the machine, because nobody is at a console.  Sets how the machine ends
 * (exit=) on the way.
 */
bool config_parse(struct config *c, const struct boot_info *info);

/* Takes more words into *c; false after lines as above. */
must_check bool config_words(struct config *c, const char *words);

/* Prints what is wrong with words, and keeps it: a sentence without a line end. */
void config_complain(const char *f, ...) printf_like(1, 2);
const char *config_complaint(void);

/* The i-th option's key and, in *what, what it is; NULL past the last. */
const char *config_option(unsigned i, const char **what);

/* The value of a key in *c, as it is written, or "" where it is unset or has none. */
void config_value(const struct config *c, const char *key, char *to, size_t size);

/* Does one of the comma-separated globs of `list` match `name`? */
bool config_match(const char *list, const char *name);

/* Is `name` itself one of them, without a wildcard? */
bool config_names(const char *list, const char *name);

#endif
