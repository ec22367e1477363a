/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost - what may each CPU still hold, by the rules of the architecture?  See ghost.c.
 *
 *      ghost_watch()       a VM begins at a root; ghost_join(): at more of them
 *      ghost_edit()        an edit is about to be published
 *      ghost_complete()    somebody relies on its invalidation from now on
 *      ghost_enter()       between the enter hook and VM entry
 *      ghost_enter_told()  the same, where a CPU has ASIDs: ghost_tag.c
 *      ghost_exit()        between VM exit and the exit hook
 *      ghost_flush()       INVEPT
 *
 * Only the checked build has a ghost.  Nothing here sleeps or prints; what was found is
 * kept until somebody asks.
 */
#ifndef INVAL_GHOST_H
#define INVAL_GHOST_H

#include "build.h"
#include "lib/atomic.h"
#include "mm/gather.h"

#define GHOST_ROOTS 256 /* addresses that ever were the root of a VM */
#define GHOST_EDITS 8   /* of a root, the last ones, for messages   */
#define GHOST_TAGS  64  /* ASIDs that a CPU may use, 0 included     */

enum ghost_kind {
	GHOST_IN_GUEST, /* an edit is complete; the CPU runs with what it killed      */
	GHOST_STALE,    /* the CPU enters with what a complete edit killed            */
	GHOST_REUSED,   /* the CPU enters with what a dead VM had at the same root    */
	GHOST_MIXED,    /* the CPU enters under a tag that has another root's         */
	GHOST_KINDS,
};

/* What hardware is told at a VM entry, where tags stand for roots. */
enum ghost_drop {
	GHOST_DROP_NONE,
	GHOST_DROP_TAG, /* what the CPU holds under this tag */
	GHOST_DROP_ALL, /* and what under all others         */
};

struct ghost_told {
	u64 root;             /* it translates by this one from now on   */
	u32 tag;              /* and caches under this, below GHOST_TAGS */
	enum ghost_drop drop; /* before the guest's first instruction    */
};

/* What is told about an edit. */
struct ghost_edit {
	atomic64_t number;
	atomic64_t why; /* WHY_* of all its ranges, and its CPU above: ghost.c */
	atomic64_t start, len;
};

/* The life of one root address, through any number of VMs. */
struct ghost {
	_Alignas(CACHE_LINE) atomic64_t key; /* 0: a free place                     */
	atomic64_t retired;                  /* the newest edit that is complete    */
	atomic64_t born;                     /* the VM's first; below, a dead VM's  */
	struct ghost *first; /* of the VM's roots: it alone counts edits     */
	struct ghost *next;  /* after the first, the VM's others             */
	const char *proto;
	unsigned cpus;
	_Alignas(CACHE_LINE) atomic64_t version; /* the newest edit */
	struct ghost_edit edit[GHOST_EDITS];
};

struct ghost_violation {
	enum ghost_kind kind;
	unsigned cpu; /* which may hold it                       */
	int by;       /* which made the edit, -1: forgotten      */
	u64 root, lo, edit;
	u64 born; /* numbers of edits are told relative to this */
	u32 why;
	u64 start, len; /* of the edit's first range; len 0: none */
	u32 tag;        /* GHOST_MIXED alone: the tag, and whose  */
	u64 other;      /* root it has too, 0: not known          */
	const char *proto;
};

struct ghost_tally {
	u64 checked;                /* edits whose completion was judged */
	u64 violations;             /* of all kinds                      */
	u64 of_kind[GHOST_KINDS];   /* of each                           */
	u64 unwatched;              /* VMs for whose root was no room    */
	struct ghost_violation was; /* the first, when there is one      */
};

/*
 * A VM of CPUs 0 .. cpus - 1 begins at this root (an EPTP).  What they hold from an
 * earlier one is killed.  NULL, and counted, when there is no room: the VM is not
 * judged.
 */
struct ghost *ghost_watch(u64 root, unsigned cpus, const char *proto);

/*
 * The VM of g, which is what ghost_watch() has returned, has one more root.  Before its
 * first entry.  g; NULL, and counted, when there is no room.
 */
struct ghost *ghost_join(struct ghost *g, u64 root);

/* The ghost of one of the roots of the VM of g; NULL when g is. */
struct ghost *ghost_at(struct ghost *g, u64 root);

/* Forgets what was found so far, but not what the CPUs hold. */
void ghost_reset(void);

/* How many violations were found since. */
u64 ghost_violations(void);

/* What was found since.  Once no CPU runs a guest, or it may be torn. */
void ghost_tell(struct ghost_tally *out);

/* fn() is called with the first violation of all, by its finder, in a hook.  Once. */
void ghost_hook(void (*fn)(const struct ghost_violation *));

/* One sentence about v; ghost_text.c. */
void ghost_text(char *buf, size_t size, const struct ghost_violation *v);

/* May a CPU with this word hold what edit k killed, and is it in the guest? */
#define GHOST_INSIDE BIT(63)
#define GHOST_LO     BITS(62, 0)  /* 0: holds nothing */
#define GHOST_ROOT   BITS(51, 12) /* of an EPTP or N_CR3, what tells roots apart */

static inline bool ghost_may_hold(u64 word, u64 k)
{
	return (word & GHOST_LO) && (word & GHOST_LO) < k;
}

/* For tests: the word of a CPU; and a ghost that knows nothing, while no VM is watched.
 */
u64 ghost_word(const struct ghost *g, unsigned cpu);
void ghost_forget(void);

/* Between ghost.c and ghost_tag.c. */
u64 ghost_root(const struct ghost *g);
void ghost_word_put(struct ghost *g, unsigned cpu, u64 lo);
void ghost_mixed(const struct ghost *g, unsigned cpu, u32 tag, u64 other);
u64 ghost_tag_newest(u64 root); /* the highest lo of any tag that has this root */
void ghost_tag_forget(void);

void ghost_edit_made(struct ghost *g, struct gather *e);
void ghost_edit_complete(struct ghost *g, struct gather *e);
void ghost_entered(struct ghost *root, unsigned cpu);
void ghost_entered_told(struct ghost *root, unsigned cpu, struct ghost_told told);
void ghost_left(struct ghost *g, unsigned cpu);
void ghost_flushed(unsigned cpu, u64 root);

/* Gives the edits of e, which are made, their number. */
static inline void ghost_edit(struct ghost *g, struct gather *e)
{
	if (CHECKED && g && gather_needs_flush(e))
		ghost_edit_made(g, e);
}

/* Judges e, once: the protocol has said that its invalidation is done. */
static inline void ghost_complete(struct ghost *g, struct gather *e)
{
	if (CHECKED && g && e->edit)
		ghost_edit_complete(g, e);
}

/* For the executing CPU, interrupts off; g is of the root that it enters by. */
static inline void ghost_enter(struct ghost *g, unsigned cpu)
{
	if (CHECKED && g)
		ghost_entered(g, cpu);
}

/*
 * The same, for a CPU that has ASIDs: what it drops is what it is told to, and nobody
 * calls ghost_flush().  Also for a VM that is not watched.
 */
static inline void ghost_enter_told(struct ghost *g, unsigned cpu,
				    struct ghost_told told)
{
	if (CHECKED)
		ghost_entered_told(g, cpu, told);
}

static inline void ghost_exit(struct ghost *g, unsigned cpu)
{
	if (CHECKED && g)
		ghost_left(g, cpu);
}

/* The executing CPU has dropped what it held for `root` (an EPTP), 0: for all roots. */
static inline void ghost_flush(unsigned cpu, u64 root)
{
	if (CHECKED)
		ghost_flushed(cpu, root);
}

#endif
