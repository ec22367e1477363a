/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr_bench - an empty read section of SMR beside those of libck and liburcu
 *
 * One thread, everything inlined.  Each round times each of them in turn, so that what
 * disturbs the machine disturbs all; the figure is the median of the rounds.  QSBR has
 * nothing at the ends of a section, and is charged the quiescent state that must follow
 * sooner or later: here after each section, which is more than a user of it would pay.
 */
#define _LGPL_SOURCE
#include <ck_epoch.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#undef assert /* that of the C library, which they drag in */
#include "smr/smr.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS   31
#define SECTIONS 200000

static struct smr smr;
static ck_epoch_t epoch;
static ck_epoch_record_t record;

/* What smr.c wants from outside. */
_Noreturn void panic(const char *f, ...)
{
	fprintf(stderr, "panic: %s\n", f);
	exit(70);
}

static inline void body(void)
{
	asm volatile("" : : : "memory");
}

#define LOOP(name, begin, end)                           \
	static __attribute__((noinline)) void name(void) \
	{                                                \
		for (int i = 0; i < SECTIONS; i++) {     \
			begin;                           \
			body();                          \
			end;                             \
		}                                        \
	}

LOOP(empty, body(), body())
LOOP(ours, smr_enter(&smr.slot[0]), smr_exit(&smr.slot[0]))
LOOP(ck, ck_epoch_begin(&record, NULL), ck_epoch_end(&record, NULL))
LOOP(mb, urcu_mb_read_lock(), urcu_mb_read_unlock())
LOOP(memb, urcu_memb_read_lock(), urcu_memb_read_unlock())
LOOP(qsbr, urcu_qsbr_read_lock(),
     (urcu_qsbr_read_unlock(), urcu_qsbr_quiescent_state()))

/* The bar is the most that SMR may take of its time; 0: none. */
static struct peer {
	const char *name;
	void (*loop)(void);
	double bar;
	double ns[ROUNDS], median;
} peers[] = {
	{ .name = "an empty loop", .loop = empty },
	{ .name = "SMR enter, exit", .loop = ours },
	{ .name = "ck_epoch begin, end", .loop = ck, .bar = 0.8 },
	{ .name = "liburcu-mb", .loop = mb, .bar = 0.25 },
	{ .name = "liburcu-memb", .loop = memb },
	{ .name = "liburcu-qsbr, quiescent", .loop = qsbr },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < ARRAY_LEN(peers); i++) {
			double start = now();

			peers[i].loop();
			peers[i].ns[round] = (now() - start) / SECTIONS;
		}
	for (unsigned i = 0; i < ARRAY_LEN(peers); i++) {
		qsort(peers[i].ns, ROUNDS, sizeof(double), by_size);
		peers[i].median = peers[i].ns[ROUNDS / 2];
	}
}

int main(void)
{
	const struct peer *us = &peers[1];

	smr_init(&smr, 1, NULL);
	ck_epoch_init(&epoch);
	ck_epoch_register(&epoch, &record, NULL);
	urcu_mb_register_thread();
	urcu_memb_register_thread();
	urcu_qsbr_register_thread();
	measure();
	printf("# %-24s %8s %8s %8s  SMR takes\n", "a read section, ns", "median",
	       "min", "max");
	for (unsigned i = 0; i < ARRAY_LEN(peers); i++) {
		const struct peer *p = &peers[i];
		double ratio = us->median / p->median;

		printf("# %-24s %8.2f %8.2f %8.2f", p->name, p->median, p->ns[0],
		       p->ns[ROUNDS - 1]);
		if (i > 1)
			printf("  %.2f x", ratio);
		if (p->bar > 0)
			printf(", bar %.2f: %s", p->bar,
			       ratio <= p->bar ? "pass" : "MISS");
		printf("\n");
	}
	if (smr_active(&smr.slot[0]) || us->median <= 0)
		return 1;
	urcu_mb_unregister_thread();
	urcu_memb_unregister_thread();
	urcu_qsbr_unregister_thread();
	return 0;
}
