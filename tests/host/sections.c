/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sections - read sections of smr against a writer that reuses what it took away
 *
 *	sections STEPS READERS SWAPS SEED
 *
 * A reader enters, loads which of two objects is the present one, reads it by plain
 * loads and exits.  The writer makes the other one present, waits by smr_synchronize(),
 * and overwrites the old one by plain stores.  STEPS is how sequences step: `huge` is
 * the default of a checked build, `small` that of a fast one, begun near the wrap.
 *
 * Exit status: 0 all is well; 66 TSan's report; 65 a reader sees an object in reuse;
 * 77 the machine is too busy to say anything.
 */
#include "tests/host/hw_threads.h"
#include "smr/smr.h"
#include "lib/str.h"

#include <pthread.h>
#include <stdio.h>

#define WORDS       4
#define LIVE        0x11feull
#define READERS_MAX 7

static const struct smr_params small = {
	.init = UINT32_MAX - 2000,
	.incr = 2,
	.max_delta = UINT32_MAX / 4,
	.max_advance = UINT32_MAX / 4 - 1024,
};

static struct smr smr;
static u64 object[2][WORDS];
static atomic32_t present;
static u64 seed;
static u32 stop;

/* In parentheses: a twist ends the section in front of each call. */
static void(look)(struct smr_slot *slot, const u64 *o)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (o[i] != LIVE)
			host_die(STALE, "CPU %ld reads 0x%lx in an object in reuse",
				 slot - smr.slot, o[i]);
}

static void *reader(void *arg)
{
	struct smr_slot *slot = arg;

	cpu_start((unsigned)(slot - smr.slot), seed);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		smr_enter(slot);
		look(slot, object[load_acquire(&present)]);
		smr_exit(slot);
		if (rng_below(cpu_rng(), 4) == 0)
			relax();
	}
	cpu_stop();
	return NULL;
}

static void fill(u64 *o, u64 value)
{
	for (unsigned i = 0; i < WORDS; i++)
		o[i] = value;
}

/* Returns how many swaps there was time for. */
static u64 writer(u64 swaps)
{
	u64 n = 0, end = now_ms() + RUN_MS;

	for (u32 now = 0; n < swaps && now_ms() < end; now = !now, n++) {
		fill(object[!now], LIVE);
		(void)swap(&present, !now);
		smr_synchronize(&smr);
		fill(object[now], rng_next(cpu_rng()));
	}
	return n;
}

int main(int argc, char **argv)
{
	pthread_t thread[READERS_MAX];
	u64 readers, swaps, done;

	if (argc != 5 || !str_u64(argv[2], &readers) || readers > READERS_MAX ||
	    !str_u64(argv[3], &swaps) || !str_u64(argv[4], &seed)) {
		fprintf(stderr, "usage: sections STEPS READERS SWAPS SEED\n");
		return 2;
	}
	cpu_start((unsigned)readers, seed);
	smr_init(&smr, (unsigned)readers, strcmp(argv[1], "huge") ? &small : NULL);
	fill(object[0], LIVE);
	fence_sc();
	for (u64 i = 0; i < readers; i++)
		if (pthread_create(&thread[i], NULL, reader, &smr.slot[i]))
			panic("sections: no thread");
	done = writer(swaps);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (u64 i = 0; i < readers; i++)
		pthread_join(thread[i], NULL);
	printf("# %lu swaps\n", done);
	cpu_stop();
	return done < FEW(swaps) ? TOO_FEW : 0;
}
