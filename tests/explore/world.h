/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world - everything that a state of the model consists of, in one place
 *
 *      initiators: CPUs 0 .. initiators - 1        readers: the CPUs after them
 *
 * Each CPU is a coroutine on a stack of its own; the stacks, the protocol's struct
 * inval and the machine around it lie in `world`, which never moves.  So a state is a
 * copy of the parts of it that change, and pointers in it stay valid when it is put
 * back.
 */
#ifndef TESTS_EXPLORE_WORLD_H
#define TESTS_EXPLORE_WORLD_H

#include "inval/inval.h"
#include "tests/explore/doors.h"

#define CPUS    4
#define PAGES   4
#define ROOTS   2 /* of protocols that want several */
#define BUFFER  6 /* entries of a store buffer      */
#define STACK   16384
#define CLEARED 1536 /* below a stack pointer, at each switch */

/* What a CPU does when it is chosen next. */
enum op {
	OP_LOAD,
	OP_STORE, /* waits for room in the buffer */
	OP_RMW,   /* this and the next two wait for an empty buffer */
	OP_FENCE,
	OP_FLUSH,
	OP_KICK,
	OP_RELAX,
	OP_READY,  /* the first state */
	OP_WINDOW, /* interrupts are on for a moment */
	OP_ENTER,  /* VM entry                       */
	OP_GUEST,  /* waits for a VM exit            */
	OP_IDLE,   /* waits for a kick               */
	OP_END,
};

enum tlb { TLB_EMPTY, TLB_OLD, TLB_NEW };

/* The first root: they differ by their address alone. */
#define ROOT PAGE_SIZE

/* What the page's EPT word holds before and after the edit. */
#define EPT_OLD ((u64)TLB_OLD)
#define EPT_NEW ((u64)TLB_NEW)

struct buffered {
	uintptr_t at;
	u64 value;
	u64 size;
};

struct xcpu {
	void *sp;
	u8 op;      /* enum op                                   */
	u8 guest;   /* executes guest code                       */
	u8 pending; /* a kick has arrived and is not yet taken   */
	u8 flight;  /* kicks on their way to this CPU            */
	u8 resume;  /* has left the guest, its host code goes on */
	u8 waits;   /* an initiator between publish() and done() */
	u8 count;   /* stores in the buffer, the oldest first    */
	u8 root;    /* that the guest is translated by           */
	u8 tlb[ROOTS][PAGES];
	struct buffered buffer[BUFFER];
};

/* The hardware, and what people do with memory. */
struct machine {
	atomic64_t ept[PAGES];
	atomic64_t kicks[CPUS];
	atomic64_t came[CPUS]; /* for whom: doors.c */
	atomic64_t lock, over; /* of enum burden    */
	u8 reused[PAGES];      /* the old frame of the page belongs to somebody else */
	u8 finished;           /* initiators that are through */
	struct xcpu cpu[CPUS];
};

struct world {
	_Alignas(4096) struct inval iv;
	_Alignas(CACHE_LINE) struct machine m;
	_Alignas(4096) u8 stack[CPUS][STACK];
};
extern struct world world;

/* What is explored; the same for all states of a search. */
struct config {
	const struct inval_proto *proto;
	unsigned initiators, readers, runs, edits;
	enum door door; /* edits are made behind it                               */
	enum burden burden;
	bool quarter;   /* four advances of SMR are once around the circle        */
	bool instant;   /* kicks arrive with the ICR write                        */
	bool eats;      /* the host has interrupts on between enter() and VM entry */
	bool no_buffer; /* controls: stores take effect at once, ...              */
	bool no_fill;   /* ... no TLB is filled in the guest, ...                 */
	bool full;      /* ... each access is a decision, ...                     */
	bool leaves;    /* ... a guest is held to leave by itself some day        */
};
extern struct config config;

static inline unsigned cpu_total(void)
{
	return config.initiators + config.readers;
}

static inline unsigned page_total(void)
{
	return config.initiators * config.edits;
}

/* The first state: each reader has run once, and holds every old translation. */
void world_init(void);

/* Does the guest of this CPU run, and can it write to the page's old, reused frame? */
bool world_misuse(unsigned cpu, unsigned page);

/* Does any? */
bool world_unsafe(void);

/* Have all initiators finished? */
static inline bool world_finished(void)
{
	return world.m.finished == config.initiators;
}

/* Does an initiator wait for a reader that nothing makes leave its guest? */
bool world_unkicked(void);

/* What went wrong in explored code, or NULL: the schedule is then at its end. */
extern const char *world_panic;

#endif
