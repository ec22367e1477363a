/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario - one edit under one protocol, judged by what guests do through the window
 *
 * All scenarios share a stage: k vCPUs hammer on the window at GUEST_WINDOW and never
 * exit by themselves; the window's page is one of two blocks; each vCPU has a word of
 * its own in it.  A scenario says what its edit is; stage.c does the rest.
 */
#ifndef TESTS_PROTO_SCENARIO_H
#define TESTS_PROTO_SCENARIO_H

#include "tests/test.h"
#include "vm/vm.h"

enum scenario_kind { REMAP, UNMAP_REUSE, PROTECT_WRITE };

struct scenario {
	enum scenario_kind kind;
	bool reads; /* guests read the window, else they write it */
	bool large; /* the window is a 2 MiB leaf, else 4 KiB      */
};

/* The stage for one number of vCPUs. */
struct stage {
	const struct scenario *scenario;
	struct run *t;
	struct vm *vm;
	hpa_t block[2];
	unsigned mapped; /* which block the window shows */
	u64 size;
	u64 edits;
	u64 flushes[CPU_MAX]; /* each reader's flushes when the last edit was made   */
	u64 before[CPU_MAX];  /* what a guest's counter was at some moment */
};

/* Builds and starts a stage with `vcpus` guests, or records why not. */
bool stage_open(struct stage *s, struct run *t, const struct scenario *sc,
		unsigned vcpus);
void stage_close(struct stage *s);

/* Waits until each guest has used the window since now; false: it does not. */
bool stage_progress(struct stage *s);

/*
 * An emulator may flush at each entry by itself, and so hide a flush that is missing.
 * Notes the flushes at an edit; each guest that has gone on since must have flushed.
 */
void stage_note_flushes(struct stage *s);
bool stage_all_flushed(struct stage *s);

/* Fills the words of a block: with its tag, or with poison. */
void stage_fill(struct stage *s, unsigned block, u64 tag);

/* The guest's count of uses of the window that show `block`. */
u64 stage_uses(const struct stage *s, unsigned vcpu, unsigned block);
void stage_snapshot(struct stage *s, unsigned block);
/* Uses since the snapshot that certainly happened after it. */
u64 stage_uses_since(const struct stage *s, unsigned block);

/* How many guests used the poisoned block: words overwritten, poison seen. */
u64 stage_poison_used(const struct stage *s, unsigned block);

/*
 * Spins a moment after an edit, so that accesses that were translated before it have
 * been done, and what a snapshot misses from now on is stale.
 */
void stage_settle(void);

/* Spins until no kick is under way, and a moment more. */
void stage_watch(void);

#endif
