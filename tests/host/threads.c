/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads - a protocol's own source under TSan, with threads for CPUs
 *
 *	threads PROTOCOL READERS INVALIDATIONS MS SEED [ghost]
 *
 * Readers run the guest loop; the guest accesses frames by plain loads and stores
 * through what its TLB holds.  The initiator takes frames and permissions away,
 * publishes, waits until the protocol says done, and then uses the frames itself, by
 * plain stores.  TSan reports a race exactly when nothing orders the guest's last
 * access before that: when a stale access was possible, whether or not it happened.
 *
 * With `ghost` the ghost TLB judges too, and nobody else: its own fences order what
 * TSan would report.
 *
 * Exit status: 0 all is well; 71 the ghost has found a violation; 66 TSan's report; 65
 *a stale access is seen in the data; 67 the initiator has waited MS milliseconds for a
 * reader in the guest, be it that it wants to stop it; 70 a panic; 77 the machine is
 *too busy to say anything.
 */
#include "tests/host/reuse.h"
#include "tests/host/mutants.h"
#include "tests/host/ram.h"
#include "inval/door.h"
#include "inval/ghost.h"
#include "inval/hw.h"
#include "lib/str.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define PAGES       6 /* more than a TLB holds */
#define FRAMES      64
#define READERS_MAX (WORDS - 1)

/* Sequences that cross their wrap early on. */
static const struct smr_params near_wrap = {
	.init = UINT32_MAX - 2000,
	.incr = 2,
	.max_delta = UINT32_MAX / 4,
	.max_advance = UINT32_MAX / 4 - 1024,
};

static struct inval iv;
static struct pool pool;
static struct ept ept;
static unsigned readers;
static u64 seed, patience;
static u32 stop;

/* The initiator's own. */
static hpa_t mapped[PAGES];
static u64 invalidations, waited;

static gpa_t page(unsigned i)
{
	return GPA(SIZE_2M + i * PAGE_SIZE);
}

/* One access of the guest; false when it leaves guest mode by an EPT violation. */
static bool guest_access(unsigned i)
{
	u64 r = rng_next(cpu_rng());
	bool write = r & 1;
	u64 *frame = tlb_translate(&ept, page(i), write);

	if (frame)
		frame_access(frame, hw_self(), write, r);
	return frame;
}

/*
 * From VM entry to VM exit: until a kick, a violation, or often by itself.  A guest
 * that stays for good spins on one page, as edits of others must not make it leave.
 */
static void guest(void)
{
	u64 n = rng_below(cpu_rng(), 32); /* 0: for good */
	unsigned i = (unsigned)rng_below(cpu_rng(), PAGES);
	bool spins = !n;

	while (!kick_arrived() && guest_access(i)) {
		if (spins)
			relax(); /* nothing else here lets others run */
		else if (--n)
			i = (unsigned)rng_below(cpu_rng(), PAGES);
		else
			return;
	}
}

static void *reader(void *arg)
{
	struct inval_reader *r = arg;

	cpu_start((unsigned)(r - iv.reader), seed);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		door_way->enter(r);
		ghost_enter(r->ghost, hw_self());
		guest();
		ghost_exit(r->ghost, hw_self());
		iv.proto->exit(r);
		if (kick_take())
			inval_kicked(r);
		relax(); /* threads outnumber the CPUs that they run on */
	}
	cpu_stop();
	return NULL;
}

static void wait_done(ticket_t t)
{
	u64 end = now_ms() + patience;

	waited += !inval_done(&iv, t);
	while (!inval_done(&iv, t)) {
		if (now_ms() > end)
			host_die(HANGS, "CPU %d does not leave the guest",
				 iv.proto->laggard(&iv, t));
		relax();
	}
}

/*
 * One edit in four is made behind the door, one is announced.  The door, and a protocol
 * that wants to know, stop the guests: up to the publish their frames are the
 * initiator's to write.
 */
static void announce(struct gather *g)
{
	u64 how = rng_below(cpu_rng(), 4);

	if (how == 0)
		door_way->shut(&iv, g);
	else if (how == 1)
		inval_begin(&iv);
	if (how > 1 || (how == 1 && !iv.proto->begin))
		return;
	for (unsigned i = 0; i < PAGES; i++)
		for (unsigned n = 1; n < WORDS; n++)
			frame_words(mapped[i])[n] = SCRUBBED;
}

static void finish(struct gather *g)
{
	ticket_t t = g->stopped ? door_way->open(&iv, g) : inval_publish(&iv, g);

	__atomic_store_n(&invalidations, invalidations + 1, __ATOMIC_RELAXED);
	wait_done(t);
	inval_complete(&iv, g);
	ept_settle(&ept, g);
	inval_retire(&iv, t, g);
}

/* begin() waits where nothing of ours looks at a clock: this thread does. */
static void *watch(void *unused)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	u64 had = 0, since = now_ms();

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		u64 n = __atomic_load_n(&invalidations, __ATOMIC_RELAXED);

		if (n != had) {
			had = n;
			since = now_ms();
		} else if (now_ms() - since > 2 * patience)
			host_die(HANGS, "the initiator does not get to publish");
		nanosleep(&nap, NULL);
	}
	return unused;
}

static void must(enum err e)
{
	if (e)
		panic("threads: an edit fails: %s", err_name(e));
}

static void map_page(unsigned i)
{
	struct gather g = gather_init();

	mapped[i] = frame_new(&pool);
	must(ept_map(&ept, page(i), mapped[i], PAGE_SIZE, EPT_RW, &g));
	assert(!gather_needs_flush(&g));
}

/* Another frame for a page, present when the old one is nobody's. */
static void edit_remap(unsigned i)
{
	struct gather g = gather_init();
	hpa_t old = mapped[i];

	announce(&g);
	mapped[i] = frame_new(&pool);
	must(ept_remap(&ept, page(i), mapped[i], PAGE_SIZE, &g));
	if (g.stopped)
		frame_fill(old, SCRUBBED); /* nobody has both */
	gather_block(&g, &pool, old);
	finish(&g);
}

/* A page without write permission is the initiator's to write. */
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

/* All pages and the table that maps them; walkers may be in that table. */
static void edit_unmap(void)
{
	struct gather g = gather_init();

	announce(&g);
	must(ept_unmap(&ept, GPA(SIZE_2M), SIZE_2M, &g));
	for (unsigned i = 0; i < PAGES; i++)
		gather_block(&g, &pool, mapped[i]);
	finish(&g);
	for (unsigned i = 0; i < PAGES; i++)
		map_page(i);
}

static void edit(void)
{
	unsigned i = (unsigned)rng_below(cpu_rng(), PAGES);

	switch (rng_below(cpu_rng(), 8)) {
	case 0:
		edit_unmap();
		break;
	case 1:
	case 2:
		edit_protect(i);
		break;
	default:
		edit_remap(i);
	}
}

/* At once: whoever is stale has not accessed anything yet. */
static void haunted(const struct ghost_violation *v)
{
	char text[200];

	ghost_text(text, sizeof(text), v);
	host_die(HAUNTED, "%s", text);
}

static void ask_ghost(void)
{
	struct ghost_tally t;

	ghost_tell(&t);
	if (iv.ghost && t.checked < invalidations)
		host_die(PANICS, "the ghost has judged %lu of %lu", t.checked,
			 invalidations);
}

static void set_up(const struct inval_proto *proto, bool watch)
{
	ram_pool(&pool, FRAMES);
	must(ept_init(&ept, &pool, (struct ept_features){ 0 }));
	if (proto->root_order)
		must(ept_twin(&ept, proto->root_order));
	for (unsigned i = 0; i < PAGES; i++)
		map_page(i);
	inval_init(&iv, proto, &pool, ept_pointer(&ept), readers + 1);
	inval_roots(&iv, 1u << proto->root_order);
	door_fit(&iv);
	smr_init(&iv.smr, readers + 1, &near_wrap);
	ghost_hook(haunted);
	if (watch)
		inval_watch(&iv);
	fence_sc();
}

static void run(u64 count)
{
	pthread_t thread[READERS_MAX], watcher;
	u64 end = now_ms() + RUN_MS;

	if (pthread_create(&watcher, NULL, watch, NULL))
		panic("threads: no thread");
	for (unsigned i = 0; i < readers; i++)
		if (pthread_create(&thread[i], NULL, reader, &iv.reader[i]))
			panic("threads: no thread");
	while (invalidations < count && now_ms() < end)
		edit();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < readers; i++) {
		hw_kick(i);
		pthread_join(thread[i], NULL);
	}
	pthread_join(watcher, NULL);
}

static u64 flushes(void)
{
	u64 n = 0;

	for (unsigned i = 0; i < readers; i++)
		n += load_relaxed(&iv.reader[i].flushes);
	return n;
}

int main(int argc, char **argv)
{
	const struct inval_proto *proto = argc >= 6 ? mutant_or_proto(argv[1]) : NULL;
	u64 n, count;

	if (!proto || !str_u64(argv[2], &n) || !n || n > READERS_MAX ||
	    !str_u64(argv[3], &count) || !str_u64(argv[4], &patience) ||
	    !str_u64(argv[5], &seed)) {
		fprintf(stderr,
			"usage: threads PROTOCOL READERS INVALIDATIONS MS SEED [ghost]\n");
		return 2;
	}
	readers = (unsigned)n;
	cpu_start(readers, seed);
	set_up(proto, argc > 6);
	run(count);
	printf("# %lu invalidations, %lu waited, %lu flushes\n", invalidations, waited,
	       flushes());
	cpu_stop();
	ask_ghost();
	return invalidations < FEW(count) ? TOO_FEW : 0;
}
