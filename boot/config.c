/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config - the kernel's command line as values
 *
 * A table of keys; each has a function that takes the value and says whether it is one.
 */
#include "boot/config.h"
#include "arch/x86_64/platform.h"
#include "arch/x86_64/screen.h"
#include "boot/cmdline.h"
#include "build.h"
#include "lib/catalog.h"
#include "lib/console.h"
#include "lib/str.h"

#define DEFAULT_SEED  1
#define DEFAULT_DELAY 400
#define DEFAULT_POOL  128
#define TRACE_MIN     16
#define TRACE_MAX     65536

static char complaint[CONFIG_LIST + 120];

void config_complain(const char *f, ...)
{
	va_list ap;

	va_start(ap, f);
	fmt_str_va(complaint, sizeof(complaint), f, ap);
	va_end(ap);
	print("# command line: %s\n", complaint);
}

const char *config_complaint(void)
{
	return complaint;
}

static bool copy(char *to, const char *value)
{
	str_copy(to, value, CONFIG_LIST);
	return *value && strlen(value) < CONFIG_LIST;
}

static bool set_run(struct config *c, const char *v)
{
	return copy(c->run, v);
}

static bool set_proto(struct config *c, const char *v)
{
	return copy(c->proto, v);
}

static bool set_mutant(struct config *c, const char *v)
{
	return copy(c->mutant, v);
}

static bool set_guest(struct config *c, const char *v)
{
	return copy(c->guest, v) && !strncmp(v, "module:", 7);
}

static bool set_seed(struct config *c, const char *v)
{
	return str_u64(v, &c->seed);
}

static bool set_cpus(struct config *c, const char *v)
{
	return str_u64(v, &c->cpus) && c->cpus > 0;
}

static bool set_iters(struct config *c, const char *v)
{
	return str_u64(v, &c->iters);
}

static bool set_delay(struct config *c, const char *v)
{
	return str_u64(v, &c->delay) && c->delay < UINT32_MAX;
}

static bool set_steps(struct config *c, const char *v)
{
	return CHECKED && str_u64(v, &c->steps) && c->steps <= CONFIG_STEPS;
}

static bool set_replay(struct config *c, const char *v)
{
	return CHECKED && copy(c->replay, v);
}

static bool set_secs(struct config *c, const char *v)
{
	return str_u64(v, &c->secs) && c->secs;
}

/* A power of two, so that a ring is a mask; up to a block of the pool. */
static bool set_trace(struct config *c, const char *v)
{
	return CHECKED && str_u64(v, &c->trace) && c->trace >= TRACE_MIN &&
	       c->trace <= TRACE_MAX && !(c->trace & (c->trace - 1));
}

static bool set_wedge(struct config *c, const char *v)
{
	return str_u64(v, &c->wedge);
}

static bool set_mute(struct config *c, const char *v)
{
	return str_u64(v, &c->mute) && c->mute < UINT32_MAX;
}

static bool set_pool(struct config *c, const char *v)
{
	return str_u64(v, &c->pool) && c->pool >= 16 && c->pool <= 2048;
}

static bool set_apic(struct config *c, const char *v)
{
	static const char *const name[] = { "auto", "x", "x2" };

	for (unsigned i = 0; i < ARRAY_LEN(name); i++)
		if (!strcmp(v, name[i])) {
			c->apic = (enum apic_mode)i;
			return true;
		}
	return false;
}

static bool set_exit(struct config *c, const char *v)
{
	(void)c;
	return machine_end_by(v);
}

static bool set_screen(struct config *c, const char *v)
{
	(void)c;
	return screen_choose(v);
}

/* A bare word; where it stands is looked for before all others are read. */
static bool set_console(struct config *c, const char *v)
{
	c->console = true;
	return !*v;
}

/* Each option stands here once: for the parser, for people, and in the catalogue. */
#define OPTIONS(X)                                                                    \
	X(run, "globs over test names, comma between")                                \
	X(proto, "globs over protocol names, comma between")                          \
	X(mutant, "globs over mutants, comma between: checked build")                 \
	X(guest, "module:NAME, an ELF64 that vm/module runs as a guest")              \
	X(seed, "of every random choice")                                             \
	X(cpus, "how many CPUs are used at most")                                     \
	X(iters, "invalidations per scenario")                                        \
	X(delay, "longest flight of a kick in APIC timer clocks, 0 sends at once")    \
	X(steps,                                                                      \
	  "delays and holds at steps of the protocols, 0 to 8 per invalidation")      \
	X(replay, "a schedule of steps, as it is printed with a failure")             \
	X(secs, "how long a soak lasts, by the machine's own clock")                  \
	X(wedge, "ticks of silence after which a CPU is suspected, 0 its own number") \
	X(trace, "events kept for a timeline, a power of two, 16 to 65536")           \
	X(mute, "APIC ID of a CPU that is not woken")                                 \
	X(pool, "MiB of memory that is used, 16 to 2048")                             \
	X(screen, "a monitor: auto, off, or text for VGA's text mode")                \
	X(apic, "auto, x or x2")                                                      \
	X(exit, "how the machine ends: halt, bochs, qemu or reboot")                  \
	X(console, "a word alone: a shell on the serial line, after the tests")

static const struct option {
	const char *key, *what;
	bool (*set)(struct config *, const char *value);
} options[] = {
#define X(key, what) { #key, what, set_##key },
	OPTIONS(X)
#undef X
};

#define X(key, what) CATALOG(key, "option", #key, what);
OPTIONS(X)
#undef X

static bool refuse(const char *why, const char *key, const char *value)
{
	config_complain("%s: %s=%s", why, key, value);
	for (unsigned i = 0; i < ARRAY_LEN(options); i++)
		print("#   %s=  %s\n", options[i].key, options[i].what);
	return false;
}

static bool take(struct config *c, const struct cmdword *w)
{
	/* What the machine was brought up with. */
	static const char only_boot[] = "mute,pool,apic,console,trace,wedge,screen";

	if (c->up && config_names(only_boot, w->key))
		return refuse("only the boot can set it", w->key, w->value);
	for (unsigned i = 0; i < ARRAY_LEN(options); i++)
		if (!strcmp(options[i].key, w->key))
			return options[i].set(c, w->value) ||
			       refuse("bad value", w->key, w->value);
	return refuse("unknown option", w->key, w->value);
}

bool config_words(struct config *c, const char *at)
{
	static struct cmdword w;
	const char *error;

	while (cmdline_next(&at, &w, &error))
		if (!take(c, &w))
			return false;
	if (error)
		config_complain("%s", error);
	if (*c->guest && !*c->run) /* whoever brings a guest wants to see it run */
		str_copy(c->run, "vmx/module", sizeof(c->run));
	return !error;
}

const char *config_option(unsigned i, const char **what)
{
	if (i >= ARRAY_LEN(options))
		return NULL;
	*what = options[i].what;
	return options[i].key;
}

static struct config defaults(const struct boot_info *info)
{
	return (struct config){ .seed = DEFAULT_SEED,
				.cpus = CPU_MAX,
				/* where CPUs race, kicks are slow by themselves */
				.delay = platform_is_tcg() ? 0 : DEFAULT_DELAY,
				.mute = UINT32_MAX,
				.pool = DEFAULT_POOL,
				.info = info };
}

/* How the machine is to end is known first, so that a refusal ends it as well. */
static bool ends_in_console(const char *text, bool *asked)
{
	static struct cmdword w;
	const char *error;
	bool ends;

	*asked = cmdline_find(text, "console", &w, &error);
	ends = cmdline_find(text, "exit", &w, &error);
	if (ends)
		machine_end_by(w.value);
	return *asked || !ends;
}

static bool parse(struct config *c, const struct boot_info *info)
{
	const char *at = cmdline_start(info->cmdline);

	if (!info->cmdline_truncated && strlen(at) <= BOOT_CMDLINE_MAX)
		return config_words(c, at);
	config_complain("longer than %u bytes", BOOT_CMDLINE_MAX);
	return false;
}

bool config_parse(struct config *c, const struct boot_info *info)
{
	bool asked, console = ends_in_console(info->cmdline, &asked);
	bool good;

	*c = defaults(info);
	good = parse(c, info);
	if (!good)
		*c = defaults(info);
	c->refused = !good;
	c->console = console;
	c->idle = !good || (asked && !*c->run);
	return good || console;
}

/* Does `fits` hold for `name` and an element of the comma-separated list? */
static bool any(const char *list, const char *name,
		bool (*fits)(const char *element, const char *name))
{
	char element[CONFIG_LIST];

	while (*list) {
		size_t n = 0;

		while (list[n] && list[n] != ',')
			n++;
		str_copy(element, list, n + 1);
		if (fits(element, name))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static bool equal(const char *a, const char *b)
{
	return !strcmp(a, b);
}

bool config_match(const char *list, const char *name)
{
	return any(list, name, str_glob);
}

bool config_names(const char *list, const char *name)
{
	return any(list, name, equal);
}

void config_value(const struct config *c, const char *key, char *to, size_t size)
{
	static const char *const modes[] = { "auto", "x", "x2" };
	const struct {
		const char *key, *text;
		u64 number, unset;
	} values[] = {
		{ "run", c->run, 0, 0 },
		{ "proto", c->proto, 0, 0 },
		{ "mutant", c->mutant, 0, 0 },
		{ "guest", c->guest, 0, 0 },
		{ "replay", c->replay, 0, 0 },
		{ "apic", modes[c->apic], 0, 0 },
		{ "seed", NULL, c->seed, ~0ul },
		{ "cpus", NULL, c->cpus, CPU_MAX },
		{ "iters", NULL, c->iters, 0 },
		{ "delay", NULL, c->delay, ~0ul },
		{ "steps", NULL, c->steps, ~0ul },
		{ "secs", NULL, c->secs, 0 },
		{ "wedge", NULL, c->wedge, 0 },
		{ "trace", NULL, c->trace, 0 },
		{ "pool", NULL, c->pool, ~0ul },
		{ "mute", NULL, c->mute, UINT32_MAX },
	};

	str_copy(to, "", size);
	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		if (strcmp(values[i].key, key))
			continue;
		if (values[i].text)
			str_copy(to, values[i].text, size);
		else if (values[i].number != values[i].unset)
			fmt_str(to, size, "%lu", values[i].number);
	}
}
