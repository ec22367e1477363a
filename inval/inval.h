/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inval - the contract between edits, the guest-run loop and an invalidation protocol
 *
 *      initiator                            reader: a CPU that runs the guest
 *      ---------                            ---------------------------------
 *      inval_begin(iv)                      interrupts off
 *      ept_unmap(..., &g)
 *      t = inval_publish(iv, &g)            proto->enter(r)     may flush
 *      while (!inval_done(iv, t)) relax()   VM entry ... guest ... VM exit
 *      ept_settle(e, &g)                    proto->exit(r)
 *      inval_retire(iv, t, &g)
 *
 * The claim of a sound protocol: when done() is true, no CPU uses a translation that
 * an edit before publish() removed.  Only then may inval_retire() reuse memory.
 */
#ifndef INVAL_INVAL_H
#define INVAL_INVAL_H

#include "mm/gather.h"
#include "smr/smr.h"

typedef u64 ticket_t;
struct inval;
struct ghost; /* inval/ghost.h */

/* What is true when done() is (docs/protocols.md, guarantee classes). */
enum inval_class {
	G0, /* nothing                                                           */
	G1, /* no CPU that may hold an old translation is in the guest, and each
	     * flushes before its next guest instruction                         */
	G2, /* each of them has flushed                                          */
};

/* A word on a cache line of its own. */
struct inval_line {
	_Alignas(CACHE_LINE) atomic64_t word;
};

/* What a CPU shows to others, and what they ask of it: a protocol's. */
struct inval_mark {
	_Alignas(CACHE_LINE) atomic64_t word;
	atomic64_t asked;
};

/*
 * What one CPU keeps for one VM.  Private to that CPU, touched with interrupts off, but
 * for `mark`.
 */
struct inval_reader {
	struct inval_mark mark;
	_Alignas(CACHE_LINE) struct inval *iv;
	struct smr_slot *slot;
	atomic64_t *active;  /* this CPU's word of inval.active, and its bit in it */
	u64 bit, others;     /* others: all bits but this one */
	u64 flushed;         /* the generation that this CPU has last flushed for */
	u64 own;             /* a protocol's                                      */
	atomic64_t *mask;    /* this CPU's word of inval.mask                     */
	struct ghost *ghost; /* of `root`                                        */
	atomic64_t flushes;  /* how often it has; others may look                */
	atomic64_t root;     /* EPTP that it enters by; likewise                 */
};

/* Hooks that may be NULL are marked so.  None sleeps or prints. */
struct inval_proto {
	const char *name;
	const char *what;           /* one line for people                     */
	bool sound;                 /* false: a negative control               */
	bool basic;                 /* runs where no protocol is asked for     */
	enum inval_class guarantee; /* what done() promises; G0 if not sound   */
	unsigned root_order;        /* wants 2^n roots with the same tables    */
	u64 fresh;                  /* the mark of a CPU that has never entered */
	void (*enter)(struct inval_reader *);  /* right before VM entry        */
	void (*exit)(struct inval_reader *);   /* right after VM exit          */
	void (*kicked)(struct inval_reader *); /* NULL: the kick's interrupt is taken,
						* outside of the guest, between exit and
						* the next enter                */
	void (*begin)(struct inval *);         /* NULL: before the edit; may spin */
	ticket_t (*publish)(struct inval *, const struct gather *);
	bool (*done)(struct inval *, ticket_t);      /* may be polled by any CPU    */
	int (*laggard)(struct inval *, ticket_t);    /* a CPU that delays it, or -1 */
	bool (*active)(const struct inval_reader *); /* NULL: the active set knows */
};

struct inval {
	const struct inval_proto *proto;
	struct pool *pool;   /* where retired blocks go */
	u64 root;            /* EPTP, the first of them */
	unsigned roots;      /* pages of roots in a row */
	struct ghost *ghost; /* who judges, or NULL: inval_watch() */
	unsigned cpus;
	bool fitted;      /* readers enter by way of inval/door.h */
	atomic64_t begun; /* by this CPU + 1: an edit under way, for proto->begin */
	_Alignas(CACHE_LINE)
		atomic64_t gen; /* bumped by each edit that needs a flush */
	atomic64_t door;        /* 0: open; else who has shut it, + 1: inval/door.h */
	_Alignas(CACHE_LINE) atomic64_t active[CPU_MAX / 64]; /* CPUs in the guest */
	_Alignas(CACHE_LINE) atomic64_t mask[CPU_MAX / 64];   /* a protocol's      */
	struct inval_line shared[4];                          /* a protocol's      */
	struct smr smr;
	struct inval_reader reader[CPU_MAX];
};

/* For tests of these; all are in inval_protos. */
extern const struct inval_proto gen_smr, gen_ipi, new_root;
extern const struct inval_proto rendezvous, stop_world, dirty_mask, counter_wait,
	handler_flush;
extern const struct inval_proto *const inval_protos[];
extern const unsigned inval_proto_count;

/* Prepares `iv` for CPUs 0 .. cpus - 1.  No reader has flushed yet, so each will. */
void inval_init(struct inval *iv, const struct inval_proto *proto, struct pool *pool,
		u64 root, unsigned cpus);

/*
 * From `root` on lie so many root pages in a row, a power of two up to 64, which point
 * to the same tables: ept_twin().  Before inval_watch() and the first entry.  Without
 * this call there is one.
 */
void inval_roots(struct inval *iv, unsigned roots);

/* From now on the ghost TLB judges; before the first entry. */
void inval_watch(struct inval *iv);

/*
 * Announces an edit to protocols that want to know before it is made: they stop all
 * readers from here to the publish.  Each begin is followed by one publish, by the same
 * CPU, which is not a reader at that moment.  In between it waits for no CPU: not for
 * one to leave its run loop, nor for one that may be about to edit.  An edit that was
 * not announced is announced by its publish.
 */
void inval_begin(struct inval *iv);

/*
 * Makes the gathered edits known and kicks who must be kicked.  g was open and is
 * published after.  The caller is not between enter() and exit() of `iv`.
 */
ticket_t inval_publish(struct inval *iv, struct gather *g);

/* Is the invalidation complete?  Never blocks. */
static inline bool inval_done(struct inval *iv, ticket_t t)
{
	return iv->proto->done(iv, t);
}

/*
 * done() has said yes, and the caller relies on it from now on: here the ghost TLB
 * judges.  inval_retire() does so for who has not.
 */
void inval_complete(struct inval *iv, struct gather *g);

/*
 * Returns the gathered blocks to the pool; g is open and empty again.  Panics when
 * the protocol does not hold the invalidation for complete, or when ept_settle() has
 * been forgotten.
 */
void inval_retire(struct inval *iv, ticket_t t, struct gather *g);

/* Is `cpu` between enter() and exit(), as far as others can see? */
static inline bool inval_active(const struct inval *iv, unsigned cpu)
{
	if (iv->proto->active)
		return iv->proto->active(&iv->reader[cpu]);
	return load_acquire(&iv->active[cpu / 64]) & BIT(cpu % 64);
}

/* Panics when the executing CPU is between enter() and exit(): it may not wait. */
void inval_not_a_reader(const struct inval *iv);

/* The CPU of r has taken a kick; called outside of the guest. */
void inval_kicked(struct inval_reader *r);

/* For protocols: kicks each CPU of the active set. */
void inval_kick_active(struct inval *iv);

/*
 * For protocols: raises a word that only ever grows.  done() keeps to what it has said
 * once by such a word, the highest ticket known to be done.
 */
void inval_raise(atomic64_t *word, u64 to);

/* For protocols that wait for nobody after publish(): done, and no laggard. */
bool inval_done_at_once(struct inval *iv, ticket_t t);
int inval_no_laggard(struct inval *iv, ticket_t t);

/*
 * For protocols whose laggard() begins with the highest ticket known to be done, in
 * shared[0]: done when nobody lags, and for good.
 */
bool inval_done_for_good(struct inval *iv, ticket_t t);

/* For protocols: flushes this CPU, then remembers that it did so for `gen`. */
void inval_flush(struct inval_reader *r, u64 gen);

/* For protocols, in enter(): the same for all roots, and without a generation. */
void inval_flush_roots(struct inval_reader *r);

/* For protocols, in enter(): this CPU enters by the n-th root from now on. */
void inval_use_root(struct inval_reader *r, u64 n);

#endif
