/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw_threads - threads that stand for CPUs: kicks with a time of flight, a TLB each,
 * whose entries are tagged by their root
 *
 * Nothing here may order anything between CPUs, or it would hide what TSan is to find:
 * kicks are relaxed, as an interrupt tells its receiver nothing about memory.
 */
#define _POSIX_C_SOURCE 200809L

#include "tests/host/hw_threads.h"
#include "inval/ghost.h"
#include "tests/host/cpu.h"
#include "tests/host/tsan/tso.h"
#include "mm/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TLB_LEN     4
#define TAGS        8 /* roots in a row whose translations are kept at a time */
#define NOTES       5 /* errors that are printed */
#define FLIGHT_TIME 4 /* a kick arrives with chance 1 in so many */

struct tlb_entry {
	bool valid;
	u64 page;
	epte_t leaf;
};

static _Thread_local struct {
	struct rng rng;
	u64 root; /* 0: the only one */
	struct tlb_entry tlb[TAGS][TLB_LEN];
} self;

static u32 kicked[CPU_MAX];
static atomic64_t kicks[CPU_MAX]; /* taken */

void host_die(int status, const char *f, ...)
{
	struct ghost_tally t;
	va_list ap;

	ghost_tell(&t);
	if (t.violations)
		status = HAUNTED; /* the ghost was first */
	printf("# ");
	va_start(ap, f);
	vprintf(f, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(status);
}

void panic(const char *f, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, f);
	vsnprintf(text, sizeof(text), f, ap);
	va_end(ap);
	host_die(PANICS, "panic: %s", text);
}

/* A program that runs out of memory on purpose says so a few times. */
void err_note(enum err e, const char *file, int line)
{
	static u32 notes;

	if (__atomic_fetch_add(&notes, 1, __ATOMIC_RELAXED) < NOTES)
		printf("# %s:%d: %s\n", file, line, err_name(e));
}

void cpu_start(unsigned cpu, u64 seed)
{
	cpu_become(cpu);
	self.rng = rng_named(seed + cpu, "cpu");
	tso_start(rng_next(&self.rng));
}

void cpu_stop(void)
{
	tso_stop();
}

u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

struct rng *cpu_rng(void)
{
	return &self.rng;
}

void hw_kick(unsigned cpu)
{
	__atomic_store_n(&kicked[cpu], 1, __ATOMIC_RELAXED);
}

bool kick_arrived(void)
{
	return __atomic_load_n(&kicked[hw_self()], __ATOMIC_RELAXED) &&
	       rng_below(&self.rng, FLIGHT_TIME) == 0;
}

bool kick_take(void)
{
	if (!__atomic_exchange_n(&kicked[hw_self()], 0, __ATOMIC_RELAXED))
		return false;
	store_release(&kicks[hw_self()], load_relaxed(&kicks[hw_self()]) + 1);
	return true;
}

u64 hw_kicks(unsigned cpu)
{
	return load_acquire(&kicks[cpu]);
}

static unsigned tag_of(u64 root)
{
	return (root >> PAGE_SHIFT) % TAGS;
}

void hw_flush(u64 root)
{
	ghost_flush(hw_self(), root);
	for (unsigned tag = 0; tag < TAGS; tag++)
		for (unsigned i = 0; i < TLB_LEN; i++)
			if (!root || !self.root || tag == tag_of(root))
				self.tlb[tag][i].valid = false;
}

void hw_use_root(u64 root)
{
	self.root = root;
}

static bool tlb_fill(const struct ept *e, gpa_t gpa, struct tlb_entry *t)
{
	struct ept_leaf l;

	t->valid = ept_lookup(e, gpa, &l);
	t->page = gpa.v;
	t->leaf = l.entry;
	return t->valid;
}

u64 *tlb_translate(const struct ept *e, gpa_t gpa, bool write)
{
	struct tlb_entry *t =
		&self.tlb[tag_of(self.root)][(gpa.v >> PAGE_SHIFT) % TLB_LEN];

	if (!(t->valid && t->page == gpa.v) && !tlb_fill(e, gpa, t))
		return NULL;
	if (write && !(t->leaf.raw & EPTE_W)) {
		t->valid = false;
		return NULL;
	}
	return mem_ptr(epte_addr(t->leaf));
}
