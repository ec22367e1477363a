/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost_tag - what may a CPU hold under each of its ASIDs?
 *
 * With EPT the root is the tag.  SVM has ASIDs, which software gives out: it may give
 * one to two roots, or keep one without the flush that it owes.  No root tells that.
 * So at each entry the ghost hears what the VMCB says as VMRUN reads it: N_CR3, the
 * ASID, and what TLB_CONTROL makes the CPU drop before the guest's first instruction
 * (APM vol. 2, 15.16.1, 15.16.2).  What those who filled it in believe does not matter:
 * nothing but TLB_CONTROL drops anything, and a CPU forgets nothing by itself.
 *
 *      CPU 2    tag    0      1       2       3      ...
 *               root   host   0x5000  0x9000  -             whose it has, -: nobody's
 *               lo            17      4       -             ghost.c's, of that root
 *
 *   [T6] the tag is another root's: GHOST_MIXED.  The guest can use what is cached, so
 *        it may reach that root's memory.  From then on the tag counts as its own.
 *   [T7] the tag is the root's own: its lo is that of the word by which ghost.c judges
 *        entry and completion, so STALE, REUSED and IN_GUEST mean what they mean there.
 *   [T8] the tag is clean: the root's version is lo, as with a first entry after
 * INVEPT.
 *
 * The same root may be held under two tags, with two lo; the CPU is inside one of them.
 * A VM that is not watched leaves a tag that is somebody's, nobody knows whose.
 *
 * Why it raises no false alarm: a tag that is clean or the root's own is never T6, and
 * lo under T7 is what the hardware was allowed to keep under that tag, no more. Between
 * the entry that is told and VMRUN interrupts are off and nobody writes the VMCB.
 *
 * A CPU's row is written by that CPU alone; others read it when a VM begins.
 * Checked by: tests/unit/ghost_tag.c against a model of sets, tests/unit/svm_ghost.c
 * with the ASIDs that svm/ gives out, tests/proto on the machine, by mutants of svm/.
 */
#include "inval/ghost.h"

#define UNKNOWN GHOST_ROOT /* of a VM that is not watched: no root is there */

static struct held {
	atomic64_t root, lo; /* root 0: nobody's */
} held[CHECKED ? CPU_MAX : 1][GHOST_TAGS];

static atomic64_t tagged; /* has any CPU told a tag? */

static void hold(struct held *h, u64 root, u64 lo)
{
	store_release(&h->lo, lo);
	store_release(&h->root, root);
}

static void drop(unsigned cpu, const struct ghost_told *told)
{
	if (told->drop == GHOST_DROP_TAG)
		hold(&held[cpu][told->tag], 0, 0);
	if (told->drop == GHOST_DROP_ALL)
		for (unsigned i = 0; i < GHOST_TAGS; i++)
			hold(&held[cpu][i], 0, 0);
}

/* The other root that the CPU may translate by, or 0. */
static u64 other_root(u64 root, u64 has, u64 told)
{
	if (has && has != root)
		return has;
	return told != root ? told : 0;
}

static void enter(struct ghost *g, unsigned cpu, const struct ghost_told *told)
{
	struct held *h = &held[cpu][told->tag];
	u64 root = ghost_root(g), has = load_relaxed(&h->root);
	u64 other = other_root(root, has, told->root & GHOST_ROOT);

	if (other) /* T6 */
		ghost_mixed(g, cpu, told->tag, other == UNKNOWN ? 0 : other);
	ghost_word_put(g, cpu, has == root ? load_relaxed(&h->lo) : 0); /* T7, T8 */
	ghost_entered(g, cpu);
	hold(h, root, ghost_word(g, cpu) & GHOST_LO);
}

void ghost_entered_told(struct ghost *g, unsigned cpu, struct ghost_told told)
{
	assert(told.tag < GHOST_TAGS);
	if (!load_relaxed(&tagged))
		store_release(&tagged, 1ull);
	drop(cpu, &told);
	if (g)
		enter(g, cpu, &told);
	else
		hold(&held[cpu][told.tag], UNKNOWN, 0);
}

u64 ghost_tag_newest(u64 root)
{
	u64 newest = 0;

	for (unsigned cpu = 0; load_relaxed(&tagged) && cpu < ARRAY_LEN(held); cpu++)
		for (unsigned i = 0; i < GHOST_TAGS; i++)
			if (load_acquire(&held[cpu][i].root) == root)
				newest = MAX(newest, load_acquire(&held[cpu][i].lo));
	return newest;
}

void ghost_tag_forget(void)
{
	for (unsigned cpu = 0; load_relaxed(&tagged) && cpu < ARRAY_LEN(held); cpu++)
		for (unsigned i = 0; i < GHOST_TAGS; i++)
			hold(&held[cpu][i], 0, 0);
	store_relaxed(&tagged, 0ull);
}
