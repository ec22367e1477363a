/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fills - CPUs that fill holes while their frames are taken away
 *
 *	fills READERS FORGETS MS SEED
 *
 * `backing` says which frame belongs to each page.  A reader's guest faults at a hole;
 * the reader takes a ticket, asks `backing`, dawdles, and fills the hole.  The
 *initiator holds fills off, forgets the frame of a page, or of all pages, unmaps,
 *invalidates by gen-smr, waits, releases, and uses the frames itself by plain stores.
 *A fill that comes late with a forgotten frame lets the guest access it: TSan reports
 *the race.
 *
 * Exit status: as that of threads.c.
 */
#include "tests/host/reuse.h"
#include "tests/host/ram.h"
#include "inval/hw.h"
#include "inval/inval.h"
#include "lib/str.h"
#include "mm/fault.h"

#include <pthread.h>
#include <stdio.h>

#define PAGES       6 /* more than a TLB holds */
#define FRAMES      64
#define READERS_MAX (WORDS - 1)

static struct inval iv;
static struct pool pool;
static struct ept ept;
static atomic64_t backing[PAGES]; /* the frame, 0 while it is forgotten */
static unsigned readers;
static u64 seed, patience, forgets;
static atomic64_t fills, refused;
static u32 stop;

static gpa_t page(unsigned i)
{
	return GPA(SIZE_2M + i * PAGE_SIZE);
}

static void must(enum err e)
{
	if (e)
		panic("fills: an edit fails: %s", err_name(e));
}

static void count(atomic64_t *n)
{
	__atomic_fetch_add(&n->raw, 1, __ATOMIC_RELAXED);
}

/* What a monitor does about a hole, outside of the guest. */
static void fill_page(unsigned i)
{
	struct gather g = gather_init();
	u64 ticket = ept_fill_begin(&ept);
	u64 frame = load_acquire(&backing[i]);
	enum err err;

	for (u64 n = rng_below(cpu_rng(), 3); n; n--)
		relax();
	if (!frame)
		return;
	err = ept_fill(&ept, ticket, page(i), HPA(frame), PAGE_SIZE, EPT_RW, &g);
	if (err == E_AGAIN)
		count(&refused);
	else if (err != E_EXIST) /* another CPU was faster */
		must(err);
	if (!err)
		count(&fills);
	assert(!gather_needs_flush(&g));
}

/* Until a kick, or a hole, whose page it returns; -1 when there was none. */
static int guest(void)
{
	u64 n = 1 + rng_below(cpu_rng(), 32);

	while (n-- && !kick_arrived()) {
		u64 r = rng_next(cpu_rng());
		unsigned i = (unsigned)(r >> 8) % PAGES;
		u64 *frame = tlb_translate(&ept, page(i), r & 1);

		if (!frame)
			return (int)i;
		frame_access(frame, hw_self(), r & 1, r);
	}
	return -1;
}

static void *reader(void *arg)
{
	struct inval_reader *r = arg;

	cpu_start((unsigned)(r - iv.reader), seed);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		int hole;

		iv.proto->enter(r);
		hole = guest();
		iv.proto->exit(r);
		kick_take();
		if (hole >= 0)
			fill_page((unsigned)hole);
		relax(); /* threads outnumber the CPUs that they run on */
	}
	cpu_stop();
	return NULL;
}

static void wait_done(ticket_t t)
{
	u64 end = now_ms() + patience;

	while (!inval_done(&iv, t)) {
		if (now_ms() > end)
			host_die(HANGS, "CPU %d does not leave the guest",
				 iv.proto->laggard(&iv, t));
		relax();
	}
}

/* Takes pages [first, first + n) away; afterwards their frames are the initiator's. */
static void forget(unsigned first, unsigned n)
{
	struct gather g = gather_init();
	hpa_t frame[PAGES];
	ticket_t t;

	ept_hold(&ept, page(first), n * PAGE_SIZE);
	for (unsigned i = 0; i < n; i++)
		frame[i] = HPA(swap(&backing[first + i], 0ull));
	must(ept_unmap(&ept, page(first), n * PAGE_SIZE, &g));
	for (unsigned i = 0; i < n; i++)
		gather_block(&g, &pool, frame[i]);
	t = inval_publish(&iv, &g);
	wait_done(t);
	ept_settle(&ept, &g);
	ept_release(&ept);
	inval_retire(&iv, t, &g);
	for (unsigned i = 0; i < n; i++)
		store_release(&backing[first + i], frame_new(&pool).v);
	forgets++;
}

static void edit(void)
{
	unsigned i = (unsigned)rng_below(cpu_rng(), PAGES);

	if (rng_below(cpu_rng(), 4) == 0)
		forget(0, PAGES); /* and the tables with them */
	else
		forget(i, 1);
	for (u64 n = rng_below(cpu_rng(), 4); n; n--)
		relax(); /* time for faults */
}

static void set_up(void)
{
	ram_pool(&pool, FRAMES);
	must(ept_init(&ept, &pool, (struct ept_features){ 0 }));
	for (unsigned i = 0; i < PAGES; i++)
		store_release(&backing[i], frame_new(&pool).v);
	inval_init(&iv, &gen_smr, &pool, ept_pointer(&ept), readers + 1);
	fence_sc();
}

static void run(u64 want)
{
	pthread_t thread[READERS_MAX];
	u64 end = now_ms() + RUN_MS;

	for (unsigned i = 0; i < readers; i++)
		if (pthread_create(&thread[i], NULL, reader, &iv.reader[i]))
			panic("fills: no thread");
	while (forgets < want && now_ms() < end)
		edit();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < readers; i++) {
		hw_kick(i);
		pthread_join(thread[i], NULL);
	}
}

int main(int argc, char **argv)
{
	u64 n, want;

	if (argc != 5 || !str_u64(argv[1], &n) || !n || n > READERS_MAX ||
	    !str_u64(argv[2], &want) || !str_u64(argv[3], &patience) ||
	    !str_u64(argv[4], &seed)) {
		fprintf(stderr, "usage: fills READERS FORGETS MS SEED\n");
		return 2;
	}
	readers = (unsigned)n;
	cpu_start(readers, seed);
	set_up();
	run(want);
	printf("# %lu forgotten, %lu filled, %lu refused\n", forgets,
	       load_relaxed(&fills), load_relaxed(&refused));
	cpu_stop();
	return forgets < FEW(want) || !load_relaxed(&refused) ? TOO_FEW : 0;
}
