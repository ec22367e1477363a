/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * initiators - several CPUs edit and invalidate at once, readers among them
 *
 *	initiators PROTOCOL READERS INVALIDATIONS MS SEED
 *
 * As threads.c, but for who edits: two CPUs that do nothing else, and each reader
 * between two runs of its guest, where it takes no kick until it is done.  Each edits
 * pages of its own and then uses their frames, by plain accesses, for TSan to judge.
 * One edit in three is made behind the door, one is announced by inval_begin().
 *
 * Exit status: as that of threads.c; 67 when nobody gets an invalidation done for MS
 * milliseconds.
 */
#include "tests/host/reuse.h"
#include "tests/host/mutants.h"
#include "tests/host/ram.h"
#include "inval/door.h"
#include "inval/hw.h"
#include "lib/str.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define EDITORS     2
#define PAGES_EACH  2
#define CPUS_MAX    (WORDS - 1)
#define PAGES_MAX   (CPUS_MAX * PAGES_EACH)
#define FRAMES      128
#define EDIT_CHANCE 4 /* a reader edits once in so many runs of its guest */

static struct inval iv;
static struct pool pool;
static struct ept ept;
static unsigned readers, cpus, pages;
static u64 seed, invalidations;
static u32 stop;
static hpa_t mapped[PAGES_MAX]; /* each its owner's own */

static gpa_t page(unsigned i)
{
	return GPA(SIZE_2M + i * PAGE_SIZE);
}

static u64 done_so_far(void)
{
	return __atomic_load_n(&invalidations, __ATOMIC_RELAXED);
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void must(enum err e)
{
	if (e)
		panic("initiators: an edit fails: %s", err_name(e));
}

/* One in three each: behind the door, announced, not announced. */
static void announce(struct gather *g)
{
	u64 how = rng_below(cpu_rng(), 3);

	if (how == 0)
		door_way->shut(&iv, g);
	else if (how == 1)
		inval_begin(&iv);
}

static void finish(struct gather *g)
{
	ticket_t t = g->stopped ? door_way->open(&iv, g) : inval_publish(&iv, g);

	while (!inval_done(&iv, t))
		relax();
	ept_settle(&ept, g);
	inval_retire(&iv, t, g);
	__atomic_fetch_add(&invalidations, 1, __ATOMIC_RELAXED);
}

/* Another frame for a page, present when the old one is nobody's. */
static void edit_remap(unsigned i)
{
	struct gather g = gather_init();
	hpa_t old = mapped[i], new = frame_new(&pool);

	announce(&g);
	must(ept_remap(&ept, page(i), new, PAGE_SIZE, &g));
	if (g.stopped)
		frame_fill(old, SCRUBBED); /* nobody has both */
	gather_block(&g, &pool, old);
	mapped[i] = new;
	finish(&g);
}

/* A page without write permission is its owner's to write. */
static void edit_protect(unsigned i)
{
	struct gather g = gather_init();

	announce(&g);
	must(ept_protect(&ept, page(i), PAGE_SIZE, EPTE_R, &g));
	finish(&g);
	for (unsigned n = 1; n < WORDS; n++)
		frame_words(mapped[i])[n] = SCRUBBED;
	must(ept_protect(&ept, page(i), PAGE_SIZE, EPTE_R | EPTE_W, &g));
	assert(!gather_needs_flush(&g));
}

static void edit(void)
{
	u64 r = rng_next(cpu_rng());
	unsigned i = hw_self() + (unsigned)(r % PAGES_EACH) * cpus;

	if (r & BIT(32))
		edit_remap(i);
	else
		edit_protect(i);
}

/* From VM entry to VM exit; it may stay on one page until a kick arrives. */
static void guest(void)
{
	u64 n = rng_below(cpu_rng(), 32); /* 0: for good */
	bool spins = !n;

	while (!kick_arrived()) {
		u64 r = rng_next(cpu_rng());
		u64 *frame =
			tlb_translate(&ept, page((unsigned)(r >> 8) % pages), r & 1);

		if (!frame || (!spins && !--n))
			return;
		frame_access(frame, hw_self(), r & 1, r);
		if (spins)
			relax();
	}
}

static void *reader(void *arg)
{
	struct inval_reader *r = arg;

	cpu_start((unsigned)(r - iv.reader), seed);
	while (!stopped()) {
		door_way->enter(r);
		guest();
		iv.proto->exit(r);
		if (kick_take())
			inval_kicked(r);
		if (!rng_below(cpu_rng(), EDIT_CHANCE))
			edit();
		relax();
	}
	cpu_stop();
	return NULL;
}

static void *editor(void *arg)
{
	cpu_start((unsigned)((struct inval_reader *)arg - iv.reader), seed);
	while (!stopped())
		edit();
	cpu_stop();
	return NULL;
}

static void set_up(const struct inval_proto *proto)
{
	struct gather g = gather_init();

	ram_pool(&pool, FRAMES);
	must(ept_init(&ept, &pool, (struct ept_features){ 0 }));
	if (proto->root_order)
		must(ept_twin(&ept, proto->root_order));
	for (unsigned i = 0; i < pages; i++) {
		mapped[i] = frame_new(&pool);
		must(ept_map(&ept, page(i), mapped[i], PAGE_SIZE, EPT_RW, &g));
	}
	inval_init(&iv, proto, &pool, ept_pointer(&ept), cpus + 1);
	inval_roots(&iv, 1u << proto->root_order);
	door_fit(&iv);
	fence_sc();
}

/* Looks on until there are enough, or time is over. */
static void watch(u64 count, u64 patience)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	u64 end = now_ms() + RUN_MS, had = 0, since = now_ms();

	while (done_so_far() < count && now_ms() < end) {
		nanosleep(&nap, NULL);
		if (done_so_far() != had) {
			had = done_so_far();
			since = now_ms();
		} else if (now_ms() - since > patience)
			host_die(HANGS, "nobody gets an invalidation done after %lu",
				 had);
	}
}

/* The threads end one by one; the CPUs that are still in the guest are kicked. */
static void run(u64 count, u64 patience)
{
	pthread_t thread[CPUS_MAX];

	for (unsigned i = 0; i < cpus; i++)
		if (pthread_create(&thread[i], NULL, i < readers ? reader : editor,
				   &iv.reader[i]))
			panic("initiators: no thread");
	watch(count, patience);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = cpus; i-- > 0;) {
		for (unsigned n = 0; n < readers; n++)
			hw_kick(n);
		pthread_join(thread[i], NULL);
	}
}

int main(int argc, char **argv)
{
	const struct inval_proto *proto = argc == 6 ? mutant_or_proto(argv[1]) : NULL;
	u64 n, count, patience;

	if (!proto || !str_u64(argv[2], &n) || !n || n > CPUS_MAX - EDITORS ||
	    !str_u64(argv[3], &count) || !str_u64(argv[4], &patience) ||
	    !str_u64(argv[5], &seed)) {
		fprintf(stderr,
			"usage: initiators PROTOCOL READERS INVALIDATIONS MS SEED\n");
		return 2;
	}
	readers = (unsigned)n;
	cpus = readers + EDITORS;
	pages = cpus * PAGES_EACH;
	cpu_start(cpus, seed);
	set_up(proto);
	run(count, patience);
	printf("# %lu invalidations of %u initiators\n", done_so_far(), cpus);
	cpu_stop();
	return done_so_far() < FEW(count) ? TOO_FEW : 0;
}
