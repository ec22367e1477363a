/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reuse - frames of a guest, and the same frames in other use: who still writes there?
 *
 * All accesses are plain, for TSan to judge.
 */
#ifndef TESTS_HOST_REUSE_H
#define TESTS_HOST_REUSE_H

#include "tests/host/hw_threads.h"
#include "mm/mem.h"

#define WORDS    8 /* of a frame: its tag, then one for each reader */
#define LIVE     0x11feull
#define SCRUBBED 0x5c2bull

static inline u64 *frame_words(hpa_t frame)
{
	return mem_ptr(frame);
}

static inline void frame_fill(hpa_t frame, u64 value)
{
	for (unsigned i = 0; i < WORDS; i++)
		frame_words(frame)[i] = value;
}

/* Reuses a frame for something else, and notices when somebody still writes to it. */
static inline void frame_scrub(hpa_t frame)
{
	const u64 *w = frame_words(frame);

	frame_fill(frame, SCRUBBED);
	relax();
	for (unsigned i = 0; i < WORDS; i++)
		if (w[i] != SCRUBBED)
			host_die(STALE, "word %u of a frame in use becomes 0x%lx", i,
				 w[i]);
}

/* A frame of the guest's; most likely the one that was freed last. */
static inline hpa_t frame_new(struct pool *p)
{
	hpa_t frame;

	if (pool_alloc(p, 0, &frame))
		panic("frames: the pool is empty");
	frame_scrub(frame);
	frame_fill(frame, LIVE);
	return frame;
}

/* One access of the guest, through what tlb_translate() has found. */
static inline void frame_access(u64 *w, unsigned cpu, bool write, u64 value)
{
	if (w[0] != LIVE)
		host_die(STALE, "CPU %u reads 0x%lx through a stale translation", cpu,
			 w[0]);
	if (write)
		w[1 + cpu] = value;
}

#endif
