/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config - the kernel's command line as values.
 */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include "arch/x86_64/apic.h"
#include "arch/x86_64/power.h"
#include "boot/info.h"

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
	const struct boot_info *info;
};

/*
 * Parses info's command line.  False after a line that says what is wrong and lines
 * that list what exists.  Sets how the machine ends (exit=) on the way.
 */
bool config_parse(struct config *c, const struct boot_info *info);

/* Does one of the comma-separated globs of `list` match `name`? */
bool config_match(const char *list, const char *name);

/* Is `name` itself one of them, without a wildcard? */
bool config_names(const char *list, const char *name);

#endif
